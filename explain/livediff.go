package explain

import (
	"debug/elf"
	"fmt"
	"sort"

	"elfwright/image"
)

// compare holds a private file mapping against its file.
func (l *live) compare(r *Region) {
	if !r.File() || r.Shared || r.Prot&elf.PF_R == 0 {
		return
	}
	o := l.object(&r.Map)
	if o.m == nil {
		r.Err = o.err
		if r.Prot&elf.PF_X != 0 && o.err != nil {
			r.Alarm = "code whose file cannot be read any more"
		}
		return
	}
	pages, err := l.p.Private(r.Range)
	if err != nil {
		pages = image.Ranges{r.Range}
	}
	r.Err = o.m.Guard(func() error {
		for _, part := range pages {
			if err := l.comparePart(r, o, part); err != nil {
				return err
			}
		}
		return nil
	})
	if r.ChangedBytes > 0 && r.Prot&elf.PF_X != 0 && r.Relocated < r.ChangedBytes {
		r.Alarm = fmt.Sprintf("%d bytes of code are not those of the file: patched", r.ChangedBytes-r.Relocated)
	}
}

// compareChunk bounds what is read of a process at once.
const compareChunk = 1 << 20

func (l *live) comparePart(r *Region, o *object, part image.Range) error {
	for !part.Empty() {
		n := min(part.Size, compareChunk)
		chunk := image.Range{Start: part.Start, Size: n}
		mem, err := l.p.Memory(chunk)
		if err != nil {
			return err
		}
		file := make([]byte, n)
		if off := r.Off + uint64(chunk.Start-r.Start); off < uint64(len(o.m.Bytes())) {
			copy(file, o.m.Bytes()[off:])
		}
		r.differ(o, chunk.Start, mem, file)
		part = image.MakeRange(chunk.End(), part.End())
	}
	return nil
}

// differ adds the ranges in which memory and file differ. What lies behind the
// file bytes of a segment in its last page was cleared, and is the program's.
func (r *Region) differ(o *object, at image.Addr, mem, file []byte) {
	for i := 0; i < len(mem); {
		if mem[i] == file[i] {
			n := 1
			for i+n < len(mem) && mem[i+n] == file[i+n] {
				n++
			}
			i += n
			continue
		}
		from := i
		for i < len(mem) && mem[i] != file[i] {
			i++
		}
		x := image.Range{Start: at + image.Addr(from), Size: uint64(i - from)}
		if o.f != nil && r.Header >= 0 {
			h := &o.f.Progs[r.Header]
			x = x.Intersect(image.Range{Start: image.Addr(h.Vaddr) + o.bias, Size: h.Filesz})
		}
		r.change(o, x)
	}
}

func (r *Region) change(o *object, x image.Range) {
	if x.Empty() {
		return
	}
	r.ChangedBytes += x.Size
	r.Relocated += o.relocatedIn(image.Range{Start: x.Start - o.bias, Size: x.Size})
	if n := len(r.Changed); n > 0 && x.Start-r.Changed[n-1].End() < 8 {
		r.Changed[n-1] = image.MakeRange(r.Changed[n-1].Start, x.End())
		return
	}
	if len(r.Changed) < maxChanges {
		r.Changed = append(r.Changed, x)
	}
}

// relocatedIn is how many bytes of a range are places of relocations.
func (o *object) relocatedIn(x image.Range) (n uint64) {
	i := sort.Search(len(o.fixups), func(i int) bool { return o.fixups[i].End() > x.Start })
	for ; i < len(o.fixups) && o.fixups[i].Start < x.End(); i++ {
		n += o.fixups[i].Intersect(x).Size
	}
	return n
}
