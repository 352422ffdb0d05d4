package flat_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/flat"
	"elfwright/image"
	"elfwright/internal/samples"
)

var formats64 = []elffile.Format{
	{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS32, Data: elf.ELFDATA2MSB},
	{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, {Class: elf.ELFCLASS64, Data: elf.ELFDATA2MSB},
}

// load is bytes at a physical address; the virtual one is another.
type load struct {
	paddr uint64
	data  []byte
}

const virtualBias = 0x40

// program is a file of PT_LOADs alone, without section headers.
func program(t testing.TB, format elffile.Format, entry uint64, loads ...load) *elffile.File {
	t.Helper()
	img := &image.Image{Name: "program", Format: format, Type: elf.ET_EXEC, Machine: elf.EM_NONE, Entry: image.Addr(entry)}
	for _, l := range loads {
		n := uint64(len(l.data))
		img.Segments = append(img.Segments, image.Segment{Vaddr: image.Addr((l.paddr + virtualBias) & format.MaxAddr()), Paddr: image.Addr(l.paddr),
			Filesz: n, Memsz: n + 16, Flags: elf.PF_R, Align: 1, Data: elffile.Buffer(l.data), Off: image.NoOffset, Index: image.NoIndex})
	}
	f, err := img.File()
	if err != nil {
		t.Fatal(err)
	}
	f, err = elffile.Parse("program", written(t, f.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func flatten(t testing.TB, f *elffile.File, opt flat.Options) ([]byte, *flat.Report) {
	t.Helper()
	r, err := flat.Flatten(f, opt)
	if err != nil {
		t.Fatalf("%+v: %v", opt, err)
	}
	return written(t, r.Body), r.Report
}

// refused checks that a program is refused with a message that has all words.
func refused(t *testing.T, f *elffile.File, opt flat.Options, words ...string) {
	t.Helper()
	r, err := flat.Flatten(f, opt)
	no, ok := errors.AsType[*flat.Refusal](err)
	if !ok {
		t.Errorf("%+v: %v, %v", opt, r, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(no.Error(), w) || !no.No() {
			t.Errorf("%q is not in %q", w, no)
		}
	}
}

// TestNoSections flattens samples that have no section headers; what comes out is
// the memory that their PT_LOADs say.
func TestNoSections(t *testing.T) {
	n := 0
	for _, p := range samples.Programs() {
		if !p.NoSections {
			continue
		}
		n++
		t.Run(p.Name, func(t *testing.T) {
			f := open(t, p.Build(t))
			got, r := flatten(t, f, flat.Options{})
			if r.Mode != "segments" {
				t.Errorf("mode %s", r.Mode)
			}
			if want := memoryOf(t, f, func(p *elffile.Prog) uint64 { return p.Paddr }); !bytes.Equal(got, want) {
				t.Error(difference(got, want))
			}
		})
	}
	if n == 0 {
		t.Error("no sample without section headers")
	}
}

// memoryOf is a model: the bytes of the PT_LOADs from the lowest address on.
func memoryOf(t testing.TB, f *elffile.File, at func(*elffile.Prog) uint64) []byte {
	t.Helper()
	low, high := ^uint64(0), uint64(0)
	each := func(do func(p *elffile.Prog, i int)) {
		for i := range f.Progs {
			if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz > 0 {
				do(p, i)
			}
		}
	}
	each(func(p *elffile.Prog, _ int) { low, high = min(low, at(p)), max(high, at(p)+p.Filesz) })
	mem := make([]byte, high-low)
	each(func(p *elffile.Prog, i int) {
		b, err := f.ProgData(i)
		if err != nil {
			t.Fatal(err)
		}
		copy(mem[at(p)-low:], b)
	})
	return mem
}

// TestVirtual takes virtual addresses: by hand, and because there are no others.
func TestVirtual(t *testing.T) {
	f := program(t, formats64[3], 0, load{0x1000, []byte("one")}, load{0x1010, []byte("two")})
	_, r := flatten(t, f, flat.Options{Virtual: true})
	if r.By != "virtual" || r.Base != 0x1000+virtualBias || r.End != 0x1013+virtualBias {
		t.Errorf("%+v", r)
	}
	for i := range f.Progs {
		f.Progs[i].Paddr = 0
	}
	_, r = flatten(t, f, flat.Options{})
	if r.By != "virtual" || len(r.Warnings) != 1 || r.Warnings[0].Code != "no-physical" {
		t.Errorf("%+v", r)
	}
	path := firmware(t, "", layouts[6].script)
	_, r = flatten(t, open(t, path), flat.Options{Format: flat.IHex, Virtual: true})
	if r.Base != 0x8000000 || r.End < 0x20000000 {
		t.Errorf("%+v", r)
	}
}

// TestRoundTrip makes flat files of random segments and reads them again: the
// bytes are where they were, in every format, class and byte order.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		format := formats64[rng.IntN(4)]
		var loads []load
		at := uint64(rng.IntN(1 << 21))
		if rng.IntN(4) == 0 {
			at = 0xfff00000
		}
		for range 1 + rng.IntN(5) {
			b := make([]byte, 1+rng.IntN(1<<rng.IntN(18)))
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			at = (at + 15) &^ 15
			loads = append(loads, load{at, b})
			at += uint64(len(b)) + uint64(rng.IntN(0x3000))
		}
		entry := uint64(rng.Uint32())
		f := program(t, format, entry, loads...)
		for _, opt := range []flat.Options{
			{Format: flat.Bin}, {Format: flat.IHex}, {Format: flat.SRec, ForceS3: true, SRecLen: 1 + rng.IntN(250)}, {Format: flat.UF2},
			{Format: flat.VMem, Width: 1 << rng.IntN(5)},
		} {
			roundTrip(t, f, opt)
		}
	}
}

func roundTrip(t *testing.T, f *elffile.File, opt flat.Options) {
	t.Helper()
	out, r := flatten(t, f, opt)
	base := uint64(r.Base)
	c, err := flat.Read("out", elffile.Buffer(out), flat.ReadOptions{Format: opt.Format, Base: base, Width: opt.Width, Big: f.Big()})
	if err != nil {
		t.Fatalf("%+v: %v", opt, err)
	}
	body, _, err := c.ELF(flat.Target{Machine: elf.EM_X86_64, Format: f.Format}, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := elffile.Parse("again", written(t, body))
	if err != nil {
		t.Fatal(err)
	}
	paddr := func(p *elffile.Prog) uint64 { return p.Paddr }
	got, want := memoryOf(t, g, paddr), memoryOf(t, f, paddr)
	if opt.Format == flat.UF2 { // whole pages
		page := base &^ 255
		want = append(make([]byte, base-page), want...)
		want = append(want, make([]byte, -len(want)&255)...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%+v: %s", opt, difference(got, want))
	}
	if (opt.Format == flat.IHex || opt.Format == flat.SRec) && g.Header.Entry != f.Header.Entry {
		t.Errorf("%+v: entry 0x%x, was 0x%x", opt, g.Header.Entry, f.Header.Entry)
	}
	if again, _ := flatten(t, g, flat.Options{Format: flat.Bin}); !bytes.Equal(again, got) {
		t.Errorf("%+v: by section it is another memory", opt)
	}
}

// TestReadAnywhere reads the text of a format in pieces of all sizes, in any order.
func TestReadAnywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, 0x12345)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	f := program(t, formats64[0], 0x1234, load{0xfff3, b}, load{0x100000, b[:77]})
	for _, format := range []flat.Format{flat.IHex, flat.SRec, flat.UF2, flat.VMem} {
		r, err := flat.Flatten(f, flat.Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		want := written(t, r.Body)
		var stream bytes.Buffer
		if _, err := r.Body.WriteTo(&stream); err != nil || !bytes.Equal(stream.Bytes(), want) {
			t.Errorf("%s: %v; %s", format, err, difference(stream.Bytes(), want))
		}
		for range 500 {
			off := rng.IntN(len(want))
			n := min(rng.IntN(1<<rng.IntN(17)), len(want)-off)
			got := make([]byte, n)
			if m, err := r.Body.ReadAt(got, int64(off)); m != n || !bytes.Equal(got, want[off:off+n]) {
				t.Fatalf("%s: 0x%x bytes at 0x%x: %d, %v", format, n, off, m, err)
			}
		}
	}
}

func TestOverlap(t *testing.T) {
	same := program(t, formats64[2], 0, load{0x1000, []byte("0123456789")}, load{0x1004, []byte("4567")}, load{0x1008, []byte("89ab")})
	for _, format := range flat.Formats() {
		_, r := flatten(t, same, flat.Options{Format: flat.Format(format)})
		if len(r.Warnings) != 2 || r.Warnings[0].Code != "overlap" {
			t.Errorf("%s: %+v", format, r.Warnings)
		}
	}
	if got, _ := flatten(t, same, flat.Options{}); string(got) != "0123456789ab" {
		t.Errorf("%q", got)
	}
	other := program(t, formats64[2], 0, load{0x1000, []byte("0123456789")}, load{0x2000, []byte("x")}, load{0x1004, []byte("4x67")})
	for _, format := range flat.Formats() {
		refused(t, other, flat.Options{Format: flat.Format(format)}, "program: ", "program header 0 [0x1000, 0x100a) and program header 1 [0x1004, 0x1008) overlap", "at 0x1005 differ")
	}
	if got, _ := flatten(t, other, flat.Options{Only: []string{"1"}}); string(got) != "4x67" {
		t.Errorf("%q", got)
	}
	// The two halves of 64 bits that 32-bit formats write alike.
	high := program(t, formats64[2], 0, load{0x80000000, []byte("low")}, load{0xffffffff80000000, []byte("high")})
	refused(t, high, flat.Options{Format: flat.IHex}, "program header 0", "program header 1", "32 bits")
	refused(t, high, flat.Options{}, "too far apart", "program header 0 [0x80000000", "--max-span")
	flatten(t, high, flat.Options{Format: flat.VMem})
}

func TestOnly(t *testing.T) {
	f := program(t, formats64[0], 0, load{0x1000, []byte("0123456789")}, load{0x2000, []byte("abcdef")})
	for _, tc := range []struct {
		only string
		want string
	}{
		{"0x1002..0x1004", "23"}, {"0x1008..0x3000", "89" + strings.Repeat("\x00", 0xff6) + "abcdef"}, {"0", "0123456789"}, {"1", "abcdef"}, {"0..0x1001", "0"},
	} {
		if got, _ := flatten(t, f, flat.Options{Only: []string{tc.only}}); string(got) != tc.want {
			t.Errorf("%s: %q", tc.only, got)
		}
	}
	if got, _ := flatten(t, f, flat.Options{Only: []string{"0x1000..0x1002", "0x1004..0x1006", "0x1000..0x1002"}}); string(got) != "01\x00\x0045" {
		t.Errorf("%q", got)
	}
	refused(t, f, flat.Options{Only: []string{"0x100..0x200"}}, "no loaded bytes")
	refused(t, f, flat.Options{Only: []string{".text"}}, "by its index")
	for _, bad := range []string{"2", "-1", "5..4", "x..y", "1..", "0..99999999999999999999"} {
		if _, err := flat.Flatten(f, flat.Options{Only: []string{bad}}); err == nil {
			t.Errorf("%s: taken", bad)
		}
	}
}

func TestBaseFillPad(t *testing.T) {
	f := program(t, formats64[1], 0, load{0x1000, []byte("ab")}, load{0x1004, []byte("c")})
	n := func(v uint64) *uint64 { return &v }
	for _, tc := range []struct {
		opt  flat.Options
		want string
	}{
		{flat.Options{}, "ab\x00\x00c"},
		{flat.Options{Fill: new(byte('.'))}, "ab..c"},
		{flat.Options{Base: n(0xffe)}, "\x00\x00ab\x00\x00c"},
		{flat.Options{Base: n(0xffe), Fill: new(byte('.')), PadTo: n(0x1008)}, "..ab..c..."},
		{flat.Options{PadTo: n(0x1007)}, "ab\x00\x00c\x00\x00"},
		{flat.Options{PadTo: n(0x1001)}, "ab\x00\x00c"},
		{flat.Options{Format: flat.VMem, Fill: new(byte(0x2e))}, "@00001000\r\n61 62\r\n@00001002\r\n2E 2E\r\n@00001004\r\n63\r\n"},
	} {
		if got, _ := flatten(t, f, tc.opt); string(got) != tc.want {
			t.Errorf("%+v: %q", tc.opt, got)
		}
	}
	refused(t, f, flat.Options{Base: n(0x1001)}, "program header 0 [0x1000, 0x1002) is below the base 0x1001")
	refused(t, f, flat.Options{PadTo: n(0x100000000)}, "beyond the address space")
	refused(t, f, flat.Options{PadTo: n(0xf0000000)}, "--allow-gap")
	refused(t, f, flat.Options{Format: flat.IHex, PadTo: n(0xf0000000), AllowGap: true, MaxSpan: 1 << 20}, "--max-span")
	for _, opt := range []flat.Options{{Format: flat.IHex, Base: n(0)}, {Width: 2}, {Format: flat.IHex, Family: 1}, {SRecLen: 3}, {ForceS3: true}, {Entry: n(1)},
		{Format: "elf"}, {Format: flat.VMem, Width: 3}, {Format: flat.SRec, SRecLen: 253}, {Format: flat.SRec, SRecLen: -1}} {
		if _, err := flat.Flatten(f, opt); err == nil {
			t.Errorf("%+v: taken", opt)
		}
	}
}

// TestGaps: a gap that nobody can have meant is refused; asked for, it is a hole
// that costs neither time nor memory.
func TestGaps(t *testing.T) {
	f := program(t, formats64[2], 0, load{0x1000, []byte("kernel")}, load{0x40001000, []byte("data")})
	refused(t, f, flat.Options{}, "program header 0 [0x1000, 0x1006)", "program header 1 [0x40001000, 0x40001004)", "0x3ffffffa", "--allow-gap")
	refused(t, f, flat.Options{Format: flat.IHex, Fill: new(byte(0))}, "--allow-gap")
	refused(t, f, flat.Options{AllowGap: true, MaxSpan: 1 << 20}, "too far apart", "program header 0", "program header 1")
	if out, r := flatten(t, f, flat.Options{Format: flat.IHex}); len(out) > 200 || len(r.Gaps) != 1 {
		t.Errorf("%d bytes, %v", len(out), r.Gaps)
	}
	name := filepath.Join(t.TempDir(), "sparse")
	start := time.Now()
	r, err := flat.Flatten(f, flat.Options{AllowGap: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.WriteFile(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil || st.Size != 0x40000004 || st.Blocks*512 > 1<<20 {
		t.Errorf("%d bytes, %d of them stored, %v", st.Size, st.Blocks*512, err)
	}
}

// TestRefusals are files that have nothing to give.
func TestRefusals(t *testing.T) {
	f := program(t, formats64[2], 0x123456789, load{0x100000000, []byte("x")})
	for _, format := range []flat.Format{flat.IHex, flat.SRec, flat.UF2} {
		refused(t, f, flat.Options{Format: format, NoEntry: true}, "program header 0 [0x100000000, 0x100000001) does not fit")
	}
	refused(t, program(t, formats64[2], 0x123456789, load{0x1000, []byte("x")}), flat.Options{Format: flat.IHex}, "0x123456789", "--entry")
	refused(t, program(t, formats64[2], 0, load{0x1000, nil}), flat.Options{}, "no bytes")
	f.Header.Type = elf.ET_REL
	refused(t, f, flat.Options{}, "link it first")
	cut := program(t, formats64[0], 0, load{0x1000, []byte("x")})
	cut.Progs[0].Filesz = 0x10000
	if _, err := flat.Flatten(cut, flat.Options{}); err == nil || !strings.Contains(err.Error(), "program header 0, p_offset") {
		t.Errorf("%v", err)
	}
	cut = program(t, formats64[0], 0, load{0x1000, []byte("xyz")})
	cut.Progs[0].Paddr = 0xffffffff
	if _, err := flat.Flatten(cut, flat.Options{}); err == nil || !strings.Contains(err.Error(), "program header 0, p_paddr") {
		t.Errorf("%v", err)
	}
}

// TestReportsJSON: addresses are strings, and what is read back is the same.
func TestReportsJSON(t *testing.T) {
	f := open(t, firmware(t, "", layouts[0].script))
	_, r := flatten(t, f, flat.Options{Format: flat.SRec})
	b, err := json.Marshal(r)
	if err != nil || !bytes.Contains(b, []byte(`"base":"0x100"`)) || !bytes.Contains(b, []byte(`"entry":"0x100"`)) {
		t.Errorf("%v\n%s", err, b)
	}
	var again flat.Report
	if err := json.Unmarshal(b, &again); err != nil || again.Pieces[0] != r.Pieces[0] || !slices.Equal(again.Gaps, r.Gaps) {
		t.Errorf("%v\n%+v", err, again)
	}
	for i, p := range r.Pieces[1:] {
		if was := r.Pieces[i]; p.At != was.At+was.Length {
			t.Errorf("%+v does not follow %+v", p, was)
		}
	}
}

// TestFileThatShrinks: bytes that are gone when they are read are an error.
func TestFileThatShrinks(t *testing.T) {
	b, err := os.ReadFile(firmware(t, "", layouts[0].script))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "shrinks")
	os.WriteFile(name, b, 0o600)
	f := open(t, name)
	for _, format := range flat.Formats() {
		r, err := flat.Flatten(f, flat.Options{Format: flat.Format(format)})
		if err != nil {
			t.Fatal(err)
		}
		os.Truncate(name, 0x1800)
		out := filepath.Join(t.TempDir(), "out")
		if err := r.Body.WriteFile(out, 0o600); err == nil || !strings.Contains(err.Error(), "shrank") {
			t.Errorf("%s: %v", format, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is an output", format)
		}
		os.WriteFile(name, b, 0o600)
	}
}
