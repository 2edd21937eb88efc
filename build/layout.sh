#!/bin/bash
# Lays out what the image has beside nginx. The Dockerfile and build/image.sh
# both run it, so that both images are the same.
#
#   build/layout.sh BINARY DIR      BINARY is the controller's, DIR gets the files

set -euo pipefail
umask 022 # what is made is for all to read

readonly binary=${1:?usage: build/layout.sh BINARY DIR} dir=${2:?usage: build/layout.sh BINARY DIR}
root=$(cd "$(dirname "$0")/.." && pwd)

install -d -m 755 "$dir"
install -D -m 755 "$binary" "$dir/usr/local/bin/sidegate"
install -D -m 644 "$root/rootfs/etc/nginx/sidegate.js" "$dir/etc/nginx/sidegate.js"
install -D -m 644 "$root/LICENSE" "$dir/usr/share/doc/sidegate/copyright"

# The built-in templates, for reference: --template-dir replaces single ones.
install -d -m 755 "$dir/etc/sidegate/templates"
install -m 644 "$root"/templates/*.tmpl "$dir/etc/sidegate/templates/"

# What the controller and nginx share is mounted here.
install -d -m 755 "$dir/etc/nginx/sidegate"

# The root is read-only, and what collects logs reads standard output.
install -d -m 755 "$dir/var/log/nginx"
ln -sfn /dev/stdout "$dir/var/log/nginx/access.log"
ln -sfn /dev/stderr "$dir/var/log/nginx/error.log"
