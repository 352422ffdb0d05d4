package link_test

import (
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rv64 = &crossTools{prefix: "riscv64-linux-gnu-", as: []string{"-fpic"}, qemu: "qemu-riscv64"}

// dynamicTags are the tags of .dynamic but for those of symbols, which differ in
// what GNU ld exports of itself.
func dynamicTags(t *testing.T, f *elf.File) []string {
	t.Helper()
	s := f.Section(".dynamic")
	if s == nil {
		t.Fatal("no .dynamic")
	}
	b, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for ; len(b) >= 16; b = b[16:] {
		tag := elf.DynTag(f.ByteOrder.Uint64(b))
		if tag == elf.DT_NULL {
			break
		}
		tags = append(tags, fmt.Sprintf("%#x", uint64(tag)))
	}
	return tags
}

// otherOf is st_other of a symbol in .symtab and .dynsym.
func otherOf(t *testing.T, f *elf.File, name string) (all []byte) {
	t.Helper()
	syms, _ := f.Symbols()
	dyn, _ := f.DynamicSymbols()
	for _, s := range append(syms, dyn...) {
		if s.Name == name {
			all = append(all, s.Other)
		}
	}
	if len(all) == 0 {
		t.Errorf("no symbol %s", name)
	}
	return all
}

// What .dynamic says of the PLT: landing pads, authentication, functions that
// must not be bound lazily.
func TestTagsOfPLT(t *testing.T) {
	const (
		code  = "c=.globl f, ext\nf: bl ext\nret\n"
		note  = ".section .note.gnu.property, \"a\"\n.p2align 3\n.word 4, 16, 5\n.asciz \"GNU\"\n.word 0xc0000000, 4, 3, 0\n"
		apart = "-shared --section-start=.plt=0x10000 --section-start=.got.plt=0x30000 -Ttext=0x40000 "
	)
	for _, c := range []struct {
		name, source, args string
		machine            *crossTools
		tags               string // besides those that all have
	}{
		{"plain", code, "", a64, ""},
		{"variant", code + ".variant_pcs ext\n", "", a64, "0x70000005"},
		{"bti", code + note, "", a64, "0x70000001"},
		{"force-bti", code, "-z force-bti", a64, "0x70000001"},
		{"pac", code, "-z pac-plt", a64, "0x70000003"},
		{"all", code + ".variant_pcs ext\n" + note, "-z pac-plt -z now", a64, "0x70000005 0x70000001 0x70000003"},
		{"all big", code + ".variant_pcs ext\n" + note, "-z pac-plt", a64big, "0x70000005 0x70000001 0x70000003"},
		{"no PLT", "n=.globl f\nf: ret\n" + note, "-z pac-plt", a64, ""},
		{"riscv", "r=.globl f, ext\n.variant_cc ext\nf: call ext@plt\nret\n", "", rv64, "0x70000001"},
		{"riscv plain", "r=.globl f, ext\nf: call ext@plt\nret\n", "", rv64, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sections := ".plt .text"
			if c.name == "no PLT" {
				sections = ".text"
			}
			if c.machine == rv64 {
				sections = "" // GNU ld's section of the name aligns otherwise
			}
			gnu, ours := c.machine.alike(t, sections, []string{c.source}, strings.Fields(apart+c.args)...)
			want, got := dynamicTags(t, gnu), dynamicTags(t, ours)
			if c.machine == rv64 { // which names a table of no entries
				want = slices.DeleteFunc(want, func(s string) bool { return s == "0x7" || s == "0x8" || s == "0x9" })
			}
			if !slices.Equal(got, want) {
				t.Errorf("tags %v, ld has %v", got, want)
			}
			for _, tag := range strings.Fields(c.tags) {
				if !slices.Contains(got, tag) {
					t.Errorf("no %s in %v", tag, got)
				}
			}
			if strings.Contains(c.source, "ext") {
				if w, g := otherOf(t, gnu, "ext"), otherOf(t, ours, "ext"); !slices.Equal(w, g) {
					t.Errorf("st_other %v, ld has %v", g, w)
				}
			}
		})
	}
}

// The mark counts whether the definition or a reference has it.
func TestVariantMarks(t *testing.T) {
	const ref, def = "r=.globl _start,own\n_start: bl own\n", "d=.globl own\n.type own,%function\nown: ret\n"
	for _, mark := range []int{0, 1} {
		for _, kind := range []string{"-shared", "-pie --no-dynamic-linker", "-static"} {
			sources := []string{ref, def}
			sources[mark] += ".variant_pcs own\n"
			for range 2 {
				gnu, ours := a64.alike(t, "", sources, strings.Fields(kind)...)
				if w, g := otherOf(t, gnu, "own"), otherOf(t, ours, "own"); g[0] != w[0] || g[0]&0x80 == 0 {
					t.Errorf("%s %d: st_other %v, ld has %v", kind, mark, g, w)
				}
				slices.Reverse(sources)
			}
		}
	}
}

// An object that says nothing of landing pads is warned of.
func TestForcedBTI(t *testing.T) {
	dir := t.TempDir()
	objs := a64.assemble(t, dir, "a=.globl _start\n_start: ret", "b=.section .note.gnu.property, \"a\"\n.p2align 3\n.word 4, 16, 5\n.asciz \"GNU\"\n.word 0xc0000000, 4, 1, 0\n")
	res, err := a64.try(append(objs, "-z", "force-bti", "-o", filepath.Join(dir, "out"))...)
	if err != nil || len(res.Warnings) != 1 || !strings.HasPrefix(res.Warnings[0].Error(), objs[0]+": -z force-bti") {
		t.Errorf("%v, warnings %v", err, res.Warnings)
	}
}

// Where GNU ld refuses a distance to a weak symbol that nothing defines.
func TestAArch64WeakDistance(t *testing.T) {
	for _, c := range []struct{ name, code string }{
		{"adrp", "adrp x0, w"}, {"adrp nc", "adrp x0, :pg_hi21_nc:w"}, {"adr", "adr x0, w"}, {"literal", "ldr x0, w"},
		{"word in code", ".word w - ."}, {"word in data", ".data\n.word w - ."}, {"read-only", ".section .rodata, \"a\"\n.xword w - ."},
		{"movz", "movz x0, :prel_g0:w"}, {"hidden", ".hidden w\nadrp x0, w"}, {"low", "add x0, x0, :lo12:w"},
		{"branch", "cbz x0, w"}, {"call", "bl w"}, {"got", "adrp x0, :got:w"},
	} {
		dir := t.TempDir()
		obj := a64.assemble(t, dir, "w=.globl _start\n.weak w\n_start: nop\n"+c.code+"\n")
		for _, args := range [][]string{{"-pie"}, {"-pie", "--no-dynamic-linker"}, {"-static"}} {
			args = slices.Concat(args, obj, []string{"-o", filepath.Join(dir, "out")})
			out, gnu := exec.Command("aarch64-linux-gnu-ld", args...).CombinedOutput()
			_, ours := a64.try(args...)
			if (gnu == nil) != (ours == nil) {
				t.Errorf("%s %v: %v, ld: %v %s", c.name, args[:2], ours, gnu, out)
			}
			if ours != nil && !strings.Contains(ours.Error(), "recompile with -fPIE") {
				t.Errorf("%s: %v", c.name, ours)
			}
		}
	}
}

// A sequence without the NOP at its end is not written over.
func TestAArch64LargeSequence(t *testing.T) {
	const code = "gd=.globl _start, __tls_get_addr\n__tls_get_addr: ret\n_start: movz x0, #:tlsgd_g1:x\nmovk x0, #:tlsgd_g0_nc:x\nadd x0, x20, x0\nbl __tls_get_addr\nnop\nmov x9, x0\n.section .tdata,\"awT\"\n.globl x\nx: .word 1\n"
	a64.alike(t, ".text .tdata", []string{code})
	a64.refused(t, []string{strings.Replace(code, "nop", "mov x7, x0", 1)}, "no sequence of the psABI")
}
