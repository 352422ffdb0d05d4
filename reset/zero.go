package reset

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/phdr"
)

// zeroed returns the memory outside the program that is to be cleared at each start,
// such as a heap or a region that is shared with others.
func zeroed(f *elffile.File, opt Options) (image.Ranges, error) {
	var rs []image.Range
	for _, s := range opt.Zero {
		r, err := phdr.FindRange(f, s)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	all := image.Union(rs...)
	if len(all) > 0 && f.Header.Type != elf.ET_EXEC {
		return nil, refusef(f, "memory to be cleared, %v: the program is loaded anywhere, and so are addresses in it", all)
	}
	for _, r := range all {
		if uint64(r.End()-1) > f.MaxAddr() {
			return nil, refusef(f, "memory to be cleared, %v, is beyond the last address, 0x%x", r, f.MaxAddr())
		}
	}
	return all, outside(f, all)
}

// outside refuses memory to be cleared that is a program's.
func outside(f *elffile.File, zero image.Ranges) error {
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		for _, x := range zero.Intersect(image.Range{Start: image.Addr(p.Vaddr), Size: p.Memsz}) {
			return refusef(f, "memory to be cleared, %v, is that of program header %d, [0x%x, 0x%x)", x, i, p.Vaddr, p.Vaddr+p.Memsz)
		}
	}
	return nil
}
