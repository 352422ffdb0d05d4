package freeze

import (
	"bytes"
	"encoding/binary"
	"testing"

	"elfwright/elffile"
	"elfwright/freeze/core"
)

// tinyCore is the core of a process that has what every one must: program headers,
// a stack with arguments, one thread, shared memory.
func tinyCore(t testing.TB) []byte {
	const text, stack = 0x400000, 0x7ffffffe0000
	o := binary.LittleEndian
	words := func(w ...uint64) (b []byte) {
		for _, v := range w {
			b = o.AppendUint64(b, v)
		}
		return b
	}
	auxv := words(3, text+0x40, 5, 1, 9, text+0x100, 25, stack+0x800, 31, stack+0x900, 33, 0, 0, 0)
	head := make([]byte, 0x1000)
	phdr := o.AppendUint32(nil, 1) // PT_LOAD
	phdr = o.AppendUint32(phdr, 5)
	copy(head[0x40:], append(phdr, words(0, text, text, 0x1000, 0x1000, 0x1000)...))
	mem := make([]byte, 0x1000)
	copy(mem[0x100:], append(words(1, stack+0x700, 0, stack+0x780, 0), auxv...))
	copy(mem[0x700:], "prog\x00")
	regs := make([]byte, amd64.Machine.Status.FPValid-amd64.Machine.Status.Regs)
	sp, _ := amd64.Machine.Status.Slot("rsp")
	o.PutUint64(regs[sp.Off:], stack+0x100)
	c := &core.Core{
		Info: core.Info{PID: 7, Name: "prog"}, Auxv: auxv, Threads: []core.Thread{{TID: 7, Regs: regs, Mask: 1, Pending: 2, Sets: []core.Set{{Owner: "CORE", Type: 2, Data: make([]byte, 512)}}}},
		Files: []core.File{{Start: text, End: text + 0x1000, Name: "/no/such/prog"}, {Start: 0x600000, End: 0x601000, Name: "/dev/zero (deleted)"}, {Start: 0x700000, End: 0x701000, Name: "/dev/zero (deleted)"}},
		Segments: []core.Segment{
			{Start: text, Size: 0x1000, Flags: 5, Stored: 0x1000, Parts: []core.Part{{Start: text, Data: elffile.Buffer(head)}}},
			{Start: 0x500000, Size: 0x2000, Flags: 6},
			{Start: 0x600000, Size: 0x1000, Flags: 6, Stored: 0x1000, Parts: []core.Part{{Start: 0x600000, Data: elffile.Buffer("shared")}}},
			{Start: 0x700000, Size: 0x1000, Flags: 6, Stored: 0x1000, Parts: []core.Part{{Start: 0x700000, Data: elffile.Buffer("other")}}},
			{Start: stack, Size: 0x1000, Flags: 6, Stored: 0x1000, Parts: []core.Part{{Start: stack, Data: elffile.Buffer(mem)}}},
		},
	}
	body, err := c.Write(amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := body.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzSnapshot makes processes of broken cores: it ends, in an error or in what can
// be compiled.
func FuzzSnapshot(f *testing.F) {
	empty, err := blank()
	if err != nil {
		f.Skip(err)
	}
	f.Add(0, []byte{})
	good := tinyCore(f)
	f.Add(0x40, []byte{6})
	f.Add(len(good)-0x1000+0x100, []byte{9})
	f.Fuzz(func(t *testing.T, at int, b []byte) {
		if at < 0 || at > len(good) {
			return
		}
		data := bytes.Clone(good)
		copy(data[at:], b)
		file, err := elffile.Parse("core", data)
		if err != nil {
			return
		}
		c, err := openCoreWith(file, "", empty)
		if err != nil {
			return
		}
		defer c.Close()
		opt := Options{}
		s, err := c.snapshot(&opt)
		if err != nil {
			return
		}
		if _, _, err := build(s, nil, opt); err != nil {
			return
		}
	})
}

// TestTinyCore: what the fuzzer starts from is whole.
func TestTinyCore(t *testing.T) {
	empty, err := blank()
	if err != nil {
		t.Fatal(err)
	}
	file, err := elffile.Parse("core", tinyCore(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCoreWith(file, "", empty)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	opt := Options{}
	s, err := c.snapshot(&opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := build(s, nil, opt); err != nil {
		t.Fatal(err)
	}
	if s.Stat.ArgStart != 0x7ffffffe0700 || s.Stat.EnvStart != 0x7ffffffe0780 || s.Stat.EnvEnd != 0x7ffffffe0900 || s.Stat.StartStack != 0x7ffffffe0100 {
		t.Errorf("%+v", s.Stat)
	}
	if s.Brk != 0x502000 || s.Stat.StartBrk != 0x500000 {
		t.Errorf("heap [%v, 0x%x)", s.Stat.StartBrk, s.Brk)
	}
}
