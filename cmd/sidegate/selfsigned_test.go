package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	file := filepath.Join(dir, selfSignedFile)
	now := time.Now()
	get := func(at time.Time) []byte {
		t.Helper()
		data, err := selfSigned(dir, at)
		if err != nil {
			t.Fatal(err)
		}
		if !usable(data, at) {
			t.Error("it cannot be used")
		}
		return data
	}
	first := get(now)
	if !bytes.Equal(first, get(now.AddDate(0, 6, 0))) {
		t.Error("a restart has changed it")
	}
	second := get(now.AddDate(0, 11, 20))
	if bytes.Equal(first, second) {
		t.Error("one that is about to expire is kept")
	}
	for _, broken := range [][]byte{nil, second[:len(second)/2], []byte("garbage")} {
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(file); bytes.Equal(get(now), kept) || err != nil {
			t.Errorf("one that is broken is kept (%v)", err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
