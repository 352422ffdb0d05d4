package cli

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

// A board is a machine for which examples/highhalf has a kernel.
type board struct {
	dir      string // in examples/highhalf
	triple   string // of the cross tools
	sources  []string
	flags    []string // of the compiler
	start    uint64   // where the image is loaded, and starts
	distance uint64   // from where the kernel is loaded to where it runs
	emulator []string
	elf, raw []string // what follows to boot the ELF file or the raw image, FILE
	exit     int      // exit status of the emulator
	flat     []string // preprocessor flags for a raw image, if it differs
}

var pcExit = []string{"-no-reboot", "-device", "isa-debug-exit,iobase=0xf4"}

// Where a source has a machine's own flags, they follow it after a space.
var boards = []board{{
	dir: "arm", triple: "arm-linux-gnueabihf", start: 0x80008000, distance: 0x40000000,
	sources:  []string{"start.S -marm", "stub.c -marm", "board.c -mthumb", "../kernel.c -mthumb"},
	flags:    []string{"-funwind-tables"}, // for .ARM.exidx
	emulator: []string{"qemu-system-arm", "-M", "vexpress-a15", "-semihosting"},
	elf:      []string{"-kernel", "FILE"}, raw: []string{"-device", "loader,file=FILE,addr=0x80008000,cpu-num=0"},
}, {
	dir: "aarch64", triple: "aarch64-linux-gnu", start: 0x40080000, distance: 0xffffff8000000000,
	sources:  []string{"start.S", "stub.c", "board.c -mcmodel=large", "../kernel.c"},
	flags:    []string{"-mgeneral-regs-only", "-mstrict-align"},
	emulator: []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57"},
	elf:      []string{"-kernel", "FILE"}, raw: []string{"-kernel", "FILE"},
}, {
	dir: "riscv64", triple: "riscv64-linux-gnu", start: 0x80200000, distance: 0xffffffc000000000,
	sources:  []string{"start.S", "stub.c", "board.c", "../kernel.c"},
	flags:    []string{"-mcmodel=medany"},
	emulator: []string{"qemu-system-riscv64", "-M", "virt"},
	elf:      []string{"-kernel", "FILE"}, raw: []string{"-kernel", "FILE"},
}, {
	dir: "i386", triple: "i686-linux-gnu", start: 0x100000, distance: 0xc0000000,
	sources:  []string{"start.S", "stub.c", "board.c", "../kernel.c"},
	flags:    []string{"-mgeneral-regs-only", "-fcf-protection=none"},
	emulator: append([]string{"qemu-system-i386"}, pcExit...), exit: 1,
	elf: []string{"-kernel", "FILE"}, raw: []string{"-kernel", "FILE"}, flat: []string{"-DFLAT"},
}, {
	dir: "x86-64", triple: "x86_64-linux-gnu", start: 0x100000, distance: 0xffffffff80000000,
	sources:  []string{"start.S", "board.c", "../kernel.c"},
	flags:    []string{"-mgeneral-regs-only", "-fcf-protection=none", "-mcmodel=kernel", "-mno-red-zone"},
	emulator: append([]string{"qemu-system-x86_64"}, pcExit...), exit: 1,
	elf: []string{"-kernel", "FILE"}, raw: []string{"-kernel", "FILE"},
}}

// highHalfLinkers are the linkers that link the kernels: name and command, with
// the machine's triple for TRIPLE.
func highHalfLinkers() [][]string {
	list := [][]string{{"TRIPLE-ld"}}
	if slices.ContainsFunc(verbs(), func(v *verb) bool { return v.name == "link" }) {
		list = append(list, []string{name, "link"})
	}
	return list
}

// TestHighHalf builds the kernels of examples/highhalf, links each with GNU ld
// and with ours, looks at the program headers, and boots the ELF file and the raw
// image that flatten makes of it.
func TestHighHalf(t *testing.T) {
	for _, b := range boards {
		t.Run(b.dir, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, b.triple+"-gcc", b.triple+"-ld", b.emulator[0])
			var first []elf.ProgHeader
			for _, linker := range highHalfLinkers() {
				linker = slices.Clone(linker)
				linker[0] = strings.ReplaceAll(linker[0], "TRIPLE", b.triple)
				t.Run(linker[0], func(t *testing.T) {
					progs := b.try(t, linker)
					if first == nil {
						first = progs
					} else if !slices.Equal(progs, first) {
						t.Errorf("program headers %v, GNU ld has %v", progs, first)
					}
				})
			}
		})
	}
}

// try builds, links and boots the kernel of a board in both forms.
func (b board) try(t *testing.T, linker []string) []elf.ProgHeader {
	dir := t.TempDir()
	kernel := b.link(t, linker, dir, nil)
	f, err := elf.Open(kernel)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols := symbolValues(t, f)
	b.checkHeaders(t, f, symbols)
	b.boot(t, b.elf, kernel, symbols)

	if b.flat != nil {
		kernel = b.link(t, linker, t.TempDir(), b.flat)
	}
	raw := filepath.Join(dir, "kernel.bin")
	command(t, dir, name, "flatten", kernel, "-o", raw)
	b.boot(t, b.raw, raw, symbols)
	return progHeaders(f)
}

// link compiles the sources into dir and links them.
func (b board) link(t *testing.T, linker []string, dir string, extra []string) string {
	t.Helper()
	src, err := filepath.Abs("../../examples/highhalf/" + b.dir)
	if err != nil {
		t.Fatal(err)
	}
	flags := slices.Concat([]string{b.triple + "-gcc", "-c", "-O1", "-ffreestanding", "-fno-pic", "-fno-stack-protector",
		"-Wall", "-Wextra", "-Werror"}, b.flags, extra)
	argv := slices.Concat(linker, []string{"-z", "max-page-size=4096", "-T", src + "/link.lds", "-o", "kernel"})
	for _, s := range b.sources {
		words := strings.Fields(s)
		object := strings.TrimSuffix(filepath.Base(words[0]), filepath.Ext(words[0])) + ".o"
		command(t, dir, slices.Concat(flags, words[1:], []string{filepath.Join(src, words[0]), "-o", object})...)
		argv = append(argv, object)
	}
	if warnings := command(t, dir, argv...); warnings != "" {
		t.Errorf("%s: %s", strings.Join(argv, " "), warnings)
	}
	return filepath.Join(dir, "kernel")
}

// command runs a command that must succeed, and returns what it said.
func command(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

func symbolValues(t *testing.T, f *elf.File) map[string]uint64 {
	t.Helper()
	list, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]uint64)
	for _, s := range list {
		values[s.Name] = s.Value
	}
	return values
}

func progHeaders(f *elf.File) []elf.ProgHeader {
	var list []elf.ProgHeader
	for _, p := range f.Progs {
		list = append(list, p.ProgHeader)
	}
	return list
}

// checkHeaders checks the program headers by rule: a stub where it is loaded, a
// kernel at one distance from where it is loaded, right behind it, and memory for
// all that the script counts.
func (b board) checkHeaders(t *testing.T, f *elf.File, sym map[string]uint64) {
	t.Helper()
	mask := ^uint64(0)
	if f.Class == elf.ELFCLASS32 {
		mask = 0xffffffff
	}
	loads := slices.DeleteFunc(progHeaders(f), func(p elf.ProgHeader) bool { return p.Type != elf.PT_LOAD })
	if len(loads) < 3 {
		t.Fatalf("%d LOAD headers, want stub, code and data at least", len(loads))
	}
	stub, code := loads[0], loads[1]
	switch {
	case stub.Vaddr != b.start || stub.Paddr != b.start || stub.Flags&elf.PF_X == 0:
		t.Errorf("stub: %+v, want one that runs at %#x", stub, b.start)
	case f.Entry < b.start || f.Entry >= b.start+stub.Filesz:
		t.Errorf("entry %#x is not in the stub, %+v", f.Entry, stub)
	case sym["_stub_end"] != (b.start+stub.Memsz+0xfff)&^0xfff:
		t.Errorf("_stub_end is %#x, the stub %+v", sym["_stub_end"], stub)
	case code.Paddr != sym["_stub_end"] || code.Vaddr != sym["_kernel_start"] || code.Flags&elf.PF_X == 0:
		t.Errorf("code: %+v, want one from %#x on that is loaded at %#x", code, sym["_kernel_start"], sym["_stub_end"])
	}
	for _, p := range loads[1:] {
		if p.Filesz != 0 && (p.Vaddr-p.Paddr)&mask != b.distance {
			t.Errorf("%+v: distance %#x, want %#x", p, (p.Vaddr-p.Paddr)&mask, b.distance)
		}
		if p.Vaddr < sym["_kernel_start"] || p.Vaddr+p.Memsz > sym["_kernel_end"] {
			t.Errorf("%+v is not within [%#x, %#x)", p, sym["_kernel_start"], sym["_kernel_end"])
		}
		if p.Filesz != 0 && p.Off%p.Align != p.Vaddr%p.Align {
			t.Errorf("%+v: p_offset and p_vaddr differ modulo p_align", p)
		}
	}
	b.checkSections(t, f, loads, sym)
}

// checkSections checks that each section is in one LOAD header, that .bss takes no
// bytes of the file, that the page counts add up, and that on Arm the unwind table
// has a header of its own.
func (b board) checkSections(t *testing.T, f *elf.File, loads []elf.ProgHeader, sym map[string]uint64) {
	t.Helper()
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		n := 0
		for _, p := range loads {
			if s.Addr >= p.Vaddr && s.Addr+s.Size <= p.Vaddr+p.Memsz {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d LOAD headers", s.Name, n)
		}
	}
	if bss := f.Section(".bss"); bss == nil || bss.Type != elf.SHT_NOBITS || bss.Addr > sym["_bss_start"] || sym["_bss_end"] != bss.Addr+bss.Size {
		t.Errorf(".bss is %+v, _bss_start %#x, _bss_end %#x", bss, sym["_bss_start"], sym["_bss_end"])
	}
	if kernel, read, write := sym["_kernel_pages"], sym["_kernel_readonly_pages"], sym["_kernel_readwrite_pages"]; read == 0 ||
		write == 0 || kernel != read+write || kernel<<12 != sym["_kernel_end"]-sym["_kernel_start"] {
		t.Errorf("%d pages, %d to read, %d to write; from %#x to %#x", kernel, read, write, sym["_kernel_start"], sym["_kernel_end"])
	}
	if f.Machine != elf.EM_ARM {
		return
	}
	const armExidx = elf.PT_LOPROC + 1 // PT_ARM_EXIDX
	i := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == armExidx })
	s := f.Section(".ARM.exidx")
	if i < 0 || s == nil || f.Progs[i].Vaddr != s.Addr || f.Progs[i].Paddr != s.Addr-b.distance || f.Progs[i].Filesz != s.Size {
		t.Errorf(".ARM.exidx: %+v, want a header over it", s)
	}
}

// boot starts a file in the emulator and compares what the kernel says with the
// symbols.
func (b board) boot(t *testing.T, how []string, file string, sym map[string]uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	argv := append(slices.Clone(b.emulator), "-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio")
	for _, a := range how {
		argv = append(argv, strings.ReplaceAll(a, "FILE", file))
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "QEMU_AUDIO_DRV=none")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	status, err := 0, cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		status, err = exit.ExitCode(), nil
	}
	if err != nil || status != b.exit {
		t.Fatalf("%s: exit status %d, want %d, %v\n%s%s", strings.Join(argv, " "), status, b.exit, err, out.String(), errs.String())
	}
	said := out.String()
	if !strings.Contains(said, "\nhigh half ok\n") {
		t.Errorf("%s: want \"high half ok\":\n%s%s", strings.Join(argv, " "), said, errs.String())
	}
	for _, name := range []string{"kernel_main", "counter", "stack_top", "_kernel_pages", "_kernel_readonly_pages", "_kernel_readwrite_pages"} {
		if err := saysValue(said, name, sym[name]); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(argv, " "), err, said)
		}
	}
}

// saysValue looks for the line "NAME VALUE".
func saysValue(said, name string, want uint64) error {
	for line := range strings.Lines(said) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+" ")
		if !ok {
			continue
		}
		got, err := strconv.ParseUint(rest, 0, 64)
		if err != nil || got != want {
			return fmt.Errorf("%s is %s at run time, %#x in the symbol table", name, rest, want)
		}
		return nil
	}
	return fmt.Errorf("no line says what %s is", name)
}
