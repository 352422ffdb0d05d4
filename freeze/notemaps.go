package freeze

import (
	"cmp"
	"slices"
	"strings"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
)

// describeMaps tells what is mapped, and where in the file its contents are.
func (c *compiler) describeMaps(p *note.Process) {
	blobs := c.blobs
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		n := note.Map{
			Range: note.Range{Start: uint64(m.Start), Size: m.Size}, Prot: uint32(m.Prot), Shared: m.Shared, Off: m.Off, Name: m.Name, Deleted: m.Deleted,
			Flags: strings.Join(m.Flags, " "),
		}
		for ; len(blobs) > 0 && m.Covers(blobs[0].from); blobs = blobs[1:] {
			b := blobs[0]
			n.Stored = append(n.Stored, note.Run{Range: note.Range{Start: uint64(b.from.Start), Size: b.from.Size}, At: b.off})
		}
		switch {
		case len(n.Stored) > 0 || m.Kernel():
		case m.Anonymous() || m.SysV():
			n.Stored = c.sharedRuns(m)
		case m.File():
			n.File = &note.File{}
			if id, ok := c.library(m); ok {
				n.File = &note.File{Size: id.size, BuildID: id.buildID}
			}
		}
		p.Maps = append(p.Maps, n)
	}
}

// sharedRuns finds what a mapping shows of memory that is stored with a descriptor of
// it, or with another mapping, of this process or of another one.
func (c *compiler) sharedRuns(m *capture.Map) []note.Run {
	id := fileID{device(m.Dev), m.Inode}
	var out []note.Run
	add := func(at, size uint64, off int64) { // size bytes from offset at of the memory on
		from, to := max(at, m.Off), min(at+size, m.Off+m.Size)
		if from < to {
			out = append(out, note.Run{Range: note.Range{Start: uint64(m.Start) + from - m.Off, Size: to - from}, At: off + int64(from-at)})
		}
	}
	if c.shelf == nil {
		return nil
	}
	if w, ok := c.contents[id]; ok {
		add(0, w.size, w.off)
		return out
	}
	all := []*compiler{c}
	if c.tree != nil {
		all = c.tree.procs
	}
	for _, p := range all {
		for i := range p.s.Maps {
			o := &p.s.Maps[i]
			if !o.Shared || o.Inode != id.ino || device(o.Dev) != id.dev {
				continue
			}
			for _, b := range p.blobs {
				if o.Covers(b.from) {
					add(o.Off+uint64(b.from.Start-o.Start), b.from.Size, b.off)
				}
			}
		}
	}
	return apart(out)
}

// apart sorts runs, and cuts what two of them have.
func apart(runs []note.Run) (out []note.Run) {
	slices.SortStableFunc(runs, func(a, b note.Run) int { return cmp.Compare(a.Start, b.Start) })
	end := uint64(0)
	for _, r := range runs {
		if r.Start < end {
			cut := min(end-r.Start, r.Size)
			r.Start, r.Size, r.At = r.Start+cut, r.Size-cut, r.At+int64(cut)
		}
		if r.Size > 0 {
			out = append(out, r)
			end = r.Start + r.Size
		}
	}
	return out
}
