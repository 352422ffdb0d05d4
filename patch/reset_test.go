package patch_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/patch"
)

// A shape is a way to make an image resettable. The program has data at 0x20000,
// 0x200 bytes of which 0x100 are in the file; [0x20040, 0x20080) is persistent.
type shape struct {
	name string
	// progs are the PT_LOADs besides the table's; table has four words an entry.
	progs []elffile.Prog
	table [][4]uint64
	zeros bool // .bss is restored from a copy that can grow
	first bool // the program may also be started without a reset
}

const (
	dataAt, aliasAt, tableAt = 0x20000, 0x31000, 0x50000
	dataOff, copyOff         = 0x1000, 0x2000
)

func load(flags elf.ProgFlag, off, vaddr, filesz, memsz uint64) elffile.Prog {
	return elffile.Prog{Type: elf.PT_LOAD, Flags: flags, Off: off, Vaddr: vaddr, Paddr: vaddr, Filesz: filesz, Memsz: memsz, Align: 0x1000}
}

var shapes = []shape{
	{ // what sel4-reset makes: the copy is the same bytes of the file at another address
		name:  "alias",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0x100, 0x200), load(4, dataOff, aliasAt, 0x100, 0x100)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x180, aliasAt + 0x80, 0x80}},
		zeros: true, first: true,
	},
	{ // the copy has bytes of its own
		name:  "copy",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0x100, 0x200), load(4, copyOff, aliasAt, 0xc0, 0xc0)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x180, aliasAt + 0x40, 0x80}},
		zeros: true, first: true,
	},
	{ // the bytes live in the copy alone
		name:  "deflated",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0, 0x200), load(4, copyOff, aliasAt, 0xc0, 0xc0)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x180, aliasAt + 0x40, 0x80}},
		zeros: true,
	},
	{ // something follows the copy
		name:  "no room",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0x100, 0x200), load(4, copyOff, aliasAt, 0xd0, 0xd0)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x180, aliasAt + 0x40, 0x80}},
		first: true,
	},
	{ // .bss is made zero, and the alias that has the data would have it, too
		name:  "zeros",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0x100, 0x200), load(4, dataOff, aliasAt, 0x100, 0x100)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x80, aliasAt + 0x80, 0x80}, {dataAt + 0x100, 0x80, 0, 0}, {dataAt + 0x180, 0x80, 0, 0}},
		zeros: true, first: true,
	},
	{ // .bss is made zero, and there is no copy
		name:  "zeros without a copy",
		progs: []elffile.Prog{load(6, dataOff, dataAt, 0x100, 0x200), load(4, copyOff, aliasAt, 0xc0, 0xc0)},
		table: [][4]uint64{{dataAt, 0x40, aliasAt, 0x40}, {dataAt + 0x80, 0x80, aliasAt + 0x40, 0x80}, {dataAt + 0x100, 0x100, 0, 0}},
		first: true,
	},
}

// build makes the image in a format.
func (s shape) build(format elffile.Format) *elffile.File {
	f := &elffile.File{Name: s.name, Format: format, Body: &elffile.Body{}}
	copy(f.Header.Ident[:], elf.ELFMAG)
	f.Header.Ident[elf.EI_CLASS], f.Header.Ident[elf.EI_DATA], f.Header.Ident[elf.EI_VERSION] = byte(format.Class), byte(format.Data), 1
	f.Header.Type, f.Header.Machine, f.Header.Version = elf.ET_EXEC, elf.EM_PPC, 1
	f.Header.Ehsize, f.Header.Phoff = uint16(f.EhdrSize()), uint64(f.EhdrSize())
	word := f.AddrSize()
	table := make([]byte, 0, 4*word*len(s.table))
	for _, e := range s.table {
		for _, v := range e {
			b := make([]byte, word)
			f.PutAddr(b, v)
			table = append(table, b...)
		}
	}
	head := load(5, 0, 0x10000, 0x400, 0x400)
	last := load(4, 0x3000, tableAt, uint64(len(table)), uint64(len(table)))
	meta := last
	meta.Type = 0x64c34001
	f.Progs = append(append([]elffile.Prog{head}, s.progs...), last, meta)
	f.Body.Truncate(0x3000 + int64(len(table)))
	f.Body.Put(0x3000, elffile.Buffer(table))
	data := initial()[:0x100]
	f.Body.Put(dataOff, elffile.Buffer(data))
	if s.progs[1].Off == copyOff {
		f.Body.Put(copyOff, elffile.Buffer(append(bytes.Clone(data[:0x40]), data[0x80:]...)))
	}
	f.SetSections(nil)
	if err := f.Renumber(0); err != nil {
		panic(err)
	}
	now, err := elffile.ParseBody(s.name, f.Encode())
	if err != nil {
		panic(err)
	}
	return now
}

// initial is the memory that the program starts with.
func initial() []byte {
	b := make([]byte, 0x200)
	for i := range 0x100 {
		b[i] = byte(i*5 + 1)
	}
	return b
}

// memoryOf is what a loader makes of n bytes at an address.
func memoryOf(f *elffile.File, addr, n uint64) []byte {
	b := make([]byte, n)
	for i := range f.Progs {
		p := &f.Progs[i]
		from, to := max(addr, p.Vaddr), min(addr+n, p.Vaddr+p.Filesz)
		if p.Type == elf.PT_LOAD && from < to {
			f.Body.ReadAt(b[from-addr:to-addr], int64(p.Off+from-p.Vaddr))
		}
	}
	return b
}

// reset does what the program's own code does: it fills memory by the table.
func reset(f *elffile.File, mem []byte) {
	word := uint64(f.AddrSize())
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != 0x64c34001 {
			continue
		}
		table := memoryOf(f, p.Vaddr, p.Memsz)
		for ; len(table) > 0; table = table[4*word:] {
			w := func(k uint64) uint64 { return f.Addr(table[k*word:]) }
			dst := mem[w(0)-dataAt:][:w(1)]
			clear(dst)
			if w(2) != 0 {
				copy(dst, memoryOf(f, w(2), w(3)))
			}
		}
	}
}

// formats are both classes in both byte orders.
var formats = []elffile.Format{
	{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB},
	{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB},
}

// TestReset writes to resettable images at random, across the borders of ranges,
// and resets them: what was written is there after it.
func TestReset(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for _, format := range formats {
		for _, s := range shapes {
			done := 0
			for range 60 {
				at, n := uint64(rnd.Intn(0x200)), uint64(rnd.Intn(0x60)+1)
				n = min(n, 0x200-at)
				value := make([]byte, n)
				rnd.Read(value)
				if rnd.Intn(4) == 0 {
					clear(value[n/2:])
				}
				f := s.build(format)
				set := patch.Set{Place: fmt.Sprintf("0x%x", dataAt+at), Type: "bytes", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(value)}}
				r, err := patch.Apply(f, []patch.Set{set}, patch.Options{})
				used := uint64(len(bytes.TrimRight(value, "\x00")))
				if used > 0 && at+used > 0x100 && !s.zeros {
					if !no(err) {
						t.Errorf("%s: 0x%x bytes at +0x%x: %v", s.name, n, at, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: 0x%x bytes at +0x%x: %v", s.name, n, at, err)
					continue
				}
				done++
				checkReset(t, s, r, at, value)
			}
			if done == 0 {
				t.Errorf("%s: nothing was done", s.name)
			}
		}
	}
}

func checkReset(t *testing.T, s shape, r *patch.Result, at uint64, value []byte) {
	t.Helper()
	now, err := elffile.ParseBody(s.name, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := initial()
	copy(want[at:], value)
	mem := memoryOf(now, dataAt, 0x200)
	if s.first && !bytes.Equal(mem, want) {
		t.Errorf("%s: 0x%x bytes at +0x%x: at the first start\n%x\nwant\n%x", s.name, len(value), at, mem, want)
	}
	for i := range mem { // what a run leaves behind
		mem[i] = 0xcc
	}
	reset(now, mem)
	for i := range mem {
		persistent := i >= 0x40 && i < 0x80
		if persistent && mem[i] != 0xcc || !persistent && mem[i] != want[i] {
			t.Errorf("%s: 0x%x bytes at +0x%x: +0x%x is 0x%x after a reset, want 0x%x", s.name, len(value), at, i, mem[i], want[i])
			return
		}
	}
}

// TestBrokenResetTable: what the table covers is not guessed.
func TestBrokenResetTable(t *testing.T) {
	for _, entry := range [][4]uint64{{dataAt, 0x40, aliasAt, 0x41}, {dataAt, ^uint64(0), 0, 0}, {dataAt, 0x40, ^uint64(0), 0x40}} {
		s := shapes[0]
		s.table = [][4]uint64{entry}
		_, err := patch.Apply(s.build(formats[0]), parse(t, "0x20000:u8=1"), patch.Options{})
		if err == nil || !strings.Contains(err.Error(), "is no range") {
			t.Errorf("%x: %v", entry, err)
		}
	}
}
