package riscv_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/linktest"
	"elfwright/internal/samples"
)

// picolibc is a file of the C library for machines without a system.
const picolibc = "/usr/lib/picolibc/riscv64-unknown-elf/lib/libc.a"

// TestRelax links programs with the C library by GNU ld and by ours: every symbol
// must be where GNU ld has it, and every byte of code, data and debugging
// information the same.
func TestRelax(t *testing.T) {
	for name, flags := range map[string]string{
		"rv64imac medany":  "-march=rv64imac -mabi=lp64 -mcmodel=medany",
		"rv64im medlow":    "-march=rv64im -mabi=lp64 -mcmodel=medlow",
		"rv64imac medlow":  "-march=rv64imac -mabi=lp64 -mcmodel=medlow",
		"rv64gc sections":  "-march=rv64imafdc -mabi=lp64d -mcmodel=medany -ffunction-sections",
		"rv64imac kept":    "-march=rv64imac -mabi=lp64 -mcmodel=medany -Wl,--no-relax",
		"rv64imac norelax": "-march=rv64imac -mabi=lp64 -mcmodel=medany -mno-relax",
		"rv32imac":         "-march=rv32imac -mabi=ilp32 -Wl,--no-gc-sections",
		"rv32im medany":    "-march=rv32im -mabi=ilp32 -mcmodel=medany",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-ld", picolibc)
			cc := append([]string{"riscv64-unknown-elf-gcc", "--specs=picolibc.specs", "--crt0=semihost", "--oslib=semihost", "-O2", "-g"}, strings.Fields(flags)...)
			args := linktest.Args(t, cc, filepath.Join("testdata", "bare.c"))
			gnu := filepath.Join(t.TempDir(), "gnu")
			if msg, err := exec.Command("riscv64-unknown-elf-ld", append(args, "-o", gnu)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			ours := linktest.Ours(t, args)
			equalPrograms(t, gnu, ours)
		})
	}
}

// TestRun is a program of glibc, shortened, under the emulator.
func TestRun(t *testing.T) {
	samples.Need(t, "qemu-riscv64")
	for name, flags := range map[string][]string{"shortened": {"-static"}, "kept": {"-static", "-Wl,--no-relax"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cc := append([]string{"riscv64-linux-gnu-gcc", "-O2", "-g"}, flags...)
			ours := linktest.Ours(t, linktest.Args(t, cc, filepath.Join("testdata", "program.c"), "-lm"))
			out, err := exec.Command("qemu-riscv64", ours).CombinedOutput()
			if string(out) != "1970-01-02 4 1.000 =b\n" {
				t.Errorf("%q %v", out, err)
			}
		})
	}
}

// equalPrograms compares the symbols, and the bytes of all sections but tables of
// names and what describes the object format.
func equalPrograms(t *testing.T, gnu, ours string) {
	t.Helper()
	g, o := open(t, gnu), open(t, ours)
	gs, os := symbols(t, g), symbols(t, o)
	if len(gs) < 100 {
		t.Errorf("GNU ld's program has only %d symbols", len(gs))
	}
	if d := missing(gs, os); len(d) != 0 {
		t.Errorf("%d of %d symbols differ: GNU ld has %v, ours %v", len(d), len(gs), d[:min(len(d), 5)], first(missing(os, gs)))
	}
	for _, s := range g.Sections {
		if s.Type != elf.SHT_PROGBITS {
			continue
		}
		x := o.Section(s.Name)
		if x == nil {
			t.Errorf("%s is missing", s.Name)
			continue
		}
		want, _ := s.Data()
		got, _ := x.Data()
		if i := differ(want, got); i >= 0 && s.Flags&elf.SHF_MERGE == 0 {
			t.Errorf("%s: at %#x % x, GNU ld has % x; sizes %#x, %#x", s.Name, s.Addr+uint64(i), got[i:min(i+16, len(got))], want[i:min(i+16, len(want))], len(got), len(want))
		}
	}
}

func differ(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func first(list []string) []string { return list[:min(len(list), 5)] }

func open(t *testing.T, file string) *elf.File {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// symbols lists values, sizes and names, without those of files.
func symbols(t *testing.T, f *elf.File) (list []string) {
	t.Helper()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name != "" && elf.ST_TYPE(s.Info) != elf.STT_FILE && s.Section != elf.SHN_ABS {
			list = append(list, fmt.Sprintf("%s=%#x+%#x", s.Name, s.Value, s.Size))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func missing(from, in []string) (list []string) {
	for _, s := range from {
		if _, ok := slices.BinarySearch(in, s); !ok {
			list = append(list, s)
		}
	}
	return list
}
