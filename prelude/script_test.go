package prelude_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/prelude"
)

// sampleTrees has every kind of step.
func sampleTrees() []prelude.Tree {
	return []prelude.Tree{
		{Target: "/opt/app", Offset: 0x2000, Size: 0x1000},
		{Target: "/opt/app/data", Offset: 1 << 33, Size: 0x1000, Entries: []prelude.Entry{
			{Path: ".", Mode: unix.S_IFDIR | 0o700, Mtime: time.Unix(-5, 7)},
			{Path: "f", Mode: unix.S_IFREG | 0o4755, Offset: 5 << 30, Size: 2<<30 + 5, Xattrs: map[string][]byte{"user.a": []byte("1"), "user.b": nil, "security.x": {1}}},
			{Path: "g", HardLink: true, Link: "f"},
			{Path: "h", HardLink: true, Link: "g"},
			{Path: "l", Mode: unix.S_IFLNK | 0o777, Link: "f", UID: 1<<32 - 1},
			{Path: "p", Mode: unix.S_IFIFO | 0o600},
		}},
	}
}

// TestDecode: a script is printed in words that tell what it does.
func TestDecode(t *testing.T) {
	b := prelude.NewBuilder(amd64.Machine)
	fd, failed, again := b.Word(), b.Label(), b.Label()
	b.Place(again)
	b.Call("openat", fd, failed, prelude.Int(-100), b.Text("/dev/null"), prelude.Int(0x80000))
	b.Equal(fd.Get(), prelude.Int(3), again)
	b.Below(fd.Get(), prelude.Int(3), failed)
	b.Add(fd, prelude.Base(), prelude.Int(16))
	b.Load(fd, fd.Get(), prelude.Int(8))
	b.Store(b.Buffer(8), fd.Get())
	b.Jump(again)
	b.Place(failed)
	b.End()
	script, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	got, err := prelude.Decode(amd64.Machine, script)
	const want = `x86-64: 8 records, 0xa bytes of data, 0x20 of scratch memory; the old entry is script+0x0
>    0  w8 = openat(-100, "/dev/null", 0x80000), if it fails -> 7
     1  if w8 == 3 -> 0
     2  if w8 < 3 -> 7
     3  w8 = script+0x0 + 0x10
     4  w8 = [w8 + 8]
     5  [&w10] = w8
     6  jump -> 0
>    7  end
`
	if err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

// TestMountsDeterministic: equal trees give equal scripts, and offsets do not change
// their length.
func TestMountsDeterministic(t *testing.T) {
	for _, m := range machines() {
		one, err := prelude.Mounts(m, sampleTrees())
		if err != nil {
			t.Fatal(err)
		}
		two, err := prelude.Mounts(m, sampleTrees())
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two scripts for equal trees, %v", m.Name, err)
		}
		trees := sampleTrees()
		trees[0].Offset, trees[1].Offset, trees[1].Entries[1].Offset = 0, 0, 0
		if two, err = prelude.Mounts(m, trees); err != nil || len(two) != len(one) || bytes.Equal(one, two) {
			t.Errorf("%s: 0x%x bytes with other offsets, and 0x%x before, %v", m.Name, len(two), len(one), err)
		}
		s, err := prelude.Parse(m, one)
		if err != nil || !bytes.Equal(s.Encode(), one) {
			t.Errorf("%s: parsed and encoded a script is another, %v", m.Name, err)
		}
		text := s.String()
		for _, w := range []string{`"erofs"`, "unshare(", "capset(", `"/proc/self/uid_map"`} {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %s is not in\n%s", m.Name, w, text)
			}
		}
	}
}

func machines() []*machine.Machine {
	var list []*machine.Machine
	for _, h := range harnesses() {
		if h.flags == nil || h.flags[0] != "-marm" {
			list = append(list, h.m)
		}
	}
	return list
}

// TestParse: each thing that may be wrong with a script is told with its place.
func TestParse(t *testing.T) {
	b := prelude.NewBuilder(arm.Machine)
	w, l := b.Word(), b.Label()
	b.Call("write", w, l, prelude.Int(1), b.Text("hello"), prelude.Int(5), w.Get(), b.Buffer(16))
	b.Place(l)
	b.End()
	good, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		edit func([]byte) []byte
		want string
		off  int64
	}{
		{"short", func(b []byte) []byte { return b[:20] }, "0x14 bytes are fewer than its head has (0x28)", 0},
		{"magic", func(b []byte) []byte { b[0] = 'x'; return b }, `"xWS1" is not "EWS1"`, 0},
		{"scratch 0", func(b []byte) []byte { le.PutUint32(b[4:], 0); return b }, "scratch at 0x4: 0x0 is not a multiple of 16 from 16 to 0x10000", 4},
		{"scratch", func(b []byte) []byte { le.PutUint32(b[4:], 0x10010); return b }, "0x10010 is not a multiple", 4},
		{"records", func(b []byte) []byte { le.PutUint32(b[8:], 41); return b }, "0x29 is not a number of records", 8},
		{"many records", func(b []byte) []byte { le.PutUint32(b[8:], 40*1000); return b }, "0x9c40 is not a number of records", 8},
		{"machine", func(b []byte) []byte { b[12] = 3; return b }, "e_machine 3, class 1 is not ARM (40, 1)", 12},
		{"zero", func(b []byte) []byte { b[15] = 1; return b }, "1 where 0 should be", 15},
		{"op", func(b []byte) []byte { b[40] = 11; return b }, "record 0 at 0x28: operation 11 is unknown", 40},
		{"bits", func(b []byte) []byte { b[43] = 1; return b }, "bits that have no meaning are set: 0x01", 42},
		{"to", func(b []byte) []byte { le.PutUint32(b[48:], 0x20); return b }, "the result's place 0x20 is no word in 0x20 bytes", 48},
		{"to odd", func(b []byte) []byte { le.PutUint32(b[48:], 2); return b }, "the result's place 0x2 is no word", 48},
		{"jump", func(b []byte) []byte { le.PutUint32(b[52:], 25); return b }, "the jump to 0x19 leads to no record in [0x28, 0x78)", 52},
		{"jump beyond", func(b []byte) []byte { le.PutUint32(b[52:], 40+80); return b }, "the jump to 0x78 leads to no record", 52},
		{"pointer", func(b []byte) []byte { le.PutUint32(b[60:], 0x1000); return b }, "operand 1, 0x1000, is beyond 0x7e", 60},
		{"value", func(b []byte) []byte { le.PutUint32(b[68:], 0x1d); return b }, "operand 3, 0x1d, is beyond 0x1c", 68},
		{"address", func(b []byte) []byte { le.PutUint32(b[72:], 0xffffffff); return b }, "operand 4", 72},
		{"no end", func(b []byte) []byte { b[80] = 4; return b }, "the last one is add and not an end", 80},
		{"no target", func(b []byte) []byte { b[40] = 2; le.PutUint32(b[52:], 0); return b }, "equal has nowhere to jump to", 52},
	} {
		_, err := prelude.Parse(arm.Machine, c.edit(bytes.Clone(good)))
		e, ok := errors.AsType[*elffile.Error](err)
		if !ok || !strings.Contains(err.Error(), c.want) || e.Off != c.off {
			t.Errorf("%s: %v (%+v), want %s at 0x%x", c.name, err, e, c.want, c.off)
		}
	}
}

// TestBuilder: what cannot be written is told by Script.
func TestBuilder(t *testing.T) {
	for _, c := range []struct {
		m    *machine.Machine
		do   func(*prelude.Builder)
		want string
	}{
		{amd64.X32, func(*prelude.Builder) {}, "x32: no prelude yet"},
		{amd64.Machine, func(b *prelude.Builder) { b.Call("uselib", b.Word(), 0) }, "x86-64: the number of the system call uselib is not known"},
		{amd64.Machine, func(b *prelude.Builder) { b.Set(b.Word(), prelude.Int(1<<31)) }, "operand 0x80000000 of add does not fit 32 signed bits"},
		{amd64.Machine, func(b *prelude.Builder) { b.Buffer(1 << 17) }, "0x20008 bytes of scratch memory are more than 0x10000"},
		{amd64.Machine, func(b *prelude.Builder) { b.Text("a\x00b") }, `the string "a\x00b" has a NUL`},
		{amd64.Machine, func(b *prelude.Builder) { b.Jump(b.Label()) }, "record 0 jumps to label 1, which is before no record"},
		{amd64.Machine, func(b *prelude.Builder) { l := b.Here(); b.Place(l) }, "label 1 is placed twice"},
		{arm.Machine, func(b *prelude.Builder) { b.Table(prelude.Int(1 << 32)) }, "0x100000000 does not fit a word of 4 bytes"},
		{arm.Machine, func(b *prelude.Builder) { b.Table(b.Word().Get()) }, "a word of a table is a value that only the running program has"},
		{arm.Machine, func(b *prelude.Builder) { b.Call("getpid", b.Word(), 0, make([]prelude.Arg, 7)...) }, "call with 7 operands, at most 6 are possible"},
	} {
		b := prelude.NewBuilder(c.m)
		c.do(b)
		b.End()
		if _, err := b.Script(); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// TestTrees: what no script could do is refused before there is one.
func TestTrees(t *testing.T) {
	dir := prelude.Entry{Path: "d", Mode: unix.S_IFDIR | 0o755}
	with := func(e ...prelude.Entry) []prelude.Tree { return []prelude.Tree{{Target: "/t", Entries: e}} }
	for _, c := range []struct {
		trees []prelude.Tree
		want  string
	}{
		{nil, "no tree to mount"},
		{[]prelude.Tree{{Target: "opt", Size: 1}}, "tree opt: the target is not an absolute, clean path"},
		{[]prelude.Tree{{Target: "/opt/", Size: 1}}, "not an absolute, clean path"},
		{[]prelude.Tree{{Target: "/", Size: 1}}, "/ cannot be covered"},
		{[]prelude.Tree{{Target: "/" + strings.Repeat("a", 4095), Size: 1}}, "a target of 4096 bytes is longer than a path may be (4095)"},
		{[]prelude.Tree{{Target: "/t"}}, "neither an image nor entries"},
		{[]prelude.Tree{{Target: "/t", Offset: -1, Size: 1}}, "are no place in a file"},
		{[]prelude.Tree{{Target: "/t", Size: 1}, {Target: "/t", Size: 1}}, "two trees for one target"},
		{with(prelude.Entry{Path: "../x", Mode: unix.S_IFREG}), "not a clean relative path"},
		{with(prelude.Entry{Path: "d/x", Mode: unix.S_IFREG}), `no directory before it is "d"`},
		{with(dir, dir), "there is one of this name before it"},
		{with(prelude.Entry{Path: "x", Mode: 0o644}), "the mode 0644 has an unknown type"},
		{with(prelude.Entry{Path: "x", Mode: unix.S_IFLNK}), "a symbolic link of 0 bytes"},
		{with(prelude.Entry{Path: "x", HardLink: true, Link: "y"}), `a hard link to "y", which is no file before it`},
		{with(dir, prelude.Entry{Path: "x", HardLink: true, Link: "d"}), `a hard link to "d"`},
		{with(prelude.Entry{Path: "x", Mode: unix.S_IFREG, Offset: 1<<63 - 1, Size: 1}), "are no place in a file"},
		{with(prelude.Entry{Path: "x", Mode: unix.S_IFREG, Xattrs: map[string][]byte{"": nil}}), "an extended attribute has the name"},
		{with(prelude.Entry{Path: strings.Repeat("a", 4094), Mode: unix.S_IFREG}), "the path would be longer than 4095 bytes"},
	} {
		if _, err := prelude.Mounts(amd64.Machine, c.trees); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if _, err := prelude.Mounts(amd64.X32, with()[:1]); err == nil {
		t.Error("a script for x32")
	}
}

// FuzzDecode: no script makes it panic, and what is accepted is encoded as it was.
func FuzzDecode(f *testing.F) {
	for _, m := range machines() {
		script, err := prelude.Mounts(m, sampleTrees())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(script)
		if script, _, err = operations(m); err != nil {
			f.Fatal(err)
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		for _, m := range machines() {
			text, err := prelude.Decode(m, script)
			if err != nil {
				if text != "" {
					t.Errorf("an error and a text")
				}
				continue
			}
			s, err := prelude.Parse(m, script)
			if err != nil || !bytes.Equal(s.Encode(), script) {
				t.Errorf("%s: encoded again it is another, %v", m.Name, err)
			}
			if n := strings.Count(text, "\n"); n != len(s.Records)+1 {
				t.Errorf("%d lines for %d records", n, len(s.Records))
			}
		}
	})
}
