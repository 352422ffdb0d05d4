package core_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/freeze/core"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

// sample is a core of two threads and three mappings.
func sample() *core.Core {
	regs := bytes.Repeat([]byte{7, 0, 0, 0, 0, 0, 0, 0}, 27)
	return &core.Core{
		Name:    "sample",
		Info:    core.Info{StateName: 'R', Nice: -5, Flags: 0x400000, UID: 1000, GID: 100, PID: 42, Parent: 1, Group: 42, Session: 3, Name: "prog", Args: "prog one two"},
		Siginfo: make([]byte, 128), Auxv: make([]byte, 16),
		Threads: []core.Thread{
			{TID: 42, Parent: 1, Group: 42, Session: 3, Signal: 3, Mask: 1 << 9, Regs: regs, Sets: []core.Set{{"CORE", 2, make([]byte, 512)}, {"LINUX", 0x202, make([]byte, 832)}}},
			{TID: 43, Parent: 1, Group: 42, Session: 3, Pending: 2, Regs: regs, Sets: []core.Set{{"CORE", 2, make([]byte, 512)}}},
		},
		Files: []core.File{{0x400000, 0x402000, 0x1000, "/bin/prog"}},
		Segments: []core.Segment{
			{Start: 0x400000, Size: 0x2000, Flags: elf.PF_R | elf.PF_X, Stored: 0x1000, Parts: []core.Part{{0x400000, elffile.Buffer(bytes.Repeat([]byte("text"), 0x400))}}},
			{Start: 0x500000, Size: 0x1000, Flags: elf.PF_R},
			{Start: 0x600000, Size: 0x3000, Flags: elf.PF_R | elf.PF_W, Stored: 0x3000, Parts: []core.Part{{0x601000, elffile.Buffer("data")}}},
		},
	}
}

func encode(t testing.TB, c *core.Core) []byte {
	t.Helper()
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

func read(b []byte) (*core.Core, error) {
	f, err := elffile.Parse("sample", b)
	if err != nil {
		return nil, err
	}
	return core.Read(f, amd64.Machine)
}

// flat takes the contents out of a core, to be compared.
func flat(t *testing.T, c *core.Core) [][]byte {
	var out [][]byte
	for i := range c.Segments {
		s := &c.Segments[i]
		all := make([]byte, s.Stored)
		for _, p := range s.Parts {
			b, err := elffile.Bytes(p.Data)
			if err != nil {
				t.Fatal(err)
			}
			copy(all[p.Start-s.Start:], b)
		}
		out = append(out, all)
		s.Parts = nil
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	want := sample()
	got, err := read(encode(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(flat(t, want), flat(t, got)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestMany has more mappings than e_phnum can count.
func TestMany(t *testing.T) {
	c := sample()
	c.Segments = nil
	for i := range uint64(66000) {
		c.Segments = append(c.Segments, core.Segment{Start: 0x10000 + i*0x2000, Size: 0x1000, Flags: elf.PF_R})
	}
	got, err := read(encode(t, c))
	if err != nil || len(got.Segments) != 66000 {
		t.Fatal(err)
	}
}

// TestReadelf asks another program what the notes are.
func TestReadelf(t *testing.T) {
	samples.Need(t, "readelf")
	name := filepath.Join(t.TempDir(), "core")
	if err := os.WriteFile(name, encode(t, sample()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("readelf", "-nlW", name).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("arning")) {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"NT_PRSTATUS", "NT_PRPSINFO", "NT_SIGINFO", "NT_AUXV", "NT_FILE", "NT_FPREGSET", "NT_X86_XSTATE", "0x003000 0x003000 RW"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		change func(c *core.Core)
		want   string
	}{
		{func(c *core.Core) { c.Threads = nil }, "no thread is among them"},
		{func(c *core.Core) { c.Segments[1].Start = 0x401000 }, "[0x400000, 0x402000) and [0x401000, 0x402000) overlap"},
		{func(c *core.Core) { c.Segments[1].Start++ }, "p_vaddr"},
		{func(c *core.Core) { c.Files[0].End = 0 }, "NT_FILE, entry 0"},
	} {
		s := sample()
		c.change(s)
		if _, err := read(encode(t, s)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	whole := encode(t, sample())
	if _, err := read(whole[:len(whole)-1]); err == nil || !strings.Contains(err.Error(), "the core is cut off") {
		t.Errorf("cut off: error %v", err)
	}
}

// FuzzRead: a core that is read has its parts in the file and is, written and read
// again, the same.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := read(b)
		if err != nil {
			return
		}
		size := uint64(0)
		for _, s := range c.Segments {
			size += s.Stored
		}
		if size > uint64(len(b))*uint64(len(c.Segments)) {
			t.Fatalf("0x%x bytes of 0x%x", size, len(b))
		}
		for i := range c.Threads {
			c.Threads[i].Regs = c.Threads[i].Regs[:27*8]
		}
		body, err := c.Write(amd64.Machine)
		if err != nil {
			t.Fatal(err)
		}
		if body.Size() > 1<<18 {
			return
		}
		again, err := read(encode(t, c))
		if err != nil {
			t.Fatal(err)
		}
		flat(t, c)
		flat(t, again)
		if d := cmp.Diff(c.Segments, again.Segments); d != "" {
			t.Fatal(d)
		}
	})
}
