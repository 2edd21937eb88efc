#!/bin/bash
# Makes a release of the commit that is checked out: binaries, images, chart,
# lists of what is in them, notes, checksums. The same commit gives the same
# bytes as long as Debian has the same packages (docs/release.md).
#
#   VERSION=1.0.0 build/release.sh [DIR]        by default dist/VERSION

# shellcheck source=e2e/install/lib.sh
. "$(dirname "$0")/../e2e/install/lib.sh"

umask 022 # what is made is for all to read

root=$(dirname "$E2E")
readonly version=${VERSION:?VERSION is not set} image=${IMAGE:-sidegate/sidegate} arches='amd64 arm64'
# For its metrics and signals the controller reads /proc, so Linux is all there is.
readonly os=linux
out=${1:-$root/dist/$version}

case $version in *-dirty) die "$version: there are changes that are not committed, and a release is of a commit." ;; esac
SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# Helm takes semantic versions only.
semver() {
	if [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$ ]]; then
		echo "$version"
	else
		echo "0.0.0-git.$version"
	fi
}

binaries() {
	local arch
	mkdir -p "$tmp/binaries"
	for arch in $arches; do
		CGO_ENABLED=0 GOOS=$os GOARCH=$arch nice go build -C "$root" -trimpath -buildvcs=false \
			-ldflags "-s -w -X main.version=$version" -o "$tmp/binaries/sidegate-$os-$arch" ./cmd/sidegate
		cp "$tmp/binaries/sidegate-$os-$arch" "$new/sidegate-$version-$os-$arch"
	done
}

images() {
	local arch archives=()
	# shellcheck disable=SC2086 # words
	BINARIES=$tmp/binaries DIST=$tmp IMAGE=$image FRESH=${FRESH-1} "$root/build/image.sh" $arches
	go build -C "$root/build" -trimpath -o "$tmp/" ./cmd/mkindex ./cmd/mksbom
	for arch in $arches; do
		local archive=$new/sidegate-image-$version-$os-$arch.tar
		mv "$tmp/sidegate-$version-$os-$arch.tar" "$archive"
		"$tmp/mksbom" "$archive" "$image" >"${archive%.tar}.cdx.json"
		archives+=("$archive")
	done
	"$tmp/mkindex" "$image:$version" "${archives[@]}" >"$new/sidegate-image-$version.tar"
}

# Helm writes the time of packaging into the package, so it is packed anew.
chart() {
	local chart=$root/charts/sidegate
	if [ ! -d "$chart" ] || [ ! -x "$E2E/install/helm.sh" ]; then
		say "NO CHART IN THIS RELEASE: there is no charts/sidegate, or no e2e/install/helm.sh to package it"
		return
	fi
	"$E2E/install/helm.sh"
	"$CACHE/bin/helm" package "$chart" --version "$(semver)" --app-version "$version" --destination "$tmp/chart" >/dev/null
	mkdir "$tmp/chart/files"
	tar -xzf "$tmp/chart/sidegate-$(semver).tgz" -C "$tmp/chart/files"
	tar -c --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
		-C "$tmp/chart/files" sidegate | gzip -9n >"$new/sidegate-$(semver).tgz"
	"$CACHE/bin/helm" show chart "$new/sidegate-$(semver).tgz" | grep -Fq "version: $(semver)" ||
		die "the chart's package cannot be read by helm"
}

# The section of the changelog: that of the version, or what is not released.
notes() {
	awk -v version="$version" '
		/^## / { section = $2; gsub(/[][]/, "", section); next }
		{ text[section] = text[section] $0 "\n" }
		END { print (version in text) ? text[version] : text["Unreleased"] }
	' "$root/CHANGELOG.md" | sed -e '/./,$!d' | cat -s >"$new/NOTES.md"
	[ -s "$new/NOTES.md" ] || die "CHANGELOG.md has no section for $version, nor one that is called Unreleased"
}

need_go
start=$SECONDS
tmp=$(mktemp -d)
mkdir -p "$(dirname "$out")"
new=$(mktemp -d "$(dirname "$out")/.release.XXXXXX")
trap 'rm -rf "$tmp" "$new"' EXIT
chmod 755 "$new"
notes
with_progress "building sidegate $version for $arches" binaries
images
chart
(cd "$new" && sha256sum -- * >SHA256SUMS)
rm -rf "$out"
mv -T "$new" "$out"
(cd "$out" && du -h -- * >&2)
say "$out is complete after $((SECONDS - start)) s"
