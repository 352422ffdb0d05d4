package arm

import (
	"debug/elf"
	"encoding/binary"
	"sort"

	"elfwright/link/model"
)

// Erratum 657417 of the Cortex-A8: a 32-bit Thumb branch whose two halves are in
// two pages of 4 KiB, behind a 32-bit instruction that is none, may go wrong if it
// leads into the first of the pages. It is sent through a veneer. As with GNU ld
// this is done without being asked for Armv7-A.

// span4K is a branch that may have to be mended.
type span4K struct {
	off uint64
	rel int // index of its relocation, -1
}

// a8 is what the erratum needs.
type a8 struct {
	fixes bool                                  // it is worked around
	fixed map[*model.Section]map[uint64]*veneer // by offset
}

func (t *target) fixesA8(e *model.Env) bool {
	if on := e.Opt.FixCortexA8; on != nil {
		return *on
	}
	return t.arch.cpu == v7 && (t.arch.profile == 'A' || t.arch.profile == 0)
}

// kinds of 32-bit Thumb branches.
const (
	isB uint8 = iota + 1
	isBcc
	isBL
	isBLX
)

func branchKind(x uint32) uint8 {
	switch x & 0xf800d000 {
	case 0xf0009000:
		return isB
	case 0xf000d000:
		return isBL
	case 0xf000c000:
		return isBLX
	case 0xf0008000:
		if x&0x03800000 != 0x03800000 {
			return isBcc
		}
	}
	return 0
}

// pairsOf lists the branches of a section behind a 32-bit instruction that is no
// branch.
func pairsOf(e *model.Env, s *model.Section) (list []span4K) {
	half := func(at uint64) uint32 { return uint32(e.Order.Uint16(s.Data[at:])) }
	all := marks(s)
	for i, m := range all {
		end := uint64(len(s.Data))
		if i+1 < len(all) {
			end = min(end, all[i+1].off)
		}
		if m.what != 't' || m.off >= end {
			continue
		}
		wide := false // the one before has 32 bits and is no branch
		for at := m.off; at+2 <= end; {
			if x := half(at); x&0xe000 != 0xe000 || x&0x1800 == 0 || at+4 > end {
				wide, at = false, at+2
				continue
			}
			k := branchKind(half(at)<<16 | half(at+2))
			if k != 0 && wide {
				list = append(list, span4K{at, relocAt(s, at)})
			}
			wide, at = k == 0, at+4
		}
	}
	return list
}

func relocAt(s *model.Section, off uint64) int {
	i := sort.Search(len(s.Relocs), func(i int) bool { return s.Relocs[i].Off >= off })
	for ; i < len(s.Relocs) && s.Relocs[i].Off == off; i++ {
		if isThumb(s.Relocs[i].Type) {
			return i
		}
	}
	return -1
}

// findA8 lists the branches of a section that are wrong where it is now.
func (t *target) findA8(e *model.Env, c *code) (list []branch) {
	s := c.Section
	base := s.Out.Addr + s.Off
	for _, p := range c.found {
		at := base + p.off
		if at&0xfff != 0xffe || t.fixed[s][p.off] != nil {
			continue
		}
		if b, ok := t.a8Branch(e, s, p, at); ok && b.to&^0xfff == at&^0xfff {
			list = append(list, b)
		}
	}
	return list
}

// a8Branch looks at a branch with or without a relocation.
func (t *target) a8Branch(e *model.Env, s *model.Section, p span4K, at uint64) (branch, bool) {
	if p.rel >= 0 {
		b, ok := t.branchAt(e, s, &s.Relocs[p.rel], at)
		return b, ok && t.alone(&b)
	}
	d := s.Data[p.off:]
	b := branch{typ: rThmJump24, from: at, fromThumb: true, insn: uint32(e.Order.Uint16(d))<<16 | uint32(e.Order.Uint16(d[2:]))}
	k := branchKind(b.insn)
	switch k {
	case isBL, isBLX:
		b.typ = rThmCall
	case isBcc:
		b.typ = rThmJump19
	}
	add, err := t.rows[b.typ].Addend(d, e.Order)
	if err != nil {
		return b, false
	}
	b.toThumb = k != isBLX
	to := p.off + uint64(add+4)
	if !b.toThumb {
		to &^= 3
	}
	b.to = at - p.off + to
	b.sym = &model.Symbol{Name: s.Name, State: model.Defined, Type: elf.STT_FUNC, Sec: s, Value: to, Thumb: b.toThumb, Obj: s.Obj, Local: true}
	return b, true
}

var (
	a8Thumb = &form{end: endBW}
	a8Arm   = &form{end: endB}
	// b<cond> over; b.w behind the branch; over: b.w
	a8Cond = func() (f [14]*form) {
		for i := range f {
			f[i] = &form{thumb: []uint16{0xd001 | uint16(i)<<8}, end: endCond}
		}
		return f
	}()
)

// mendA8 makes the veneer for a branch.
func (t *target) mendA8(e *model.Env, c *code, b *branch) bool {
	s := c.Section
	off := b.from - s.Addr(0)
	f := a8Thumb
	switch {
	case !b.toThumb:
		f = a8Arm
	case branchKind(b.insn) == isBcc:
		f = a8Cond[b.insn>>22&15]
	}
	if t.fixed[s] == nil {
		t.fixed[s] = map[uint64]*veneer{}
		if s.Synth == nil && len(s.Relocs) == 0 {
			s.Synth = turned{t} // else nobody would ask to relocate it
		}
	}
	v, fresh := c.pool.get(e, s, b, f)
	t.fixed[s][off] = v
	return fresh
}

// writeA8 sends the branches through their veneers.
func (t *target) writeA8(e *model.Env, s *model.Section, b []byte, base uint64) {
	for off, v := range t.fixed[s] { // in any order: they do not touch
		typ := uint32(rThmJump24)
		o := e.Order
		x := uint32(o.Uint16(b[off:]))<<16 | uint32(o.Uint16(b[off+2:]))
		switch branchKind(x) {
		case isBL, isBLX:
			typ = rThmCall
		default:
			o.PutUint16(b[off:], 0xf000) // b.w
			o.PutUint16(b[off+2:], 0x9000)
		}
		value := int64(v.addr() - (base + off) - 4)
		if v.form.isThumb() {
			value |= 1
		}
		if err := t.rows[typ].Put(b[off:], o, value); err != nil {
			e.Report.ErrorAt(s, off, err)
		}
	}
}

// wideBranch writes B.W.
func (t *target) wideBranch(o binary.ByteOrder, b []byte, d int64) error {
	o.PutUint16(b, 0xf000)
	o.PutUint16(b[2:], 0x9000)
	return t.rows[rThmJump24].Put(b, o, (d-4)|1)
}
