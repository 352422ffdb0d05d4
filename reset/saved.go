package reset

import (
	"bytes"
	"debug/elf"
	"slices"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/reset/table"
)

// Zeros are not kept where they are worth it: runs of at least zeroRun bytes, in
// blocks of zeroBlock. An entry of the table takes up to 32, and there are to be no
// more of them than manyRows, or else only longer runs are left out.
const (
	zeroBlock = 64
	zeroRun   = 256
	manyRows  = 4096
)

// A saver collects what is to be saved.
type saver struct {
	f     *elffile.File
	body  *elffile.Body // the saved bytes
	run   uint64        // how long zeros are that are left out
	solid image.Ranges  // what other headers name is not cut in pieces
}

// save adds the bytes of ranges to the copy and returns the entries that restore
// them, with the offset in the copy for a source.
func (s *saver) save(rs image.Ranges) ([]table.Entry, error) {
	var list []table.Entry
	for _, r := range rs {
		data := initial(s.f, r)
		runs, err := s.runs(r, data)
		if err != nil {
			return nil, err
		}
		for _, run := range runs {
			at := int64(run.Dst - uint64(r.Start))
			run.Src = s.add(run.Dst, elffile.Slice(data, at, int64(run.SrcSize)))
			list = append(list, run)
		}
	}
	return list, nil
}

// add puts bytes into the copy.
func (s *saver) add(dst uint64, d elffile.Data) uint64 {
	if d.Size() == 0 {
		return 0
	}
	at := uint64(s.body.Size())
	at += (dst - at) & (table.CopyAlign - 1)
	elffile.Extents(d, func(pos int64, d elffile.Data) bool {
		if _, zeros := d.(elffile.Zeros); !zeros {
			s.body.Put(int64(at)+pos, d)
		}
		return true
	})
	s.body.Truncate(max(s.body.Size(), int64(at)+d.Size()))
	return at
}

// initial is what a loader puts into a range of memory.
func initial(f *elffile.File, r image.Range) elffile.Data {
	b := &elffile.Body{}
	b.Truncate(int64(r.Size))
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		if in := r.Intersect(image.Range{Start: image.Addr(p.Vaddr), Size: p.Filesz}); !in.Empty() {
			off := p.Off + uint64(in.Start) - p.Vaddr
			elffile.Extents(f.Body.Window(int64(off), int64(in.Size)), func(pos int64, d elffile.Data) bool {
				if _, zeros := d.(elffile.Zeros); !zeros {
					b.Put(int64(in.Start-r.Start)+pos, d)
				}
				return true
			})
		}
	}
	return b.Window(0, int64(r.Size))
}

// runs cuts a range into bytes followed by zeros.
func (s *saver) runs(r image.Range, data elffile.Data) ([]table.Entry, error) {
	zeros, err := s.zeros(r, data)
	if err != nil {
		return nil, err
	}
	var list []table.Entry
	at := r.Start
	for _, z := range zeros {
		if z.Start == at && len(list) > 0 { // two runs that touch
			list[len(list)-1].Size += z.Size
		} else {
			list = append(list, table.Entry{Dst: uint64(at), Size: uint64(z.End() - at), SrcSize: uint64(z.Start - at)})
		}
		at = z.End()
	}
	if n := r.Size - uint64(at-r.Start); n > 0 {
		list = append(list, table.Entry{Dst: uint64(at), Size: n, SrcSize: n})
	}
	return list, nil
}

// zeros returns the runs of zeros in a range that are not worth keeping.
func (s *saver) zeros(r image.Range, data elffile.Data) ([]image.Range, error) {
	var found []image.Range
	note := func(from, to int64) {
		if from < to {
			x := image.Range{Start: r.Start + image.Addr(from), Size: uint64(to - from)}
			if n := len(found); n > 0 && found[n-1].End() == x.Start {
				found[n-1].Size += x.Size
			} else {
				found = append(found, x)
			}
		}
	}
	var failed error
	elffile.Extents(data, func(pos int64, d elffile.Data) bool {
		if _, hole := d.(elffile.Zeros); hole {
			note(pos, pos+d.Size())
			return true
		}
		failed = zeroBlocks(d, func(from, to int64) { note(pos+from, pos+to) })
		return failed == nil
	})
	end := r.End()
	return slices.DeleteFunc(s.whole(found), func(x image.Range) bool {
		return x.Size < s.run && x.End() != end
	}), failed
}

// whole takes what other headers name out of runs of zeros.
func (s *saver) whole(runs []image.Range) []image.Range {
	if len(s.solid) == 0 {
		return runs
	}
	var out []image.Range
	for _, x := range runs {
		out = append(out, image.Ranges{x}.Minus(s.solid...)...)
	}
	return out
}

var noBytes [zeroBlock]byte

// zeroBlocks calls found with the runs of blocks of d that are zero; the last
// block may be shorter, and of the last bytes all that are zero count.
func zeroBlocks(d elffile.Data, found func(from, to int64)) error {
	const chunk = 1 << 16
	buf := make([]byte, chunk)
	d = elffile.Pread(d)
	trailing := int64(0) // where the zeros at the end begin
	start := int64(-1)
	for at := int64(0); at < d.Size(); at += chunk {
		b := buf[:min(chunk, d.Size()-at)]
		if n, err := d.ReadAt(b, at); n < len(b) {
			return err
		}
		for k := 0; k < len(b); k += zeroBlock {
			block := b[k:min(k+zeroBlock, len(b))]
			if bytes.Equal(block, noBytes[:len(block)]) {
				if start < 0 {
					start = at + int64(k)
				}
				continue
			}
			if start >= 0 {
				found(start, at+int64(k))
				start = -1
			}
			trailing = at + int64(k+len(bytes.TrimRight(block, "\x00")))
		}
	}
	if start < 0 || trailing < start {
		start = trailing
	}
	found(start, d.Size())
	return nil
}
