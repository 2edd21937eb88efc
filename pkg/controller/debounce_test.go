package controller

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Three hundred changes in ten seconds are at most twelve runs, and the last
// one is at most an interval after the last change.
func TestSteadyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newDebouncer()
		var runs []time.Time
		go d.loop(ctx, func(string) { runs = append(runs, time.Now()) })
		time.Sleep(5 * time.Second)
		for range 300 {
			d.trigger("x")
			time.Sleep(10 * time.Second / 300)
		}
		end := time.Now()
		time.Sleep(5 * time.Second)
		cancel()
		synctest.Wait()
		if len(runs) > 12 {
			t.Errorf("%d runs", len(runs))
		}
		if late := runs[len(runs)-1].Sub(end); late > runInterval {
			t.Errorf("the last run came %v after the end", late)
		}
	})
}

func TestSingleChangeIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newDebouncer()
		var after time.Duration
		start := time.Now()
		why := ""
		go d.loop(ctx, func(w string) { after, why = time.Since(start), w })
		for range 8 {
			d.trigger("a")
		}
		time.Sleep(time.Second)
		cancel()
		synctest.Wait()
		if after != quietTime {
			t.Errorf("it ran after %v", after)
		}
		if !strings.HasSuffix(why, "and 3 more") {
			t.Errorf("why: %s", why)
		}
	})
}
