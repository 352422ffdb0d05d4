package show

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/machine"
)

// noteContext is what the meaning of a note depends on beyond its own bytes.
type noteContext struct {
	elffile.Format
	machine elf.Machine
	mach    *machine.Machine // nil where the machine is not one of ours
	core    bool             // ET_CORE, where numbers mean other things
}

// noteHead is where a list of notes is.
type noteHead struct {
	section int // or -1
	segment int // or -1
	name    string
	off     uint64
	size    uint64

	relocated bool // relocations were applied
}

func (h *noteHead) text(t *text) {
	if h.section >= 0 {
		t.title("Notes in section ", h.name)
	} else {
		t.title(fmt.Sprintf("Notes in segment %02d", h.segment), "")
	}
	t.str(", at offset ")
	t.zx(h.off)
	t.str(", ")
	t.dec(h.size, 0)
	t.str(" bytes")
	if h.relocated {
		t.str(", with its relocations applied")
	}
	t.str(":")
	t.nl()
	t.heads("  Owner                Size       Type")
}

func (h *noteHead) json(o *object) {
	if h.section >= 0 {
		o.num("section", uint64(h.section))
		o.names("name", h.name)
	} else {
		o.num("segment", uint64(h.segment))
	}
	o.hex("offset", h.off)
	o.num("size", h.size)
	if h.relocated {
		o.bool("relocated", true)
	}
}

// noteRow is one note. Body is what its descriptor says; nil means that the
// descriptor's bytes are printed.
type noteRow struct {
	note  *elffile.Note
	class noteType
	body  row
}

// maxRaw is how many bytes of a descriptor are printed as text: register sets of
// some kilobytes are for programs, which find all of them in the JSON.
const maxRaw = 256

func (r *noteRow) text(t *text) {
	t.str("  ")
	t.names(r.note.Name)
	t.column(23)
	t.str("0x")
	t.hex(uint64(len(r.note.Desc)), 8)
	t.str(" ")
	t.str(r.class.name)
	if r.class.means != "" {
		t.str(" (")
		t.str(r.class.means)
		t.str(")")
	}
	t.nl()
	if r.body != nil {
		r.body.text(t)
		return
	}
	noteBytes(t, r.note.Desc)
}

// noteBytes prints a descriptor that has no better form.
func noteBytes(t *text, desc []byte) {
	for i := 0; i < len(desc) && i < maxRaw; i++ {
		if i%32 == 0 {
			if i > 0 {
				t.nl()
			}
			t.str("   ")
		}
		t.str(" ")
		t.hex(uint64(desc[i]), 2)
	}
	if len(desc) > 0 {
		t.nl()
	}
	if len(desc) > maxRaw {
		t.str("    … ")
		t.dec(uint64(len(desc)-maxRaw), 0)
		t.str(" bytes more")
		t.nl()
	}
}

func (r *noteRow) json(o *object) {
	o.names("owner", r.note.Name)
	o.hex("type", uint64(r.note.Type))
	o.str("type_name", r.class.name)
	if r.class.means != "" {
		o.str("meaning", r.class.means)
	}
	o.hex("offset", uint64(r.note.Off))
	o.num("size", uint64(len(r.note.Desc)))
	if r.body != nil {
		r.body.json(o)
		return
	}
	o.bytes("desc", r.note.Desc)
}

// showNotes prints the notes of every note section, and those of PT_NOTE
// segments that no such section covers: a program is started by the latter, and
// after strip or in a core file they are all there is.
func showNotes(p *printer) {
	c := noteContext{Format: p.f.Format, machine: p.f.Header.Machine, mach: p.m, core: p.f.Header.Type == elf.ET_CORE}
	sections, relocs := p.f.Sections(), p.relocSections()
	some := false
	for i := range sections {
		if s := &sections[i]; s.Type == elf.SHT_NOTE && p.spend(s.Size) {
			some = true
			notes, relocated, err := p.sectionNotes(i, relocs)
			p.table(&noteHead{section: i, segment: -1, name: p.sectionName(i), off: s.Off, size: s.Size, relocated: relocated})
			p.notes(&c, notes, err)
		}
	}
	byOffset, byAddr := noteSpans(sections)
	for i := range p.f.Progs {
		ph := &p.f.Progs[i]
		if ph.Type != elf.PT_NOTE || covered(byOffset, ph.Off, ph.Filesz) || covered(byAddr, ph.Vaddr, ph.Filesz) {
			continue
		}
		if p.spend(ph.Filesz) {
			some = true
			p.table(&noteHead{section: -1, segment: i, off: ph.Off, size: ph.Filesz})
			notes, err := p.f.ProgNotes(i)
			p.notes(&c, notes, err)
		}
	}
	if !some {
		p.remark("There are no notes in this file.")
	}
}

// notes prints one list of notes.
func (p *printer) notes(c *noteContext, notes []elffile.Note, err error) {
	r := new(noteRow)
	for i := range notes {
		n := &notes[i]
		r.note, r.class = n, c.noteType(n)
		body, fault := c.decode(n)
		r.body = body
		p.row(r)
		if fault != nil {
			p.warnf("note "+r.class.name, "", n.Off, "%v", fault)
		}
	}
	p.warn(err)
	p.end()
}

// noteSpans are what note sections cover, of the file and of the addresses. By
// address a section without bytes counts too: in a file of debug information the
// program headers are those of the program, whose offsets mean nothing there.
func noteSpans(sections []elffile.Section) (byOffset, byAddr [][2]uint64) {
	for i := range sections {
		s := &sections[i]
		if s.Type == elf.SHT_NOTE {
			byOffset = append(byOffset, [2]uint64{s.Off, s.Off + s.Size})
		}
		if s.Has(elf.SHF_ALLOC) && (s.Type == elf.SHT_NOTE || s.Type == elf.SHT_NOBITS) && !isTbss(s) {
			byAddr = append(byAddr, [2]uint64{s.Addr, s.Addr + s.Size})
		}
	}
	return mergeSpans(byOffset), mergeSpans(byAddr)
}

// mergeSpans sorts half-open ranges; those with no more than a note's padding
// between them become one.
func mergeSpans(list [][2]uint64) [][2]uint64 {
	list = slices.DeleteFunc(list, func(s [2]uint64) bool { return s[1] <= s[0] })
	slices.SortFunc(list, func(a, b [2]uint64) int { return compare(a[0], b[0]) })
	n := 0
	for _, span := range list {
		if n > 0 && span[0] <= (list[n-1][1]+7)&^7 {
			list[n-1][1] = max(list[n-1][1], span[1])
			continue
		}
		list[n] = span
		n++
	}
	return list[:n]
}

// covered says whether one of the spans has all of [at, at+size).
func covered(spans [][2]uint64, at, size uint64) bool {
	if size == 0 || at+size < at {
		return size == 0
	}
	i, _ := slices.BinarySearchFunc(spans, at, func(s [2]uint64, at uint64) int {
		if s[1] <= at {
			return -1
		}
		return 1
	})
	return i < len(spans) && spans[i][0] <= at && at+size <= spans[i][1]
}

// decode gives what a descriptor says; nil where nothing is known of its kind.
// The error tells where the descriptor contradicts its kind.
func (c *noteContext) decode(n *elffile.Note) (row, error) {
	switch n.Name {
	case "GNU":
		return c.gnuNote(n)
	case "CORE", "LINUX":
		if c.core {
			return c.coreNote(n)
		}
	case "Go", "stapsdt", "FDO", "Linux", "Xen", "LLVM":
		return c.toolNote(n)
	case "FreeBSD", "NetBSD", "OpenBSD", "DragonFly", "Android", "PaX":
		return c.systemNote(n)
	}
	if isBuildAttribute(n) {
		return c.buildAttribute(n)
	}
	return nil, nil
}
