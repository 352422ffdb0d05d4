package sdf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/sdf"
	"elfwright/sdf/desc"
)

const one = `<system><protection_domain name="one"><program_image path="a.elf"/></protection_domain></system>`

// more builds a second image beside a.elf.
func more(t *testing.T, dir, compiler, name, text string, flags ...string) {
	t.Helper()
	from := build(t, compiler, text, flags...)
	if err := os.Rename(filepath.Join(from, "a.elf"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

const table = "__attribute__((aligned(4096), visibility(\"default\"))) unsigned char "

// The loader's variables get what package paging makes of their addresses.
func TestLoader(t *testing.T) {
	for _, c := range []struct {
		arch             desc.Arch
		compiler, source string
		at               string // of the loader
		kernel, name     string // where it is linked, and a table
	}{
		{desc.AArch64, "aarch64-linux-gnu-gcc", `unsigned long uart_addr = 0x9000000;` +
			table + `boot_lvl0_lower[4096], boot_lvl1_lower[4096], boot_lvl2_lower[4096], boot_lvl0_upper[4096], boot_lvl1_upper[4096], boot_lvl2_upper[4096];
			extern char _loader_start[], _loader_end[]; void _start(void) { for (;;) ; } long x[2] = {(long)_loader_start, (long)_loader_end};`,
			"-Wl,-Ttext-segment=0x70000000,--defsym=_loader_start=0x70000000,--defsym=_loader_end=0x70020000", "0x8060000000",
			"boot_lvl1_lower"},
		{desc.RISCV64, "riscv64-linux-gnu-gcc", table + `boot_lvl1_pt[4096], boot_lvl2_pt[4096], boot_lvl3_pt[4096], boot_lvl2_pt_loader[4096]; void _start(void) { for (;;) ; }`,
			"-Wl,-Ttext-segment=0x90000000,--defsym=_text=0x90000000", "0x104000000", "boot_lvl2_pt_loader"},
	} {
		t.Run(string(c.arch), func(t *testing.T) {
			dir := build(t, c.compiler, source)
			more(t, dir, c.compiler, "loader.elf", c.source, c.at)
			more(t, dir, c.compiler, "kernel.elf", "void _start(void) { for (;;) ; } int x = 1;", "-Wl,-Ttext-segment="+c.kernel)
			s := parse(t, desc.Default(c.arch), one)
			opt := sdf.Options{Search: []string{dir}, Loader: "loader.elf", Kernel: "kernel.elf"}
			a, err := sdf.Apply(s, opt)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			list := a.Plan.Loader.Variables
			got := value(t, a, "loader.elf", list, c.name)
			if c.arch == desc.AArch64 {
				if !strings.HasPrefix(got, "0106000000000000") { // the first 1 GiB, of devices
					t.Errorf("%s is %s", c.name, got[:64])
				}
			} else if i := 0x80 * 16; got[i:i+16] != "cf00002400000000" { // 0x90000000, valid, all rights
				t.Errorf("%s is %s", c.name, got[i:i+64])
			}
			opt.Kernel = ""
			if _, err := sdf.Apply(s, opt); err == nil || !strings.Contains(err.Error(), "no kernel was given") {
				t.Error(err)
			}
			opt.Kernel, opt.Loader = "kernel.elf", "a.elf"
			if _, err := sdf.Apply(s, opt); err == nil || !strings.Contains(err.Error(), "has 0 symbols") {
				t.Error(err)
			}
		})
	}
}

func TestInitialTask(t *testing.T) {
	const gcc = "aarch64-linux-gnu-gcc"
	dir := build(t, gcc, source)
	const task = "unsigned long sel4_phdrs_patched__vaddr; unsigned short sel4_phdrs_patched__phnum; void _start(void) { for (;;) ; }"
	more(t, dir, gcc, "task.elf", task)
	more(t, dir, gcc, "bare.elf", task, "-Wl,-Ttext=0x401000,-N") // the table is in no segment
	s := parse(t, desc.Default(desc.AArch64), one)
	a, err := sdf.Apply(s, sdf.Options{Search: []string{dir}, InitialTask: "task.elf"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	got := a.Plan.InitialTask.Variables
	vaddr := value(t, a, "initial_task.elf", got, "sel4_phdrs_patched__vaddr")
	phnum := value(t, a, "initial_task.elf", got, "sel4_phdrs_patched__phnum")
	if vaddr != "4000400000000000" || len(phnum) != 4 || phnum == "0000" {
		t.Error(vaddr, phnum)
	}
	_, err = sdf.Apply(s, sdf.Options{Search: []string{dir}, InitialTask: "bare.elf"})
	if err == nil || !strings.Contains(fmt.Sprint(err), "is in no PT_LOAD") {
		t.Error(err)
	}
}
