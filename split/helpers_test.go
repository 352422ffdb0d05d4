package split_test

import (
	"debug/elf"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/match"
	"elfwright/split"
)

func open(t *testing.T, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// parts are the files that a program was split into.
type parts struct {
	img, syms string
	report    *split.Report
}

// splitTo splits a program into files of a new directory, named as it.
func splitTo(t *testing.T, path, sections string) parts {
	t.Helper()
	dir := t.TempDir()
	p := parts{img: filepath.Join(dir, filepath.Base(path))}
	p.syms = p.img + ".debug"
	f := open(t, path)
	r, err := split.Split(f, split.Options{Sections: sections, Link: filepath.Base(p.syms)})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Symbols.WriteFile(p.syms, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Image.WriteFile(p.img, f.Mode()); err != nil {
		t.Fatal(err)
	}
	p.report = r.Report
	return p
}

// join joins files and writes the result.
func join(t *testing.T, img, syms, to string) *split.JoinReport {
	t.Helper()
	j, err := split.Join(open(t, img), open(t, syms), split.JoinOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Body.WriteFile(to, 0o755); err != nil {
		t.Fatal(err)
	}
	return j.Report
}

func sameBytes(t *testing.T, a, b string) {
	t.Helper()
	different := false
	err := elffile.Diff(open(t, a).Body, open(t, b).Body, func(from, to int64) bool {
		t.Errorf("%s and %s differ in [0x%x, 0x%x)", a, b, from, to)
		different = true
		return false
	})
	if err != nil && !different {
		t.Error(err)
	}
}

// run runs a tool and returns what it says; it must succeed.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// meaning is what a file says, apart from where in the file it says it: program
// headers and their bytes, sections and their bytes, symbols.
func meaning(t *testing.T, path string, skip ...string) []string {
	t.Helper()
	f := open(t, path)
	out := []string{fmt.Sprintf("header %v %v %v 0x%x 0x%x", f.Format, f.Header.Type, f.Header.Machine, f.Header.Entry, f.Header.Flags)}
	for i := range f.Progs {
		p := f.Progs[i]
		b, err := f.ProgData(i)
		if err != nil && !match.SplitOff(f) {
			t.Error(err)
		}
		if heads := f.EhdrSize() + len(f.Progs)*f.PhdrSize(); p.Off == 0 && len(b) > heads {
			b = b[heads:] // e_shoff is there, and offsets of what is not loaded
		}
		if p.Type == elf.PT_PHDR || p.Type == attributes {
			b = nil // what is compared here one by one; what eu-strip takes out
		}
		out = append(out, fmt.Sprintf("segment %v %v 0x%x 0x%x 0x%x 0x%x %d %08x", p.Type, p.Flags, p.Vaddr, p.Paddr, p.Filesz, p.Memsz, p.Align, crc32.ChecksumIEEE(b)))
	}
	if err := f.SectionErr(); err != nil {
		t.Error(err)
	}
	secs := f.Sections()
	name := func(i uint32) string {
		if i >= elffile.ShnLoReserve || i == 0 {
			return fmt.Sprintf("0x%x", i)
		}
		return f.SectionName(int(i))
	}
	var sections, symbols []string
	for i := range secs {
		s := secs[i]
		if i == 0 || slices.Contains(skip, f.SectionName(i)) {
			continue
		}
		b, err := f.SectionData(i)
		if err != nil {
			t.Error(err)
		}
		sum := crc32.ChecksumIEEE(b)
		if s.Type == elf.SHT_SYMTAB { // section numbers may differ
			sum = 0
		}
		if s.Type == unwind { // of gold's .eh_frame alone, and nobody asks for it
			s.Type = elf.SHT_PROGBITS
		}
		s.Flags &^= uint64(elf.SHF_INFO_LINK) // linkers and tools do not agree on it
		sections = append(sections, fmt.Sprintf("section %s %v 0x%x 0x%x 0x%x link %s entsize %d align %d %08x", f.SectionName(i), s.Type, s.Flags, s.Addr, s.Size, name(s.Link), s.Entsize, s.Addralign, sum))
		if s.Type == elf.SHT_SYMTAB {
			symbols = append(symbols, symbolsOf(t, f, i, name)...)
		}
	}
	slices.Sort(sections)
	return slices.Concat(out, sections, symbols)
}

func symbolsOf(t *testing.T, f *elffile.File, i int, name func(uint32) string) []string {
	t.Helper()
	table, err := f.SymbolTable(i)
	if err != nil {
		t.Error(err)
	}
	var out []string
	for k := range table.Len() {
		s := table.At(k)
		out = append(out, fmt.Sprintf("symbol %d %s 0x%x 0x%x %x %s", k, table.Name(s), s.Value, s.Size, s.Info, name(table.Section(k))))
	}
	return out
}

// sameMeaning complains of what got says and none of the files in may does, and
// of what all files in must say and got does not; the sections in skip are left
// out.
func sameMeaning(t *testing.T, what, got string, may, must []string, skip ...string) {
	t.Helper()
	ours := meaning(t, got, skip...)
	mine := make(map[string]bool)
	for _, x := range ours {
		mine[x] = true
	}
	allowed, needed := make(map[string]bool), make(map[string]int)
	for _, path := range may {
		for _, x := range meaning(t, path, skip...) {
			allowed[x] = true
		}
	}
	for _, path := range must {
		for _, x := range meaning(t, path, skip...) {
			needed[x]++
		}
	}
	var wrong []string
	for _, x := range ours {
		if !allowed[x] {
			wrong = append(wrong, "too much: "+x)
		}
	}
	for x, n := range needed {
		if n == len(must) && !mine[x] {
			wrong = append(wrong, "missing: "+x)
		}
	}
	slices.Sort(wrong)
	for i, w := range wrong {
		if i == 20 {
			t.Errorf("%s: %d in all", what, len(wrong))
			break
		}
		t.Errorf("%s: %s", what, w)
	}
}

const unwind = elf.SectionType(0x70000001)  // SHT_X86_64_UNWIND
const attributes = elf.ProgType(0x70000003) // PT_RISCV_ATTRIBUTES

func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") != "" }
