package unwind

import (
	"encoding/binary"
	"io"
	"testing"
)

// memory is one piece at an address.
type memory struct {
	at uint64
	b  []byte
}

func (m *memory) ReadAt(b []byte, addr int64) (int, error) {
	off := uint64(addr) - m.at
	if off >= uint64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(b, m.b[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// piece builds the memory of a test: an index with one function, its FDE and CIE,
// and a stack.
//
//	0x1000 .eh_frame_hdr   0x1020 CIE   0x1060 FDE   0x1100 code   0x1800 stack
func piece(augmentation string, initial, code []byte) *memory {
	m := &memory{0x1000, make([]byte, 0x1000)}
	o := binary.LittleEndian
	copy(m.b, []byte{1, 0x1b, 3, 0x3b})
	o.PutUint32(m.b[4:], 0x20-4)
	o.PutUint32(m.b[8:], 1)
	o.PutUint32(m.b[12:], 0x100) // the function
	o.PutUint32(m.b[16:], 0x60)  // its FDE
	cie := append([]byte{0, 0, 0, 0, 1}, augmentation...)
	cie = append(cie, 0, 1, 0x78, 16, 1, 0x1b)
	cie = append(cie, initial...)
	o.PutUint32(m.b[0x20:], uint32(len(cie)))
	copy(m.b[0x24:], cie)
	fde := o.AppendUint32(nil, 0x44) // back to the CIE
	fde = o.AppendUint32(fde, 0x100-0x68)
	fde = o.AppendUint32(fde, 0x80)
	fde = append(append(fde, 0), code...)
	o.PutUint32(m.b[0x60:], uint32(len(fde)))
	copy(m.b[0x64:], fde)
	return m
}

var start = []byte{0x0c, 7, 8, 0x90, 1} // def_cfa: r7+8; offset: r16 at cfa-8

func frames(m *memory, pc, sp, fp uint64) []Frame { return walk(m, pc, sp, fp, false) }

// walk may do without the index.
func walk(m *memory, pc, sp, fp uint64, linear bool) (out []Frame) {
	u := &Unwinder{Arch: X86, Mem: m, Tables: func(pc uint64) (Table, bool) { return Table{0x1000, 20, true}, pc >= 0x1000 && pc < 0x2000 }}
	if linear {
		u.Tables = func(pc uint64) (Table, bool) { return Table{0x1020, 0x100, false}, pc >= 0x1000 && pc < 0x2000 }
	}
	var r Regs
	r.Set(X86.PC, pc)
	r.Set(X86.SP, sp)
	r.Set(X86.FP, fp)
	u.Walk(r, func(f Frame) bool { out = append(out, f); return true })
	return out
}

func TestTable(t *testing.T) {
	// advance_loc 4; def_cfa_offset 16; offset: r6 at cfa-16; advance_loc 12;
	// remember_state; def_cfa_offset 8; restore: r6; advance_loc 1; restore_state
	code := []byte{0x44, 0x0e, 16, 0x86, 2, 0x4c, 0x0a, 0x0e, 8, 0xc6, 0x41, 0x0b}
	for _, c := range []struct {
		pc, sp uint64
		want   uint64 // the caller's stack pointer
	}{{0x1100, 0x1800, 0x1808}, {0x1104, 0x1800, 0x1810}, {0x110f, 0x1800, 0x1810}, {0x1110, 0x1800, 0x1808}, {0x1111, 0x1800, 0x1810}} {
		m := piece("zR", start, code)
		binary.LittleEndian.PutUint64(m.b[c.want-8-0x1000:], 0x999)
		got := frames(m, c.pc, c.sp, 0)
		if len(got) != 2 || got[1] != (Frame{0x999, c.want, ByTable}) {
			t.Errorf("at 0x%x: %v", c.pc, got)
		}
		// CIE and FDE follow each other where there is no index.
		copy(m.b[0x24+binary.LittleEndian.Uint32(m.b[0x20:]):0x60], make([]byte, 0x40))
		binary.LittleEndian.PutUint32(m.b[0x20:], 0x60-0x24)
		if again := walk(m, c.pc, c.sp, 0, true); len(again) != 2 || again[1] != got[1] {
			t.Errorf("at 0x%x without the index: %v", c.pc, again)
		}
	}
}

func TestExpressions(t *testing.T) {
	// As the PLT has it: the frame is 8 or 16 above the stack pointer, by where in an
	// entry of 16 bytes pc is. breg7+8, breg16, lit15, and, lit11, ge, lit3, shl, plus
	plt := []byte{0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22}
	for pc, want := range map[uint64]uint64{0x1100: 0x1808, 0x110a: 0x1808, 0x110b: 0x1810} {
		m := piece("zR", append(append([]byte{}, start...), plt...), nil)
		binary.LittleEndian.PutUint64(m.b[want-8-0x1000:], 0x999)
		if got := frames(m, pc, 0x1800, 0); len(got) != 2 || got[1].SP != want {
			t.Errorf("at 0x%x: %v", pc, got)
		}
	}
}

func TestEnds(t *testing.T) {
	// undefined: r16
	if got := frames(piece("zR", start, []byte{0x07, 16}), 0x1100, 0x1800, 0); len(got) != 1 {
		t.Errorf("at the start of a thread: %v", got)
	}
	// A signal's frame: the table is asked for pc itself, and the stack may go down.
	m := piece("zRS", start, nil)
	binary.LittleEndian.PutUint64(m.b[0x800:], 0x999)
	if got := frames(m, 0x1100, 0x1800, 0); len(got) != 2 || got[1].How != BySignal {
		t.Errorf("a signal's frame: %v", got)
	}
}

func TestFramePointers(t *testing.T) {
	m := &memory{0x3000, make([]byte, 0x100)}
	o := binary.LittleEndian
	for i, w := range []uint64{0x3020, 0x111, 0, 0, 0, 0x222} {
		o.PutUint64(m.b[8*i:], w)
	}
	got := frames(m, 0x9000, 0x2ff0, 0x3000)
	if len(got) != 3 || got[1] != (Frame{0x111, 0x3010, ByPointer}) || got[2] != (Frame{0x222, 0x3030, ByPointer}) {
		t.Errorf("%v", got)
	}
}

// FuzzWalk: whatever the tables say, a walk ends.
func FuzzWalk(f *testing.F) {
	f.Add(piece("zR", start, []byte{0x44, 0x0e, 16}).b, uint64(0x1100), uint64(0x1800))
	f.Add(piece("zRS", start, []byte{0x10, 3, 2, 0x77, 0}).b, uint64(0x1100), uint64(0x1800))
	f.Fuzz(func(t *testing.T, b []byte, pc, sp uint64) {
		if got := frames(&memory{0x1000, b}, pc, sp, sp); len(got) > Most {
			t.Fatalf("%d frames", len(got))
		}
		if got := walk(&memory{0x1000, b}, pc, sp, sp, true); len(got) > Most {
			t.Fatalf("%d frames", len(got))
		}
	})
}
