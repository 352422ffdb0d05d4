package synth

// Records of .eh_frame end in DW_CFA_nop up to their alignment, the last one of a
// section in more. GNU ld cuts them off and aligns each record to four bytes; for
// that it must know the instructions, since a zero may be an operand.

// frameForm is what a CIE says of its FDEs.
type frameForm struct {
	insns   int  // offset of its first instruction, from the record's start
	aug     bool // FDEs have augmentation data
	pointer int  // bytes of an address; 0: a form that is not known here
}

// reader walks over the bytes of a record; bad is set when they end too early.
type reader struct {
	b   []byte
	pos int
	bad bool
}

func (r *reader) byte() byte {
	if r.pos >= len(r.b) {
		r.bad = true
		return 0
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *reader) skip(n uint64) {
	if n > uint64(len(r.b)-r.pos) {
		r.bad = true
		return
	}
	r.pos += int(n)
}

// leb reads a LEB128 number; of a signed one only the length is right.
func (r *reader) leb() (v uint64) {
	for shift := uint(0); !r.bad; shift += 7 {
		c := r.byte()
		if shift < 64 {
			v |= uint64(c&0x7f) << shift
		}
		if c < 0x80 {
			break
		}
	}
	return v
}

// cieForm reads a CIE (LSB Core, "The Common Information Entry Format").
func cieForm(b []byte, word int) (f frameForm, ok bool) {
	r := &reader{b: b, pos: 8}
	version := r.byte()
	var aug []byte
	for c := r.byte(); c != 0; c = r.byte() {
		aug = append(aug, c)
	}
	r.leb()
	r.leb()
	if version == 1 {
		r.byte()
	} else {
		r.leb()
	}
	f.pointer = word
	if len(aug) != 0 {
		if aug[0] != 'z' {
			return f, false
		}
		f.aug = true
		n := r.leb()
		start := r.pos
		f.pointer = r.augmentation(aug[1:], word)
		r.pos = start
		r.skip(n)
	}
	f.insns = r.pos
	return f, !r.bad && f.pointer != 0
}

// augmentation reads the data that the letters announce, and returns the size of
// FDEs' addresses, 0 if a letter is not known.
func (r *reader) augmentation(letters []byte, word int) int {
	size := word
	for _, c := range letters {
		switch c {
		case 'R':
			size = pointerSize(r.byte(), word)
		case 'L':
			r.byte()
		case 'P':
			r.skip(uint64(pointerSize(r.byte(), word)))
		case 'S', 'B', 'G':
		default:
			return 0
		}
	}
	return size
}

// pointerSize is the size of a DW_EH_PE encoding.
func pointerSize(enc byte, word int) int {
	switch enc & 7 {
	case 0:
		return word
	case 2:
		return 2
	case 3:
		return 4
	case 4:
		return 8
	}
	return 0
}

// trimmed is the size of a record without the DW_CFA_nop at its end, a multiple of
// four; its whole size where something in it is not known.
func trimmed(b []byte, isCIE bool, f frameForm) uint64 {
	r := &reader{b: b, pos: f.insns}
	if !isCIE {
		r.pos = 8
		r.skip(uint64(2 * f.pointer))
		if f.aug {
			r.skip(r.leb())
		}
	}
	end := r.pos
	for r.pos < len(b) && !r.bad {
		op := r.byte()
		if !r.operands(op, f.pointer) {
			return uint64(len(b))
		}
		if op != 0 {
			end = r.pos
		}
	}
	if r.bad {
		return uint64(len(b))
	}
	return min(uint64(end+3)&^3, uint64(len(b)))
}

// operands skips those of an instruction (DWARF 5, section 7.24; what GNU adds).
func (r *reader) operands(op byte, pointer int) bool {
	switch op >> 6 {
	case 1, 3:
		return true
	case 2:
		r.leb()
		return true
	}
	switch op {
	case 0x00, 0x0a, 0x0b, 0x2d: // nop, remember_state, restore_state, GNU_window_save
	case 0x01: // set_loc
		r.skip(uint64(pointer))
	case 0x02:
		r.skip(1)
	case 0x03:
		r.skip(2)
	case 0x04:
		r.skip(4)
	case 0x1d: // MIPS_advance_loc8
		r.skip(8)
	case 0x06, 0x07, 0x08, 0x0d, 0x0e, 0x13, 0x2e: // one number
		r.leb()
	case 0x05, 0x09, 0x0c, 0x11, 0x12, 0x14, 0x15, 0x2f: // two
		r.leb()
		r.leb()
	case 0x0f: // def_cfa_expression
		r.skip(r.leb())
	case 0x10, 0x16: // expression, val_expression
		r.leb()
		r.skip(r.leb())
	default:
		return false
	}
	return true
}

// trim shortens the records of a section that are kept.
func (x *frameSection) trim(recs []record, word int) {
	forms := map[int]frameForm{}
	for i := range recs {
		r := &recs[i]
		if r.cie == isEnd {
			continue
		}
		b := x.sec.Data[r.off : r.off+r.size]
		f, known := forms[r.cie]
		if r.cie == isCIE {
			if f, known = cieForm(b, word); known {
				forms[i] = f
			}
		}
		if known {
			r.out = trimmed(b, r.cie == isCIE, f)
		}
		if r.nrel != 0 && x.sec.Relocs[r.rel+r.nrel-1].Off >= r.off+r.out {
			r.out = r.size // what a relocation changes is no padding
		}
	}
}
