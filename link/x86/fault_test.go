package x86_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"elfwright/link"
	"elfwright/link/options"
)

// TestFaults are relocations that cannot be, and what is said about them.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		flag, source, want string
		args               []string
	}{
		{"--64", "call far\n.globl _start\n_start:", `a.o\(\.text\+0x1\): R_X86_64_PLT32 against far: L \+ A - P = 0x1\w+ does not fit 32 signed bits; far is at 0x200000000, the place at 0x\w+; it is beyond 2 GiB.*-mcmodel=large`, []string{"--defsym=far=0x200000000"}},
		{"--64", "movl $far, %eax", `R_X86_64_32 against far: S \+ A = 0x200000000 does not fit 32 unsigned bits; .*-mcmodel`, []string{"--defsym=far=0x200000000"}},
		{"--64", "add far@GOTPCREL(%rip), %rax", `R_X86_64_REX_GOTPCRELX against far: .*--no-relax`, []string{"--defsym=far=0x200000000"}},
		{"--64", "call gone; jmp gone; call gone; call gone", `a.o\(\.text\+0x1\): undefined symbol gone; also in a.o\(\.text\+0x6\); also in a.o\(\.text\+0xb\) and 1 more`, nil},
		{"--64", "movl $x, %eax\nx:", `R_X86_64_32 against \.text: it cannot be in a position-independent executable; recompile with -fPIE`, []string{"-pie"}},
		{"--64", "call x@PLT; lea x(%rip), %rax\n.globl x\nx:", `R_X86_64_PC32 against x: it cannot be in a shared object; recompile with -fPIC`, []string{"-shared"}},
		{"--64", ".quad x\nx:", `R_X86_64_64 against \.text needs a dynamic relocation, but the section is read-only`, []string{"-pie", "-z", "text"}},
		{"--64", "mov 0(%rip), %rax\n.reloc .-4, R_X86_64_GOTTPOFF, x-4\n.data\n.globl x\nx: .long 0", `R_X86_64_GOTTPOFF against x: the symbol is not thread-local`, nil},
		{"--64", "nop; nop; nop; .long x@tlsgd\n.section .tbss,\"awT\",@nobits\nx: .long 0", `R_X86_64_TLSGD against x: the instructions are no sequence`, nil},
		{"--64", ".reloc ., R_X86_64_JUMP_SLOT, x\n.quad 0\nx:", `only a dynamic linker`, nil},
		{"--64", ".reloc 0, R_X86_64_32, x\nnop\nx:", `the place needs 4 bytes at 0x0, the section has 0x1`, nil},
		{"--32", "movl x@GOT, %eax\nx:", `R_386_GOT32X against x: without a base register`, []string{"-m", "elf_i386", "-pie"}},
		{"--32", "movl x@gottpoff(%ebx), %eax\n.section .tbss,\"awT\",@nobits\n.globl x\nx: .long 0", `Sun's`, []string{"-m", "elf_i386", "-shared"}},
		{"--32", ".short far", `R_386_16 against far: S \+ A = 0x20000 does not fit`, []string{"-m", "elf_i386", "--defsym=far=0x20000"}},
	} {
		dir := t.TempDir()
		obj := assemble(t, c.flag, "a", c.source+"\n")
		out := filepath.Join(dir, "out")
		opt, _, err := options.Parse(append(c.args, "-o", out, obj), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = link.Link(opt, link.Host{}); err == nil {
			t.Errorf("%s: no error", c.source)
		} else if text := regexp.MustCompile(`/\S*/`).ReplaceAllString(err.Error(), ""); !regexp.MustCompile(c.want).MatchString(text) {
			t.Errorf("%s:\n%s\nwant %s", c.source, text, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is an output", c.source)
		}
	}
}
