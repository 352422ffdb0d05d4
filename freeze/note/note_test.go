package note

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func sample() *Process {
	return &Process{
		Version: Version, PID: 7, Exe: "/bin/true", Machine: "x86-64", Threads: []Thread{{TID: 7, Regs: []byte{1, 2}}},
		Maps: []Map{
			{Range: Range{0x1000, 0x3000}, Prot: 5, Name: "/bin/true", Stored: []Run{{Range{0x1000, 0x1000}, 0x2000}, {Range{0x3000, 0x1000}, 0x3000}}},
			{Range: Range{0x4000, 0x1000}, Prot: 6},
		},
	}
}

func TestDecode(t *testing.T) {
	const size = 0x4000
	for _, c := range []struct {
		change func(p *Process)
		want   string
	}{
		{func(p *Process) {}, ""},
		{func(p *Process) { p.Version = 1 }, "Version: 1 is not 2"},
		{func(p *Process) { p.Threads = nil }, "Threads: there are none"},
		{func(p *Process) { p.Maps[1].Start = 0x2000 }, "Maps[1]: 0x1000 bytes at 0x2000, behind 0x4000, are no mapping"},
		{func(p *Process) { p.Maps[1].Size = ^uint64(0) }, "Maps[1]"},
		{func(p *Process) { p.Maps[0].Stored[1].Start = 0x1800 }, "Maps[0].Stored[1]: 0x1000 bytes at 0x1800 are not in [0x2000, 0x4000)"},
		{func(p *Process) { p.Maps[0].Stored[1].Size = 0x1001 }, "Maps[0].Stored[1]"},
		{func(p *Process) { p.Maps[0].Stored[0].At = 0x3001 }, "0x1000 bytes at offset 0x3001 are past the end of the file (0x4000)"},
		{func(p *Process) { p.Maps[0].Stored[0].At = -1 }, "past the end of the file"},
	} {
		p := sample()
		c.change(p)
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Decode(desc(b), size)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if _, err := Decode([]byte("{"), 0); err == nil {
		t.Error("half a document is read")
	}
}

// desc is the descriptor of an encoded note.
func desc(b []byte) []byte { return b[12+12:][:binary.LittleEndian.Uint32(b[4:])] }

// FuzzDecode: what is accepted can be written and read again, and lies in the file.
func FuzzDecode(f *testing.F) {
	b, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(desc(b), int64(0x4000))
	f.Add([]byte(`{"Version":2,"Threads":[{}]}`), int64(0))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		if size < 0 {
			return
		}
		p, err := Decode(b, size)
		if err != nil {
			return
		}
		for _, m := range p.Maps {
			for _, r := range m.Stored {
				if r.At+int64(r.Size) > size || r.Start+r.Size > m.Start+m.Size {
					t.Fatalf("%+v of %+v, in a file of %d bytes", r, m, size)
				}
			}
		}
		once, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		q, err := Decode(desc(once), size)
		if err != nil {
			t.Fatal(err)
		}
		if twice, _ := q.Encode(); !bytes.Equal(once, twice) {
			t.Fatalf("%s\nis, read again,\n%s", once, twice)
		}
	})
}
