package picture

import (
	"bytes"
	"debug/elf"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/internal/term"
)

func Example() {
	file := elftest.Exec(elftest.Kinds()[0]).Bytes()
	f, err := elffile.Parse("exit42", file)
	if err != nil {
		fmt.Println(err)
		return
	}
	New(image.FromFile(f), f).Text(os.Stdout, TextOptions{Width: 76})
	// Output:
	// file offset             virtual address           physical address
	// 0x0    ┌─ LOAD 0 r-x ─┐░0x400000 ┌─ LOAD 0 r-x ─┐░0x400000 ┌─ LOAD 0 r-x ─┐
	// 0x0    │ ELF header   │░0x400000 │ ELF header   │░0x400000 │ ELF header   │
	// 0x40   │ program hea… │░0x400040 │ program hea… │░0x400040 │ program hea… │
	// 0x84   └──────────────┘░0x400084 └──────────────┘░0x400084 └──────────────┘
	// 0x84   end of file
}

// firmware is an image whose data is stored in flash and used in RAM: the three
// columns differ.
func firmware() elftest.File {
	const flash, ram = 0x08000000, 0x20000000
	data := bytes.Repeat([]byte{7}, 0x340)
	return elftest.File{
		Class: elf.ELFCLASS32, Type: elf.ET_EXEC, Machine: elf.EM_ARM, Base: flash, EntryIn: ".text",
		Segments: []elftest.Segment{
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_X, Sections: []string{".vectors", ".text", ".rodata"}},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".data"}, Paddr: flash + 0x8000},
			{Type: elf.PT_LOAD, Flags: elf.PF_R | elf.PF_W, Sections: []string{".bss"}},
			{Type: elf.PT_ARM_EXIDX, Flags: elf.PF_R, Sections: []string{".rodata"}},
		},
		Sections: []elftest.Section{
			{Name: ".vectors", Flags: elf.SHF_ALLOC, Data: make([]byte, 0x100), Align: 4},
			{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: make([]byte, 0x5800), Align: 4},
			{Name: ".rodata", Flags: elf.SHF_ALLOC, Data: make([]byte, 0x900), Align: 4},
			{Name: ".data", Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: ram, Data: data, Align: 4},
			{Name: ".bss", Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Addr: ram + 0x340, Size: 0x4000, Align: 4},
			{Name: ".comment", Data: []byte("GNU\x00")},
		},
	}
}

func model(t testing.TB, name string, data []byte) *Model {
	t.Helper()
	f, err := elffile.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	img := image.FromFile(f)
	img.ReadSections(f)
	return New(img, f)
}

func text(m *Model, opt TextOptions) string {
	var b strings.Builder
	m.Text(&b, opt)
	return b.String()
}

// TestFirmware holds the picture of the firmware against golden text.
func TestFirmware(t *testing.T) {
	m := model(t, "firmware.elf", firmware().Bytes())
	for _, width := range []int{120, 80, 50, 34} {
		golden := fmt.Sprintf("testdata/firmware-%d.txt", width)
		got := text(m, TextOptions{Width: width})
		if os.Getenv("ELFWRIGHT_UPDATE") != "" {
			os.WriteFile(golden, []byte(got), 0o644)
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != got {
			t.Errorf("%s (renew with ELFWRIGHT_UPDATE=1): %v\n%s", golden, err, cmp.Diff(string(want), got))
		}
	}
}

// TestPlaces: sections get the physical addresses of their segment, and what
// is not in memory gets none.
func TestPlaces(t *testing.T) {
	m := model(t, "firmware.elf", firmware().Bytes())
	at := make(map[string]Item)
	for _, it := range m.Items {
		at[it.Name] = it
	}
	if got := at[".data"].At[Physical]; got != (Extent{0x08008000, 0x340, true}) {
		t.Errorf(".data is at physical %+v", got)
	}
	if got := at[".bss"]; got.At[File].Ok || got.Filled != 0 || got.At[Virtual].Start != 0x20000340 {
		t.Errorf(".bss: %+v", got)
	}
	if got := at[".comment"]; got.At[Virtual].Ok || got.At[Physical].Ok || !got.At[File].Ok {
		t.Errorf(".comment: %+v", got)
	}
	if m.SamePhysical() {
		t.Error("physical addresses are taken for the virtual ones")
	}
}

// TestCorpus draws every good and malformed file in many widths: no line is too
// long, all colour codes are closed, and the figure is XML.
func TestCorpus(t *testing.T) {
	for name, data := range elftest.Corpus() {
		f, err := elffile.Parse(name, data)
		if err != nil {
			continue
		}
		img := image.FromFile(f)
		img.ReadSections(f)
		check(t, name, New(img, f))
	}
}

func check(t testing.TB, name string, m *Model) {
	t.Helper()
	for _, width := range []int{30, 47, 80, 133} {
		for _, line := range strings.Split(text(m, TextOptions{Width: width}), "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Fatalf("%s: a line of %d characters for a width of %d:\n%s", name, n, width, line)
			}
		}
	}
	plain, styled := text(m, TextOptions{}), text(m, TextOptions{Style: term.Style{On: true}})
	if strings.Contains(plain, "\x1b") || strings.Count(styled, "\x1b[0m")*2 != strings.Count(styled, "\x1b[") {
		t.Errorf("%s: colour codes", name)
	}
	var b bytes.Buffer
	if err := m.SVG(&b); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: SVG: %v", name, err)
		}
	}
	for s, sc := range m.Scales {
		checkScale(t, fmt.Sprint(name, " ", Space(s)), sc)
	}
}

func checkScale(t testing.TB, name string, sc Scale) {
	t.Helper()
	for i := 1; i < len(sc); i++ {
		if sc[i].At <= sc[i-1].At || sc[i].Y <= sc[i-1].Y {
			t.Fatalf("%s: stop %d %+v is not behind %+v", name, i, sc[i], sc[i-1])
		}
		mid := sc[i-1].At + (sc[i].At-sc[i-1].At)/2
		if y := sc.Y(mid); y < sc[i-1].Y || y > sc[i].Y || math.IsNaN(y) {
			t.Fatalf("%s: Y(0x%x) = %v between %v and %v", name, mid, y, sc[i-1].Y, sc[i].Y)
		}
	}
	if len(sc) > 0 && (sc.Y(0) != 0 || sc.Y(math.MaxUint64) != sc.Height()) {
		t.Errorf("%s: outside of the scale", name)
	}
}

// TestGap: most of the address space is as tall as a page.
func TestGap(t *testing.T) {
	img := &image.Image{Name: "gap", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC}
	for i, at := range []image.Addr{0x400000, 0x402000, 0x7fff00000000, 0xfffffffffffff000} {
		img.Segments = append(img.Segments, image.Segment{Vaddr: at, Paddr: at, Memsz: 0x1000, Flags: elf.PF_R, Index: i, Off: image.NoOffset})
	}
	m := New(img, nil)
	sc := m.Scales[Virtual]
	small := sc.Y(0x402000) - sc.Y(0x401000)
	large := sc.Y(0x7fff00000000) - sc.Y(0x403000)
	if small <= 0 || math.Abs(small-large) > 1e-6 {
		t.Errorf("gaps of 0x1000 and 0x7ffeffbfd000 bytes are %v and %v tall", small, large)
	}
	if got := text(m, TextOptions{Width: 90}); !strings.Contains(got, "128T gap") || !strings.Contains(got, "0xffffffffffffffff") {
		t.Errorf("\n%s", got)
	}
}

// TestOverlap: what two segments claim is told in each space that it is in.
func TestOverlap(t *testing.T) {
	img := &image.Image{Name: "overlap", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC}
	for i, s := range []image.Segment{
		{Vaddr: 0x1000, Paddr: 0x1000, Memsz: 0x3000, Filesz: 0x3000, Off: 0x1000},
		{Vaddr: 0x3000, Paddr: 0x8000, Memsz: 0x2000, Filesz: 0x2000, Off: 0x4000},
		{Vaddr: 0x9000, Paddr: 0x9000, Memsz: 0x100, Filesz: 0x100, Off: 0x1800},
	} {
		s.Index, s.Flags = i, elf.PF_R
		img.Segments = append(img.Segments, s)
	}
	m := New(img, nil)
	want := []Overlap{
		{File, 0, 2, Extent{0x1800, 0x100, true}},
		{Virtual, 0, 1, Extent{0x3000, 0x1000, true}},
		{Physical, 1, 2, Extent{0x9000, 0x100, true}},
	}
	if diff := cmp.Diff(want, m.Overlaps); diff != "" {
		t.Error(diff)
	}
	if got := text(m, TextOptions{Width: 130}); !strings.Contains(got, "overlaps LOAD 0: 0x1000") {
		t.Errorf("\n%s", got)
	}
	check(t, "overlap", m)
}

// TestOrder: segments that are in another order in the file are joined by lines.
func TestOrder(t *testing.T) {
	img := &image.Image{Name: "order", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC}
	for i, off := range []int64{0x3000, 0x1000, 0x2000} {
		at := image.Addr(0x400000 + i*0x10000)
		img.Segments = append(img.Segments, image.Segment{Vaddr: at, Paddr: at, Memsz: 0x800, Filesz: 0x800, Off: off, Index: i, Flags: elf.PF_R})
	}
	got := text(New(img, nil), TextOptions{Width: 90})
	line := strings.Split(got, "\n")
	crossing := 0
	for _, l := range line {
		if strings.ContainsAny(l, "┐┘") && strings.Contains(l, "┐") {
			crossing++
		}
	}
	if crossing < 3 || strings.Count(got, "LOAD 0 r--") != 3 {
		t.Errorf("\n%s", got)
	}
}

// TestMaps: a process's mappings are on the scale, and gaps between them are
// compressed too.
func TestMaps(t *testing.T) {
	img := &image.Image{Name: "process", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_DYN}
	img.Segments = []image.Segment{{Vaddr: 0x555500000000, Memsz: 0x1000, Filesz: 0x1000, Flags: elf.PF_R}}
	m := New(img, nil,
		Map{Range: image.Range{Start: 0x555500000000, Size: 0x1000}, Prot: "r--p", Path: "/bin/x", Header: 0},
		Map{Range: image.Range{Start: 0x7ffffff00000, Size: 0x21000}, Prot: "rw-p", Path: "[stack]", Header: -1})
	if sc := m.Scales[Virtual]; len(sc) != 4 || !sc[1].Gap || sc.Height() > 200 {
		t.Errorf("scale %+v", sc)
	}
	stack := m.Items[len(m.Items)-1]
	if stack.Kind != Mapping || stack.Name != "rw-p [stack]" || stack.Prot != elf.PF_R|elf.PF_W {
		t.Errorf("%+v", stack)
	}
	check(t, "maps", m)
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 1023: "1023", 1024: "1.0K", 10189: "10K", 1048064: "1.0M", 1 << 30: "1.0G", math.MaxUint64: "16E"} {
		if got := Size(n); got != want || len(got) > 4 {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
}

func FuzzDraw(f *testing.F) {
	for _, data := range elftest.Corpus() {
		if len(data) < 1<<14 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := elffile.Parse("fuzz", data)
		if err != nil {
			return
		}
		img := image.FromFile(file)
		img.ReadSections(file)
		check(t, "fuzz", New(img, file))
	})
}
