package arm

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"elfwright/link/model"
)

// attrs makes a section of attributes of the vendor "aeabi" with these tags.
func attrs(tags ...byte) []byte {
	file := append([]byte{1, byte(5 + len(tags)), 0, 0, 0}, tags...)
	vendor := append([]byte("aeabi\x00"), file...)
	return append([]byte{'A', byte(4 + len(vendor)), 0, 0, 0}, vendor...)
}

func TestArch(t *testing.T) {
	for _, c := range []struct {
		name                               string
		tags                               []byte
		only, thumb2, movw, far, nop, call bool
	}{
		{"none", nil, false, false, false, false, false, false},
		{"v4T", []byte{6, 2}, false, false, false, false, false, false},
		{"v5TE", []byte{5, 'x', 0, 6, 4}, false, false, false, false, false, false},
		{"v6T2", []byte{6, 8}, false, true, true, true, true, true},
		{"v6K", []byte{6, 9}, false, false, false, false, true, false},
		{"v7-A", []byte{6, 10, 7, 'A'}, false, true, true, true, true, true},
		{"v7-M", []byte{6, 10, 7, 'M'}, true, true, true, true, true, false},
		{"v6S-M", []byte{6, 12}, true, false, false, true, true, false},
		{"v8-M base", []byte{6, 16, 7, 'M'}, true, false, true, true, true, false},
		{"v8-M main", []byte{6, 17, 32, 1, 'x', 0, 7, 'M'}, true, true, true, true, true, false},
	} {
		o := &model.Object{Order: binary.LittleEndian, Sections: []*model.Section{{Name: ".ARM.attributes", Type: elf.SectionType(0x70000003), Data: attrs(c.tags...)}}}
		a := readArch([]*model.Object{o})
		got := []bool{a.thumbOnly(), a.thumb2(), a.movw(), a.farThumb(), a.nop(), a.blx()}
		for i, want := range []bool{c.only, c.thumb2, c.movw, c.far, c.nop, c.call} {
			if got[i] != want {
				t.Errorf("%s: %v", c.name, got)
				break
			}
		}
	}
}

func FuzzAttributes(f *testing.F) {
	f.Add(attrs(6, 10, 7, 'A'))
	f.Add(attrs(5, 'x', 0, 32, 1, 'y', 0))
	f.Add([]byte("A"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 0 {
			var a arch
			a.add(b, binary.LittleEndian)
			a.add(b, binary.BigEndian)
		}
	})
}

// FuzzCode looks for sequences in any bytes.
func FuzzCode(f *testing.F) {
	f.Add([]byte{0x00, 0xf0, 0x00, 0xf8, 0xfe, 0xe7}, uint64(0), uint64(4))
	f.Add([]byte{0, 0xeb, 2, 0, 0xff, 0xf7, 0xfe, 0xbf}, uint64(1), uint64(1<<63))
	f.Fuzz(func(t *testing.T, b []byte, first, second uint64) {
		s := &model.Section{Data: b, Size: uint64(len(b))}
		s.Obj = &model.Object{Locals: 3, Symbols: []*model.Symbol{nil, {Name: "$t", Sec: s, Value: first}, {Name: "$a.1", Sec: s, Value: second}}}
		for _, p := range pairsOf(&model.Env{Order: binary.LittleEndian}, s) {
			if p.off+4 > uint64(len(b)) {
				t.Errorf("a branch at %#x of %#x bytes", p.off, len(b))
			}
		}
		swapCode(s, append([]byte(nil), b...))
	})
}
