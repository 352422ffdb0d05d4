package compare

import (
	"cmp"
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
	at, size int  // of the instruction
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
			regs[p&31] = &base{page(p, oldPC), page(q, newPC), i, 4, p != q, false}
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
		r.add(b.at, b.at+b.size)
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
	fixed := r.c.fixed()
	wrap := ^uint64(0)
	if !r.c.a.f.Is64() {
		wrap = 0xffffffff
	}
	for i := 0; i+2 <= len(r.x); {
		if r.x[i]&3 != 3 {
			r.compressed(i, &regs, fixed, wrap)
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
			regs[rd] = &base{oldPC + signed(uint64(p&0xfffff000), 32), newPC + signed(uint64(q&0xfffff000), 32), i, 4, p != q, false}
		case op == 0x37 && fixed && (p^q)&0xfff == 0: // LUI
			regs[rd] = &base{signed(uint64(p&0xfffff000), 32), signed(uint64(q&0xfffff000), 32), i, 4, p != q, false}
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

// compressed looks at an instruction of two bytes: C.J, and C.LUI, to which
// linkers relax LUI.
func (r *refs) compressed(i int, regs *bases, fixed bool, wrap uint64) {
	p, q := uint64(binary.LittleEndian.Uint16(r.x[i:])), uint64(binary.LittleEndian.Uint16(r.y[i:]))
	switch rd := p >> 7 & 31; {
	case p != q && p&0xe003 == 0xa001 && q&0xe003 == 0xa001: // C.J
		if r.same((r.oldPC+uint64(i)+shortJump(p))&wrap, (r.newPC+uint64(i)+shortJump(q))&wrap) {
			r.add(i, i+2)
		}
	case fixed && p&0xe003 == 0x6001 && (p^q)&^0x107c == 0 && rd != 0 && rd != 2: // C.LUI
		upper := func(w uint64) uint64 { return signed(w>>12&1<<17|w>>2&31<<12, 18) }
		regs[rd] = &base{upper(p), upper(q), i, 2, p != q, false}
	}
}

// shortJump is the offset of C.J.
func shortJump(w uint64) uint64 {
	return signed(w>>12&1<<11|w>>11&1<<4|w>>9&3<<8|w>>8&1<<10|w>>7&1<<6|w>>6&1<<7|w>>3&7<<1|w>>2&1<<5, 12)
}

// jalOffset is the J-type immediate.
func jalOffset(w uint32) uint64 {
	return signed(uint64(w>>31<<20|w>>12&0xff<<12|w>>20&1<<11|w>>21&0x3ff<<1), 21)
}

// sort orders the spans, which pairs of instructions bring in any order.
func (r *refs) sort() {
	slices.SortFunc(r.found, func(x, y span) int { return cmp.Compare(x.from, y.from) })
}
