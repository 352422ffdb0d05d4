package arm

import (
	"elfwright/link/model"
)

// form is a kind of veneer: instructions, then perhaps a word or a branch that
// leads on. They are those of GNU ld 2.40.
type form struct {
	thumb []uint16 // first, in Thumb state
	arm   []uint32
	end   ending
	pc    uint64 // what endRel counts from: bytes behind the veneer's start
}

// ending is how a veneer leads on.
type ending uint8

const (
	endWord ending = iota // a word with the address
	endRel                // a word with the distance
	endB                  // B, in Arm state
	endBW                 // B.W, in Thumb state
	endMove               // the address is in MOVW and MOVT at the start
	endCond               // B.W to behind the branch, and B.W
	endNone               // only its own instructions
)

var toArm = []uint16{0x4778, 0xe7fd} // bx pc; b .-2: the Arm code behind it

var (
	armLong    = &form{arm: []uint32{0xe51ff004}}             // ldr pc, [pc, #-4]
	armLongV4T = &form{arm: []uint32{0xe59fc000, 0xe12fff1c}} // ldr ip, [pc]; bx ip
	armPIC     = &form{arm: []uint32{
		0xe59fc000, // ldr ip, [pc]
		0xe08ff00c, // add pc, pc, ip
	}, end: endRel, pc: 12}
	armThumbPIC = &form{arm: []uint32{
		0xe59fc004, // ldr ip, [pc, #4]
		0xe08fc00c, // add ip, pc, ip
		0xe12fff1c, // bx ip
	}, end: endRel, pc: 12}

	thumbArmShort = &form{thumb: toArm, end: endB}
	thumbArmLong  = &form{thumb: toArm, arm: armLong.arm}
	thumbLongV4T  = &form{thumb: toArm, arm: armLongV4T.arm}
	thumbArmPIC   = &form{thumb: toArm, arm: []uint32{
		0xe59fc000, // ldr ip, [pc]
		0xe08cf00f, // add pc, ip, pc
	}, end: endRel, pc: 16}
	thumbThumbPIC = &form{thumb: toArm, arm: armThumbPIC.arm, end: endRel, pc: 16}

	thumb2Long = &form{thumb: []uint16{0xf85f, 0xf000}} // ldr.w pc, [pc, #-0]
	v6MLong    = &form{thumb: []uint16{
		0xb401, // push {r0}
		0x4802, // ldr r0, [pc, #8]
		0x4684, // mov ip, r0
		0xbc01, // pop {r0}
		0x4760, // bx ip
		0xbf00, // nop
	}}
	thumbOnlyPIC = &form{thumb: []uint16{
		0xb401, // push {r0}
		0x4802, // ldr r0, [pc, #8]
		0x46fc, // mov ip, pc
		0x4484, // add ip, r0
		0xbc01, // pop {r0}
		0x4760, // bx ip
	}, end: endRel, pc: 8}
	thumb2Pure = &form{thumb: []uint16{
		0xf240, 0x0c00, // movw ip, #:lower16:
		0xf2c0, 0x0c00, // movt ip, #:upper16:
		0x4760, // bx ip
		0x0000,
	}, end: endMove}
)

func (f *form) size() uint64 {
	n := uint64(2*len(f.thumb) + 4*len(f.arm))
	switch f.end {
	case endMove, endNone:
		return n
	case endCond:
		return n + 8
	}
	return n + 4
}

// room is what it takes of the pool's size: in GNU ld's more than it needs, but for
// those of the Cortex-A8.
func (f *form) room() uint64 {
	if f == a8Thumb || f == a8Arm || f.end == endCond {
		return f.size()
	}
	return (f.size() + 7) &^ 7
}

// isThumb says in which state it is entered.
func (f *form) isThumb() bool { return len(f.thumb) != 0 || f.end == endBW }

// marks are where code and data begin.
func (f *form) marks() (list []mark) {
	at := uint64(2 * len(f.thumb))
	if f.isThumb() {
		list = append(list, mark{0, 't'})
	}
	if len(f.arm) != 0 || f.end == endB {
		list = append(list, mark{at, 'a'})
	}
	if f.end == endWord || f.end == endRel {
		list = append(list, mark{f.size() - 4, 'd'})
	}
	return list
}

// shfPureCode: instructions cannot be read as data (AAELF32, "Section attribute
// flags").
const shfPureCode = 0x20000000

// formFor chooses the veneer for a branch.
func (t *target) formFor(e *model.Env, s *model.Section, b *branch) *form {
	a, pic := t.arch, e.PIC() || e.Opt.PicVeneer
	pick := func(plain, free *form) *form {
		if pic {
			return free
		}
		return plain
	}
	switch blx := b.call() && a.blx(); {
	case a.thumbOnly():
		switch {
		case s.Flags&shfPureCode != 0 && a.movw() && !e.PIC():
			return thumb2Pure
		case a.thumb2():
			return pick(thumb2Long, thumbOnlyPIC)
		}
		return pick(v6MLong, thumbOnlyPIC)
	case b.toThumb && (blx || !b.fromThumb && a.blx()):
		return pick(armLong, armThumbPIC)
	case b.toThumb && b.fromThumb:
		return pick(thumbLongV4T, thumbThumbPIC)
	case b.toThumb:
		return pick(armLongV4T, armThumbPIC)
	case !b.fromThumb || blx:
		return pick(armLong, armPIC)
	case !pic && t.near(b):
		return thumbArmShort
	}
	return pick(thumbArmLong, thumbArmPIC)
}

// near says whether a branch is so short that B in its veneer reaches too, with
// much room for what else may move.
func (t *target) near(b *branch) bool {
	d := int64(int32(uint32(b.to) - uint32(b.from)))
	return d >= -4<<20 && d < 4<<20
}
