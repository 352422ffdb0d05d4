package show

import (
	"debug/elf"

	"elfwright/elffile"
)

// showGroups prints the section groups and their members.
func showGroups(p *printer) {
	any := false
	r := &groupRow{p: p}
	for i := range p.f.Sections() {
		if p.f.Sections()[i].Type != elf.SHT_GROUP {
			continue
		}
		if !p.spend(p.f.Sections()[i].Size) {
			break
		}
		flags, signature, members, err := p.f.Group(i)
		p.warn(err)
		r.index, r.flags, r.signature, r.members = i, flags, p.cut([]byte(signature)), members
		if any {
			p.print((*text).nl)
		} else if p.t != nil {
			p.gap()
		}
		any = true
		p.row(r)
	}
	if !any {
		p.remark("There are no section groups in this file.")
	}
}

// groupRow is one section group.
type groupRow struct {
	p         *printer
	index     int
	flags     uint32
	signature []byte
	members   []uint32
}

func (r *groupRow) text(t *text) {
	if r.flags == elffile.GroupComdat {
		t.str("COMDAT")
	}
	if r.flags&^elffile.GroupComdat != 0 {
		t.str("flags 0x")
		t.hex(uint64(r.flags), 1)
	}
	t.str(" group section [")
	t.dec(uint64(r.index), 5)
	t.str("] `")
	t.names(r.p.sectionName(r.index))
	t.str("' [")
	r.p.symbolText(t, r.signature)
	t.str("] contains ")
	t.count(len(r.members), "section", "sections")
	t.str(":")
	t.nl()
	t.heads("   [Index]    Name")
	for _, m := range r.members {
		t.str("   [")
		t.dec(uint64(m), 5)
		t.str("]   ")
		t.names(r.p.sectionName(int(m)))
		t.nl()
	}
}

func (r *groupRow) json(o *object) {
	o.num("index", uint64(r.index))
	o.names("name", r.p.sectionName(r.index))
	o.hex("flags", uint64(r.flags))
	o.bool("comdat", r.flags&elffile.GroupComdat != 0)
	r.p.symbolJSON(o, "signature", r.signature)
	o.list("members")
	for _, m := range r.members {
		o.open("")
		o.num("index", uint64(m))
		o.names("name", r.p.sectionName(int(m)))
		o.close()
	}
	o.endList()
}
