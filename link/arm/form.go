package arm

import (
	"elfwright/link/model"
)

// form is a kind of veneer: instructions, then a word that has where it leads.
type form struct {
	thumb []uint16 // first, in Thumb state
	arm   []uint32
	pic   bool
	pc    uint64 // pic: what the word counts from, beyond the veneer's start
}

// The forms, as GNU ld 2.40 has them.
var (
	armFar    = form{arm: []uint32{0xe51ff004}}             // ldr pc, [pc, #-4]
	armFarV4T = form{arm: []uint32{0xe59fc000, 0xe12fff1c}} // ldr ip, [pc]; bx ip
	armFarPIC = form{arm: []uint32{
		0xe59fc004, // ldr ip, [pc, #4]
		0xe08fc00c, // add ip, pc, ip
		0xe12fff1c, // bx ip
	}, pic: true, pc: 12}
	thumb2Far    = form{thumb: []uint16{0xf8df, 0xf000}} // ldr.w pc, [pc]
	thumb2FarPIC = form{thumb: []uint16{
		0xf8df, 0xc004, // ldr.w ip, [pc, #4]
		0x44fc, // add ip, pc
		0x4760, // bx ip
	}, pic: true, pc: 8}
	v6MFar = form{thumb: []uint16{
		0xb401, // push {r0}
		0x4802, // ldr r0, [pc, #8]
		0x4684, // mov ip, r0
		0xbc01, // pop {r0}
		0x4760, // bx ip
		0xbf00, // nop
	}}
	v6MFarPIC = form{thumb: []uint16{
		0xb401, // push {r0}
		0x4802, // ldr r0, [pc, #8]
		0x4684, // mov ip, r0
		0xbc01, // pop {r0}
		0x44fc, // add ip, pc
		0x4760, // bx ip
	}, pic: true, pc: 12}
	// bx pc gets to the Arm code behind it.
	thumbFar    = form{thumb: []uint16{0x4778, 0x46c0}, arm: armFar.arm}
	thumbFarV4T = form{thumb: []uint16{0x4778, 0x46c0}, arm: armFarV4T.arm}
	thumbFarPIC = form{thumb: []uint16{0x4778, 0x46c0}, arm: armFarPIC.arm, pic: true, pc: 16}
)

func (f *form) size() int { return 2*len(f.thumb) + 4*len(f.arm) + 4 }

// marks are where code and data begin.
func (f *form) marks() []mark {
	var list []mark
	if len(f.thumb) > 0 {
		list = append(list, mark{0, 't'})
	}
	if len(f.arm) > 0 {
		list = append(list, mark{uint64(2 * len(f.thumb)), 'a'})
	}
	return append(list, mark{uint64(f.size() - 4), 'd'})
}

// formOf chooses the form for a processor: from a state, to code of an instruction
// set.
func (t *target) formOf(e *model.Env, fromThumb, toThumb bool) *form {
	pic := e.PIC() || e.Opt.PicVeneer
	v4 := t.arch.known && t.arch.cpu <= v4T && toThumb // LDR to pc does not change the state there
	choose := func(plain, old, free *form) *form {
		switch {
		case pic:
			return free
		case v4:
			return old
		}
		return plain
	}
	switch {
	case !fromThumb:
		return choose(&armFar, &armFarV4T, &armFarPIC)
	case t.arch.thumb2():
		return choose(&thumb2Far, &thumb2Far, &thumb2FarPIC)
	case t.arch.thumbOnly():
		return choose(&v6MFar, &v6MFar, &v6MFarPIC)
	}
	if !toThumb && v4 {
		return choose(&thumbFar, &thumbFar, &thumbFarPIC)
	}
	return choose(&thumbFar, &thumbFarV4T, &thumbFarPIC)
}

// stubs writes the veneers of a section.
type stubs struct {
	t    *target
	list []*veneer
}

// Write fills the section.
func (st *stubs) Write(e *model.Env, s *model.Section, b []byte) {
	o := codeOrder(e)
	for _, x := range st.list {
		at := x.off
		for _, h := range x.form.thumb {
			o.PutUint16(b[at:], h)
			at += 2
		}
		for _, w := range x.form.arm {
			o.PutUint32(b[at:], w)
			at += 4
		}
		to := x.goal(e)
		if x.form.pic {
			to -= x.addr() + x.form.pc
		}
		e.Order.PutUint32(b[at:], uint32(to))
	}
}

// goal is where a veneer leads, with bit 0 for Thumb code.
func (x *veneer) goal(e *model.Env) uint64 {
	if at, ok := e.Linkage(x.sym); ok && (x.sym.Preempt || x.sym.IFunc()) {
		return at
	}
	to := uint64(int64(x.sym.Addr()) + x.addend)
	if x.sym.Thumb {
		to |= 1
	}
	return to
}
