package patch

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// A memory is what an image's memory holds when it starts, with the edits so far.
type memory struct {
	f     *elffile.File
	edits []*edit
	more  map[int]uint64 // p_memsz of PT_LOADs that are to have more
}

// An edit is bytes for an address.
type edit struct {
	g    *target
	addr uint64
	data elffile.Data
	base bool   // they are an address that changes with the load bias
	via  string // "in place", "saved copy", "relocation"
	off  uint64 // in the new file
	old  []byte
}

func (e *edit) end() uint64 { return e.addr + uint64(e.data.Size()) }

// load returns the PT_LOAD that has n bytes at an address in its memory.
func (m *memory) load(addr, n uint64) (int, error) {
	hit := -1
	for i := range m.f.Progs {
		p := &m.f.Progs[i]
		if p.Type != elf.PT_LOAD || addr < p.Vaddr || addr-p.Vaddr >= max(p.Memsz, m.more[i]) {
			continue
		}
		if p.Filesz > p.Memsz || p.Vaddr+p.Memsz < p.Vaddr {
			return -1, m.f.ProgError(i, "p_memsz", "0x%x bytes at 0x%x, 0x%x of them in the file, are no range of memory", p.Memsz, p.Vaddr, p.Filesz)
		}
		if hit >= 0 {
			return -1, fmt.Errorf("the address 0x%x is in the memory of program headers %d and %d", addr, hit, i)
		}
		hit = i
	}
	if hit < 0 {
		return -1, fmt.Errorf("the address 0x%x is in the memory of no PT_LOAD", addr)
	}
	p := &m.f.Progs[hit]
	if memsz := max(p.Memsz, m.more[hit]); n > memsz-(addr-p.Vaddr) {
		return -1, fmt.Errorf("0x%x bytes at 0x%x reach beyond the end of the PT_LOAD at 0x%x", n, addr, p.Vaddr+memsz)
	}
	return hit, nil
}

// read returns n bytes at an address.
func (m *memory) read(addr, n uint64) ([]byte, error) {
	b := make([]byte, n)
	if err := m.readAt(b, addr); err != nil {
		return nil, err
	}
	for _, e := range m.edits {
		from, to := max(addr, e.addr), min(addr+n, e.end())
		if from < to {
			if _, err := e.data.ReadAt(b[from-addr:to-addr], int64(from-e.addr)); err != nil && to-e.addr < uint64(e.data.Size()) {
				return nil, err
			}
		}
	}
	return b, nil
}

// readAt reads without edits.
func (m *memory) readAt(b []byte, addr uint64) error {
	i, err := m.load(addr, uint64(len(b)))
	if err != nil {
		return err
	}
	p := &m.f.Progs[i]
	clear(b)
	d := addr - p.Vaddr
	if d >= p.Filesz {
		return nil
	}
	n := min(uint64(len(b)), p.Filesz-d)
	off := p.Off + d
	if got, err := m.f.Body.ReadAt(b[:n], int64(off)); got < int(n) {
		return m.f.ProgError(i, "p_offset", "0x%x + p_filesz 0x%x is past the end of the file (0x%x): %v", p.Off, p.Filesz, m.f.Body.Size(), err)
	}
	return nil
}

// stored is how many of the bytes at an address are in the file.
func (m *memory) stored(addr uint64, n uint64) uint64 {
	_, have, ok := m.f.OffsetOf(addr)
	if !ok {
		return 0
	}
	return min(n, have)
}

// usedUntil is how many bytes of d there are up to the last that is not zero.
func usedUntil(d elffile.Data) uint64 {
	last := uint64(0)
	elffile.Diff(d, elffile.Zeros(d.Size()), func(_, to int64) bool {
		last = uint64(to)
		return true
	})
	return last
}
