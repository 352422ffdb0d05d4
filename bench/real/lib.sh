# What the scripts beside this file share; they source it. Each of them gets the
# source of a project from Debian, builds it with LD as its linker, boots what
# came out under QEMU, and ends with 0 if the expected line was there.
#
#   bench/real/linux.sh              with elfwright, built from this repository
#   LD=/usr/bin/ld bench/real/linux.sh      with another linker
#   WORK=DIR bench/real/linux.sh     in DIR, which is kept; else /var/tmp/elfwright-real
#
# apt needs "deb-src" lines for sources, and these packages:
#   gcc gcc-aarch64-linux-gnu make bc bison flex libelf-dev libssl-dev cpio
#   dpkg-dev device-tree-compiler python3 swig acpica-tools qemu-system-x86
#   qemu-system-arm seabios
set -eu -o pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=${WORK:-/var/tmp/elfwright-real}/$(basename "$0" .sh)
jobs=$(nproc)
mkdir -p "$work"
cd "$work"

# linker NAME sets LD: what the caller gave, or elfwright under that name.
linker() {
	[ -n "${LD:-}" ] && return
	(cd "$repo" && go build -o "$work/elfwright" ./cmd/elfwright)
	mkdir -p "$work/bin"
	ln -sf "$work/elfwright" "$work/bin/$1"
	LD=$work/bin/$1
}

# source_package PACKAGE DIR unpacks a Debian source package.
source_package() {
	[ -d "$2" ] && return
	apt-get source -qq --download-only "$1"
	dpkg-source -x ./"$1"_*.dsc "$2"
}

# boots LINE COMMAND… runs an emulator until LINE is in what it prints.
boots() {
	local want=$1 pid found=1
	shift
	echo "boots: $*"
	timeout 120 "$@" </dev/null >boot.log 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null && [ $found != 0 ]; do
		sleep 0.2
		grep -qa -- "$want" boot.log && found=0
	done
	kill $pid 2>/dev/null || true
	wait $pid || true
	grep -a -m1 -- "$want" boot.log && return
	tail -n 20 boot.log
	echo "$(basename "$0"): no line with \"$want\"; see $work/boot.log" >&2
	return 1
}
