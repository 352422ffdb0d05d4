package reset

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/reset/table"
)

// headersIn is where the ELF header and the program header table are in a range of
// memory. They are in that of most programs, seldom in writable memory; there they
// are restored as they are now, not as they were.
func headersIn(f *elffile.File, r image.Range) image.Ranges {
	spans := [][2]uint64{{0, uint64(f.EhdrSize())}, {f.Header.Phoff, f.Header.Phoff + uint64(len(f.Progs)*f.PhdrSize())}}
	var rs []image.Range
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		for _, s := range spans {
			if from, to := max(s[0], p.Off), min(s[1], p.Off+p.Filesz); from < to {
				rs = append(rs, r.Intersect(image.Range{Start: image.Addr(p.Vaddr + from - p.Off), Size: to - from}))
			}
		}
	}
	return image.Union(rs...)
}

// withHeaders is memory of a program as it was, with the headers that it has now.
func withHeaders(f *elffile.File, r image.Range, mem elffile.Data) elffile.Data {
	in := headersIn(f, r)
	if len(in) == 0 {
		return mem
	}
	b := elffile.NewBody(mem)
	b.Truncate(int64(r.Size))
	for _, x := range in {
		b.Put(int64(x.Start-r.Start), initial(f, x))
	}
	return b.Window(0, int64(r.Size))
}

// saveHeaders brings the copy up to date when the headers are what they will be.
func saveHeaders(now *elffile.File, t *table.Table) {
	for _, e := range t.Each {
		for _, x := range headersIn(now, image.Range{Start: image.Addr(e.Dst), Size: e.SrcSize}) {
			if off, _, ok := now.OffsetOf(e.Src + uint64(x.Start) - e.Dst); ok {
				now.Body.Put(int64(off), initial(now, x))
			}
		}
	}
}
