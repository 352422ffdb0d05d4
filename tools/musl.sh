#!/usr/bin/env bash
# Fetches musl of other machines, with which tests link static programs: Debian's
# packages for i386, AArch64 and Arm, and for RISC-V 64, which Debian 12 has not got,
# what its source package makes. Nothing is installed: each has a directory with
# include and lib in the user's cache directory.
#
#   tools/musl.sh
set -eu -o pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/elfwright/musl
machines=(i386 aarch64 arm riscv64)
missing=()
for machine in "${machines[@]}"; do
	[ -s "$cache/$machine/lib/libc.a" ] || missing+=("$machine")
done
[ ${#missing[@]} = 0 ] && exit 0
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "needs apt-get and dpkg-deb of Debian" >&2; exit 1; }

mkdir -p "$cache"
work=$(mktemp -d "$cache/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial none
: >status

# release [OPTION…] says from where this system has its own packages, by apt's lists.
release() {
	apt-get "$@" indextargets --format '$(LABEL) $(COMPONENT) $(SITE) $(RELEASE) $(SIGNED_BY)' 'Created-By: Packages' |
		awk '$1 == "Debian" && $2 == "main" && $4 !~ /-/ && !n++ { print $3, $4, $5 }'
}
read -r site release keys < <(release) || {
	fresh=(-o APT::Sandbox::User= -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
	apt-get -qq "${fresh[@]}" update
	read -r site release keys < <(release "${fresh[@]}") || { echo "apt has no sources of Debian's main" >&2; exit 1; }
}
signed=
case $keys in /*) signed="[signed-by=$keys] " ;; esac
printf '%s\n' "deb $signed$site $release main" "deb-src $signed$site $release main" >sources

apt=(-qq -o APT::Architecture=i386 -o APT::Architectures::=i386 -o APT::Architectures::=arm64 -o APT::Architectures::=armhf
	-o APT::Sandbox::User= -o Acquire::Languages=none -o "Dir::Etc::sourcelist=$work/sources" -o "Dir::Etc::sourceparts=$work/none"
	-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o "Dir::State::status=$work/status")
apt-get "${apt[@]}" update --error-on=any

# package MACHINE ARCHITECTURE TRIPLE takes Debian's package apart.
package() {
	apt-get "${apt[@]}" download "musl-dev:$2"
	dpkg-deb -x musl-dev_*_"$2".deb "$2"
	mkdir made
	mv "$2/usr/lib/$3" made/lib
	mv "$2/usr/include/$3" made/include
	keep "$1" "$2/usr/share/doc/musl-dev/copyright"
}

# source_package MACHINE TRIPLE builds the library.
source_package() {
	apt-get "${apt[@]}" source --download-only musl
	mkdir tree debian
	tar -xf musl_*.orig.tar.?z -C tree --strip-components=1
	tar -xf musl_*.debian.tar.?z -C debian
	if ! (
		cd tree &&
			./configure --target="$2" --disable-shared --prefix="$work/made" CROSS_COMPILE="$2-" CFLAGS='-O1 -fPIC -g0' &&
			make -s -j"$(nproc)" install-libs install-headers
	) >build.log 2>&1; then
		tail -n 20 build.log >&2
		exit 1
	fi
	keep "$1" debian/debian/copyright
}

# keep MACHINE COPYRIGHT puts it into the cache.
keep() {
	cp "$2" made/copyright
	rm -rf "${cache:?}/$1"
	mv made "$cache/$1"
}

for machine in "${missing[@]}"; do
	case $machine in
	i386) package i386 i386 i386-linux-musl ;;
	aarch64) package aarch64 arm64 aarch64-linux-musl ;;
	arm) package arm armhf arm-linux-musleabihf ;;
	riscv64) source_package riscv64 riscv64-linux-gnu ;;
	esac
done
