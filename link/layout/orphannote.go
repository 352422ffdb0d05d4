package layout

import (
	"debug/elf"

	"elfwright/link/model"
)

// noteOrder keeps loaded notes together, those with the larger alignment first:
// a PT_NOTE has notes of one alignment. ok: the place in the order is found here, behind prev.
func (p *orphans) noteOrder(o *section, sec *model.Section) (prev *section, ok bool) {
	s := p.s
	isNote := sec.Type == elf.SHT_NOTE && sec.Flags&elf.SHF_ALLOC != 0
	if !isNote {
		return p.behindNotes(o)
	}
	var first, larger, pred *section
	for _, x := range s.order {
		if x == o {
			continue
		}
		if s.loadedNote(x) {
			if first == nil {
				first = x
			}
			if x.baseAl >= sec.Align {
				larger = x
			}
		} else if first != nil {
			break
		} else {
			pred = x
		}
	}
	p.note = first
	switch {
	case first == nil:
		return nil, false
	case larger != nil:
		s.reorder(o, larger)
		return larger, true
	}
	s.reorder(o, pred)
	return s.before(first), true
}

// behindNotes keeps another orphan that would come right before a note from
// coming between notes: it goes behind all of them.
func (p *orphans) behindNotes(o *section) (prev *section, ok bool) {
	if p.note == nil {
		return nil, false
	}
	next := p.s.order[p.made+1:]
	if len(next) == 0 || !p.s.loadedNote(next[0]) {
		return nil, false
	}
	for _, x := range next {
		if p.s.loadedNote(x) {
			prev = x
		}
	}
	p.s.reorder(o, prev)
	return prev, true
}

func (s *Script) loadedNote(o *section) bool {
	return o.traits&load != 0 && s.currentType(o) == elf.SHT_NOTE
}

// before is the output section statement before another one.
func (s *Script) before(o *section) *section {
	var prev *section
	for _, x := range s.listed() {
		if x == o {
			break
		}
		prev = x
	}
	return prev
}

// reorder moves a section behind another one, or to the front, in the order of
// the section headers.
func (s *Script) reorder(o, behind *section) {
	var order []*section
	if behind == nil {
		order = append(order, o)
	}
	for _, x := range s.order {
		if x != o {
			order = append(order, x)
		}
		if x == behind {
			order = append(order, o)
		}
	}
	s.order = order
}
