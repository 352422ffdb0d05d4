package compare

import "slices"

// arm finds branches in both instruction sets; which one a function has is not
// known, so every aligned word is tried as either (Arm Architecture Reference
// Manual for v7-A, A8.8.25 and A8.8.18). Literals are words of data.
func (r *refs) arm() {
	if r.armEntry() {
		r.add(0, 12)
		return
	}
	anchors := r.armAnchors()
	fixed := r.c.fixed()
	r.armHalves(anchors, fixed)
	halves := r.found
	n := len(r.x)
	lost := 0
next:
	for d := nextDiff(r.x, r.y, 0, n); d < n && lost <= hopeless; d = nextDiff(r.x, r.y, d, n) {
		if i := slices.IndexFunc(halves, func(s span) bool { return s.from <= d && d < s.to }); i >= 0 {
			d = halves[i].to
			continue
		}
		if k := d - int((r.oldPC+uint64(d))&3); k >= 0 && k+4 <= n && r.literal(k, anchors) {
			r.add(k, k+4)
			d = k + 4
			continue
		}
		i := d &^ 1
		for _, s := range []int{i &^ 3, i, i - 2} {
			if s >= 0 && s+4 <= n && r.armField(s, fixed) {
				r.add(s, s+4)
				d = s + 4
				continue next
			}
		}
		lost++
		d++
	}
	r.sort()
}

// armEntry says whether the unit is an entry of a procedure linkage table that
// jumps through the same slot as before.
func (r *refs) armEntry() bool {
	if r.u.sym == none || !r.c.b.syms[r.u.sym].made || len(r.x) != 12 {
		return false
	}
	old, ok1 := armSlot(r.order, r.x, r.oldPC)
	new, ok2 := armSlot(r.order, r.y, r.newPC)
	return ok1 && ok2 && r.same(old, new)
}

// armAnchors are the places to which instructions of the unit add a literal:
// what the program counter is at "add rd, pc" and "ldr rd, [pc, rm]" in either
// instruction set.
func (r *refs) armAnchors() []uint64 {
	var list []uint64
	for i := 0; i+2 <= len(r.x) && len(list) < 64; i += 2 {
		if h := r.order.Uint16(r.x[i:]); h&0xff78 == 0x4478 {
			list = append(list, uint64(i)+4)
		}
		if (r.oldPC+uint64(i))&3 != 0 || i+4 > len(r.x) {
			continue
		}
		if w := r.order.Uint32(r.x[i:]); w&0x0fff0ff0 == 0x008f0000 || w&0x0ff00ff0 == 0x00800000 && w&15 == 15 || w&0x0fff0ff0 == 0x079f0000 {
			list = append(list, uint64(i)+8)
		}
	}
	return list
}

// literal says whether the word at k, added to one of the anchors, leads to the
// same place.
func (r *refs) literal(k int, anchors []uint64) bool {
	v, w := uint64(r.order.Uint32(r.x[k:])), uint64(r.order.Uint32(r.y[k:]))
	for _, pc := range anchors {
		if r.same((r.oldPC+pc+v)&0xffffffff, (r.newPC+pc+w)&0xffffffff) {
			return true
		}
	}
	return false
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

// armHalves finds MOVW and MOVT of one register, which together make an
// address, or one that is added to the program counter.
func (r *refs) armHalves(anchors []uint64, fixed bool) {
	const reach = 32 // bytes between the two
	seen := 0
	for i := 0; i+4 <= len(r.x) && seen < 1<<12; i += 2 {
		lo, ok := r.half(i, false)
		if !ok {
			continue
		}
		seen++
		for k := i + 4; k+4 <= len(r.x) && k < i+reach; k += 2 {
			hi, ok := r.half(k, true)
			if !ok || hi.reg != lo.reg || hi.thumb != lo.thumb {
				continue
			}
			old, new := uint64(hi.old<<16|lo.old), uint64(hi.new<<16|lo.new)
			found := fixed && r.same(old&^1, new&^1)
			for _, pc := range anchors {
				found = found || r.same((r.oldPC+pc+old)&0xffffffff, (r.newPC+pc+new)&0xffffffff)
			}
			if found && lo.old != lo.new {
				r.add(i, i+4)
			}
			if found && hi.old != hi.new {
				r.add(k, k+4)
			}
			break
		}
	}
}

// A half is what MOVW or MOVT puts into a register.
type half struct {
	reg, old, new uint32
	thumb         bool
}

// half reads the instruction at i as MOVW, or MOVT, in either instruction set:
// encodings T3 and T1 have the opcode in the first half word, A2 and A1 in the
// upper byte.
func (r *refs) half(i int, top bool) (half, bool) {
	thumb, arm := uint32(0xf240), uint32(0x03000000)
	if top {
		thumb, arm = 0xf2c0, 0x03400000
	}
	p1, p2 := uint32(r.order.Uint16(r.x[i:])), uint32(r.order.Uint16(r.x[i+2:]))
	q1, q2 := uint32(r.order.Uint16(r.y[i:])), uint32(r.order.Uint16(r.y[i+2:]))
	if p1&0xfbf0 == thumb && q1&0xfbf0 == thumb && (p2|q2)&0x8000 == 0 && (p2^q2)&0xf00 == 0 {
		imm := func(a, b uint32) uint32 { return a&15<<12 | a>>10&1<<11 | b>>12&7<<8 | b&0xff }
		return half{p2 >> 8 & 15, imm(p1, p2), imm(q1, q2), true}, true
	}
	p, q := r.order.Uint32(r.x[i:]), r.order.Uint32(r.y[i:])
	if (r.oldPC+uint64(i))&3 == 0 && p&0x0ff00000 == arm && (p^q)&0xfff0f000 == 0 {
		imm := func(w uint32) uint32 { return w>>16&15<<12 | w&0xfff }
		return half{p >> 12 & 15, imm(p), imm(q), false}, true
	}
	return half{}, false
}
