package controller

import (
	"encoding/json"
	"net/http"
	"sync"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// leases is an API of one lease.
type leases struct {
	mu    sync.Mutex
	lease *coordinationv1.Lease
}

func newLeases() *leases { return &leases{} }

func (l *leases) holder() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lease == nil {
		return "none: it is not there"
	}
	if l.lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.lease.Spec.HolderIdentity
}

func (l *leases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var sent coordinationv1.Lease
	switch r.Method {
	case http.MethodPost, http.MethodPut:
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		l.lease = &sent
	case http.MethodDelete:
		l.lease = nil
		_, _ = w.Write([]byte(`{"kind": "Status", "apiVersion": "v1", "status": "Success"}`))
		return
	}
	if l.lease == nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`))
		return
	}
	_ = json.NewEncoder(w).Encode(l.lease)
}
