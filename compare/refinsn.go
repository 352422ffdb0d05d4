package compare

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
)

// This file finds references in the instructions of machines whose
// instructions can be told apart.

// signed reads the low n bits of v as a number in two's complement.
func signed(v uint64, n uint) uint64 { return uint64(int64(v<<(64-n)) >> (64 - n)) }

// A base is what an instruction put into a register: a part of an address,
// which a later instruction completes.
type base struct {
	old, new uint64
	at       int  // of the instruction
	differs  bool // the instruction does
	used     bool // and it was found to be a part of a reference
}

// bases are the registers' bases, zero where there is none.
type bases [32]*base

// aarch64 reads instructions of four bytes, little-endian always (Arm
// Architecture Reference Manual, C4).
func (r *refs) aarch64() {
	var regs bases
	for i := 0; i+4 <= len(r.x); i += 4 {
		p, q := binary.LittleEndian.Uint32(r.x[i:]), binary.LittleEndian.Uint32(r.y[i:])
		oldPC, newPC := r.oldPC+uint64(i), r.newPC+uint64(i)
		switch {
		case p&0x9f000000 == 0x90000000 && q&0x9f000000 == 0x90000000 && p&31 == q&31: // ADRP
			page := func(w uint32, pc uint64) uint64 {
				return pc&^0xfff + signed(uint64(w>>5&0x7ffff)<<2|uint64(w>>29&3), 21)<<12
			}
			regs[p&31] = &base{page(p, oldPC), page(q, newPC), i, p != q, false}
		case regs[p>>5&31] != nil && lowBits(p) > 0 && lowBits(p) == lowBits(q) && (p^q)&^0x003ffc00 == 0:
			b := regs[p>>5&31]
			scale := lowBits(p) - 1
			if r.same(b.old+uint64(p>>10&0xfff)<<scale, b.new+uint64(q>>10&0xfff)<<scale) {
				r.use(b, i, p != q)
			}
			if p&31 == p>>5&31 {
				regs[p&31] = nil
			}
		case p == q:
		case p&0x7c000000 == 0x14000000 && (p^q)&0xfc000000 == 0: // B, BL
			r.direct(i, oldPC+signed(uint64(p&0x3ffffff)<<2, 28), newPC+signed(uint64(q&0x3ffffff)<<2, 28))
		case p&0x9f000000 == 0x10000000 && (p^q)&0x9f00001f == 0: // ADR
			r.direct(i, oldPC+signed(uint64(p>>5&0x7ffff)<<2|uint64(p>>29&3), 21), newPC+signed(uint64(q>>5&0x7ffff)<<2|uint64(q>>29&3), 21))
		case p&0x3b000000 == 0x18000000 && (p^q)&0xff00001f == 0: // LDR (literal)
			r.direct(i, oldPC+signed(uint64(p>>5&0x7ffff)<<2, 21), newPC+signed(uint64(q>>5&0x7ffff)<<2, 21))
		}
	}
	r.sort()
}

// lowBits says by what an instruction's twelve-bit offset is shifted, plus one;
// 0 if it has none: ADD (immediate, 64-bit), LDR and STR with an unsigned
// offset.
func lowBits(w uint32) uint {
	switch {
	case w&0xffc00000 == 0x91000000:
		return 1
	case w&0x3b000000 == 0x39000000:
		if w&0x04800000 == 0x04800000 && w>>30 == 0 {
			return 5 // 128 bits
		}
		return uint(w>>30) + 1
	}
	return 0
}

// use notes that the instruction at i completed a base to the same place.
func (r *refs) use(b *base, i int, differs bool) {
	if b.differs && !b.used {
		r.add(b.at, b.at+4)
	}
	b.used = true
	if differs {
		r.add(i, i+4)
	}
}

// direct notes an instruction that leads to the same place by itself.
func (r *refs) direct(i int, old, new uint64) {
	if r.same(old, new) {
		r.add(i, i+4)
	}
}

// riscv reads instructions of two and four bytes (RISC-V ISA, volume I, "Base
// Instruction-Length Encoding").
func (r *refs) riscv() {
	var regs bases
	wrap := ^uint64(0)
	if !r.c.a.f.Is64() {
		wrap = 0xffffffff
	}
	for i := 0; i+2 <= len(r.x); {
		if r.x[i]&3 != 3 {
			i += 2
			continue
		}
		if i+4 > len(r.x) {
			break
		}
		p, q := binary.LittleEndian.Uint32(r.x[i:]), binary.LittleEndian.Uint32(r.y[i:])
		oldPC, newPC := r.oldPC+uint64(i), r.newPC+uint64(i)
		rd, rs1 := p>>7&31, p>>15&31
		switch op := p & 0x7f; {
		case op == 0x17 && (p^q)&0xfff == 0: // AUIPC
			regs[rd] = &base{oldPC + signed(uint64(p&0xfffff000), 32), newPC + signed(uint64(q&0xfffff000), 32), i, p != q, false}
		case op == 0x6f && p != q && (p^q)&0xfff == 0: // JAL
			if r.same((oldPC+jalOffset(p))&wrap, (newPC+jalOffset(q))&wrap) {
				r.add(i, i+4)
			}
		case regs[rs1] != nil && (op == 0x13 || op == 0x03 || op == 0x07 || op == 0x67) && (p^q)&0x000fffff == 0: // ADDI, loads, JALR
			if b := regs[rs1]; r.same((b.old+signed(uint64(p>>20), 12))&wrap, (b.new+signed(uint64(q>>20), 12))&wrap) {
				r.use(b, i, p != q)
			}
			if rd == rs1 {
				regs[rd] = nil
			}
		case regs[rs1] != nil && (op == 0x23 || op == 0x27) && (p^q)&0x01fff07f == 0: // stores
			low := func(w uint32) uint64 { return signed(uint64(w>>25<<5|w>>7&31), 12) }
			if b := regs[rs1]; r.same((b.old+low(p))&wrap, (b.new+low(q))&wrap) {
				r.use(b, i, p != q)
			}
		}
		i += 4
	}
	r.sort()
}

// jalOffset is the J-type immediate.
func jalOffset(w uint32) uint64 {
	return signed(uint64(w>>31<<20|w>>12&0xff<<12|w>>20&1<<11|w>>21&0x3ff<<1), 21)
}

// arm finds branches in both instruction sets; which one a function has is not
// known, so every aligned word is tried as either (Arm Architecture Reference
// Manual for v7-A, A8.8.25 and A8.8.18). Literals are words of data.
func (r *refs) arm() {
	fixed := r.c.a.f.Header.Type == elf.ET_EXEC && r.c.b.f.Header.Type == elf.ET_EXEC
	n := len(r.x)
	for d := nextDiff(r.x, r.y, 0, n); d < n; d = nextDiff(r.x, r.y, d, n) {
		i := d &^ 1
		for _, s := range []int{i &^ 3, i, i - 2} {
			if s >= 0 && s+4 <= n && r.armField(s, fixed) {
				r.add(s, s+4)
				d = s + 3
				break
			}
		}
		d++
	}
	r.sort()
}

func (r *refs) armField(s int, fixed bool) bool {
	p, q := r.order.Uint32(r.x[s:]), r.order.Uint32(r.y[s:])
	oldPC, newPC := r.oldPC+uint64(s), r.newPC+uint64(s)
	same := func(old, new uint64) bool {
		return r.same(old&0xffffffff, new&0xffffffff)
	}
	if s&3 == 0 && oldPC&3 == 0 {
		if p&0x0e000000 == 0x0a000000 && (p^q)&0xff000000 == 0 &&
			same(oldPC+8+signed(uint64(p&0xffffff)<<2, 26), newPC+8+signed(uint64(q&0xffffff)<<2, 26)) {
			return true
		}
		if fixed && same(uint64(p&^1), uint64(q&^1)) && (p^q)&1 == 0 {
			return true
		}
	}
	h := func(b []byte) (uint32, uint32) { return uint32(r.order.Uint16(b)), uint32(r.order.Uint16(b[2:])) }
	p1, p2 := h(r.x[s:])
	q1, q2 := h(r.y[s:])
	if p1&0xf800 != 0xf000 || q1&0xf800 != 0xf000 || p2&0x9000 != 0x9000 && p2&0xd000 != 0xc000 || (p2^q2)&0xd000 != 0 {
		return false
	}
	base := func(pc uint64) uint64 {
		if p2&0x5000 == 0x4000 { // BLX to Arm code
			return (pc + 4) &^ 3
		}
		return pc + 4
	}
	return same(base(oldPC)+thumbOffset(p1, p2), base(newPC)+thumbOffset(q1, q2))
}

// thumbOffset is the offset of B.W, BL and BLX, encodings T4 and T1.
func thumbOffset(h1, h2 uint32) uint64 {
	s, j1, j2 := h1>>10&1, h2>>13&1, h2>>11&1
	i1, i2 := ^(j1^s)&1, ^(j2^s)&1
	return signed(uint64(s<<24|i1<<23|i2<<22|h1&0x3ff<<12|h2&0x7ff<<1), 25)
}

// sort orders the spans, which pairs of instructions bring in any order.
func (r *refs) sort() {
	slices.SortFunc(r.found, func(x, y span) int { return cmp.Compare(x.from, y.from) })
}
