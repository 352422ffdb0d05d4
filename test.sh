#!/usr/bin/env bash
# The whole test suite. It installs by itself what the tests need.
#
#   ./test.sh          all of it, below 20 minutes on two processors
#   ./test.sh quick    what needs no installation: format, vet, short tests
#   ./test.sh sweep    also over every ELF file of this system; takes long
#
# The last line is "N passed, N failed"; the exit code is 0 if none failed.
# With CI=true a missing tool is a failure, else its tests are skipped.
set -u -o pipefail
cd "$(dirname "$0")" || exit 2
exec 2>&1 # so that complaints stand where they belong

# Debian packages, and what of them the tests call.
packages=(
	gcc g++ libc6-dev binutils           # gcc, as, ld, readelf, nm, objcopy, strip
	gcc-i686-linux-gnu g++-i686-linux-gnu libc6-dev-i386-cross
	gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libc6-dev-arm64-cross
	gcc-arm-linux-gnueabihf g++-arm-linux-gnueabihf libc6-dev-armhf-cross
	gcc-riscv64-linux-gnu g++-riscv64-linux-gnu libc6-dev-riscv64-cross
	gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf # programs without a system, 64 and 32 bits
	binutils-arm-none-eabi               # another default script
	gcc-s390x-linux-gnu libc6-dev-s390x-cross # big endian, 64 and 32 bits
	gcc-powerpc-linux-gnu libc6-dev-powerpc-cross
	qemu-user qemu-system-arm            # runs what these make
	qemu-system-x86 seabios qemu-system-misc # boots kernels of PCs and RISC-V
	musl-tools llvm-14 lld-14 mold       # other C libraries and linkers
	patchelf elfutils gdb                # must accept what we write
	man-db                               # looks for faults in the man pages
	opensbi libc6-s390x-cross libc6-powerpc-cross libc6-dbg # firmware, big endian of both classes, debug files
	chromium                             # opens our pages
	rustc clang-14 nasm                  # objects of other compilers
	erofs-utils fuse3                    # make and check file system images; mount without root
	python3 make nginx-light postgresql  # trees of processes that are frozen
	jq strace                            # ask what our JSON says, and what a program calls
)
fuzz_seconds=150 # for all targets together

mode=${1:-all}
case $mode in
all | quick | sweep) ;;
*)
	echo "usage: ./test.sh [quick|sweep]" >&2
	exit 2
	;;
esac

started=$SECONDS
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export HOME=${HOME:-$work} LC_ALL=C.UTF-8
export GOFLAGS="${GOFLAGS:-} -buildvcs=false" # a fresh clone may belong to another user
passed=0 failed=0 skipped=0 complaints=()

say() { printf '\n== %s  (%d s)\n' "$*" $((SECONDS - started)); }

# check NAME COMMAND… counts one pass or failure.
check() {
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		complaints+=("$what")
	fi
}

# go_test NAME ARGUMENT… runs go test and counts every test.
go_test() {
	local what=$1 ok=0 p f s
	shift
	rm -f "$work/count"
	go test -json "$@" 2>&1 | "$work/summary" "$work/count" || ok=1
	p=0 f=0 s=0
	[ -f "$work/count" ] && read -r p f s <"$work/count"
	if [ $ok != 0 ]; then
		[ "$f" = 0 ] && f=1 # go test itself did not run
		complaints+=("$what")
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# twice COMMAND… tries again after a pause: the net is not always there.
twice() { "$@" || { sleep 5; "$@"; }; }

find_go() {
	local dir
	for dir in /usr/local/go/bin /usr/lib/go-1.26/bin /usr/lib/go/bin; do
		command -v go >/dev/null && break
		[ -x $dir/go ] && PATH=$PATH:$dir
	done
	if ! command -v go >/dev/null; then
		echo "test.sh: no go command found; Go 1.26 is needed (https://go.dev/dl)" >&2
		exit 2
	fi
}

missing_packages() {
	local p
	for p in "${packages[@]}"; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

install_packages() {
	local missing root=()
	if ! command -v apt-get >/dev/null; then
		echo "no apt-get here: tests whose tools are missing will be skipped"
		return
	fi
	mapfile -t missing < <(missing_packages)
	[ ${#missing[@]} = 0 ] && return
	if [ "$(id -u)" != 0 ]; then
		if ! sudo -n true 2>/dev/null; then
			echo "cannot become root; tests are skipped for want of: ${missing[*]}"
			return
		fi
		root=(sudo -n)
	fi
	apt() {
		"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$work/apt.log" 2>&1
	}
	get() { apt update; apt install -y --no-install-recommends "${missing[@]}"; }
	echo "${missing[*]}"
	if ! twice get; then
		tail -n 20 "$work/apt.log"
		echo "not all could be installed"
	fi
}

# foreign is what other machines run or link: it is fetched, not installed.
foreign() {
	command -v apt-get >/dev/null || return
	twice tools/arm64-kernel.sh || echo "no kernel for AArch64"
	twice tools/musl.sh || echo "no musl for all other machines"
}

format() {
	local bad
	bad=$(gofmt -l .) && [ -z "$bad" ] && return
	echo "gofmt would change:" "$bad"
	return 1
}

# fuzz runs every fuzz target for a little while.
fuzz() {
	local line names=() targets=() each target
	while read -r line; do
		case $line in
		Fuzz*) names+=("$line") ;;
		ok*)
			set -- $line
			for target in "${names[@]}"; do targets+=("$2 $target"); done
			names=()
			;;
		esac
	done < <(go test -list '^Fuzz' ./...)
	[ ${#targets[@]} = 0 ] && return
	each=$((fuzz_seconds / ${#targets[@]}))
	((each > 10)) && each=10
	((each < 2)) && each=2
	for target in "${targets[@]}"; do
		set -- $target
		check "$1 $2" fuzz_one "$1" "$2" $each
	done
}

fuzz_one() {
	if go test -run='^$' -fuzz="^$2\$" -fuzztime="$3s" -fuzzminimizetime=5s "$1" >"$work/fuzz.log" 2>&1; then
		echo "ok    $1 $2  $3s"
		return
	fi
	# What is tried when the time ends may be reported as a failure of its own.
	if grep -q 'context deadline exceeded' "$work/fuzz.log" && ! grep -q 'Failing input' "$work/fuzz.log"; then
		echo "ok    $1 $2  $3s, ended by the clock"
		return
	fi
	cat "$work/fuzz.log"
	return 1
}

# concurrent lists the packages whose own code starts goroutines or shares memory.
concurrent() {
	local pkg files
	go list -f '{{$d := .Dir}}{{.ImportPath}}{{range .GoFiles}} {{$d}}/{{.}}{{end}}' ./... | while read -r pkg files; do
		# shellcheck disable=SC2086
		if [ -n "$files" ] && grep -qE '^[[:space:]]*go (func\(|[[:alpha:]][[:alnum:].]*\()|^[[:space:]]*"sync(/atomic)?"$' $files; then
			echo "$pkg"
		fi
	done
}

find_go
if [ $mode != quick ]; then
	say "packages of the system"
	install_packages
	foreign
fi
say "Go modules: $(go version)"
twice go mod download && twice go -C tools mod download && twice go -C test/browser mod download || echo "not all modules could be fetched"
if ! go -C tools build -o "$work/summary" ./summary; then
	echo "0 passed, 1 failed"
	exit 1
fi

say "gofmt, go vet"
check gofmt format
check "go vet" go vet ./...
check "tools" go -C tools test ./...
[ $mode = quick ] || check "pages in a browser" go -C test/browser test ./...
if [ $mode != quick ]; then
	say "staticcheck"
	check staticcheck go tool -modfile=tools/go.mod staticcheck ./...
fi

say "tests and stories" # internal/depcheck is the test of who may import whom
case $mode in
quick) go_test tests -short ./... ;;
sweep) ELFWRIGHT_SWEEP=1 go_test tests -timeout=4h ./... ;;
all) go_test tests -timeout=15m ./... ;;
esac

if [ $mode != quick ]; then
	say "fuzzing"
	fuzz
	mapfile -t racy < <(concurrent)
	if [ ${#racy[@]} != 0 ]; then
		say "race detector"
		go_test "race detector" -race -short -timeout=10m "${racy[@]}"
	fi
fi

say "$mode"
for c in "${complaints[@]+"${complaints[@]}"}"; do echo "failed: $c"; done
[ $skipped = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
