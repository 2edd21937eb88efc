# shellcheck shell=bash
# Shared by the scripts of this folder: where things are kept, messages, locks,
# and the checks for what a machine must bring. To be sourced.
#
# Everything that is slow to get or build is kept in $CACHE, outside the work
# tree, in a folder that carries its version. A folder appears there by one
# rename when it is complete, so an interrupted run leaves nothing that a later
# one could take for a result.

set -euo pipefail

# The locale would change the error texts that are looked at below.
export LC_ALL=C

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sidegate
INSTALL=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by the scripts that source this
E2E=$(dirname "$INSTALL")
mkdir -p "$CACHE/bin"

say() { printf '\033[2m[%s] %s\033[0m\n' "${0##*/}" "$*" >&2; }

die() {
	printf '[%s] %s\n' "${0##*/}" "$1" >&2
	shift
	for line in "$@"; do printf '    %s\n' "$line" >&2; done
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# lock NAME: hold a lock until the script ends, so that two runs at once do not
# build the same thing twice: the second waits and then finds it done.
lock() {
	exec 9>"$CACHE/.$1.lock"
	if ! flock -n 9; then
		say "waiting for another run that is at $1"
		flock 9
	fi
}

# version_ge A B: is version A the same as B or newer?
version_ge() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$2" ]; }

# apt_install WHY PACKAGE...: install Debian packages that are missing.
apt_install() {
	local why=$1
	shift
	have apt-get || die "$why needs the package(s) $*, and there is no apt-get to install them." "Install them by hand and run this again."
	[ "$(id -u)" = 0 ] || die "$why needs the package(s) $*, and only root may install them." "As root: apt-get install $*"
	say "installing $* ($why)"
	apt-get install -y --no-install-recommends "$@" >"$CACHE/apt.log" 2>&1 ||
		{ apt-get update >>"$CACHE/apt.log" 2>&1 && apt-get install -y --no-install-recommends "$@" >>"$CACHE/apt.log" 2>&1; } ||
		{ tail -n 20 "$CACHE/apt.log" >&2; die "apt-get could not install $*; its output is in $CACHE/apt.log"; }
}

# need_go: Go as the go.mod files ask for it. From 1.21 on an older one fetches
# that by itself, unless it was told not to.
need_go() {
	local want=1.26 got
	have go || die "Go $want or newer is missing: no go on PATH." "Install it from https://go.dev/dl/"
	got=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
	got=${got#go}
	version_ge "${got%% *}" "$want" && return
	case $(go env GOTOOLCHAIN 2>/dev/null) in
	auto | *+auto) ;;
	*) die "Go $want or newer is missing: go on PATH is ${got:-older than 1.21} and does not fetch a newer one." \
		"Install it from https://go.dev/dl/" ;;
	esac
}

# with_progress WHAT COMMAND...: run a slow, silent command and say every 20 s
# that it is still going; its output is shown only when it fails.
with_progress() {
	local what=$1 log pid start=$SECONDS status=0
	shift
	log=$(mktemp "$CACHE/.log.XXXXXX")
	say "$what"
	"$@" >"$log" 2>&1 &
	pid=$!
	trap 'kill "$pid" 2>/dev/null; rm -f "$log"' INT TERM
	while sleep 1 && kill -0 "$pid" 2>/dev/null; do
		if (((SECONDS - start) % 20 == 0)); then say "$what: $((SECONDS - start)) s, still going"; fi
	done
	wait "$pid" || status=$?
	trap - INT TERM
	if [ "$status" != 0 ]; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		die "$what: failed with status $status"
	fi
	rm -f "$log"
	say "$what: done in $((SECONDS - start)) s"
}

# publish_link TARGET NAME: make $CACHE/bin/NAME (or $CACHE/NAME with a slash
# in it) point at TARGET, in one step.
publish_link() {
	ln -sfn "$1" "$2.new.$$"
	mv -fT "$2.new.$$" "$2"
}
