#!/bin/bash
# demo.sh LDFLAGS: builds bin/sidegate and the programs that play the walkthrough,
# and says so when that takes long: from cold it is all of client-go.

. "$(dirname "$0")/lib.sh"

cd "$E2E/.."
need_go
mkdir -p bin

# The flags are those of `make build` for the one, and none for the others, so
# that what is linked already stays.
build() {
	go build -ldflags "$1" -o bin/ ./cmd/sidegate
	go build -o bin/ ./e2e/cmd/...
}
with_progress "building sidegate and the demo (from cold this takes a minute or two)" build "${1:-}"
