package table_test

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/reset/table"
)

const tableAt = 0x8000

// file is an image with the segment of a table, after a change to its bytes.
func file(format elffile.Format, t *table.Table, change func(f elffile.Format, b []byte) []byte) *elffile.File {
	f := &elffile.File{Name: "prog", Format: format, Body: &elffile.Body{}}
	rows, err := t.Encode(format)
	if err != nil {
		panic(err)
	}
	b := append(t.Head(format), make([]byte, t.TableOff-table.HeadSize)...)
	b = change(format, append(b, rows...))
	f.Body.Put(0x1000, elffile.Buffer(b))
	n := uint64(len(b))
	f.Progs = []elffile.Prog{
		{Type: elf.PT_LOAD, Flags: 5, Off: 0x1000, Vaddr: tableAt, Filesz: n, Memsz: n, Align: 16},
		{Type: table.ProgType, Flags: 5, Off: 0x1000, Vaddr: tableAt, Filesz: n, Memsz: n, Align: 16},
	}
	return f
}

func sample(f elffile.Format) *table.Table {
	t := &table.Table{
		Addr: tableAt, Code: tableAt + table.HeadSize, CodeSize: 0x40, TableOff: 0x80, Slot: 0x7000, Entry: 0x1000, Flags: table.Deflated,
		Once: []table.Entry{{Dst: 0x5000, Size: 8, Src: 0x9000, SrcSize: 8}},
		Each: []table.Entry{{Dst: 0x4000, Size: 0x200, Src: 0x9010, SrcSize: 0x40}, {Dst: 0x4800, Size: 0x100}},
		Kept: []table.Kept{{Addr: 0x5000, Size: 0x10, Why: table.Persistent}, {Addr: 0x7000, Size: 0x80, Why: table.Own}},
	}
	t.Room = t.Size(f, 3)
	return t
}

var formats = []elffile.Format{
	{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB},
	{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB},
}

// TestRoundTrip: what is written is read.
func TestRoundTrip(t *testing.T) {
	for _, format := range formats {
		want := sample(format)
		want.Prog = 1
		have, err := table.Find(file(format, want, func(_ elffile.Format, b []byte) []byte { return b }))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%v (-want +have):\n%s", format, diff)
		}
		if have.Free(format) != 3 || have.CopyEnd() != 0x9050 {
			t.Errorf("%d rows free, the copy ends at 0x%x", have.Free(format), have.CopyEnd())
		}
	}
}

// TestFaults: each field that cannot be is named.
func TestFaults(t *testing.T) {
	word := func(f elffile.Format, b []byte, i int, v uint64) []byte { // of the table
		f.PutAddr(b[0x80+i*f.AddrSize():], v)
		return b
	}
	u32 := func(f elffile.Format, b []byte, at int, v uint32) []byte {
		f.PutU32(b[at:], v)
		return b
	}
	for _, tc := range []struct {
		name   string
		change func(f elffile.Format, b []byte) []byte
		want   string
	}{
		{"short", func(_ elffile.Format, b []byte) []byte { return b[:20] }, "magic"},
		{"magic", func(_ elffile.Format, b []byte) []byte { b[3] = 'x'; return b }, `do not begin with "ewreset\x00"`},
		{"version", func(f elffile.Format, b []byte) []byte { return u32(f, b, 8, 2) }, "version at 0x1008: 2 is unknown; 1 is known"},
		{"flags", func(f elffile.Format, b []byte) []byte { return u32(f, b, 12, 1<<20) }, "0x100000 has bits that are unknown"},
		{"code", func(f elffile.Format, b []byte) []byte { return u32(f, b, 20, 1<<30) }, "code at 0x1010"},
		{"table", func(f elffile.Format, b []byte) []byte { return u32(f, b, 24, 0x81) }, "table at 0x1018"},
		{"room", func(f elffile.Format, b []byte) []byte { return u32(f, b, 28, 1<<30) }, "room at 0x101c"},
		{"no end", func(f elffile.Format, b []byte) []byte { return u32(f, b, 28, uint32(16*f.AddrSize())) }, "end before"},
		{"first", func(f elffile.Format, b []byte) []byte { return word(f, b, 1, 7) }, "0x7 is no row of the table"},
		{"first too far", func(f elffile.Format, b []byte) []byte { return word(f, b, 1, uint64(8*4*f.AddrSize())) }, "is beyond the last entry"},
		{"start", func(f elffile.Format, b []byte) []byte { return word(f, b, 2, 0) }, "is not where the first start begins"},
		{"entry", func(f elffile.Format, b []byte) []byte { return word(f, b, 7, 9) }, "are no ranges"},
		{"kept", func(f elffile.Format, b []byte) []byte { return word(f, b, 4*5+1, f.MaxAddr()) }, "are no range of addresses"},
	} {
		for _, format := range formats {
			_, err := table.Find(file(format, sample(format), tc.change))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "prog: reset table (program header 1)") {
				t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
			}
		}
	}
}
