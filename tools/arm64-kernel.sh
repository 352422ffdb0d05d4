#!/usr/bin/env bash
# Fetches Debian's kernel for AArch64 machines in clouds, which tests boot under
# qemu-system-aarch64. Nothing is installed: the package is taken apart in the
# user's cache directory.
#
#   tools/arm64-kernel.sh
set -eu -o pipefail

dir=${XDG_CACHE_HOME:-$HOME/.cache}/elfwright/arm64
[ -s "$dir/vmlinuz" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs apt-get and dpkg-deb of Debian" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$dir"
: >"$work/status"
apt=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o Acquire::Languages=none
	-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o "Dir::State::status=$work/status")
cd "$work"
apt-get "${apt[@]}" update
package=$(apt-cache "${apt[@]}" depends linux-image-cloud-arm64 | awk '/Depends: linux-image/ { print $2; exit }')
[ -n "$package" ] || { echo "no kernel for arm64 in the sources of apt" >&2; exit 1; }
apt-get "${apt[@]}" download "$package"
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xf - --wildcards './boot/vmlinuz-*' './lib/modules/*/unix_diag.ko*' '*/copyright'
for module in lib/modules/*/kernel/net/unix/unix_diag.ko*; do
	case $module in
	*.xz) xz -dc "$module" >"$dir/unix_diag.ko" ;;
	*.ko) cp "$module" "$dir/" ;;
	esac
done
cp usr/share/doc/*/copyright "$dir/"
mv boot/vmlinuz-* "$dir/vmlinuz.new"
mv "$dir/vmlinuz.new" "$dir/vmlinuz" # last: all is there when it is
