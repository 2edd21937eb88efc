package nginx

import (
	"sync"
	"time"
)

// Worker is a worker process of the running master.
type Worker struct {
	PID int
	// Generation is what it was asked for last; "" is that it was not asked,
	// because it is from before this process started.
	Generation string
	// Draining says that it accepts no connections any more and ends with
	// those that it has.
	Draining bool
	// DrainingSince is when that was first seen.
	DrainingSince time.Time
}

// Workers lists the workers of the running master; none when no master runs.
func (n *Nginx) Workers() ([]Worker, error) {
	master, err := findMaster(n.o.PIDFile)
	if err != nil {
		return nil, nil // where there is no master, there are no workers
	}
	all, err := n.look(master)
	if err != nil {
		return nil, err
	}
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	out := []Worker{}
	for p, role := range all {
		if role == accepting || role == draining {
			known := n.memory.known[p]
			out = append(out, Worker{p.pid, known.generation, role == draining, known.drainingSince})
		}
	}
	return out, nil
}

// memory is what /proc does not tell of workers.
type memory struct {
	mu    sync.Mutex
	known map[process]knowledge
}

type knowledge struct {
	generation    string
	drainingSince time.Time
}

// look lists the master's children, notes which of them drain, and forgets
// processes that have ended.
func (n *Nginx) look(master process) (map[process]role, error) {
	all, err := crew(master)
	if err != nil {
		return nil, err
	}
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	known := make(map[process]knowledge, len(all))
	for p, role := range all {
		k := n.memory.known[p]
		if role == draining && k.drainingSince.IsZero() {
			k.drainingSince = time.Now()
		}
		known[p] = k
	}
	n.memory.known = known
	return all, nil
}

// learn notes which generation the workers serve.
func (n *Nginx) learn(workers []process, generation string) {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	for _, p := range workers {
		if k, ok := n.memory.known[p]; ok {
			k.generation = generation
			n.memory.known[p] = k
		}
	}
}

// inUse tells whether a worker of the generation is still there.
func (n *Nginx) inUse(generation string) bool {
	n.memory.mu.Lock()
	defer n.memory.mu.Unlock()
	for _, k := range n.memory.known {
		if k.generation == generation {
			return true
		}
	}
	return false
}
