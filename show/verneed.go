package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

func (p *printer) showVersionDefs(v *versionNames) {
	p.table(&versionsHead{p, "definitions", "Version definition", elf.SHT_GNU_VERDEF, v.DefsOff, len(v.Defs)})
	r := &verdefRow{p: p, base: v.DefsOff}
	for i := range v.Defs {
		r.VerDef = &v.Defs[i]
		p.row(r)
	}
	p.end()
}

// verdefRow is a version that the file defines.
type verdefRow struct {
	p *printer
	*elffile.VerDef
	base int64 // of the table
}

// versionFlags are the names of vd_flags and vna_flags.
func versionFlags(flags uint16) string {
	var names []string
	for _, e := range []struct {
		bit  uint16
		name string
	}{{elffile.VerFlagBase, "BASE"}, {elffile.VerFlagWeak, "WEAK"}, {4, "INFO"}} {
		if flags&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	if rest := flags &^ 7; rest != 0 {
		names = append(names, "<unknown: 0x"+hexString(uint64(rest))+">")
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, " | ")
}

func (r *verdefRow) text(t *text) {
	t.str("  0x")
	t.hex(uint64(r.Off-r.base), 4)
	t.str(": Rev: ")
	t.dec(uint64(r.Version), 0)
	t.str("  Flags: ")
	t.str(versionFlags(r.Flags))
	t.str("  Index: ")
	t.dec(uint64(r.Index), 0)
	t.str("  Cnt: ")
	t.dec(uint64(len(r.Names)), 0)
	t.str("  Name: ")
	t.name(r.p.cut(r.Name()))
	t.nl()
	for i := 1; i < len(r.Names); i++ {
		t.str("          Parent ")
		t.dec(uint64(i), 0)
		t.str(": ")
		t.name(r.p.cut(r.Names[i]))
		t.nl()
	}
}

func (r *verdefRow) json(o *object) {
	o.hex("offset", uint64(r.Off))
	o.num("version", uint64(r.Version))
	o.num("flags", uint64(r.Flags))
	o.str("flag_names", versionFlags(r.Flags))
	o.num("index", uint64(r.Index))
	o.hex("hash", uint64(r.Hash))
	o.list("names")
	for _, n := range r.Names {
		o.name("", r.p.cut(n))
	}
	o.endList()
}

func (p *printer) showVersionNeeds(v *versionNames) {
	p.table(&versionsHead{p, "needs", "Version needs", elf.SHT_GNU_VERNEED, v.NeedsOff, len(v.Needs)})
	r := &verneedRow{p: p, base: v.NeedsOff}
	for i := range v.Needs {
		r.VerNeed = &v.Needs[i]
		p.row(r)
	}
	p.end()
}

// verneedRow is a library, and the versions that are needed from it.
type verneedRow struct {
	p *printer
	*elffile.VerNeed
	base int64
}

func (r *verneedRow) text(t *text) {
	t.str("  0x")
	t.hex(uint64(r.Off-r.base), 4)
	t.str(": Version: ")
	t.dec(uint64(r.Version), 0)
	t.str("  File: ")
	t.name(r.p.cut(r.File))
	t.str("  Cnt: ")
	t.dec(uint64(len(r.Aux)), 0)
	t.nl()
	for i := range r.Aux {
		a := &r.Aux[i]
		t.str("  0x")
		t.hex(uint64(a.Off-r.base), 4)
		t.str(":   Name: ")
		t.name(r.p.cut(a.Name))
		t.str("  Flags: ")
		t.str(versionFlags(a.Flags))
		t.str("  Version: ")
		t.dec(uint64(a.Index), 0)
		t.nl()
	}
}

func (r *verneedRow) json(o *object) {
	o.hex("offset", uint64(r.Off))
	o.num("version", uint64(r.Version))
	o.name("file", r.p.cut(r.File))
	o.list("versions")
	for i := range r.Aux {
		a := &r.Aux[i]
		o.open("")
		o.hex("offset", uint64(a.Off))
		o.name("name", r.p.cut(a.Name))
		o.hex("hash", uint64(a.Hash))
		o.num("flags", uint64(a.Flags))
		o.str("flag_names", versionFlags(a.Flags))
		o.num("index", uint64(a.Index))
		o.close()
	}
	o.endList()
}
