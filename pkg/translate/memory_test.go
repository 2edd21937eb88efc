package translate

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
	"github.com/sidegate/sidegate/pkg/snapshot"
)

// Each model is the Previous of the next. One that kept its snapshot would keep
// those of all models before it as well.
func TestModelDoesNotKeepItsSnapshot(t *testing.T) {
	const rounds = 5
	var gone atomic.Int32
	translator := New(Options{HTTPPort: 80, HTTPSPort: 443})
	var previous *model.Config
	for range rounds {
		s := &snapshot.Snapshot{Time: time.Now()}
		runtime.AddCleanup(s, func(int) { gone.Add(1) }, 0)
		previous = translator.Translate(Input{Snapshot: s, Previous: previous}).Config
	}
	for deadline := time.Now().Add(30 * time.Second); gone.Load() < rounds; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d snapshots are still there", rounds-gone.Load(), rounds)
		}
		runtime.GC()
	}
	runtime.KeepAlive(translator)
	runtime.KeepAlive(previous)
}
