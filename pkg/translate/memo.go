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
	backtracks, oldBacktracks     map[model.Regex]bool
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
	m.oldBacktracks, m.backtracks = m.backtracks, make(map[model.Regex]bool, len(m.backtracks))
	m.oldPasswordFiles, m.passwordFiles = m.passwordFiles, make(map[version]users, len(m.passwordFiles))
	m.oldPasswordMaps, m.passwordMaps = m.passwordMaps, make(map[version]users, len(m.passwordMaps))
}

// end drops what was not used.
func (m *memo) end() {
	m.oldBacktracks = nil
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

// backtrack is backtracks with a memory.
func (m *memo) backtrack(e model.Regex) bool {
	v, ok := m.backtracks[e]
	if !ok {
		if v, ok = m.oldBacktracks[e]; !ok {
			v = backtracks(e)
		}
		m.backtracks[e] = v
	}
	return v
}
