#!/bin/bash
# Makes the root file system under the image: nginx of Debian with its modules,
# the libraries they need, and CA certificates; no shell, no package manager, no
# setuid file. For any architecture, since nothing of it is run.
#
#   build/base.sh ARCH       with FRESH=1: fetch it anew; forky moves
#
# Result: $CACHE/image-base-ARCH, a folder with
#   root        the root file system
#   packages    its packages and their versions, one a line

# shellcheck source=e2e/install/lib.sh
. "$(dirname "$0")/../e2e/install/lib.sh"
# shellcheck source=e2e/install/debian.sh
. "$E2E/install/debian.sh"

umask 022 # what is made is for all to read

readonly arch=${1:?usage: build/base.sh ARCH}
readonly want=1.30.1 # older ones have CVE-2026-42945
readonly wanted=nginx,libnginx-mod-stream,libnginx-mod-http-js,ca-certificates,base-files

# What others depend on, and what is of no use in here: configuration of
# packages, the openssl command, character sets, awk.
readonly unwanted=' debconf libc-gconv-modules-extra mawk openssl openssl-provider-legacy '

# fetch TMP: $TMP/debs holds the packages. What mmdebstrap unpacks is not used:
# which package a file is from would be lost.
fetch() {
	rm -rf "$1/debs"
	# shellcheck disable=SC2016 # mmdebstrap runs it, with the folder as $1
	TO=$1/debs debian_unpack "$1/unpacked" "$wanted" --architectures="$arch" \
		--extract-hook='mkdir "$TO" && cp "$1"/var/cache/apt/archives/*.deb "$TO"'
	rm -rf "$1/unpacked"
}

# unpack DEB ROOT: its files, and its record where scanners for vulnerabilities
# look for it when there is no dpkg.
unpack() {
	local name
	name=$(dpkg-deb --field "$1" Package)
	case $unwanted in *" $name "*) return ;; esac
	dpkg-deb --extract "$1" "$2"
	dpkg-deb --field "$1" >"$2/var/lib/dpkg/status.d/$name"
	dpkg-deb --ctrl-tarfile "$1" | tar -xO ./md5sums >"$2/var/lib/dpkg/status.d/$name.md5sums"
	# shellcheck disable=SC2016 # dpkg's own placeholders
	dpkg-deb --show --showformat '${Package} ${Version} ${Architecture}\n' "$1" >>"$2/../packages"
}

# strip ROOT: what nothing in here reads. The licences stay.
strip() {
	local root=$1
	(
		cd "$root" || exit
		rm -rf boot home media mnt opt root srv usr/games usr/include usr/local usr/src
		rm -rf etc/{ca-certificates,default,dpkg,init.d,issue*,logrotate.d,profile.d,skel,ufw,update-motd.d}
		rm -rf etc/nginx/{conf.d,modules-*,nginx.conf,sites-*,snippets}
		rm -rf usr/lib/systemd usr/lib/*/gconv usr/sbin/update-ca-certificates
		rm -rf usr/share/{apport,base-files,bash-completion,bug,ca-certificates,debconf,dict,info,lintian,man,misc,nginx/html,vim}
		rm -rf var/{backups,cache,local,lock,log,mail,opt,run,spool} var/lib/{misc,nginx}
		find usr/share/doc -mindepth 2 ! -name copyright -delete
		find usr/share/doc -xtype l -delete
		find usr/share/doc -type d -empty -delete
	)
}

# complete ROOT: what maintainer scripts would have made.
complete() {
	local root=$1 l
	for l in lib lib64 bin sbin; do
		if [ -d "$root/usr/$l" ] && [ ! -e "$root/$l" ]; then ln -s "usr/$l" "$root/$l"; fi
	done
	mkdir -p "$root"/{dev,proc,sys,run,tmp,var/cache/nginx,var/log/nginx,usr/local/bin,etc/ssl/certs}
	chmod 1777 "$root/tmp"
	printf '%s\n' 'root:x:0:0:root:/:/usr/sbin/nologin' 'nginx:x:101:101:nginx:/nonexistent:/usr/sbin/nologin' \
		'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'nginx:x:101:' 'nogroup:x:65534:' >"$root/etc/group"
	printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

# certificates ROOT: the bundle that update-ca-certificates would have made.
certificates() {
	local bundle=$1/etc/ssl/certs/ca-certificates.crt file
	mkdir -p "${bundle%/*}"
	find "$1/usr/share/ca-certificates" -name '*.crt' | sort | while read -r file; do
		cat "$file"
		[ -z "$(tail -c1 "$file")" ] || echo
	done >"$bundle"
	[ "$(grep -c 'BEGIN CERTIFICATE' "$bundle")" -gt 50 ] || die "Debian's ca-certificates brought hardly any certificates"
}

# check ROOT: what must hold whatever Debian changes.
check() {
	local root=$1 found version
	found=$(find "$root" -perm /6000 -printf '%P ')
	[ -z "$found" ] || die "setuid or setgid in the image's root: $found"
	found=$(find "$root" ! -type l \( ! -perm -o=r -o -type d ! -perm -o=rx \) -printf '%P ')
	[ -z "$found" ] || die "not readable by all in the image's root: $found"
	# The binary may be of an architecture that cannot run here.
	version=$(grep -aom1 'nginx version: nginx/[0-9.]*' "$root/usr/sbin/nginx" | cut -d/ -f2)
	version_ge "${version:-0}" "$want" || die "Debian $debian_suite brought nginx ${version:-of no version at all}, and $want or newer is needed."
	echo "$version" >"$root/../nginx-version"
}

# make TMP: all of it.
make_base() {
	local tmp=$1 deb
	fetch "$tmp"
	mkdir -p "$tmp/root/var/lib/dpkg/status.d"
	for deb in "$tmp"/debs/*.deb; do unpack "$deb" "$tmp/root"; done
	rm -rf "$tmp/debs"
	sort -o "$tmp/packages" "$tmp/packages"
	certificates "$tmp/root"
	strip "$tmp/root"
	complete "$tmp/root"
	chown -hR 0:0 "$tmp/root"
	chmod 755 "$tmp" "$tmp/root"
	check "$tmp/root"
}

lock "image-base-$arch"
rm -rf "$CACHE/.image-base-$arch".?????? # of runs that were killed: the lock says none is going on

# What makes it is its key: a changed script makes another base.
key=$(cat "$0" "$E2E/install/debian.sh" | sha256sum | cut -c1-12)
final=$CACHE/image-base-$arch-$key
if [ ! -d "$final" ] || [ -n "${FRESH:-}" ]; then
	need_debian "nginx for the image"
	tmp=$(mktemp -d "$CACHE/.image-base-$arch.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	with_progress "fetching Debian $debian_suite's nginx and its libraries for $arch" make_base "$tmp"
	# What is the same stays: another run may be reading it.
	if [ -d "$final" ] && diff -r --no-dereference "$tmp" "$final" >/dev/null; then
		rm -rf "$tmp"
		touch "$final/packages"
	else
		rm -rf "$final"
		mv -T "$tmp" "$final"
	fi
	trap - EXIT
fi
publish_link "$final" "$CACHE/image-base-$arch"
say "base for $arch: nginx $(<"$final/nginx-version"), fetched $(date -u -r "$final/packages" +%F) (FRESH=1 fetches it anew)"
