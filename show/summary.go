package show

import "debug/elf"

// summaryRow is what a file is, in a few lines: what somebody asks first.
type summaryRow struct {
	p       *printer
	header  *headerRow
	interp  []byte
	soname  []byte
	needed  [][]byte
	rpath   []byte
	runpath []byte
	buildID []byte
	dynamic bool
	symbols bool // has a symbol table: was not stripped
	debug   bool // has debugging information
}

// showSummary prints what a file is.
func showSummary(p *printer) {
	f := p.f
	p.warn(f.HeaderErr)
	r := &summaryRow{p: p, header: newHeaderRow(p), interp: p.interpreter(), buildID: f.BuildID()}
	d := p.dynamic()
	r.dynamic = len(d.Entries) > 0
	for _, e := range d.Entries {
		switch e.Tag {
		case elf.DT_NEEDED:
			r.needed = append(r.needed, p.cstring(d.Strings, e.Val))
		case elf.DT_SONAME:
			r.soname = p.cstring(d.Strings, e.Val)
		case elf.DT_RPATH:
			r.rpath = p.cstring(d.Strings, e.Val)
		case elf.DT_RUNPATH:
			r.runpath = p.cstring(d.Strings, e.Val)
		}
	}
	for i := range f.Sections() {
		s := &f.Sections()[i]
		r.symbols = r.symbols || s.Type == elf.SHT_SYMTAB
		r.debug = r.debug || p.sectionName(i) == ".debug_info" || p.sectionName(i) == ".zdebug_info"
	}
	p.object(r)
}

// interpreter is the path in PT_INTERP, nil if there is none.
func (p *printer) interpreter() []byte {
	for i := range p.f.Progs {
		if p.f.Progs[i].Type == elf.PT_INTERP {
			b, _ := p.f.ProgData(i)
			return p.cstring(b, 0)
		}
	}
	return nil
}

func (r *summaryRow) text(t *text) {
	f := r.p.f
	t.title("", f.Name)
	t.str(": ")
	bits, order := "ELF 32-bit", " little-endian, "
	if f.Is64() {
		bits = "ELF 64-bit"
	}
	if f.Big() {
		order = " big-endian, "
	}
	t.str(bits)
	t.str(order)
	t.str(r.header.typeText())
	t.str(", ")
	t.str(r.header.mach)
	t.nl()
	label := func(s string) { t.str("  "); t.left(s, 14) }
	name := func(what string, s []byte) {
		if s != nil {
			label(what)
			t.name(s)
			t.nl()
		}
	}
	label("Entry:")
	t.zx(f.Header.Entry)
	t.nl()
	name("Interpreter:", r.interp)
	name("Soname:", r.soname)
	for i, n := range r.needed {
		name([]string{"Needed:", ""}[min(i, 1)], n)
	}
	name("Rpath:", r.rpath)
	name("Runpath:", r.runpath)
	if r.buildID != nil {
		label("Build ID:")
		for _, c := range r.buildID {
			t.hex(uint64(c), 2)
		}
		t.nl()
	}
	r.counts(t, label)
}

// counts prints how many parts the file has, and what it lacks.
func (r *summaryRow) counts(t *text, label func(string)) {
	f := r.p.f
	label("Tables:")
	t.count(len(f.Progs), "program header", "program headers")
	t.str(", ")
	t.count(len(f.Sections()), "section header", "section headers")
	if f.Header.Type != elf.ET_CORE && len(f.Sections()) > 0 {
		if !r.symbols {
			t.str(", no symbol table")
		}
		if r.debug {
			t.str(", debugging information")
		}
	}
	t.nl()
}

func (r *summaryRow) json(o *object) {
	f := r.p.f
	class, order := uint64(32), "little"
	if f.Is64() {
		class = 64
	}
	if f.Big() {
		order = "big"
	}
	o.num("bits", class)
	o.str("byte_order", order)
	o.str("type", r.header.typeText())
	o.str("machine", r.header.mach)
	o.hex("entry", f.Header.Entry)
	for _, e := range []struct {
		key string
		s   []byte
	}{{"interpreter", r.interp}, {"soname", r.soname}, {"rpath", r.rpath}, {"runpath", r.runpath}} {
		if e.s != nil {
			o.name(e.key, e.s)
		}
	}
	o.list("needed")
	for _, n := range r.needed {
		o.name("", n)
	}
	o.endList()
	if r.buildID != nil {
		o.bytes("build_id", r.buildID)
	}
	o.num("segments", uint64(len(f.Progs)))
	o.num("sections", uint64(len(f.Sections())))
	o.bool("dynamic", r.dynamic)
	o.bool("symbol_table", r.symbols)
	o.bool("debug_info", r.debug)
}
