package write

import (
	"debug/elf"

	"elfwright/link/model"
)

// nops are the instructions that do nothing, by their length (Intel 64 manual,
// NOP; the last two with prefixes). GNU ld fills gaps in code of x86-64 with
// them.
var nops = [...]string{
	1:  "\x90",
	2:  "\x66\x90",
	3:  "\x0f\x1f\x00",
	4:  "\x0f\x1f\x40\x00",
	5:  "\x0f\x1f\x44\x00\x00",
	6:  "\x66\x0f\x1f\x44\x00\x00",
	7:  "\x0f\x1f\x80\x00\x00\x00\x00",
	8:  "\x0f\x1f\x84\x00\x00\x00\x00\x00",
	9:  "\x66\x0f\x1f\x84\x00\x00\x00\x00\x00",
	10: "\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00",
}

// filler says what a gap of an output section gets where no pattern is given:
// for code of x86 the longest instructions that do nothing, else zeros, which is
// what GNU ld has for the other machines.
func filler(e *model.Env, out *model.Output) func(b []byte) {
	if out.Flags&elf.SHF_EXECINSTR == 0 {
		return nil
	}
	switch e.Target.Machine().ELF {
	case elf.EM_X86_64:
		return func(b []byte) { fillNops(b, 10) }
	case elf.EM_386:
		return func(b []byte) { fillNops(b, 2) } // the longer ones are not on every i386
	}
	return nil
}

func fillNops(b []byte, longest int) {
	for len(b) > 0 {
		n := min(len(b), longest)
		copy(b, nops[n])
		b = b[n:]
	}
}

// fillPattern repeats a pattern from the beginning of b.
func fillPattern(b, pattern []byte) {
	n := copy(b, pattern)
	for n > 0 && n < len(b) {
		n += copy(b[n:], b[:n])
	}
}
