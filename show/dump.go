package show

import (
	"bytes"
	"debug/elf"
	"strconv"

	"elfwright/elffile"
)

// maxUncompressed bounds what a compressed section is unpacked to for a dump.
const maxUncompressed = 512 << 20

// dumped is a section to dump, and its bytes.
type dumped struct {
	p            *printer
	index        int
	addr         uint64
	off          int64
	b            []byte
	uncompressed bool
	compressed   bool
	words        string // the title
}

// dumps calls show with each section that the list names, by name or index. A
// name stands for all sections that have it.
func (p *printer) dumps(list []string, words string, show func(*dumped)) {
	for _, arg := range list {
		found := false
		for i := range p.f.Sections() {
			if p.matches(i, arg) {
				found = true
				if d := p.dumped(i, words); d != nil && p.spend(uint64(len(d.b))) {
					show(d)
				}
			}
		}
		if !found {
			p.warnf("", "", -1, "there is no section %s", strconv.Quote(arg))
		}
	}
}

// matches says whether arg means section i: its name, or, where no section has
// that name, its index.
func (p *printer) matches(i int, arg string) bool {
	if p.sectionName(i) == arg {
		return i > 0
	}
	n, err := strconv.ParseUint(arg, 0, 32)
	return err == nil && uint64(i) == n && !p.hasSection(arg)
}

func (p *printer) hasSection(name string) bool {
	for i := range p.f.Sections() {
		if i > 0 && p.sectionName(i) == name {
			return true
		}
	}
	return false
}

// dumped gets the bytes of a section, or says that it has none.
func (p *printer) dumped(i int, words string) *dumped {
	s := &p.f.Sections()[i]
	if !s.HasBytes() {
		if p.t == nil {
			p.warn(p.f.SectionError(i, "", "has no bytes to dump"))
		}
		p.heading(func(t *text) {
			t.str("Section '")
			t.names(p.sectionName(i))
			t.str("' has no data to dump.")
			t.nl()
		})
		return nil
	}
	d := &dumped{p: p, index: i, addr: s.Addr, off: int64(s.Off), words: words}
	var err error
	var cerr error
	_, d.compressed, cerr = p.f.Compressed(i)
	if p.opt.Decompress && d.compressed {
		d.b, _, err = p.f.Uncompress(i, maxUncompressed)
		d.uncompressed = true
	} else {
		d.b, err = p.f.SectionData(i)
		if err == nil && p.opt.Decompress {
			err = cerr
		}
	}
	p.warn(err)
	return d
}

// relocated says whether relocations are to be applied to the section.
func (d *dumped) relocated() bool {
	if d.p.f.Header.Type != elf.ET_REL {
		return false
	}
	for i := range d.p.f.Sections() {
		if s := &d.p.f.Sections()[i]; elffile.IsRelocSection(s.Type) && s.Info == uint32(d.index) {
			return true
		}
	}
	return false
}

func (d *dumped) text(t *text) {
	t.title(d.words+" '", d.p.sectionName(d.index))
	t.title("':", "")
	t.nl()
	switch {
	case d.relocated():
		t.str(" NOTE: This section has relocations against it, but these have NOT been applied to this dump.")
		t.nl()
	case d.compressed && !d.uncompressed:
		t.str(" NOTE: This section is compressed, but its contents have NOT been expanded for this dump.")
		t.nl()
	}
}

func (d *dumped) json(o *object) {
	o.tableName(d.p.sectionName(d.index), d.index)
	o.hex("addr", d.addr)
	o.offset(d.off)
	o.num("size", uint64(len(d.b)))
	o.bool("compressed", d.compressed)
	o.bool("uncompressed", d.uncompressed)
	o.bool("relocations", d.relocated())
}

// showHexDump prints the bytes of sections.
func showHexDump(p *printer) {
	p.dumps(p.opt.HexDump, "Hex dump of section", func(d *dumped) {
		p.table(d)
		r := new(hexRow)
		step := 16
		if p.o != nil {
			step = 1 << 10
		}
		for i := 0; i < len(d.b); i += step {
			r.addr, r.b = d.addr+uint64(i), d.b[i:min(i+step, len(d.b))]
			p.row(r)
		}
		p.end()
	})
}

// hexRow is some bytes in a row.
type hexRow struct {
	addr uint64
	b    []byte
}

func (r *hexRow) text(t *text) {
	t.str("  0x")
	t.hex(r.addr, 8)
	t.str(" ")
	for i := range 16 {
		if i < len(r.b) {
			t.b = append(t.b, digits[r.b[i]>>4], digits[r.b[i]&15])
		} else {
			t.str("  ")
		}
		if i&3 == 3 {
			t.str(" ")
		}
	}
	for _, c := range r.b {
		if !plain[c] {
			c = '.'
		}
		t.b = append(t.b, c)
	}
	t.nl()
}

func (r *hexRow) json(o *object) {
	o.hex("addr", r.addr)
	o.bytes("bytes", r.b)
}

// showStringDump prints the strings of sections: what stands between NULs.
func showStringDump(p *printer) {
	p.dumps(p.opt.StringDump, "String dump of section", func(d *dumped) {
		p.table(d)
		r := new(stringRow)
		for off := 0; off < len(d.b); {
			n := bytes.IndexByte(d.b[off:], 0)
			if n < 0 {
				n = len(d.b) - off
			}
			if n > 0 {
				r.off, r.b = uint64(off), d.b[off:off+n]
				p.row(r)
			}
			off += n + 1
		}
		p.end()
		if p.t != nil && !p.rows {
			p.print(func(t *text) { t.str("  No strings found in this section."); t.nl() })
		}
	})
}

// stringRow is one string of a section.
type stringRow struct {
	off uint64
	b   []byte
}

func (r *stringRow) text(t *text) {
	t.str("  [")
	t.right(hexString(r.off), 6)
	t.str("]  ")
	t.name(r.b)
	t.nl()
}

func (r *stringRow) json(o *object) {
	o.hex("offset", r.off)
	o.name("string", r.b)
}
