package write_test

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"elfwright/link/model"
	"elfwright/link/write"
	"elfwright/machine/all"
)

// large is a link of n objects with a section of code of size bytes each, and 50
// symbols.
func large(t testing.TB, n, size int) (*model.Env, []*model.Segment) {
	e, segs := sample(t, all.Lookup(elf.EM_X86_64, elf.ELFCLASS64), binary.LittleEndian, 0)
	text := e.Outputs[0]
	data := make([]byte, size)
	for i := range n {
		o := &model.Object{File: fmt.Sprint(i, ".o"), Rank: int32(i + 2), Locals: 26, Symbols: []*model.Symbol{nil}}
		s := &model.Section{Obj: o, Name: ".text", Align: 16, Size: uint64(size), Data: data, Live: true, Out: text, Off: (text.Size + 15) &^ 15}
		text.Items = append(text.Items, model.Item{Off: s.Off, Size: s.Size, Section: s})
		text.Size = s.Off + s.Size
		for k := range 50 {
			sym := &model.Symbol{Name: fmt.Sprint("a_symbol_of_some_length_", i, "_", k), State: model.Defined, Obj: o, Sec: s, Value: uint64(k), Local: k < 25, Bind: elf.STB_GLOBAL}
			o.Symbols = append(o.Symbols, sym)
		}
		e.Objects = append(e.Objects, o)
	}
	segs[0].Filesz = text.Size
	e.Outputs[1].FileOff = int64(text.Size+0x2000) &^ 0xfff
	segs[1].Off = uint64(e.Outputs[1].FileOff)
	return e, segs
}

func BenchmarkFile(b *testing.B) {
	e, segs := large(b, 2000, 50000)
	name := filepath.Join(b.TempDir(), "out")
	b.SetBytes(int64(e.Outputs[0].Size))
	for b.Loop() {
		if err := write.File(e, segs, name); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSymbols has little to copy: what is left is the symbol table.
func BenchmarkSymbols(b *testing.B) {
	e, segs := large(b, 4000, 100)
	for b.Loop() {
		if _, err := write.Bytes(e, segs); err != nil {
			b.Fatal(err)
		}
	}
}
