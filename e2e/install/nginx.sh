#!/bin/bash
# Brings a stock nginx, 1.30.1 or newer: the one on PATH when it is new enough,
# else Debian's packages, unpacked in the cache and run from there with their own
# loader and libraries. Nothing of the machine's own packages is changed, and no
# service is started.
#
# Result: $CACHE/bin/nginx (runs it), $CACHE/nginx-modules (its dynamic modules).

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/debian.sh"

# 1.30.0 and older have a heap overflow in the rewrite module (CVE-2026-42945).
readonly want=1.30.1
readonly packages=nginx,libnginx-mod-stream,libnginx-mod-http-js

version_of() { "$1" -v 2>&1 | sed -n 's,^nginx version: nginx/\([0-9.]*\).*,\1,p'; }

new_enough() {
	local v
	v=$(version_of "$1" 2>/dev/null) || return 1
	[ -n "$v" ] && version_ge "$v" "$want"
}

# The modules' folder as the binary itself was told at its build.
modules_of() { "$1" -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d= -f2; }

# make_runnable ROOT FINAL: unpacked packages have no maintainer scripts run, so
# the merged-/usr links are missing; and the binary is told that its loader and
# libraries will be below FINAL. (To run it through the loader, `ld.so nginx`,
# would do without, but then nginx cannot set the titles of its processes, by
# which one tells a master from its workers.)
make_runnable() {
	local l loader libs
	for l in lib lib64 bin sbin; do ln -sfn "usr/$l" "$1/$l"; done
	chmod 755 "$1"
	loader=$(cd "$1" && find usr/lib64 usr/lib -maxdepth 2 -name 'ld-linux-*' 2>/dev/null | head -n1)
	[ -n "$loader" ] || die "the unpacked packages hold no dynamic loader (ld-linux-*)"
	libs=$(cd "$1" && echo usr/lib/*-linux-gnu)
	# An RPATH counts for the modules and for libraries of libraries too.
	patchelf --set-interpreter "$2/$loader" --force-rpath --set-rpath "$2/$libs" "$1/usr/sbin/nginx"
}

lock nginx
rm -rf "$CACHE"/.nginx.?????? # of runs that were killed: the lock says none is going on

if new_enough "$CACHE/bin/nginx"; then
	exit 0
fi

on_path=$(command -v nginx || true)
if [ -n "$on_path" ] && new_enough "$on_path"; then
	say "nginx $(version_of "$on_path") at $on_path is used"
	publish_link "$on_path" "$CACHE/bin/nginx"
	publish_link "$(modules_of "$on_path")" "$CACHE/nginx-modules"
	exit 0
fi

need_debian "nginx $want or newer, which is not on PATH,"
have patchelf || apt_install "running nginx from where it is unpacked" patchelf

tmp=$(mktemp -d "$CACHE/.nginx.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
with_progress "fetching nginx of Debian $debian_suite" debian_unpack "$tmp/root" "$packages"
chmod 755 "$tmp"
make_runnable "$tmp/root" "$tmp/root" # to ask it for its version
version=$(version_of "$tmp/root/usr/sbin/nginx")
new_enough "$tmp/root/usr/sbin/nginx" ||
	die "Debian $debian_suite brought nginx ${version:-of no version at all}, and $want or newer is needed."

final=$CACHE/nginx-$version
make_runnable "$tmp/root" "$final/root"
rm -rf "$final"
mv -T "$tmp" "$final"
trap - EXIT
publish_link "$final/root/usr/sbin/nginx" "$CACHE/bin/nginx"
publish_link "$final/root/usr/lib/nginx/modules" "$CACHE/nginx-modules"
say "nginx $version is at $CACHE/bin/nginx"
