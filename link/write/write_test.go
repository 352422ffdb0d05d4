package write_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"elfwright/link/model"
	"elfwright/link/write"
	"elfwright/machine"
	"elfwright/machine/all"
)

// plainTarget stores S + A as a word of the machine at every relocation's place.
type plainTarget struct {
	model.Target
	m *machine.Machine
}

func (t plainTarget) Machine() *machine.Machine { return t.m }

func (t plainTarget) Relocate(e *model.Env, s *model.Section, b []byte) {
	for i := range s.Relocs {
		r := &s.Relocs[i]
		S, A := e.Value(s, r)
		if e.Class == 32 {
			e.Order.PutUint32(b[r.Off:], uint32(S+uint64(A)))
		} else {
			e.Order.PutUint64(b[r.Off:], S+uint64(A))
		}
	}
}

type synth func(b []byte)

func (f synth) Write(_ *model.Env, _ *model.Section, b []byte) { f(b) }

// sample is a link of two objects: code with a gap, data that points to it.
func sample(t testing.TB, m *machine.Machine, order binary.ByteOrder, threads int) (*model.Env, []*model.Segment) {
	t.Helper()
	e := &model.Env{Opt: &model.Options{Threads: threads}, Target: plainTarget{m: m}, Class: 8 * m.WordSize(),
		Order: order, Code: order, Table: model.NewTable(), Report: &model.Report{}, Entry: 0x10000}
	text := &model.Output{Name: ".text", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Align: 16, Addr: 0x10000, LMA: 0x10000, FileOff: 0x1000}
	data := &model.Output{Name: ".data", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 8, Addr: 0x20000, LMA: 0x20000, FileOff: 0x2000}
	note := &model.Output{Name: ".debug_x", Type: elf.SHT_PROGBITS, Align: 1}
	e.Outputs = []*model.Output{text, data, note}
	for i := range 2 {
		o := &model.Object{File: fmt.Sprint(i, ".o"), Rank: int32(i)}
		sec := func(name string, out *model.Output, b []byte) *model.Section {
			s := &model.Section{Obj: o, Name: name, Align: out.Align, Size: uint64(len(b)), Data: b, Live: true, Out: out, Off: (out.Size + 15) &^ 15}
			out.Items = append(out.Items, model.Item{Off: s.Off, Size: s.Size, Section: s})
			out.Size = s.Off + s.Size
			o.Sections = append(o.Sections, s)
			return s
		}
		code := sec(".text", text, []byte{1, 2, 3, byte(i)})
		words := sec(".data", data, make([]byte, 24))
		sec(".debug_x", note, bytes.Repeat([]byte{byte(i)}, 100))
		g := e.Table.Intern(fmt.Sprint("g", i))
		*g = model.Symbol{Name: g.Name, State: model.Defined, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Obj: o, Sec: code, Value: 2, Size: 1}
		o.Symbols = []*model.Symbol{nil,
			{Name: o.File, Type: elf.STT_FILE, State: model.Defined, Obj: o, Local: true},
			{Type: elf.STT_SECTION, State: model.Defined, Obj: o, Sec: code, Local: true},
			{Name: "l", Type: elf.STT_OBJECT, State: model.Defined, Obj: o, Sec: words, Value: 8, Local: true},
			g}
		o.Locals = 4
		words.Relocs = []model.Reloc{{Off: 0, Sym: 4, Addend: 1}, {Off: 8, Sym: 2, Addend: 3}, {Off: 16, Sym: 3}}
		e.Objects = append(e.Objects, o)
	}
	s := e.Table.Intern("script")
	*s = model.Symbol{Name: "script", State: model.Defined, Bind: elf.STB_GLOBAL, Out: data, Value: 4, Script: true}
	text.Fill = nil
	seg := func(out *model.Output, f elf.ProgFlag) *model.Segment {
		return &model.Segment{Type: elf.PT_LOAD, Flags: f, Off: uint64(out.FileOff), Vaddr: out.Addr, Paddr: out.LMA, Filesz: out.Size, Memsz: out.Size, Align: 0x1000, Sections: []*model.Output{out}}
	}
	return e, []*model.Segment{seg(text, elf.PF_R|elf.PF_X), seg(data, elf.PF_R|elf.PF_W)}
}

func TestFile(t *testing.T) {
	for _, m := range all.All() {
		for _, d := range m.Orders {
			order := binary.ByteOrder(binary.LittleEndian)
			if d == elf.ELFDATA2MSB {
				order = binary.BigEndian
			}
			t.Run(fmt.Sprint(m.Name, m.Class, d), func(t *testing.T) { checkFile(t, m, order) })
		}
	}
}

func checkFile(t *testing.T, m *machine.Machine, order binary.ByteOrder) {
	e, segs := sample(t, m, order, 1)
	b, err := write.Bytes(e, segs)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != m.ELF || f.Class != m.Class || f.Type != elf.ET_EXEC || f.Entry != 0x10000 || len(f.Progs) != 2 {
		t.Errorf("header: %+v", f.FileHeader)
	}
	text, _ := f.Section(".text").Data()
	gap := "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	switch m.ELF {
	case elf.EM_X86_64:
		gap = "\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00\x66\x90"
	case elf.EM_386:
		gap = "\x66\x90\x66\x90\x66\x90\x66\x90\x66\x90\x66\x90"
	}
	if want := "\x01\x02\x03\x00" + gap + "\x01\x02\x03\x01"; string(text) != want {
		t.Errorf(".text: %x, want %x", text, want)
	}
	data, _ := f.Section(".data").Data()
	word := func(at int) uint64 {
		if m.WordSize() == 4 {
			return uint64(order.Uint32(data[at:]))
		}
		return order.Uint64(data[at:])
	}
	for at, want := range map[int]uint64{0: 0x10003, 8: 0x10003, 16: 0x20008, 32: 0x10013, 40: 0x10013, 48: 0x20028} {
		if word(at) != want {
			t.Errorf(".data+%d: %#x, want %#x", at, word(at), want)
		}
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, s := range syms {
		got += fmt.Sprintf("%s=%x/%d ", s.Name, s.Value, s.Section)
	}
	if want := "0.o=0/65521 l=20008/2 1.o=0/65521 l=20028/2 g0=10002/1 g1=10012/1 script=20004/2 "; got != want {
		t.Errorf("symbols: %s, want %s", got, want)
	}
}

func TestThreads(t *testing.T) {
	for _, opt := range []model.Options{{}, {CompressDebug: "zlib"}, {CompressDebug: "zstd"}, {Strip: model.StripAll}, {DiscardLocals: model.DiscardAll}} {
		var first []byte
		for threads := 1; threads <= 4; threads++ {
			e, segs := sample(t, all.Lookup(elf.EM_X86_64, elf.ELFCLASS64), binary.LittleEndian, threads)
			opt.Threads = threads
			*e.Opt = opt
			b, err := write.Bytes(e, segs)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(first, b) {
				t.Errorf("%+v: %d threads give another file", opt, threads)
			}
			f, err := elf.NewFile(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.Section(".debug_x").Data()
			if err != nil || len(d) != 212 || d[0] != 0 || d[211] != 1 {
				t.Errorf("%+v: .debug_x: %x, %v", opt, d, err)
			}
		}
	}
}

func TestNothingAfterError(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	e, segs := sample(t, all.Lookup(elf.EM_X86_64, elf.ELFCLASS64), binary.LittleEndian, 2)
	o := e.Objects[0].Sections[0]
	o.Synth = synth(func([]byte) { e.Report.ErrorAt(o, 0, fmt.Errorf("does not fit")) })
	if err := write.File(e, segs, name); err != write.ErrNothing {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	o.Synth = nil
	e.Report = &model.Report{}
	if err := os.Symlink("real", name); err != nil {
		t.Fatal(err)
	}
	if err := write.File(e, segs, name); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, "real"))
	if err != nil || st.Mode()&0o100 == 0 {
		t.Errorf("%v, %v", st, err)
	}
	if err := write.File(e, segs, "/dev/null"); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat("/dev/null"); err != nil || st.Mode().IsRegular() {
		t.Error("/dev/null was replaced")
	}
}
