package show

import (
	"debug/elf"
	"fmt"
)

// Section types that hold what is special to a machine. The first is the same
// number for Arm (AAELF32, "Section Types"), AArch64 (ABI addenda for build
// attributes) and RISC-V (psABI, "Attributes").
const (
	shtAttributes    elf.SectionType = 0x70000003
	shtGNUAttributes elf.SectionType = 0x6ffffff5 // GNU as, .gnu.attributes
	shtMIPSABIFlags  elf.SectionType = 0x7000002a
)

// showArch prints what is special to the machine: build attributes where its ABI
// has them, and on x86 and AArch64 the program properties, which say the same
// there.
func showArch(p *printer) {
	found := false
	for i := range p.f.Sections() {
		s := &p.f.Sections()[i]
		var show func(b []byte) error
		a := p.attrReader(i)
		switch {
		case s.Type == shtGNUAttributes, s.Type == shtAttributes && a.machine != nil:
			show = a.sections
		case s.Type == shtAttributes && p.f.Header.Machine == elf.EM_AARCH64:
			show = a.aarch64
		case s.Type == shtMIPSABIFlags && p.f.Header.Machine == elf.EM_MIPS:
			show = a.mipsFlags
		default:
			continue
		}
		if !p.spend(s.Size) {
			break
		}
		found = true
		b, err := p.f.SectionData(i)
		p.warn(err)
		if err := show(b); err != nil {
			p.warn(p.f.SectionError(i, "", "%v", err))
		}
		p.end()
	}
	if p.archProperties() || found {
		return
	}
	p.remark("There is nothing special to the machine in this file.")
}

// archProperties prints the GNU properties of machines whose ABI has its
// features there, and says whether there are any.
func (p *printer) archProperties() bool {
	switch p.f.Header.Machine {
	case elf.EM_386, elf.EM_486, elf.EM_X86_64, elf.EM_AARCH64:
	default:
		return false
	}
	c := noteContext{Format: p.f.Format, machine: p.f.Header.Machine, mach: p.m}
	found := false
	for i := range p.f.Sections() {
		if s := &p.f.Sections()[i]; s.Type == elf.SHT_NOTE && p.spend(s.Size) {
			notes, err := p.f.SectionNotes(i)
			p.warn(err)
			for j := range notes {
				found = p.archNote(&c, &archHead{kind: "properties", section: i, name: p.sectionName(i)}, notes[j].Name, notes[j].Type, notes[j].Desc) || found
			}
		}
	}
	if found {
		return true
	}
	for i := range p.f.Progs {
		if ph := &p.f.Progs[i]; ph.Type == elf.PT_NOTE && p.spend(ph.Filesz) {
			notes, err := p.f.ProgNotes(i)
			p.warn(err)
			for j := range notes {
				found = p.archNote(&c, &archHead{kind: "properties", section: -1, segment: i}, notes[j].Name, notes[j].Type, notes[j].Desc) || found
			}
		}
	}
	return found
}

// archNote prints a note's properties, if it holds any.
func (p *printer) archNote(c *noteContext, head *archHead, owner string, typ uint32, desc []byte) bool {
	if owner != "GNU" || typ != noteProperty {
		return false
	}
	list, err := c.properties(desc)
	if err != nil {
		p.warnf("note NT_GNU_PROPERTY_TYPE_0", "", -1, "%v", err)
	}
	p.table(head)
	for i := range list {
		p.row(&list[i])
	}
	p.end()
	return true
}

// archHead is the title of one list of attributes or properties.
type archHead struct {
	kind    string // "properties", "attributes", "abi_flags"
	section int    // or -1
	segment int
	name    string
	vendor  string   // of attributes
	scope   string   // "file", "section", "symbol"
	scopes  []uint64 // indices of the sections or symbols
	extra   facts    // of AArch64's subsections
}

func (h *archHead) text(t *text) {
	switch {
	case h.kind == "properties" && h.section < 0:
		t.title(fmt.Sprintf("Program properties in segment %02d:", h.segment), "")
	case h.kind == "properties":
		t.title("Program properties in section ", h.name)
		t.title(":", "")
	case h.kind == "abi_flags":
		t.title("ABI flags in section ", h.name)
		t.title(":", "")
	default:
		t.title("Attributes of vendor ", h.vendor)
		t.title(" in section ", h.name)
		if h.scope != "" {
			t.str(", " + h.scope)
			for _, v := range h.scopes {
				t.str(" ")
				t.dec(v, 0)
			}
		}
		t.str(":")
	}
	t.nl()
	h.extra.text(t)
}

func (h *archHead) json(o *object) {
	o.str("kind", h.kind)
	if h.section >= 0 {
		o.num("section", uint64(h.section))
		o.names("name", h.name)
	} else {
		o.num("segment", uint64(h.segment))
	}
	if h.kind == "attributes" {
		o.names("vendor", h.vendor)
	}
	if h.scope != "" {
		o.str("scope", h.scope)
		o.list("indices")
		for _, v := range h.scopes {
			o.num("", v)
		}
		o.endList()
	}
	h.extra.json(o)
}
