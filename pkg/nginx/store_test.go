package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func newStore(t *testing.T) store {
	t.Helper()
	s := store{t.TempDir()}
	if err := s.init(); err != nil {
		t.Fatal(err)
	}
	return s
}

func numbered(i int) Generation {
	return Generation{ID: fmt.Sprintf("%064x", i), Text: []byte(fmt.Sprint("text ", i))}
}

func TestStagedGenerationIsWhole(t *testing.T) {
	s := newStore(t)
	// A directory without its file is not what stage leaves, and no obstacle.
	if err := os.MkdirAll(filepath.Dir(s.file(numbered(1).ID)), 0o755); err != nil {
		t.Fatal(err)
	}
	if s.has(numbered(1).ID) {
		t.Error("half a generation counts")
	}
	for range 2 {
		if err := s.stage(numbered(1)); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(s.file(numbered(1).ID)); err != nil || string(data) != "text 1" {
		t.Errorf("%q, %v", data, err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("left over: %s", e.Name())
		}
	}
}

func TestStageRefusesAnIDThatIsAPath(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{"", "..", "../../etc", strings.Repeat("G", 64), strings.Repeat("a", 63), strings.Repeat("a", 64) + "\n"} {
		if err := s.stage(Generation{ID: id}); err == nil {
			t.Errorf("%q was staged", id)
		}
	}
}

func TestPublishSwaps(t *testing.T) {
	s := newStore(t)
	if s.current() != "" {
		t.Error("something is published in the beginning")
	}
	for i := range 3 {
		g := numbered(i)
		if err := s.stage(g); err != nil {
			t.Fatal(err)
		}
		if err := s.publish(g.ID); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(s.live()); err != nil || string(data) != string(g.Text) || s.current() != g.ID {
			t.Errorf("%d: %q, %v", i, data, err)
		}
	}
	if err := s.publish(numbered(9).ID); err == nil {
		t.Error("a generation that is not there was published")
	}
	if s.current() != numbered(2).ID {
		t.Error("the link points to nothing")
	}
}

func TestCollectKeepsWhatIsInUse(t *testing.T) {
	s := newStore(t)
	begin := time.Now().Add(-time.Hour)
	for i := range keep + 5 {
		if err := s.stage(numbered(i)); err != nil {
			t.Fatal(err)
		}
		at := begin.Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(filepath.Dir(s.file(numbered(i).ID)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	// The oldest two are the current one and one that a worker serves.
	if err := os.Symlink(filepath.Join("generations", numbered(0).ID), filepath.Join(s.dir, "current")); err != nil {
		t.Fatal(err)
	}
	if err := s.collect(func(id string) bool { return id == numbered(1).ID }); err != nil {
		t.Fatal(err)
	}
	list, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, g := range list {
		got = append(got, g.ID)
	}
	for i := keep + 4; i >= 5; i-- {
		want = append(want, numbered(i).ID)
	}
	want = append(want, numbered(1).ID, numbered(0).ID)
	if !slices.Equal(got, want) {
		t.Errorf("kept %v\nwant %v", got, want)
	}
}

func TestRejectedReplacesTheOneBefore(t *testing.T) {
	s := newStore(t)
	for i := range 2 {
		if err := s.stage(numbered(i)); err != nil {
			t.Fatal(err)
		}
		if err := s.reject(numbered(i), fmt.Sprint("words ", i)); err != nil {
			t.Fatal(err)
		}
		text, message, err := s.rejected()
		if err != nil || string(text) != string(numbered(i).Text) || string(message) != fmt.Sprint("words ", i) {
			t.Errorf("%d: %q, %q, %v", i, text, message, err)
		}
		if s.has(numbered(i).ID) {
			t.Errorf("%d is still among the good ones", i)
		}
	}
	// What nginx serves may be refused now, because a file that it names has
	// gone; a restarted nginx could not come up, but neither without it.
	if err := s.stage(numbered(5)); err != nil {
		t.Fatal(err)
	}
	if err := s.publish(numbered(5).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.reject(numbered(5), "words"); err != nil || !s.has(numbered(5).ID) {
		t.Errorf("the published one is gone: %v", err)
	}
}

func TestReadNeedsOneMatch(t *testing.T) {
	s := newStore(t)
	for _, id := range []string{strings.Repeat("a", 64), "aaaa" + strings.Repeat("b", 60)} {
		if err := s.stage(Generation{ID: id, Text: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := s.read("aaaab"); err != nil || !strings.HasPrefix(string(text), "aaaab") {
		t.Errorf("%q, %v", text, err)
	}
	for _, prefix := range []string{"", "a", "b", "/"} {
		if _, err := s.read(prefix); err == nil {
			t.Errorf("%q was read", prefix)
		}
	}
}
