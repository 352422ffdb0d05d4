package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/ldcase"
)

// relink is a linker that first makes one object of those on its command line,
// by -r, and then links that: what comes out has to be the same program. Its
// first two arguments say which linker does the first step, and which the second:
// "ours" or "gnu".
func relink(args []string) int {
	first, second, args := args[0], args[1], args[2:]
	dir, err := os.MkdirTemp("", "relink")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	one := filepath.Join(dir, "one.o")
	emulation, objects, rest := partsOf(args, one)
	if len(objects) == 0 {
		return failed(fmt.Errorf("no objects: %q", args))
	}
	if err := linkBy(first, emulation, slices.Concat([]string{"-m", emulation, "-r", "-o", one}, objects)); err != nil {
		return failed(err)
	}
	if err := linkBy(second, emulation, rest); err != nil {
		return failed(err)
	}
	return 0
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// partsOf finds the objects of a command line, but for those of the C library,
// and puts another in the place of the first.
func partsOf(args []string, one string) (emulation string, objects, rest []string) {
	emulation = "elf_x86_64"
	for i, a := range args {
		value := i > 0 && slices.Contains([]string{"-o", "-m", "-plugin"}, args[i-1])
		switch {
		case value && args[i-1] == "-m":
			emulation = a
		case strings.HasPrefix(a, "-m") && len(a) > 2:
			emulation = a[2:]
		case !value && filepath.Ext(a) == ".o" && !strings.Contains(filepath.Base(a), "crt"):
			if objects = append(objects, a); len(objects) == 1 {
				rest = append(rest, one)
			}
			continue
		}
		rest = append(rest, a)
	}
	return emulation, objects, rest
}

func linkBy(who, emulation string, args []string) error {
	words := []string{name, "link"}
	if who == "gnu" {
		words = []string{"ld.bfd"}
		for _, m := range []struct{ emulation, ld string }{
			{"i386", "i686-linux-gnu-ld.bfd"}, {"aarch64", "aarch64-linux-gnu-ld.bfd"}, {"arm", "arm-linux-gnueabihf-ld.bfd"}, {"riscv", "riscv64-linux-gnu-ld.bfd"},
		} {
			if strings.Contains(emulation, m.emulation) {
				words = []string{m.ld}
				break
			}
		}
	}
	cmd := exec.Command(words[0], append(words[1:], args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%q: %w", cmd.Args, err)
	}
	return nil
}

// TestRelink: programs whose objects became one first run as others do, whichever
// linker made it, and whichever links it. By default only those of x86-64, by this
// linker alone.
func TestRelink(t *testing.T) {
	all := os.Getenv("ELFWRIGHT_SWEEP") != ""
	for _, by := range [][]string{{"ours", "ours"}, {"ours", "gnu"}, {"gnu", "ours"}} {
		if testing.Short() || !all && slices.Contains(by, "gnu") {
			continue
		}
		t.Run(strings.Join(by, "-"), func(t *testing.T) {
			ldcase.RunPrograms(t, append([]string{"relink"}, by...), all)
		})
	}
}
