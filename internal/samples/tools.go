package samples

import (
	"debug/elf"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// A Tool makes a file from another one.
type Tool struct {
	Name string
	argv []string // IN and OUT are replaced; without OUT it works in place
}

// Editors are the tools that people use on finished programs, for the program's
// machine.
func (p Program) Editors() []Tool { return Editors(p.Machine) }

// Editors are those for programs of a machine.
func Editors(m elf.Machine) []Tool {
	prefix := map[elf.Machine]string{
		elf.EM_386: "i686-linux-gnu-", elf.EM_AARCH64: "aarch64-linux-gnu-", elf.EM_ARM: "arm-linux-gnueabihf-", elf.EM_RISCV: "riscv64-linux-gnu-",
	}[m]
	return []Tool{
		{"strip", []string{prefix + "strip", "-o", "OUT", "IN"}},
		{"strip-g", []string{prefix + "strip", "-g", "-o", "OUT", "IN"}},
		{"objcopy", []string{prefix + "objcopy", "IN", "OUT"}},
		{"eu-strip", []string{"eu-strip", "-o", "OUT", "IN"}},
		{"llvm-strip", []string{"llvm-strip-14", "-o", "OUT", "IN"}},
		{"llvm-objcopy", []string{"llvm-objcopy-14", "IN", "OUT"}},
		{"patchelf", []string{"patchelf", "--set-rpath", "/a/path/that/needs/more/room/than/the/old/one", "IN"}},
	}
}

// Apply runs a tool and returns what it said, and false if it refuses the file.
func (k Tool) Apply(t testing.TB, in, out string) (string, bool) {
	t.Helper()
	Need(t, k.argv[0])
	argv := slices.Clone(k.argv)
	if !slices.Contains(argv, "OUT") {
		b, err := os.ReadFile(in)
		if err == nil {
			err = os.WriteFile(out, b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		in = out
	}
	for i := range argv {
		switch argv[i] {
		case "IN":
			argv[i] = in
		case "OUT":
			argv[i] = out
		}
	}
	msg, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	return string(msg), err == nil
}
