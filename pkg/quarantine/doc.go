// Package quarantine decides which versions of which objects go into the
// configuration, so that one that nginx refuses concerns its owner alone.
//
// It admits and does not accuse: it looks for the largest set that nginx
// takes, beginning with what it took last. A refusal may come from an object,
// from two that clash, from an input that changed, or from the machine; which
// one it was shows by what is taken instead, and never by comparing messages.
//
//   - Everything is taken: done, with one try.
//   - Refused, and the last good versions alone are refused as well, and so is
//     what runs now: it is the machine or nginx. Nobody is blamed.
//   - Otherwise what changed is added back on top of the last good versions:
//     first what holds nothing that only nginx can judge, then the rest in
//     halves, the oldest first, so that of two that clash the younger is out.
//
// Tries are bounded for each call; what is not decided within the bound keeps
// its last good version and is decided by the next call. A refused version is
// tried again with back-off, and when something changes that it was tried
// together with.
//
// The package is pure: it knows objects by name and version only, and it is
// given the function that tries a selection, and the clock. It may import
// model.
package quarantine
