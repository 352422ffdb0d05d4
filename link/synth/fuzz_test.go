package synth

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"math/rand"
	"testing"

	"elfwright/link/model"
	"elfwright/machine"
	"elfwright/machine/amd64"
)

// quiet is a machine that does nothing.
type quiet struct{ model.Target }

func (quiet) Machine() *machine.Machine                         { return amd64.Machine }
func (quiet) PLT(*model.Env) model.PLT                          { return model.PLT{} }
func (quiet) Relocate(e *model.Env, s *model.Section, b []byte) {}
func quietEnv(objs ...*model.Object) *model.Env {
	return &model.Env{Opt: &model.Options{}, Target: quiet{}, Class: 64, Order: binary.LittleEndian, Table: model.NewTable(),
		Report: &model.Report{}, Objects: objs}
}

// object has one section of the given bytes in an output of its own kind.
func object(rank int, out *model.Output, s *model.Section) *model.Object {
	o := &model.Object{File: fmt.Sprint(rank, ".o"), Rank: int32(rank), Order: binary.LittleEndian}
	s.Obj, s.Live, s.Out, s.Size, s.Index = o, true, out, uint64(len(s.Data)), 1
	o.Sections, o.Symbols, o.Locals = []*model.Section{nil, s}, []*model.Symbol{nil}, 1
	return o
}

// FuzzEhFrame: whatever the bytes are, what is kept splits again into as many
// records, and the pieces stay within the section.
func FuzzEhFrame(f *testing.F) {
	cie := "\x14\x00\x00\x00\x00\x00\x00\x00\x01zR\x00\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01\x00\x00"
	fde := "\x14\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x41\x0e\x10\x00\x00\x00\x00"
	f.Add([]byte(cie+fde+"\x00\x00\x00\x00"), uint64(8))
	f.Add([]byte(cie+fde+fde), uint64(32))
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"), uint64(0))
	f.Add([]byte("\x00\x00\x00\x00"), uint64(0))
	f.Add([]byte(cie[:20]), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, rel uint64) {
		out := &model.Output{Name: ".eh_frame", Align: 8}
		var objs []*model.Object
		for i := range 2 { // the second's CIEs equal the first's
			objs = append(objs, object(i, out, &model.Section{Name: ".eh_frame", Type: elf.SHT_PROGBITS, Align: 8, Data: append([]byte(nil), b...)}))
			objs[i].Sections[1].Relocs = []model.Reloc{{Off: rel}, {Off: rel / 2}}
		}
		s := &Set{env: quietEnv(objs...), word: 8}
		s.EhFrame()
		var first []byte
		for _, x := range s.frames.secs {
			got := make([]byte, x.sec.Size)
			x.sec.Off = uint64(x.sec.Obj.Rank) * 1 << 16
			x.sec.Synth.Write(s.env, x.sec, got)
			if len(x.sec.Data) != len(got) || uint64(len(got)) > uint64(len(b))+8 {
				t.Fatalf("%d bytes of %d", len(got), len(b))
			}
			if x.sec.Obj.Rank == 0 { // whose CIEs are all its own
				first = got
			}
			for _, r := range x.sec.Relocs {
				if r.Off >= x.sec.Size {
					t.Fatalf("a relocation at %#x of %#x", r.Off, x.sec.Size)
				}
			}
		}
		if _, ok := splitFrames(binary.LittleEndian, first); !ok {
			t.Fatalf("%x does not split again", first)
		}
	})
}

// FuzzMerge: every byte of the input is found where the map leads, behind and
// before the end of its string, and no piece is there twice.
func FuzzMerge(f *testing.F) {
	f.Add([]byte("foobar\x00bar\x00\x00\x00x\x00"), []byte("bar\x00foobar\x00"), uint8(1), uint8(1), true)
	f.Add([]byte("abcdefgh12345678abcdefgh"), []byte("12345678"), uint8(8), uint8(8), false)
	f.Add([]byte("a\x00\x00\x00\x00\x00b\x00c\x00\x00\x00"), []byte("c\x00\x00\x00"), uint8(2), uint8(2), true)
	f.Add([]byte("ab\x00\x00\x00\x00\x00\x00b\x00"), []byte("b\x00"), uint8(1), uint8(8), true)
	f.Fuzz(func(t *testing.T, a, b []byte, entsize, align uint8, strings bool) {
		out := &model.Output{Name: ".rodata"}
		flags := elf.SHF_ALLOC | elf.SHF_MERGE
		if strings {
			flags |= elf.SHF_STRINGS
		}
		var objs []*model.Object
		inputs := [][]byte{a, b, a}
		for i, data := range inputs {
			objs = append(objs, object(i, out, &model.Section{Name: ".rodata", Type: elf.SHT_PROGBITS, Flags: flags,
				Entsize: uint64(entsize), Align: 1 << (align % 7), Data: data}))
		}
		s := &Set{env: quietEnv(objs...), word: 8}
		s.Merge()
		bytes := map[*model.Section][]byte{}
		for _, o := range objs {
			sec := o.Sections[1]
			bytes[sec] = make([]byte, sec.Size)
			if sec.Map == nil {
				copy(bytes[sec], sec.Data)
				continue
			}
			sec.Synth.Write(s.env, sec, bytes[sec])
		}
		for i, o := range objs {
			sec := o.Sections[1]
			if sec.Map == nil {
				continue
			}
			for off := range inputs[i] {
				home, at, ok := sec.Map.At(uint64(off))
				if !ok || at >= home.Size {
					t.Fatalf("input %d, %#x: %v at %#x of %#x", i, off, ok, at, home.Size)
				}
				if got := bytes[home][at]; got != inputs[i][off] {
					t.Fatalf("input %d, %#x: %#x became %#x", i, off, inputs[i][off], got)
				}
			}
		}
		if third := objs[2].Sections[1]; third.Map != nil && third.Size != 0 {
			t.Fatalf("the section that is there twice keeps %#x bytes", third.Size)
		}
	})
}

// FuzzProperties: notes of any form neither stop nor frighten the reader, and what
// is written is read back.
func FuzzProperties(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00\x10\x00\x00\x00\x05\x00\x00\x00GNU\x00\x02\x00\x00\xc0\x04\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &Set{env: quietEnv(), word: 8, Object: &model.Object{Machine: elf.EM_X86_64}}
		all := map[uint32]uint64{}
		s.readProperties(b, all)
		joined := map[uint32]uint64{}
		s.join(joined, all, true)
		var types []uint32
		for x := range joined {
			if s.joins(x) != largest && s.joins(x) != present {
				types = append(types, x)
			}
		}
		again := map[uint32]uint64{}
		s.readProperties(s.encodeProperties(types, joined), again)
		for _, x := range types {
			if uint32(again[x]) != uint32(joined[x]) {
				t.Fatalf("property %#x: %#x became %#x", x, joined[x], again[x])
			}
		}
	})
}

// TestRelr decodes what is encoded.
func TestRelr(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for _, word := range []uint64{4, 8} {
		for range 200 {
			var addrs []uint64
			for at := uint64(0x1000); len(addrs) < 1+rnd.Intn(300); at += word * uint64(1+rnd.Intn(1+rnd.Intn(100))) {
				addrs = append(addrs, at)
			}
			var got []uint64
			var base uint64
			for _, w := range encodeRelr(addrs, word) {
				if w&1 == 0 {
					got = append(got, w)
					base = w + word
					continue
				}
				for i := range 8*word - 1 {
					if w>>(i+1)&1 != 0 {
						got = append(got, base+i*word)
					}
				}
				base += (8*word - 1) * word
			}
			if fmt.Sprint(got) != fmt.Sprint(addrs) {
				t.Fatalf("word %d: got %#x, want %#x", word, got, addrs)
			}
		}
	}
}

// TestMergeThreads: the result does not depend on how many work on it.
func TestMergeThreads(t *testing.T) {
	var want string
	for threads := 1; threads <= 4; threads++ {
		e := quietEnv(manyStrings(30, 3000)...)
		e.Opt.Threads = threads
		s := &Set{env: e, word: 8}
		s.Merge()
		got := ""
		for _, o := range e.Objects {
			sec := o.Sections[1]
			b := make([]byte, sec.Size)
			sec.Synth.Write(e, sec, b)
			got += fmt.Sprintf("%x;", b)
		}
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d threads give something else", threads)
		}
	}
}

// manyStrings are n objects with m strings each, of which many are equal or ends
// of others.
func manyStrings(n, m int) []*model.Object {
	rnd := rand.New(rand.NewSource(7))
	out := &model.Output{Name: ".debug_str"}
	var objs []*model.Object
	for i := range n {
		var b []byte
		for range m {
			b = append(b, fmt.Sprintf("%x_name_%d\x00", rnd.Intn(1<<16)>>rnd.Intn(17), rnd.Intn(1+m*n/20))...)
		}
		objs = append(objs, object(i, out, &model.Section{Name: ".debug_str", Type: elf.SHT_PROGBITS, Flags: elf.SHF_MERGE | elf.SHF_STRINGS, Entsize: 1, Align: 1, Data: b}))
	}
	return objs
}

func BenchmarkMerge(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		objs := manyStrings(200, 5000)
		n := 0
		for _, o := range objs {
			n += len(o.Sections[1].Data)
		}
		s := &Set{env: quietEnv(objs...), word: 8}
		b.SetBytes(int64(n))
		b.StartTimer()
		s.Merge()
	}
}
