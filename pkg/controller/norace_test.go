//go:build !race

package controller

// raceDetector tells whether the tests run with it.
const raceDetector = false
