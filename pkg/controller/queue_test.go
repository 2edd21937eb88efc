package controller

import (
	"context"
	"errors"
	"fmt"
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
		d := newRuns()
		var runs []time.Time
		go d.loop(ctx, func(string) (time.Time, error) { runs = append(runs, time.Now()); return time.Time{}, nil })
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
		d := newRuns()
		var after time.Duration
		start := time.Now()
		why := ""
		go d.loop(ctx, func(w string) (time.Time, error) { after, why = time.Since(start), w; return time.Time{}, nil })
		for i := range 8 {
			d.trigger(fmt.Sprint(i))
			d.trigger("0") // the same reason counts once
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

// A run that fails is tried again with back-off, whatever the reason, and the
// reasons do not pile up.
func TestFailedRunsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newRuns()
		var at []time.Duration
		longest := 0
		start := time.Now()
		go d.loop(ctx, func(why string) (time.Time, error) {
			at = append(at, time.Since(start))
			longest = max(longest, len(why))
			return time.Time{}, errors.New("no space left on device")
		})
		d.trigger("Ingress default/a")
		time.Sleep(10 * time.Minute)
		cancel()
		synctest.Wait()
		if len(at) < 10 || len(at) > 20 || at[1]-at[0] < firstBackOff || at[len(at)-1]-at[len(at)-2] != lastBackOff {
			t.Errorf("runs at %v", at)
		}
		if longest > 40 {
			t.Errorf("a reason of %d bytes", longest)
		}
	})
}

// A run can ask to be called again, and is, once.
func TestNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newRuns()
		count := 0
		go d.loop(ctx, func(string) (next time.Time, err error) {
			if count++; count == 1 {
				next = time.Now().Add(5 * time.Second)
			}
			return next, nil
		})
		d.trigger("start")
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if count != 2 {
			t.Errorf("%d runs", count)
		}
	})
}

// Under steady change, long runs leave nginx time.
func TestPaceFollowsCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newRuns()
		runs := 0
		go d.loop(ctx, func(string) (time.Time, error) { runs++; time.Sleep(10 * time.Second); return time.Time{}, nil })
		for range 1500 {
			d.trigger("x")
			time.Sleep(100 * time.Millisecond)
		}
		cancel()
		synctest.Wait()
		if runs < 9 || runs > 11 {
			t.Errorf("%d runs of 10 s in 150 s", runs)
		}
	})
}
