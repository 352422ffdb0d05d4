package reset_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/patch"
	"elfwright/reset"
	"elfwright/reset/table"
)

// The program of these tests: its writable memory is [dataAt, dataAt+memSize), of
// which fileSize bytes are in the file, with a long run of zeros among them. Two
// ranges are persistent, one of them in .bss.
const (
	textAt, dataAt = 0x10000, 0x20000
	dataOff        = 0x1000
	fileSize       = 0x700
	memSize        = 0xc00
)

var persistentRanges = []image.Range{{Start: dataAt + 0x40, Size: 0x40}, {Start: dataAt + 0xa00, Size: 0x20}}

// kinds are the machines and byte orders that have code for a reset.
var kinds = []struct {
	machine elf.Machine
	format  elffile.Format
}{
	{elf.EM_X86_64, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}},
	{elf.EM_386, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}},
	{elf.EM_AARCH64, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}},
	{elf.EM_AARCH64, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB}},
	{elf.EM_ARM, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}},
	{elf.EM_ARM, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB}},
	{elf.EM_RISCV, elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}},
	{elf.EM_RISCV, elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}},
}

// first is the memory that the program starts with.
func first() []byte {
	b := make([]byte, memSize)
	for i := range fileSize {
		if i < 0x200 || i >= 0x500 {
			b[i] = byte(i*5 + 1)
		}
	}
	return b
}

// synthetic makes the program for a machine; it has no sections.
func synthetic(machine elf.Machine, format elffile.Format) *elffile.File {
	f := &elffile.File{Name: machine.String(), Format: format, Body: &elffile.Body{}}
	copy(f.Header.Ident[:], elf.ELFMAG)
	f.Header.Ident[elf.EI_CLASS], f.Header.Ident[elf.EI_DATA], f.Header.Ident[elf.EI_VERSION] = byte(format.Class), byte(format.Data), 1
	f.Header.Type, f.Header.Machine, f.Header.Version, f.Header.Entry = elf.ET_EXEC, machine, 1, textAt+0x300
	f.Header.Ehsize, f.Header.Phoff = uint16(f.EhdrSize()), uint64(f.EhdrSize())
	load := func(flags elf.ProgFlag, off, vaddr, filesz, memsz uint64) elffile.Prog {
		return elffile.Prog{Type: elf.PT_LOAD, Flags: flags, Off: off, Vaddr: vaddr, Paddr: vaddr, Filesz: filesz, Memsz: memsz, Align: 0x1000}
	}
	f.Progs = []elffile.Prog{load(5, 0, textAt, 0x400, 0x400), load(6, dataOff, dataAt, fileSize, memSize)}
	f.Body.Put(dataOff, elffile.Buffer(first()[:fileSize]))
	f.SetSections(nil)
	if err := f.Renumber(0); err != nil {
		panic(err)
	}
	now, err := elffile.ParseBody(f.Name, f.Encode())
	if err != nil {
		panic(err)
	}
	return now
}

// A write is a value for an address of the program.
type write struct {
	at    uint64 // from dataAt
	value []byte
}

// writes are some at random: within and across the borders of data, zeros, .bss
// and persistent ranges.
func writes(rnd *rand.Rand) []write {
	borders := []int{0, 0x40, 0x80, 0x200, 0x500, fileSize, 0xa00, 0xa20, memSize}
	list := make([]write, 1+rnd.Intn(4))
	for i := range list {
		at := rnd.Intn(memSize)
		if rnd.Intn(2) == 0 {
			at = max(0, min(memSize-1, borders[rnd.Intn(len(borders))]+rnd.Intn(17)-8))
		}
		value := make([]byte, min(rnd.Intn(0x50)+1, memSize-at))
		if rnd.Intn(5) > 0 {
			rnd.Read(value)
		}
		list[i] = write{uint64(at), value}
	}
	return list
}

func patched(t *testing.T, f *elffile.File, list []write) *elffile.File {
	t.Helper()
	var sets []patch.Set
	for _, w := range list {
		sets = append(sets, patch.Set{Place: fmt.Sprintf("0x%x", dataAt+w.at), Type: "bytes", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(w.value)}})
	}
	r, err := patch.Apply(f, sets, patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return parseBody(t, f.Name, r.Body)
}

func resettable(t *testing.T, f *elffile.File, opt reset.Options) *elffile.File {
	t.Helper()
	r, err := reset.Apply(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return parseBody(t, f.Name, r.Body)
}

func parseBody(t *testing.T, name string, body *elffile.Body) *elffile.File {
	t.Helper()
	f, err := elffile.ParseBody(name, body)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// loaded is what a loader makes of memory.
func loaded(f *elffile.File, addr, n uint64) []byte {
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

// carryOut does what the code does with rows of the table.
func carryOut(f *elffile.File, rows []table.Entry, mem []byte) {
	for _, e := range rows {
		dst := mem[e.Dst-dataAt:][:e.Size]
		clear(dst)
		copy(dst, loaded(f, e.Src, e.SrcSize))
	}
}

// checkStates holds the memory of a resettable program against what is wanted: at
// the first start, and after a run that changed all of it.
func checkStates(t *testing.T, f *elffile.File, want []byte) {
	t.Helper()
	tab, err := table.Find(f)
	if tab == nil || err != nil {
		t.Fatal(tab, err)
	}
	mem := loaded(f, dataAt, memSize)
	if tab.Flags&table.Deflated == 0 && !bytes.Equal(mem, want) {
		t.Errorf("started without the code:\n%x\nwant\n%x", mem, want)
	}
	carryOut(f, tab.Once, mem)
	carryOut(f, tab.Each, mem)
	if !bytes.Equal(mem, want) {
		t.Errorf("at the first start:\n%x\nwant\n%x", mem, want)
	}
	for i := range mem {
		mem[i] = 0xcc
	}
	carryOut(f, tab.Each, mem)
	for i := range mem {
		kept := persistentRanges[0].Contains(dataAt+image.Addr(i)) || persistentRanges[1].Contains(dataAt+image.Addr(i))
		if kept && mem[i] != 0xcc || !kept && mem[i] != want[i] {
			t.Fatalf("+0x%x is 0x%x after a reset, want 0x%x (persistent: %v)", i, mem[i], want[i], kept)
		}
	}
	if _, err := reset.Verify(f, nil); err != nil {
		t.Error(err)
	}
}

// TestPatchAndReset patches programs at random, before they are made resettable,
// after it, and some before and some after: they start with the same memory, at
// first and after a reset.
func TestPatchAndReset(t *testing.T) {
	opt := reset.Options{}
	for _, r := range persistentRanges {
		opt.Persistent = append(opt.Persistent, fmt.Sprintf("0x%x..0x%x", uint64(r.Start), uint64(r.End())))
	}
	for _, k := range kinds {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(fmt.Sprintf("%v/%v/%v/%v", k.machine, k.format.Class, k.format.Data, shape), func(t *testing.T) {
				opt := opt
				opt.Shape = shape
				rnd := rand.New(rand.NewSource(int64(k.machine)))
				for range 25 {
					list := writes(rnd)
					want := first()
					for _, w := range list {
						copy(want[w.at:], w.value)
					}
					f := synthetic(k.machine, k.format)
					n := rnd.Intn(len(list))
					checkStates(t, resettable(t, patched(t, f, list), opt), want)
					checkStates(t, patched(t, resettable(t, f, opt), list), want)
					if n > 0 {
						both := patched(t, resettable(t, patched(t, f, list[:n]), opt), list[n:])
						checkStates(t, patched(t, both, list[n:]), want)
					}
					if t.Failed() {
						t.Fatalf("writes: %x, %d of them before", list, n)
					}
				}
			})
		}
	}
}

// TestSpare: where rows are lacking, values share one, but never across memory that
// is left alone; and a table without a free row says what helps.
func TestSpare(t *testing.T) {
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		opt := reset.Options{Shape: shape, Spare: 2}
		for _, r := range persistentRanges {
			opt.Persistent = append(opt.Persistent, fmt.Sprintf("0x%x..0x%x", uint64(r.Start), uint64(r.End())))
		}
		f := resettable(t, synthetic(elf.EM_X86_64, kinds[0].format), opt)
		var list []write
		want := first()
		for at := uint64(fileSize + 0x100); at < memSize; at += 0x80 { // on both sides of a persistent range
			if at < 0xa00 || at >= 0xa20 {
				list = append(list, write{at, []byte{byte(at >> 4), 1, 2}})
				copy(want[at:], list[len(list)-1].value)
			}
		}
		f = patched(t, f, list)
		checkStates(t, f, want)
		set := patch.Set{Place: fmt.Sprintf("0x%x", dataAt+fileSize+0x50), Type: "u8", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer{9}}}
		_, err := patch.Apply(f, []patch.Set{set}, patch.Options{})
		if err == nil || !strings.Contains(err.Error(), "0 rows free: say --spare") {
			t.Errorf("%s: a table without a free row: %v", shape, err)
		}
	}
}

// TestLargeValue: a value that is longer than the spare bytes makes the segment of
// the copy grow.
func TestLargeValue(t *testing.T) {
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		f := resettable(t, synthetic(elf.EM_AARCH64, kinds[2].format), reset.Options{Shape: shape, Persistent: []string{"0x20040..0x20080", "0x20a00..0x20a20"}})
		want := first()
		value := bytes.Repeat([]byte("ab"), 0x180)
		copy(want[fileSize-8:], value)
		f = patched(t, f, []write{{fileSize - 8, value}})
		checkStates(t, f, want)
	}
}

// TestManyRows: memory with very many runs of zeros has a table of bounded length.
func TestManyRows(t *testing.T) {
	const size = 6000 * 400
	data := make([]byte, size)
	for i := 0; i < size; i += 400 {
		for k := range 100 {
			data[i+k] = byte(k + 1)
		}
	}
	f := change(elf.EM_RISCV, func(f *elffile.File) {
		f.Progs[1].Filesz, f.Progs[1].Memsz = size, size+100
		f.Body.Put(dataOff, elffile.Buffer(data))
	})
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		r, err := reset.Apply(f, reset.Options{Shape: shape})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(r.Report.Entries); n == 0 || n > 4096 {
			t.Errorf("%s: %d rows", shape, n)
		}
		if _, err := reset.Verify(parseBody(t, f.Name, r.Body), f); err != nil {
			t.Error(err)
		}
	}
	for _, spare := range []int{-1, 40000} {
		if _, err := reset.Apply(f, reset.Options{Spare: spare}); err == nil || !strings.Contains(err.Error(), "spare rows are not between 0 and 32768") {
			t.Errorf("%d spare rows: %v", spare, err)
		}
	}
}
