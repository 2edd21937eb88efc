#!/bin/bash
# demo.sh LDFLAGS PACKAGE...: builds bin/sidegate and what plays the walkthrough,
# and says that it does: from cold it is all of client-go.

. "$(dirname "$0")/lib.sh"

cd "$E2E/.."
need_go
mkdir -p bin

# One command, so that both are compiled, and linked, side by side.
flags=$1
shift
with_progress "building sidegate and the demo (from cold this takes some minutes)" \
	go build -ldflags "$flags" -o bin/ ./cmd/sidegate "$@"
