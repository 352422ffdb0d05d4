package samples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Need skips the test, with the reason, unless every tool is on the machine. A
// tool is a command, or the absolute path of a file. With CI=true in the
// environment a missing tool fails the test: there a skipped test is a lost one.
func Need(t testing.TB, tools ...string) {
	t.Helper()
	missing := Missing(tools...)
	if missing == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// Missing says what is not on the machine and which Debian packages bring it; ""
// means that nothing is missing.
func Missing(tools ...string) string {
	var lack, bring []string
	for _, tool := range tools {
		if present(tool) {
			continue
		}
		lack = append(lack, tool)
		if p := DebianPackage(tool); p != "" {
			bring = append(bring, p)
		}
	}
	switch {
	case len(lack) == 0:
		return ""
	case len(bring) == 0:
		return "needs " + strings.Join(lack, ", ")
	}
	return fmt.Sprintf("needs %s (Debian: %s)", strings.Join(lack, ", "), strings.Join(bring, " "))
}

func present(tool string) bool {
	if filepath.IsAbs(tool) {
		_, err := os.Stat(tool)
		return err == nil
	}
	_, err := exec.LookPath(tool)
	return err == nil
}

// debianPackages maps a tool to the package that has it where the names differ.
var debianPackages = map[string]string{
	"addr2line": "binutils", "ar": "binutils", "c++filt": "binutils", "as": "binutils", "ld": "binutils", "ld.bfd": "binutils",
	"ld.gold": "binutils", "nm": "binutils", "objcopy": "binutils", "objdump": "binutils", "ranlib": "binutils",
	"readelf": "binutils", "strip": "binutils",

	"clang++-14": "clang-14", "ld.lld-14": "lld-14", "llvm-objcopy-14": "llvm-14", "llvm-readelf-14": "llvm-14", "llvm-strip-14": "llvm-14",
	"eu-elflint": "elfutils", "eu-readelf": "elfutils", "eu-strip": "elfutils", "eu-unstrip": "elfutils",
	"dump.erofs": "erofs-utils", "fsck.erofs": "erofs-utils", "mkfs.erofs": "erofs-utils", "fusermount3": "fuse3",
	"flock": "util-linux", "setarch": "util-linux", "setpriv": "util-linux", "unshare": "util-linux",
	"nginx": "nginx-light", "psql": "postgresql", "/usr/lib/postgresql/15/bin/initdb": "postgresql", "gcore": "gdb", "musl-gcc": "musl-tools", "cc": "gcc", "c++": "g++",
	"arm-none-eabi-as": "binutils-arm-none-eabi", "arm-none-eabi-ld": "binutils-arm-none-eabi",
	"qemu-system-aarch64": "qemu-system-arm", "qemu-system-i386": "qemu-system-x86", "qemu-system-x86_64": "qemu-system-x86",
	"qemu-system-arm": "qemu-system-arm", "qemu-system-riscv64": "qemu-system-misc", "qemu-system-riscv32": "qemu-system-misc",
	"x86_64-linux-gnu-gcc": "gcc", "x86_64-linux-gnu-ld": "binutils",

	"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf",
	"i686-linux-gnu-gcc": "gcc-i686-linux-gnu", "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu",
	"riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf", "riscv64-unknown-elf-ld": "binutils-riscv64-unknown-elf",
	"s390x-linux-gnu-gcc": "gcc-s390x-linux-gnu", "powerpc64-linux-gnu-gcc": "gcc-powerpc64-linux-gnu",
	"powerpc-linux-gnu-gcc": "gcc-powerpc-linux-gnu",
}

// crossTools end the names of the cross binutils: aarch64-linux-gnu-strip.
var crossTools = []string{"-as", "-ld", "-ld.bfd", "-nm", "-objcopy", "-objdump", "-readelf", "-strip"}

// DebianPackage is the Debian package that a tool comes with; "" if not known.
func DebianPackage(tool string) string {
	if p, ok := debianPackages[tool]; ok {
		return p
	}
	for _, suffix := range crossTools {
		if triple, ok := strings.CutSuffix(tool, suffix); ok && strings.Contains(triple, "-linux-") {
			return "binutils-" + triple
		}
	}
	if triple, ok := strings.CutSuffix(tool, "-g++"); ok {
		return "g++-" + triple
	}
	switch {
	case strings.HasPrefix(tool, "qemu-"):
		return "qemu-user"
	case filepath.IsAbs(tool):
		return ""
	}
	return tool
}
