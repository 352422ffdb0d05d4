package elffile

import (
	"debug/elf"
	"fmt"
)

// Prog is a program header (gABI, "Program Header"), each field as stored.
type Prog struct {
	Type   elf.ProgType
	Flags  elf.ProgFlag
	Off    uint64 // file offset of the bytes
	Vaddr  uint64
	Paddr  uint64
	Filesz uint64 // bytes in the file
	Memsz  uint64 // bytes in memory; those after Filesz are zero
	Align  uint64
}

// End returns Off+Filesz, and false if that overflows.
func (p *Prog) End() (uint64, bool) { e := p.Off + p.Filesz; return e, e >= p.Off }

func decodeProg(f Format, b []byte) Prog {
	d := decoder{f, b}
	var p Prog
	p.Type = elf.ProgType(d.u32())
	if f.Is64() { // the classes differ in where p_flags stands
		p.Flags = elf.ProgFlag(d.u32())
	}
	p.Off = d.addr()
	p.Vaddr = d.addr()
	p.Paddr = d.addr()
	p.Filesz = d.addr()
	p.Memsz = d.addr()
	if !f.Is64() {
		p.Flags = elf.ProgFlag(d.u32())
	}
	p.Align = d.addr()
	return p
}

// Encode returns the header's bytes in format f.
func (p *Prog) Encode(f Format) []byte {
	b := make([]byte, f.PhdrSize())
	e := encoder{f, b}
	e.u32(uint32(p.Type))
	if f.Is64() {
		e.u32(uint32(p.Flags))
	}
	e.addr(p.Off)
	e.addr(p.Vaddr)
	e.addr(p.Paddr)
	e.addr(p.Filesz)
	e.addr(p.Memsz)
	if !f.Is64() {
		e.u32(uint32(p.Flags))
	}
	e.addr(p.Align)
	return b
}

// progField gives a program header field's offset within its entry.
func progField(f Format, field string) int {
	for i, n := range []string{"p_type", "p_flags", "p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz", "p_align"} {
		if n != field {
			continue
		}
		if f.Is64() {
			return []int{0, 4, 8, 16, 24, 32, 40, 48}[i]
		}
		return []int{0, 24, 4, 8, 12, 16, 20, 28}[i]
	}
	return 0
}

// ProgError makes an error about a field of program header i.
func (f *File) ProgError(i int, field, format string, args ...any) *Error {
	off := int64(f.Header.Phoff) + int64(i)*int64(f.Header.Phentsize) + int64(progField(f.Format, field))
	return f.fault(fmt.Sprintf("program header %d", i), field, off, format, args...)
}

// readProgs reads the program header table: as many whole entries as are in the
// file, and the fault that stopped it.
func (f *File) readProgs() {
	n := f.Phnum()
	if f.Header.Phnum == PnXnum {
		if _, err := f.section0(); err != nil {
			f.ProgErr = fmt.Errorf("e_phnum is PN_XNUM, and the count is in section header 0: %w", err)
			return
		}
	}
	if n == 0 {
		return
	}
	tab, have, err := f.table("program header table", "e_ph", f.Header.Phoff, uint64(n), f.Header.Phentsize, f.PhdrSize())
	f.ProgErr = err
	f.Progs = make([]Prog, have)
	for i := range f.Progs {
		f.Progs[i] = decodeProg(f.Format, tab[i*int(f.Header.Phentsize):])
	}
}

// CheckProgs returns what is wrong with program headers as parts of this file:
// bytes beyond its end, and offsets that overflow. The table's own faults are
// in ProgErr.
func (f *File) CheckProgs() error {
	var c Faults
	size := uint64(f.Body.Size())
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_NULL || p.Filesz == 0 {
			continue
		}
		if end, ok := p.End(); !ok || end > size {
			c.Add(f.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x)", p.Off, p.Filesz, size))
		}
	}
	return c.Err()
}

// ProgData returns the file bytes of a program header: a window, cut off where
// the file ends, and an error if that happened.
func (f *File) ProgData(i int) ([]byte, error) {
	p := &f.Progs[i]
	b, err := f.Body.Bytes(p.Off, p.Filesz)
	if err != nil {
		return b, f.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x)", p.Off, p.Filesz, f.Body.Size()).because(err)
	}
	return b, nil
}

// OffsetOf translates a virtual address by the PT_LOAD that holds it in its
// file bytes. n is how many file bytes follow it there.
func (f *File) OffsetOf(vaddr uint64) (off, n uint64, ok bool) {
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_LOAD && vaddr >= p.Vaddr && vaddr-p.Vaddr < p.Filesz {
			d := vaddr - p.Vaddr
			if _, ok := p.End(); !ok { // such an offset is none
				continue
			}
			return p.Off + d, p.Filesz - d, true
		}
	}
	return 0, 0, false
}

// BytesAt returns n bytes at a virtual address, through the program headers.
func (f *File) BytesAt(vaddr, n uint64) ([]byte, error) {
	off, have, ok := f.OffsetOf(vaddr)
	if !ok {
		return nil, f.fault("", "", -1, "address 0x%x is in the file bytes of no PT_LOAD", vaddr)
	}
	if n > have {
		return nil, f.fault("", "", -1, "0x%x bytes at address 0x%x: only 0x%x are in the PT_LOAD's file bytes", n, vaddr, have)
	}
	b, err := f.Body.Bytes(off, n)
	if err != nil {
		return b, f.fault("", "", -1, "0x%x bytes at address 0x%x, file offset 0x%x, are past the end of the file (0x%x)", n, vaddr, off, f.Body.Size()).because(err)
	}
	return b, nil
}
