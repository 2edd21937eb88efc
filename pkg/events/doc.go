// Package events makes Kubernetes Events of findings.
//
// An Event's name is made from what it says. So whoever writes it again, after
// a restart or as the next leader, finds that it is there, and needs no memory
// for that. There is a bound on Events of one object and one reason, on all of
// them, and on how fast they are written; a Writer is to run in one process at
// a time.
package events
