package show

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"elfwright/elffile"
)

// show prints one range.
func (d *disassembler) show(r *codeRange) {
	if err := d.bytes(r); err != nil {
		d.p.warnf("disassembly of "+r.name, "", -1, "%v", err)
		if len(r.b) == 0 {
			return
		}
	}
	if !d.p.spend(uint64(len(r.b))) {
		return
	}
	head := &codeHead{codeRange: r, p: d.p, thumb: d.undecoded(r)}
	d.p.table(head)
	row := &codeRow{d: d, section: r.section, wide: d.p.addrDigits(), relocs: d.relocs(r)}
	for addr := r.start; addr < r.end; {
		kind, until := d.stretch(r, addr)
		for addr < until {
			row.insn = d.decoder.next(r.b[addr-r.start:until-r.start], addr, kind)
			row.bytes = r.b[addr-r.start:][:row.insn.size]
			row.read(addr)
			d.p.row(row)
			addr += uint64(row.insn.size)
		}
	}
	d.p.end()
}

// stretch gives what the bytes from addr on are, and how far.
func (d *disassembler) stretch(r *codeRange, addr uint64) (kind byte, until uint64) {
	low := uint64(0)
	if r.section >= 0 {
		low = d.p.f.Sections()[r.section].Addr
	}
	kind, until = d.symbols.kind(r.section, addr, low, r.end)
	if kind != 0 || d.decoder.machine != elf.EM_ARM {
		return kind, until
	}
	// Without mapping symbols, after strip, the symbol's lowest bit has to do.
	until = d.symbols.next(r.section, addr, until)
	if s, _ := d.symbols.nearest(r.section, addr); s != nil && s.thumb || s == nil && r.thumb {
		return 't', until
	}
	return 'a', until
}

// undecoded says whether a range has Thumb instructions that are not decoded. The
// title tells of them, so this looks ahead, with a decoder of its own.
func (d *disassembler) undecoded(r *codeRange) bool {
	if d.decoder.machine != elf.EM_ARM {
		return false
	}
	decoder := *d.decoder
	for addr := r.start; addr < r.end; {
		kind, until := d.stretch(r, addr)
		for kind == 't' && addr < until {
			i := decoder.next(r.b[addr-r.start:until-r.start], addr, kind)
			if i.kind == insnThumb {
				return true
			}
			addr += uint64(i.size)
		}
		addr = until
	}
	return false
}

// relocs gives the relocations of a range of a relocatable file, by their
// offsets.
func (d *disassembler) relocs(r *codeRange) []codeReloc {
	if d.p.f.Header.Type != elf.ET_REL {
		return nil
	}
	var list []codeReloc
	for i := range d.p.f.Sections() {
		s := &d.p.f.Sections()[i]
		if !elffile.IsRelocSection(s.Type) || s.Info != uint32(r.section) {
			continue
		}
		rt, err := d.p.f.RelocTable(i)
		d.p.warn(err)
		t := &relocTable{RelocTable: rt, p: d.p, types: d.types}
		t.symbols = d.p.relocSymbols(rt)
		for rel := range rt.All() {
			if rel.Off >= r.start && rel.Off < r.end {
				list = append(list, codeReloc{rel, t})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b codeReloc) int { return compare(a.Off, b.Off) })
	return list
}

// codeReloc is a relocation of an instruction.
type codeReloc struct {
	elffile.Reloc
	table *relocTable
}

// codeHead is the title of a range.
type codeHead struct {
	*codeRange
	p     *printer
	thumb bool // some Thumb is not decoded
}

func (h *codeHead) text(t *text) {
	t.title("Disassembly of ", h.name)
	if h.section >= 0 {
		t.str(" in section ")
		t.names(h.p.sectionName(h.section))
	}
	t.str(", [0x")
	t.hex(h.start, 1)
	t.str(", 0x")
	t.hex(h.end, 1)
	t.str("):")
	t.nl()
	if h.thumb {
		t.str("(some Thumb instructions are not decoded: they stand as .inst.n and .inst.w)")
		t.nl()
	}
}

func (h *codeHead) json(o *object) {
	o.names("name", h.name)
	if h.section >= 0 {
		o.num("section", uint64(h.section))
		o.names("section_name", h.p.sectionName(h.section))
	}
	o.hex("start", h.start)
	o.hex("end", h.end)
	if h.thumb {
		o.bool("thumb_undecoded", true)
	}
}

// codeRow is one instruction.
type codeRow struct {
	insn
	d       *disassembler
	section int
	addr    uint64
	bytes   []byte
	label   *codeSymbol // of the address
	refName []byte      // the place that the instruction refers to
	refOff  uint64
	relocs  []codeReloc // those not yet printed; the first own are of this instruction
	own     int
	wide    int
}

// read looks up what belongs to the instruction at addr.
func (r *codeRow) read(addr uint64) {
	r.addr = addr
	r.label = r.d.symbols.at(r.section, addr)
	r.relocs, r.own = r.relocs[r.own:], 0
	end := addr + uint64(r.size)
	for r.own < len(r.relocs) && r.relocs[r.own].Off < end {
		r.own++
	}
	r.refName, r.refOff = nil, 0
	if r.own > 0 { // the linker will say what it refers to
		r.refers = false
	}
	if r.refers {
		r.refName, r.refOff = r.place(r.target)
	}
}

// place names an address by the symbol before it in its section, or else by the
// section.
func (r *codeRow) place(addr uint64) ([]byte, uint64) {
	f := r.d.p.f
	section := r.section
	if f.Header.Type != elf.ET_REL {
		section = r.d.symbols.section(addr)
	}
	s, off := r.d.symbols.nearest(section, addr)
	if section < 0 {
		if s != nil && len(f.Sections()) == 0 {
			return s.name, off
		}
		return nil, 0
	}
	sec := &f.Sections()[section]
	if s != nil && s.addr >= sec.Addr {
		return s.name, off
	}
	return []byte(r.d.p.sectionName(section)), addr - sec.Addr
}

func (r *codeRow) text(t *text) {
	if r.label != nil {
		t.nl()
		t.hex(r.addr, r.wide)
		t.str(" <")
		r.d.p.symbolText(t, r.label.name)
		t.str(">:")
		t.nl()
	}
	t.space(8 - hexDigits(r.addr))
	t.hex(r.addr, 1)
	t.str(":  ")
	r.bytesText(t)
	t.str(r.insn.text)
	if r.refers && !r.branch {
		t.str("  # ")
		t.zx(r.target)
	}
	if r.refName != nil {
		t.str(" <")
		r.d.p.symbolText(t, r.refName)
		if r.refOff != 0 {
			t.str("+")
			t.zx(r.refOff)
		}
		t.str(">")
	}
	t.nl()
	for i := range r.own {
		r.relocText(t, &r.relocs[i])
	}
}

// bytesText prints the instruction's bytes, or the units they are read in.
func (r *codeRow) bytesText(t *text) {
	column := len(t.b) + 3*8
	d := r.d.decoder
	switch {
	case d.unit == 1 || r.kind == insnData || r.size == 1:
		for _, c := range r.bytes {
			t.hex(uint64(c), 2)
			t.str(" ")
		}
	default:
		column = len(t.b) + 10
		order := binary.ByteOrder(binary.LittleEndian)
		if d.big {
			order = binary.BigEndian
		}
		switch {
		case r.size == 2:
			t.hex(uint64(order.Uint16(r.bytes)), 4)
		case r.halves:
			t.hex(uint64(order.Uint16(r.bytes)), 4)
			t.str(" ")
			t.hex(uint64(order.Uint16(r.bytes[2:])), 4)
		default:
			t.hex(uint64(order.Uint32(r.bytes)), 8)
		}
	}
	if d.unit != 1 && r.kind == insnData {
		column -= 2*8 - 2
	}
	t.space(max(1, column-len(t.b)))
}

func hexDigits(v uint64) int {
	n := 1
	for v >>= 4; v != 0; v >>= 4 {
		n++
	}
	return n
}

// relocText prints a relocation below its instruction.
func (r *codeRow) relocText(t *text, rel *codeReloc) {
	row := newRelocRow(rel.table)
	row.read(rel.Reloc)
	t.space(12)
	t.hex(rel.Off, 1)
	t.str(": ")
	if row.typ.name != "" {
		t.str(row.typ.name)
	} else {
		t.str("type ")
		t.zx(uint64(rel.Type))
	}
	if row.known {
		t.str(" ")
		r.d.p.symbolText(t, row.name)
	}
	if rel.table.HasAddend && rel.Addend != 0 {
		if rel.Addend > 0 {
			t.str("+")
		}
		t.shex(rel.Addend)
	}
	t.nl()
}

func (r *codeRow) json(o *object) {
	o.hex("addr", r.addr)
	if r.label != nil {
		r.d.p.symbolJSON(o, "label", r.label.name)
	}
	o.bytes("bytes", r.bytes)
	o.str("kind", insnKinds[r.kind])
	o.str("text", r.insn.text)
	if r.refers {
		o.hex("target", r.target)
	}
	if r.refName != nil {
		r.d.p.symbolJSON(o, "target_name", r.refName)
		o.hex("target_offset", r.refOff)
	}
	if r.own > 0 {
		o.list("relocations")
		for i := range r.own {
			row := newRelocRow(r.relocs[i].table)
			row.read(r.relocs[i].Reloc)
			o.open("")
			row.json(o)
			o.close()
		}
		o.endList()
	}
}
