package machine_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"elfwright/machine"
	"elfwright/machine/arm"
	"elfwright/machine/i386"
)

// TestPutAddend: what PutAddend writes Addend reads, or nothing was written.
func TestPutAddend(t *testing.T) {
	written := 0
	for _, m := range []*machine.Machine{arm.Machine, i386.Machine} {
		for r := range m.Relocs.All() {
			if r.Field == nil || r.Width() == 0 {
				continue
			}
			for _, a := range []int64{0, 4, -8, 0x104, -0x7ff8, 0x7ffc, 0x123456c, -0x40000000} {
				old := bytes.Repeat([]byte{0xf0, 0xf7}, 8)
				place := bytes.Clone(old)
				if err := r.PutAddend(place, binary.LittleEndian, a); err != nil {
					if !bytes.Equal(place, old) {
						t.Errorf("%s: PutAddend(%#x): %v, and the place is %x", r.Name, a, err, place)
					}
					continue
				}
				written++
				if got, err := r.Addend(place, binary.LittleEndian); err != nil || got != a && int32(got) != int32(a) {
					t.Errorf("%s: PutAddend(%#x), and Addend reads %#x, %v", r.Name, a, got, err)
				}
				if !bytes.Equal(place[8:], old[8:]) {
					t.Errorf("%s: PutAddend(%#x) wrote behind its field: %x", r.Name, a, place)
				}
			}
		}
	}
	if written < 200 {
		t.Errorf("%d addends were written", written)
	}
	movt := arm.Machine.Relocs.ByName("R_ARM_MOVT_ABS")
	place := []byte{0x00, 0x00, 0x40, 0xe3} // movt r0, #0
	if err := movt.PutAddend(place, binary.LittleEndian, 0x1234); err != nil || !bytes.Equal(place, []byte{0x34, 0x02, 0x41, 0xe3}) {
		t.Errorf("MOVT: %x, %v", place, err)
	}
}
