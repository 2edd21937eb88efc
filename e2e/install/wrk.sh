#!/bin/bash
# Brings wrk, the load generator of `make bench`, from Debian's packages.

. "$(dirname "$0")/lib.sh"

have wrk || apt_install "make bench" wrk
