// Package sidedoor serves what stands beside the way of the traffic: health and
// metrics, the debug endpoint, the admission webhook.
//
// None of them may end the controller. One that cannot listen (a port that is
// taken, a directory that is not there) is logged, counted and tried again. For
// what only this user may ask there are unix sockets, and tokens for TCP. The
// package imports nothing of ours.
package sidedoor
