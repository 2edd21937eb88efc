package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocsAreCurrent(t *testing.T) {
	text, err := os.ReadFile("../sidegate/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := document(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/values.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("run `make docs` (-is +should be):\n%s", diff)
	}
}

func TestValueWithoutComment(t *testing.T) {
	_, err := document([]byte("a:\n  # Told.\n  b: 1\n  c: 2\n"))
	if err == nil || !strings.Contains(err.Error(), "line 4: a.c has no comment") {
		t.Errorf("got %v", err)
	}
}
