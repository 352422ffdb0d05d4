package aarch64

import (
	"debug/elf"
	"encoding/binary"
	"testing"

	"elfwright/link/model"
)

// FuzzCode looks for the errata's sequences in any bytes, at any address.
func FuzzCode(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0x90, 0x41, 0, 0x40, 0xf9, 3, 0, 0x40, 0xf9}, uint64(0xff8), uint64(0), uint64(8))
	f.Add([]byte{0x41, 0, 0x40, 0xf9, 0x83, 0x18, 5, 0x9b}, uint64(0), uint64(1), uint64(1<<63))
	f.Fuzz(func(t *testing.T, b []byte, at, code, data uint64) {
		out := &model.Output{Addr: at & (1<<48 - 1) &^ 3}
		s := &model.Section{Data: b, Size: uint64(len(b)), Out: out}
		s.Obj = &model.Object{Locals: 3, Symbols: []*model.Symbol{nil, {Name: "$x", Sec: s, Value: code}, {Name: "$d", Sec: s, Value: data}}}
		e := &model.Env{Opt: &model.Options{FixCortexA53_843419: true, FixCortexA53_835769: true}}
		for _, m := range new(target).findErrata(e, s) {
			if m.at+insnSize > uint64(len(b)) || m.adrp >= int64(m.at) {
				t.Errorf("%+v in %#x bytes", m, len(b))
			}
		}
	})
}

func FuzzProperty(f *testing.F) {
	note := []byte("\x04\x00\x00\x00\x10\x00\x00\x00\x05\x00\x00\x00GNU\x00\x00\x00\x00\xc0\x04\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00")
	f.Add(note)
	f.Add(note[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		o := &model.Object{Sections: []*model.Section{{Type: elf.SHT_NOTE, Name: ".note.gnu.property", Data: b}}}
		if got := hasBTI(o, binary.LittleEndian); string(b) == string(note) && !got {
			t.Error("the note says that there is BTI")
		}
	})
}
