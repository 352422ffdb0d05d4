package compare

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// What is taken for a reference: a field of an instruction, or a pointer in
// data, that differs, and that leads in the old file to some symbol and offset,
// and in the new file to the same symbol and offset; or to a part of the file
// without symbols that stayed as it is; or, in read-only data without symbols,
// to an equal string or 8 equal bytes; or to a slot of the global offset table
// that leads to the same place. Nothing that leads elsewhere than before
// is ever taken for one, so a call that calls another function is a change.
//
//   - x86: any four bytes that are a distance from their end, or from up to four
//     bytes behind it (an immediate may follow); and in ET_EXEC files any four
//     bytes that are an address. Where instructions begin is not known: the bytes
//     must lead to the same place, which four bytes that are something else do
//     once in a few thousand million times.
//   - AArch64: B, BL, ADR, LDR (literal); ADRP together with the ADD, LDR or STR
//     that adds the low twelve bits.
//   - RISC-V: JAL, C.J; AUIPC, and LUI in ET_EXEC files, together with what adds
//     the low twelve bits.
//   - Arm: B, BL, BLX in both instruction sets; literals and pairs of MOVW and
//     MOVT that are an address in ET_EXEC files, or that an instruction of the
//     same symbol adds to its program counter.
//   - .eh_frame and .eh_frame_hdr: distances of four bytes.
//   - data: aligned words that are an address, where a relocation says so or the
//     file cannot be moved.
//
// In all others, and in objects, whose relocations say the same exactly, bytes
// that differ are bytes that differ.

// references finds the references in a unit: sorted spans.
func (c *comparison) references(u *unit) []span {
	if c.a.rel || c.b.rel || c.a.f.Format != c.b.f.Format || c.a.f.Header.Machine != c.b.f.Header.Machine {
		return nil
	}
	x, y := &c.a.areas[u.oldArea], &c.b.areas[u.newArea]
	if !x.alloc || !y.alloc {
		return nil
	}
	r := &refs{c: c, u: u, x: u.x, y: u.y, oldPC: x.addr + u.oldOff, newPC: y.addr + u.newOff, order: c.a.f.Order()}
	if x.ptr || y.ptr {
		switch c.b.areaName(y) {
		case ".eh_frame":
			r.distances(func(k int) (old, new uint64) { return r.oldPC + uint64(k), r.newPC + uint64(k) })
		case ".eh_frame_hdr":
			r.distances(func(k int) (old, new uint64) {
				if k == 4 && u.oldOff == 0 { // eh_frame_ptr counts from itself
					return x.addr + 4, y.addr + 4
				}
				return x.addr, y.addr
			})
		default:
			r.words()
		}
		return r.found
	}
	switch c.a.f.Header.Machine {
	case elf.EM_X86_64, elf.EM_386:
		r.x86()
	case elf.EM_AARCH64:
		r.aarch64()
	case elf.EM_RISCV:
		r.riscv()
	case elf.EM_ARM:
		r.arm()
	}
	return r.found
}

// refs is the search for references in one unit.
type refs struct {
	c            *comparison
	u            *unit
	x, y         []byte
	oldPC, newPC uint64 // addresses of the first bytes
	order        binary.ByteOrder
	found        []span
}

func (r *refs) add(from, to int) { r.found = append(r.found, span{from, to}) }

// leads says where a place of the old file is in the new one.
func (c *comparison) leads(at int32, off uint64) (to int32, newOff uint64, ok bool) {
	a := &c.a.areas[at]
	p := a.pieceAt(off)
	if p == nil || p.sym == none {
		j := c.areas.toNew[at]
		if j == none || off > a.size {
			return 0, 0, false
		}
		b := &c.b.areas[j]
		if p == nil {
			return j, off, len(a.pieces) == 0 && len(b.pieces) == 0 && a.size == b.size || c.equal[j]
		}
		// What comes before the first symbol.
		return j, off, len(b.pieces) > 0 && b.pieces[0].sym == none && b.pieces[0].size() == p.size()
	}
	j := c.syms.toNew[p.sym]
	if j == none {
		return 0, 0, false
	}
	s, t := &c.a.syms[p.sym], &c.b.syms[j]
	if t.area == none {
		return 0, 0, false
	}
	d := off - s.off
	if d == 0 || !p.gap && s.size == t.size {
		return t.area, t.off + d, true
	}
	if q := c.b.gapOf[j]; p.gap && q.area != none {
		g := &c.b.areas[q.area].pieces[q.piece]
		return q.area, g.from + (off - p.from), g.size() == p.size()
	}
	return 0, 0, false
}

// same says whether an address of the old file is the same place as one of the
// new file.
func (r *refs) same(old, new uint64) bool { return r.c.samePlace(old, new, true) }

// samePlace is refs.same; slots says whether to look through slots of the global
// offset table.
func (c *comparison) samePlace(old, new uint64, slots bool) bool {
	at, off, ok := c.a.locate(old)
	if !ok {
		return c.sameEnd(old, new) || c.sameLoose(old, new)
	}
	to, newOff, ok := c.leads(at, off)
	if ok && c.b.areas[to].addr+newOff == new {
		return true
	}
	return c.sameContent(at, off, new, slots) || off == 0 && c.sameEnd(old, new)
}

// sameEnd says whether two addresses are the first ones after an area.
func (c *comparison) sameEnd(old, new uint64) bool {
	at, off, ok := c.a.locate(old - 1)
	if !ok || off+1 != c.a.areas[at].size {
		return false
	}
	j := c.areas.toNew[at]
	return j != none && c.b.areas[j].addr+c.b.areas[j].size == new
}

// sameLoose says whether two addresses are those of a symbol that lies in no
// area, such as RISC-V's __global_pointer$.
func (c *comparison) sameLoose(old, new uint64) bool {
	if c.a.loose == nil {
		c.a.loose = make(map[uint64]int32)
		for i := range c.a.syms {
			if s := &c.a.syms[i]; s.area == none && s.shndx != 0 {
				c.a.loose[s.off] = int32(i)
			}
		}
	}
	i, ok := c.a.loose[old]
	if !ok || c.syms.toNew[i] == none {
		return false
	}
	t := &c.b.syms[c.syms.toNew[i]]
	return t.area == none && t.off == new
}

// sameContent says whether an old place without a symbol holds the same as a
// new one: in read-only data a string or some bytes, in the global offset table
// the address of the same place.
func (c *comparison) sameContent(at int32, off uint64, new uint64, slots bool) bool {
	to, newOff, ok := c.b.locate(new)
	if !ok || c.areas.toNew[at] != to {
		return false
	}
	a, b := &c.a.areas[at], &c.b.areas[to]
	if !a.ptr || a.kind != inSection || !unnamed(a, off) || !unnamed(b, newOff) || off > uint64(len(a.data)) || newOff > uint64(len(b.data)) {
		return false
	}
	x, y := a.data[off:], b.data[newOff:]
	if name := c.a.areaName(a); name == ".got" || name == ".got.plt" {
		n := c.a.f.AddrSize()
		if !slots || len(x) < n || len(y) < n {
			return false
		}
		old, new := c.a.f.Addr(x), c.b.f.Addr(y)
		return old != 0 && c.samePlace(old, new, false)
	}
	if !c.a.readOnly(a) {
		return false
	}
	if i := bytes.IndexByte(x[:min(len(x), 1<<12)], 0); i > 0 {
		return len(y) > i && bytes.Equal(x[:i+1], y[:i+1])
	}
	const enough = 8 // a constant of type double
	return len(x) >= enough && len(y) >= enough && bytes.Equal(x[:enough], y[:enough])
}

func unnamed(a *area, off uint64) bool {
	p := a.pieceAt(off)
	return p == nil || p.gap
}

func (m *model) readOnly(a *area) bool {
	return a.kind == inSection && !m.f.Sections()[a.index].Has(elf.SHF_WRITE)
}

// fixed says whether the files' addresses are those at run time.
func (c *comparison) fixed() bool {
	return c.a.f.Header.Type == elf.ET_EXEC && c.b.f.Header.Type == elf.ET_EXEC
}

// words finds pointers in data.
func (r *refs) words() {
	size := r.c.a.f.AddrSize()
	start := int(-r.oldPC & uint64(size-1))
	if (r.oldPC-r.newPC)&uint64(size-1) != 0 {
		return
	}
	fixed := r.c.fixed()
	n := len(r.x)
	for d := nextDiff(r.x, r.y, 0, n); d < n; d = nextDiff(r.x, r.y, d, n) {
		k := start + (d-start)/size*size
		if d < start || k+size > n {
			d++
			continue
		}
		old, new := r.c.a.f.Addr(r.x[k:]), r.c.b.f.Addr(r.y[k:])
		if (fixed || r.c.a.relocatedAt(r.oldPC+uint64(k)) && r.c.b.relocatedAt(r.newPC+uint64(k))) && r.same(old, new) {
			r.add(k, k+size)
		}
		d = k + size
	}
}

// distances finds four-byte distances in the tables of unwinding information: in
// .eh_frame from the field itself, in .eh_frame_hdr from the section's start
// (LSB, "Exception Frames", DW_EH_PE_pcrel and DW_EH_PE_datarel with sdata4, the
// only encodings that compilers and linkers of these machines write).
func (r *refs) distances(from func(k int) (old, new uint64)) {
	n, lost := len(r.x), 0
	for d := nextDiff(r.x, r.y, 0, n); d < n; d = nextDiff(r.x, r.y, d, n) {
		k := d &^ 3
		if k+4 > n {
			break
		}
		old, new := from(k)
		v, w := int32(r.order.Uint32(r.x[k:])), int32(r.order.Uint32(r.y[k:]))
		if r.same(old+uint64(int64(v)), new+uint64(int64(w))) {
			r.add(k, k+4)
		} else if lost++; lost > hopeless {
			return
		}
		d = k + 4
	}
}

// relocatedAt says whether a dynamic relocation applies at an address.
func (m *model) relocatedAt(addr uint64) bool {
	if m.places == nil {
		m.places = make(map[uint64]struct{})
		tables, _ := m.f.DynamicRelocTables() // the faults were told
		for _, t := range tables {
			for r := range t.All() {
				if len(m.places) > 1<<22 {
					break
				}
				m.places[r.Off] = struct{}{}
			}
		}
	}
	_, ok := m.places[addr]
	return ok
}

// hopeless is how many bytes that are no reference make a function a changed
// one, in which to look for references is a waste.
const hopeless = 64

// x86 finds distances and addresses of four bytes.
func (r *refs) x86() {
	n := len(r.x)
	fixed := r.c.fixed()
	defer r.sort()
	last, lost := 0, 0 // the end of the last field
	if r.pltIndex() {
		r.add(7, 11)
	}
	for d := nextDiff(r.x, r.y, 0, n); d < n; d = nextDiff(r.x, r.y, d, n) {
		found := len(r.found) > 0 && r.found[0] == span{7, 11} && d >= 7 && d < 11
		if found {
			last = 11
		}
		for s := d; s > d-4 && s >= last && !found; s-- {
			if s+4 > n {
				continue
			}
			if found = r.x86Field(s, fixed); found {
				r.add(s, s+4)
				last = s + 4
			}
		}
		if found {
			d = last
			continue
		}
		if lost++; lost > hopeless {
			return
		}
		d++
	}
}

// pltIndex says whether the unit is an entry of a procedure linkage table that
// pushes the number of a relocation, as lazy binding needs it: "push $n" at its
// seventh byte, and both numbers are of the relocation for the same symbol
// (System V psABI, "Procedure Linkage Table").
func (r *refs) pltIndex() bool {
	if r.u.sym == none || !r.c.b.syms[r.u.sym].made || len(r.x) < 11 || r.x[6] != 0x68 || r.y[6] != 0x68 {
		return false
	}
	i, j := binary.LittleEndian.Uint32(r.x[7:]), binary.LittleEndian.Uint32(r.y[7:])
	if r.c.a.f.Class == elf.ELFCLASS32 { // offsets in the table
		i, j = i/uint32(r.c.a.f.RelSize()), j/uint32(r.c.b.f.RelSize())
	}
	x, y := r.c.a.lazy, r.c.b.lazy
	return i != j && uint64(i) < uint64(len(x)) && uint64(j) < uint64(len(y)) && x[i] == y[j]
}

func (r *refs) x86Field(s int, fixed bool) bool {
	v, w := uint64(int64(int32(binary.LittleEndian.Uint32(r.x[s:])))), uint64(int64(int32(binary.LittleEndian.Uint32(r.y[s:]))))
	old, new := r.oldPC+uint64(s)+4+v, r.newPC+uint64(s)+4+w
	if r.c.a.f.Class == elf.ELFCLASS32 {
		old, new = old&0xffffffff, new&0xffffffff
	}
	for _, imm := range [...]uint64{0, 1, 4, 2} {
		if r.same(old+imm, new+imm) {
			return true
		}
	}
	if r.c.a.f.Class == elf.ELFCLASS32 {
		v, w = v&0xffffffff, w&0xffffffff
	}
	if fixed && r.same(v, w) {
		return true
	}
	// i386: a distance from the global offset table.
	return r.c.a.got != 0 && r.c.a.f.Class == elf.ELFCLASS32 && r.same((v+r.c.a.got)&0xffffffff, (w+r.c.b.got)&0xffffffff)
}
