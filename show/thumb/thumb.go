// Package thumb decodes Thumb and Thumb-2, the instructions of two and four bytes
// that nearly all code of 32-bit Arm is made of.
//
// The instructions are rows of data: a mask, a value and a template of the text
// (DDI 0406C, the Arm Architecture Reference Manual for Armv7-A and Armv7-R,
// chapter A6; what Armv8 added to it: DDI 0487, section F3.1). The text is that
// of GNU objdump. What no row describes is left undecoded.
package thumb

// Inst is one instruction.
type Inst struct {
	Len    int    // 2 or 4
	Text   string // empty: not decoded
	Target uint32 // the address that it branches to, or refers to
	Refers bool   // there is one
	Branch bool   // and the text ends with it
}

// Decoder decodes instructions one after the other. It remembers the block that
// an IT instruction began, whose instructions have its condition.
type Decoder struct {
	it   uint8  // ITSTATE (DDI 0406C, A2.5.2)
	next uint32 // where the block goes on
}

// Wide says whether an instruction has a second halfword (DDI 0406C, A6.1).
func Wide(first uint16) bool { return first>>11 >= 0x1d }

// Decode decodes the instruction at the address pc. The second halfword counts
// only if [Wide] says that there is one.
func (d *Decoder) Decode(first, second uint16, pc uint32) Inst {
	if pc != d.next {
		d.it = 0
	}
	o := operands{w: uint32(first), pc: pc, it: d.it}
	rows, n := rows16[:], 2
	if Wide(first) {
		o.w, n = o.w<<16|uint32(second), 4
		rows = rows32[:]
	}
	o.inst.Len = n
	d.next = pc + uint32(n)
	d.step()
	for i := range rows {
		if o.w&rows[i].mask != rows[i].value {
			continue
		}
		if o.format(rows[i].text) {
			o.inst.Text = string(o.b)
		} else {
			o.inst = Inst{Len: n}
		}
		break
	}
	// DDI 0406C, A8.8.54. An IT in an IT block is unpredictable: not decoded.
	if n == 2 && o.w>>8 == 0xbf && o.w&15 != 0 && o.inst.Text != "" {
		d.it = uint8(o.w)
	}
	return o.inst
}

// step goes on to the next instruction of an IT block (ITAdvance, A2.5.2).
func (d *Decoder) step() {
	if d.it&7 == 0 {
		d.it = 0
		return
	}
	d.it = d.it&0xe0 | d.it<<1&0x1f
}

// row is an instruction, or a group of them. The first row that fits counts; one
// without text holds bits that are no instruction, or unpredictable.
type row struct {
	mask, value uint32
	text        string // with operands in braces, see operands.format
}
