package serve

import (
	"debug/elf"

	"elfwright/elffile"
)

// marks are addresses in the code of a file.
type marks []segmentMarks

type segmentMarks struct {
	at   uint64
	bits []bool // one for each byte
}

func newMarks(f *elffile.File) marks {
	var m marks
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && p.Filesz <= uint64(f.Body.Size()) {
			m = append(m, segmentMarks{p.Vaddr, make([]bool, p.Filesz)})
		}
	}
	return m
}

// set marks an address, if it is in the code.
func (m marks) set(at uint64) {
	for i := range m {
		if off := at - m[i].at; off < uint64(len(m[i].bits)) {
			m[i].bits[off] = true
		}
	}
}

func (m marks) has(at uint64) bool {
	for i := range m {
		if off := at - m[i].at; off < uint64(len(m[i].bits)) {
			return m[i].bits[off]
		}
	}
	return false
}
