package show

import (
	"debug/elf"

	"elfwright/elffile"
)

// segmentRow is one program header.
type segmentRow struct {
	*elffile.Prog
	index    int
	typ      string
	wide     int    // digits of an address
	interp   []byte // PT_INTERP: the path
	isInterp bool
	sections []int // what lies in it
	printer  *printer
}

// showSegments prints the program headers, and which sections lie in which.
func showSegments(p *printer) {
	f := p.f
	p.warn(f.ProgErr)
	if len(f.Progs) == 0 {
		p.remark("There are no program headers in this file.")
		return
	}
	p.heading(func(t *text) { segmentsTitle(p, t) })
	r := &segmentRow{wide: p.addrDigits(), printer: p}
	mapped := p.canMap()
	for i := range f.Progs {
		r.Prog, r.index, r.sections = &f.Progs[i], i, r.sections[:0]
		r.typ = elffile.ProgTypeName(f.Header.Machine, r.Type)
		r.interp, r.isInterp = nil, r.Type == elf.PT_INTERP
		if r.isInterp {
			b, err := f.ProgData(i)
			p.warn(err)
			r.interp = p.cstring(b, 0)
		}
		if mapped && p.o != nil {
			r.sections = appendSectionsIn(r.sections, f, r.Prog)
			mapped = p.spend(uint64(8 * len(r.sections)))
		}
		p.row(r)
	}
	p.warn(f.CheckProgs())
	if mapped && p.t != nil {
		showMapping(p)
	}
}

// addrDigits is how many hexadecimal digits an address of the file's class has.
func (p *printer) addrDigits() int { return 2 * p.f.AddrSize() }

func segmentsTitle(p *printer, t *text) {
	if p.opt.views()&(FileHeader|Summary) == 0 {
		h := newHeaderRow(p)
		t.str("Elf file type is ")
		t.str(h.typeText())
		t.nl()
		t.str("Entry point ")
		t.zx(p.f.Header.Entry)
		t.nl()
		t.str("There are ")
		t.dec(uint64(len(p.f.Progs)), 0)
		t.str(" program headers, starting at offset ")
		t.dec(p.f.Header.Phoff, 0)
		t.nl()
		t.nl()
	}
	t.title("Program Headers:", "")
	t.nl()
	if p.f.Is64() {
		t.heads("  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align")
	} else {
		t.heads("  Type           Offset   VirtAddr   PhysAddr   FileSiz MemSiz  Flg Align")
	}
}

func (r *segmentRow) text(t *text) {
	t.str("  ")
	t.left(r.typ, 14)
	field := func(v uint64, width int) {
		t.str(" 0x")
		t.hex(v, width)
	}
	field(r.Off, 6)
	field(r.Vaddr, r.wide)
	field(r.Paddr, r.wide)
	size := 6
	if r.wide == 8 {
		size = 5
	}
	field(r.Filesz, size)
	field(r.Memsz, size)
	t.str(" ")
	t.str(segmentFlags(r.Flags))
	t.str(" ")
	t.zx(r.Align)
	t.nl()
	if r.isInterp {
		t.str("      [Requesting program interpreter: ")
		t.name(r.interp)
		t.str("]")
		t.nl()
	}
}

// segmentFlags are the permissions in readelf's letters, and in hexadecimal
// what has no letter.
func segmentFlags(f elf.ProgFlag) string {
	letters := elffile.ProgFlagLetters(f)
	if rest := f &^ (elf.PF_R | elf.PF_W | elf.PF_X); rest != 0 {
		letters += "+0x" + hexString(uint64(rest))
	}
	return letters
}

func (r *segmentRow) json(o *object) {
	o.num("index", uint64(r.index))
	o.hex("type", uint64(r.Type))
	o.str("type_name", r.typ)
	o.hex("offset", r.Off)
	o.hex("vaddr", r.Vaddr)
	o.hex("paddr", r.Paddr)
	o.num("filesz", r.Filesz)
	o.num("memsz", r.Memsz)
	o.hex("flags", uint64(r.Flags))
	o.num("align", r.Align)
	if r.isInterp {
		o.name("interpreter", r.interp)
	}
	o.list("sections")
	for _, i := range r.sections {
		o.open("")
		o.num("index", uint64(i))
		o.names("name", r.printer.sectionName(i))
		o.close()
	}
	o.endList()
}
