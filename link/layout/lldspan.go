package layout

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/link/model"
)

// spans lets each PT_LOAD of the script have what lies between its first and its
// last section, too. For lld a segment is a part of the file, from its first
// section to its last, whatever others are there; its flags are those of the
// sections that name it.
func (s *Script) spans(segs []*segment) {
	for _, g := range segs {
		if g.typ != elf.PT_LOAD || len(g.sections) < 2 {
			continue
		}
		from, to := slices.Index(s.outs, g.sections[0]), slices.Index(s.outs, g.sections[len(g.sections)-1])
		if from < 0 || to < from {
			continue
		}
		g.named = g.sections
		g.sections = nil
		for _, o := range s.outs[from : to+1] {
			if !o.off && o.out != nil && !o.removed && o.traits&alloc != 0 {
				g.sections = append(g.sections, o)
			}
		}
	}
}

// shared places a PT_LOAD that begins with sections to which another one gave
// their places in the file; false if it is none.
func (f *filer) shared(g *segment, p *model.Segment) (bool, error) {
	if !f.s.lldRules.fileByAddress || g.filehdr || g.phdrs {
		return false, nil
	}
	n := 0
	for n < len(g.sections) && g.sections[n].filed {
		n++
	}
	if n == 0 {
		return false, nil
	}
	first, last := g.sections[0].out, g.sections[n-1].out
	p.Off = uint64(first.FileOff)
	p.Memsz = last.Addr + last.Size - first.Addr
	for _, o := range g.sections[:n] {
		if o.out.Type != elf.SHT_NOBITS {
			p.Filesz = uint64(o.out.FileOff) + o.out.Size - p.Off
		}
		f.flags(g, p, o)
		p.Sections = append(p.Sections, o.out)
	}
	if n < len(g.sections) && f.off-p.Off != p.Filesz {
		return true, fmt.Errorf("%s: section %s cannot follow %s in the file: other segments have sections between them",
			segmentName(g), g.sections[n].name, last.Name)
	}
	var none padding
	for _, o := range g.sections[n:] {
		f.section(g, p, o, false, &none)
	}
	return true, nil
}
