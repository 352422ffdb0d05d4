package reset

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/reset/table"
)

// A memory is the writable memory of a program.
type memory struct {
	loads   []int // the PT_LOADs that are restored
	all     image.Ranges
	kept    []table.Kept // what is left as it is
	restore image.Ranges
	code    bool // some of it is executable
}

// readMemory finds the writable memory of a program and leaves out what is
// persistent.
func readMemory(f *elffile.File, persistent image.Ranges) (*memory, error) {
	m := &memory{}
	var rs, away []image.Range
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if err := overlaps(f, i); err != nil {
			return nil, err
		}
		r := image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz}
		switch {
		case p.Flags&elf.PF_W == 0:
		case copied(f, i):
			m.kept = append(m.kept, table.Kept{Addr: p.Vaddr, Size: p.Memsz, Why: table.Copied})
			away = append(away, r)
		default:
			m.loads = append(m.loads, i)
			m.code = m.code || p.Flags&elf.PF_X != 0
			rs = append(rs, r)
		}
	}
	switch {
	case len(rs) == 0 && len(away) > 0:
		return nil, refusef(f, "each writable segment is loaded elsewhere than it runs (p_paddr): the program copies its data itself whenever it starts, and is resettable as it is")
	case len(rs) == 0:
		return nil, refusef(f, "it has no writable segment: there is nothing to restore")
	}
	m.all = image.Union(rs...)
	for _, r := range persistent {
		in := m.all.Intersect(r)
		if in.Size() != r.Size && image.Union(away...).Intersect(r).Size() != r.Size {
			return nil, refusef(f, "%v was to be persistent, and is not all in writable segments, %v", r, m.all)
		}
		for _, x := range in {
			m.kept = append(m.kept, table.Kept{Addr: uint64(x.Start), Size: x.Size, Why: table.Persistent})
		}
	}
	m.restore = m.all.Minus(persistent...)
	return m, nil
}

// overlaps refuses segments that share memory: which bytes are there depends on
// the loader.
func overlaps(f *elffile.File, i int) error {
	p := &f.Progs[i]
	if p.Filesz > p.Memsz || p.Vaddr+p.Memsz-1 < p.Vaddr || p.Vaddr+p.Memsz-1 > f.MaxAddr() || p.Memsz > 1<<62 {
		return f.ProgError(i, "p_memsz", "0x%x bytes at 0x%x, 0x%x of them in the file, are no range of memory", p.Memsz, p.Vaddr, p.Filesz)
	}
	for k := range i {
		o := &f.Progs[k]
		if o.Type == elf.PT_LOAD && o.Vaddr < p.Vaddr+p.Memsz && p.Vaddr < o.Vaddr+o.Memsz && (o.Flags|p.Flags)&elf.PF_W != 0 {
			return f.ProgError(i, "p_vaddr", "[0x%x, 0x%x) is also in program header %d, [0x%x, 0x%x)", p.Vaddr, p.Vaddr+p.Memsz, k, o.Vaddr, o.Vaddr+o.Memsz)
		}
	}
	return nil
}

// copied says whether a segment is loaded elsewhere than it runs, and by another
// distance than the code that starts: that code copies it, as programs in flash
// do with their data. Where no p_paddr is set they say nothing.
func copied(f *elffile.File, i int) bool {
	return distance(f, i) != distance(f, loadWith(f, codeAddress(f, f.Header.Entry)))
}

// distance is p_paddr - p_vaddr.
func distance(f *elffile.File, i int) uint64 {
	for k := range f.Progs {
		if p := &f.Progs[k]; p.Type == elf.PT_LOAD && p.Paddr != 0 {
			return f.Progs[i].Paddr - f.Progs[i].Vaddr
		}
	}
	return 0
}
