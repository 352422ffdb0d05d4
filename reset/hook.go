package reset

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/reset/table"
)

// A hook makes loaders that do not start at e_entry start the code, all the same.
// Where the processor takes its start from a table of vectors, as M-profile does,
// the entry there becomes the new one. Else the old entry gets a jump; the code puts
// back what was there, once, so that memory must be writable then.
type hook struct {
	at    uint64 // of what is changed
	size  uint64
	bytes func(to uint64) ([]byte, bool) // false: it is too far
}

// planHook decides on the hook, before the table is made.
func (n *install) planHook() error {
	f := n.f
	if n.os == Linux {
		return refusef(f, "--hook-entry: Linux starts programs at e_entry and lets none write to its code")
	}
	entry := codeAddress(f, f.Header.Entry)
	if at, ok := vector(f); ok {
		n.hook = &hook{at, 4, func(to uint64) ([]byte, bool) {
			b := make([]byte, 4)
			f.PutU32(b, uint32(to)|1)
			return b, true
		}}
		n.t.Flags |= table.Hooked
		return nil
	}
	for _, k := range n.mem.kept {
		if k.Why == table.Copied {
			return refusef(f, "--hook-entry: a writable segment is loaded elsewhere than it runs, at 0x%x: the code is in flash, and what a jump takes the place of could not be put back", k.Addr)
		}
	}
	size := jumpSize(f)
	i := loadWith(f, entry)
	p := &f.Progs[i]
	if at := entry - p.Vaddr; at >= p.Filesz || size > p.Filesz-at {
		return f.ProgError(i, "p_filesz", "--hook-entry: 0x%x bytes are not enough for a jump of %d at the entry, 0x%x", p.Filesz, size, entry)
	}
	n.hook = &hook{entry, size, func(to uint64) ([]byte, bool) { return jump(f, entry, to) }}
	n.t.Flags |= table.Hooked | table.Code
	r := image.Range{Start: image.Addr(entry), Size: size}
	switch {
	case n.mem.all.Intersect(r).Size() == 0:
		n.text = image.Ranges{r}
	case n.opt.Shape == Deflate:
		return refusef(f, "--hook-entry: the entry is in a writable segment, whose bytes are to be taken out; --shape=keep leaves them")
	case image.Ranges(n.mem.restore).Intersect(r).Size() != size:
		return refusef(f, "--hook-entry: the entry, 0x%x, is in persistent memory", entry)
	}
	return nil
}

// vector finds the vector table of an M-profile program (Armv7-M ARM, B1.5.3): at
// the start of a segment, first the stack pointer and then where to start.
func vector(f *elffile.File) (addr uint64, ok bool) {
	if !thumb(f) {
		return 0, false
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W != 0 || p.Filesz < 8 {
			continue
		}
		if b, err := f.BytesAt(p.Vaddr, 8); err == nil && uint64(f.U32(b[4:])) == f.Header.Entry {
			return p.Vaddr + 4, true
		}
	}
	return 0, false
}

// putHook writes the hook.
func (n *install) putHook(body *elffile.Body) error {
	b, ok := n.hook.bytes(n.t.Code)
	if !ok {
		return refusef(n.f, "--hook-entry: 0x%x is too far from the old entry, 0x%x: say --at", n.t.Code, n.hook.at)
	}
	off, have, ok := n.now.OffsetOf(n.hook.at)
	if !ok || have < uint64(len(b)) {
		return fmt.Errorf("%s: the bytes at 0x%x are not in the file", n.f.Name, n.hook.at)
	}
	body.Put(int64(off), elffile.Buffer(b))
	return nil
}

// jumpSize is the size of the jump; all are relative to where they are.
func jumpSize(f *elffile.File) uint64 {
	switch {
	case f.Header.Machine == elf.EM_386 || f.Header.Machine == elf.EM_X86_64:
		return 5
	case thumb(f) && f.Header.Entry&2 != 0:
		return 10
	case thumb(f) || f.Header.Machine == elf.EM_RISCV:
		return 8
	}
	return 4
}

// jump is a jump from one address to another. It uses the registers that the code
// uses.
func jump(f *elffile.File, from, to uint64) ([]byte, bool) {
	d := int64(to - from)
	if !f.Is64() {
		d = int64(int32(d))
	}
	b := make([]byte, jumpSize(f))
	switch f.Header.Machine {
	case elf.EM_386, elf.EM_X86_64:
		b[0] = 0xe9 // jmp rel32
		f.PutU32(b[1:], uint32(d-5))
		return b, fits(d-5, 32)
	case elf.EM_AARCH64:
		putCode(f, b, 4, 0x14000000|uint32(d>>2)&0x3ffffff) // b
		return b, d&3 == 0 && fits(d, 28)
	case elf.EM_RISCV:
		hi := (d + 0x800) >> 12
		putCode(f, b, 4, uint32(hi)<<12|5<<7|0x17)                  // auipc t0, hi
		putCode(f, b[4:], 4, uint32(d-hi<<12)&0xfff<<20|5<<15|0x67) // jalr zero, lo(t0)
		return b, !f.Is64() || fits(d+0x800, 32)
	}
	if thumb(f) {
		return thumbJump(f, b, from, d), true
	}
	putCode(f, b, 4, 0xea000000|uint32((d-8)>>2)&0xffffff) // b
	return b, fits(d-8, 26)
}

// thumbJump is
//
//	ldr r4, word
//	add pc, r4
//	(a nop, if the entry is not aligned to 4 bytes)
//	word: the distance from pc, which is 6 bytes from the entry
//
// which ARMv6-M has, too: there b does not reach far.
func thumbJump(f *elffile.File, b []byte, from uint64, d int64) []byte {
	word := 4
	putCode(f, b, 2, 0x4c00) // ldr r4, [pc, #0]
	if from&2 != 0 {
		word = 6
		putCode(f, b, 2, 0x4c01) // ldr r4, [pc, #4]
		putCode(f, b[4:], 2, 0xbf00)
	}
	putCode(f, b[2:], 2, 0x44a7) // add pc, r4
	f.PutU32(b[word:], uint32(d-6))
	return b
}

// putCode puts an instruction of 2 or 4 bytes, in the byte order of instructions.
func putCode(f *elffile.File, b []byte, size int, v uint32) {
	for i := range size {
		k := i
		if !littleCode(f) {
			k = size - 1 - i
		}
		b[k] = byte(v >> (8 * i))
	}
}

// fits says whether a number is one of so many bits, with a sign.
func fits(v int64, bits uint) bool { return v>>(bits-1) == 0 || v>>(bits-1) == -1 }
