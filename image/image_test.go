package image_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/samples"
	"elfwright/plan"
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

// write puts an image into a file of its own.
func write(t *testing.T, img *image.Image) string {
	t.Helper()
	f, err := img.File()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(img.Name))
	if err := f.Encode().WriteFile(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFileRuns takes programs apart and puts them together again: from their
// segments alone, and with sections and symbols; they run, and every mapping is
// as it was.
func TestFileRuns(t *testing.T) {
	ran := 0
	for _, path := range []string{"/bin/echo", "/bin/ls", "/bin/bash", "/usr/bin/python3", os.Args[0]} {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		f := open(t, real)
		for _, whole := range []bool{false, true} {
			img := image.FromFile(f)
			if whole {
				if err := img.ReadSections(f); err != nil {
					t.Fatal(err)
				}
				if err := img.ReadSymbols(f); err != nil {
					t.Fatal(err)
				}
			}
			out := write(t, img)
			again := image.FromFile(open(t, out))
			old, err := plan.Map(img, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			now, err := plan.Map(again, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			// e_shoff and the counts behind it are the new file's own.
			ehdr := image.Range{Start: img.Segments[0].Vaddr, Size: uint64(img.EhdrSize())}
			lost, err := plan.Lost(img, old, now, image.Ranges{ehdr})
			if err != nil || len(lost) > 0 {
				t.Errorf("%s, sections %v: %v %v", path, whole, lost, err)
			}
			cmd := exec.Command(out, "--version")
			if path == os.Args[0] {
				cmd = exec.Command(out, "-test.run=^TestRangeAtTop$")
			}
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, sections %v: %v: %s", path, whole, err, msg)
			}
			ran++
		}
	}
	if ran == 0 {
		t.Error("no program ran")
	}
}

// TestFileWithoutOffsets lays the segments out anew, without any offset of the
// old file, and runs the result.
func TestFileWithoutOffsets(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "a.S"), filepath.Join(dir, "a")
	os.WriteFile(src, []byte(`.globl _start
_start: mov $1, %eax; mov $1, %edi; lea msg(%rip), %rsi; mov $3, %edx; syscall
	mov $60, %eax; xor %edi, %edi; syscall
.data
msg: .ascii "ok\n"
`), 0o644)
	if out, err := exec.Command("gcc", "-nostdlib", "-static", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	img := image.FromFile(open(t, bin))
	img.Table, img.Body = 0, nil
	// Without the segment that holds nothing but the old headers.
	img.Segments = slices.DeleteFunc(img.Segments, func(s image.Segment) bool { return s.Off == 0 })
	img.Headers = nil
	for i := range img.Segments {
		img.Segments[i].Off, img.Segments[i].Index = image.NoOffset, image.NoIndex
	}
	out, err := exec.Command(write(t, img)).CombinedOutput()
	if err != nil || string(out) != "ok\n" {
		t.Errorf("%q %v", out, err)
	}
}

func TestFileRefusesAClash(t *testing.T) {
	img := &image.Image{Name: "a", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Type: elf.ET_EXEC}
	add := func(off int64, b ...byte) {
		img.Segments = append(img.Segments, image.Segment{
			Vaddr: image.Addr(0x1000 * (len(img.Segments) + 1)), Filesz: uint64(len(b)), Memsz: uint64(len(b)),
			Data: elffile.Buffer(b), Off: off, Index: image.NoIndex,
		})
	}
	add(0x1000, 1, 2, 3, 4)
	add(0x1002, 3, 9)
	if _, err := img.File(); err == nil || !strings.Contains(err.Error(), "0x1003") {
		t.Errorf("two segments differ at 0x1003: %v", err)
	}
	img.Segments = nil
	add(0x40, bytes.Repeat([]byte{7}, 64)...)
	if _, err := img.File(); err == nil {
		t.Error("the table overwrote a segment")
	}
}

// compiled is a program with symbols and sections for debuggers.
func compiled(t *testing.T) string {
	t.Helper()
	samples.Need(t, "gcc")
	dir := t.TempDir()
	src, bin := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	os.WriteFile(src, []byte("#include <stdio.h>\nstatic int n; int main(void) { return printf(\"%d\\n\", n++) < 0; }\n"), 0o644)
	if out, err := exec.Command("gcc", "-g", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

func TestSymbolsOfAnotherFile(t *testing.T) {
	f := open(t, compiled(t))
	img := image.FromFile(f)
	if err := img.ReadSymbols(f); err != nil {
		t.Fatal(err)
	}
	s := img.Symbol("main")
	if s == nil || img.SegmentAt(s.Value) == nil {
		t.Fatalf("main: %+v", s)
	}
	// A split image: the segments alone, the symbols from the other file.
	alone := image.FromFile(open(t, write(t, image.FromFile(f))))
	if err := alone.ReadSymbols(f); err != nil {
		t.Fatal(err)
	}
	if got := alone.Symbol("main"); got == nil || *got != *s {
		t.Errorf("from the other file %+v, from its own %+v", got, s)
	}
}

// TestSymbolsSurvive writes symbols and reads them back with the standard
// reader.
func TestSymbolsSurvive(t *testing.T) {
	f := open(t, compiled(t))
	img := image.FromFile(f)
	if err := img.ReadSections(f); err != nil {
		t.Fatal(err)
	}
	if err := img.ReadSymbols(f); err != nil {
		t.Fatal(err)
	}
	std, err := elf.Open(write(t, img))
	if err != nil {
		t.Fatal(err)
	}
	defer std.Close()
	syms, err := std.Symbols()
	if err != nil || len(syms) != len(img.Symbols) {
		t.Fatalf("%d symbols of %d: %v", len(syms), len(img.Symbols), err)
	}
	sect := map[string]string{}
	for i := range img.Symbols {
		if s := &img.Symbols[i]; s.Section > 0 && s.Section < elf.SHN_LORESERVE {
			sect[s.Name] = img.Sections[s.Section-1].Name
		}
	}
	for _, s := range syms {
		if s.Section > 0 && s.Section < elf.SHN_LORESERVE && std.Sections[s.Section].Name != sect[s.Name] {
			t.Errorf("%s is in %s, was in %s", s.Name, std.Sections[s.Section].Name, sect[s.Name])
		}
	}
}

// TestCheckNamesEachRule breaks one invariant after the other.
func TestCheckNamesEachRule(t *testing.T) {
	good := func() *image.Image { return image.FromFile(open(t, os.Args[0])) }
	if faults := good().Check(0); len(faults) != 0 {
		t.Fatalf("a good image: %v", faults)
	}
	load := func(img *image.Image) *image.Segment { return &img.Segments[1] }
	for rule, brk := range map[string]func(*image.Image){
		"filesz":          func(i *image.Image) { load(i).Memsz = 1 },
		"bytes":           func(i *image.Image) { load(i).Data = elffile.Zeros(3) },
		"align":           func(i *image.Image) { load(i).Align = 3 },
		"congruence":      func(i *image.Image) { load(i).Align = 1 << 40; load(i).Off += 0x1000 },
		"page-congruence": func(i *image.Image) { load(i).Off++ },
		"wrap":            func(i *image.Image) { load(i).Memsz = ^uint64(0) },
		"ascending":       func(i *image.Image) { i.Segments[0], i.Segments[1] = i.Segments[1], i.Segments[0] },
		"overlap":         func(i *image.Image) { load(i).Vaddr = i.Segments[0].Vaddr },
		"phdr-place":      func(i *image.Image) { i.Table += 8 },
		"entry":           func(i *image.Image) { i.Entry = 1 },
		"entry-exec":      func(i *image.Image) { i.Segments[0].Flags = elf.PF_R; i.Segments[1].Flags = elf.PF_R },
		"precede":         func(i *image.Image) { i.Headers[0].Index = 90 },
		"once":            func(i *image.Image) { i.Headers = append(i.Headers, i.Headers[0]) },
		"table-size":      func(i *image.Image) { i.Headers = make([]image.Header, 1200) },
	} {
		img := good()
		brk(img)
		if !slices.ContainsFunc(img.Check(0), func(f image.Fault) bool { return f.Rule == rule }) {
			t.Errorf("%s is not found: %v", rule, img.Check(0))
		}
	}
}
