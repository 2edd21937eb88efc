package translate

import (
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
)

// memo remembers results of costly functions of one object's version. What
// one translation did not use is forgotten by it.
type memo struct {
	annotations, oldAnnotations   map[version]parsedAnnotations
	certificates, oldCertificates map[version]parsedCertificate
	backtracks, oldBacktracks     map[model.Regex]judgement
	// itself tells of paths whether they match themselves as an expression.
	itself, oldItself map[model.Regex]bool
	// root tells whether expressions match "/".
	root, oldRoot map[model.Regex]bool
	// A Secret can hold users in two ways.
	passwordFiles, oldPasswordFiles map[version]users
	passwordMaps, oldPasswordMaps   map[version]users
}

// version names one state of an object, as far as it is read.
type version struct {
	namespace, name, version string
}

type parsedAnnotations struct {
	set      *annotations.Set
	findings []model.Finding
}

// begin starts a translation.
func (m *memo) begin() {
	m.oldAnnotations, m.annotations = m.annotations, make(map[version]parsedAnnotations, len(m.annotations))
	m.oldCertificates, m.certificates = m.certificates, make(map[version]parsedCertificate, len(m.certificates))
	m.oldBacktracks, m.backtracks = m.backtracks, make(map[model.Regex]judgement, len(m.backtracks))
	m.oldItself, m.itself = m.itself, make(map[model.Regex]bool, len(m.itself))
	m.oldRoot, m.root = m.root, make(map[model.Regex]bool, len(m.root))
	m.oldPasswordFiles, m.passwordFiles = m.passwordFiles, make(map[version]users, len(m.passwordFiles))
	m.oldPasswordMaps, m.passwordMaps = m.passwordMaps, make(map[version]users, len(m.passwordMaps))
}

// end drops what was not used.
func (m *memo) end() {
	m.oldBacktracks, m.oldItself, m.oldRoot = nil, nil, nil
	m.oldAnnotations, m.oldCertificates, m.oldPasswordFiles, m.oldPasswordMaps = nil, nil, nil, nil
}

// recall returns f's result for the object, from old if it is there. Objects
// without a resource version (they come from files) are not remembered.
func recall[T any](current, old map[version]T, o snapshot.Object, f func() T) T {
	if o.GetResourceVersion() == "" {
		return f()
	}
	key := version{o.GetNamespace(), o.GetName(), snapshot.Version(o)}
	if v, ok := current[key]; ok {
		return v
	}
	v, ok := old[key]
	if !ok {
		v = f()
	}
	current[key] = v
	return v
}

// judgement is what backtracks found, and what that cost.
type judgement struct {
	backtracks bool
	cost       int
}

// know returns f's result for an expression, from old if it is there.
func know[T any](current, old map[model.Regex]T, e model.Regex, f func() T) T {
	v, ok := current[e]
	if !ok {
		if v, ok = old[e]; !ok {
			v = f()
		}
		current[e] = v
	}
	return v
}

// backtrack is backtracks with a memory. What is remembered costs as much, so
// that the result does not depend on what came before.
func (m *memo) backtrack(e model.Regex) judgement {
	return know(m.backtracks, m.oldBacktracks, e, func() (j judgement) {
		j.backtracks, j.cost = backtracks(e)
		return j
	})
}

// matchesItself is the function with a memory, which goes by the path: those that
// differ in the names of groups have the same expression.
func (m *memo) matchesItself(path string, e model.Regex) bool {
	return know(m.itself, m.oldItself, model.Regex(path), func() bool { return matchesItself(path, e) })
}

// matchesRoot is the function with a memory.
func (m *memo) matchesRoot(e model.Regex) bool {
	return know(m.root, m.oldRoot, e, func() bool { return matchesRoot(e) })
}
