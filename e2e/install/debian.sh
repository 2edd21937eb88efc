# shellcheck shell=bash
# Debian's packages, unpacked into a folder: shared by nginx.sh here and by
# build/base.sh, which makes the root file system of the image. To be sourced
# after lib.sh.

# nginx 1.30 came to Debian with forky.
readonly debian_suite=forky

# need_debian WHAT: what fetching and unpacking takes.
need_debian() {
	have apt-get || die "$1 comes from Debian's packages, and there is no apt-get to fetch them."
	[ "$(id -u)" = 0 ] || die "$1 comes from Debian's packages, and only root can unpack them." "Run this once as root."
	have mmdebstrap || apt_install "unpacking Debian's packages" mmdebstrap
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || apt_install "checking Debian's signatures" debian-archive-keyring
}

# The mirror of this machine's own apt, so that a proxy or a local mirror is
# used here as well; empty when apt knows no Debian archive (mmdebstrap then
# takes the suite's default). DEBIAN_MIRROR overrides it.
debian_mirror() {
	if [ -n "${DEBIAN_MIRROR:-}" ]; then
		echo "$DEBIAN_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CREATED_BY)|$(REPO_URI)' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" && $3 == "Packages" { print $4; exit }'
}

# debian_unpack DIR PACKAGES [OPTION...]: the packages (with commas between) and
# all that they depend on, unpacked, no script run. The options are mmdebstrap's.
debian_unpack() {
	local dir=$1 include=$2 mirror log
	shift 2
	mirror=$(debian_mirror)
	log=$(mktemp "$CACHE/.log.XXXXXX")
	local cmd=(mmdebstrap --mode=root --variant=extract --include="$include" --format=directory "$@")
	if "${cmd[@]}" "$debian_suite" "$dir" ${mirror:+"$mirror"} >"$log" 2>&1; then
		rm -f "$log"
		return
	fi
	if ! grep -q 'is expired' "$log"; then
		cat "$log"
		rm -f "$log"
		return 1
	fi
	# A mirror that lags behind serves an index past its date. Its signature is
	# checked all the same.
	echo "the mirror's index is past its Valid-Until date: taking it as it is, with its signature checked"
	rm -rf "$dir" "$log"
	"${cmd[@]}" --aptopt='Acquire::Check-Valid-Until "false"' "$debian_suite" "$dir" ${mirror:+"$mirror"}
}
