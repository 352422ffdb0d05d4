package phdr_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// growable returns the index of the PT_LOAD with the most zeros behind its file
// bytes, or -1.
func growable(f *elffile.File) int {
	best, most := -1, uint64(0)
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Memsz-p.Filesz > most {
			best, most = i, p.Memsz-p.Filesz
		}
	}
	return best
}

// growTo is some way into the zeros of that PT_LOAD.
func growTo(f *elffile.File) uint64 {
	i := growable(f)
	if i < 0 {
		return 0
	}
	p := &f.Progs[i]
	return p.Filesz + (p.Memsz-p.Filesz+1)/2
}

// zerosOf opens a file and returns the PT_LOAD to grow, by its address.
func zerosOf(t *testing.T, path string) (vaddr, filesz, memsz uint64) {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := growable(f)
	if i < 0 {
		return 0, 0, 0
	}
	p := f.Progs[i]
	return p.Vaddr, p.Filesz, p.Memsz
}

func grow(t *testing.T, from, to string, vaddr, filesz uint64, opt phdr.Options) (*phdr.Report, error) {
	t.Helper()
	return edit(t, from, to, func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Grow(f, loadOf(f, vaddr), filesz, opt)
	})
}

func loadOf(f *elffile.File, vaddr uint64) int {
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Vaddr == vaddr {
			return i
		}
	}
	return -1
}

// TestGrow grows every kind of program twice, and all of it; what comes out runs,
// also after every tool, and no tool clears a byte that was written.
func TestGrow(t *testing.T) {
	for i, p := range samples.Programs() {
		if os.Getenv("ELFWRIGHT_SWEEP") == "" && i%3 != 0 || testing.Short() && i%8 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			growMatrix(t, newSubject(t, p))
		})
	}
}

func growMatrix(t *testing.T, s *subject) {
	vaddr, filesz, memsz := zerosOf(t, s.path)
	if memsz == 0 {
		t.Skip("it has no zeros")
	}
	opt := phdr.Options{}
	if s.NoSections {
		opt.Overlay = phdr.OverlayMove // what section headers named
	}
	dir := t.TempDir()
	last, zeros := s.path, memsz-filesz
	for _, step := range []struct {
		name string
		n    uint64
	}{{"some", min(13, zeros)}, {"more", min(5001, zeros)}, {"all", zeros}} {
		to := filepath.Join(dir, step.name)
		if _, err := grow(t, last, to, vaddr, filesz+step.n, opt); err != nil {
			t.Fatal(err)
		}
		s.same(t, to)
		marked := mark(t, to, vaddr+filesz, step.n)
		if !s.NoSections && step.name == "more" {
			growLint(t, s.path, to)
			s.growTools(t, dir, to, marked, vaddr+filesz, step.n)
		}
		last = to
	}
}

// growLint is lint without what it says of a symbol that is cut in two: that is
// what was asked for.
func growLint(t *testing.T, before, after string) {
	t.Helper()
	samples.Need(t, "eu-elflint")
	old := strings.Join(complaints(before), "\n")
	for _, c := range complaints(after) {
		if !strings.Contains(old, c) && !lintMistake(c) && !strings.Contains(c, "does not fit completely in referenced section") {
			t.Errorf("eu-elflint has a new complaint: %s", c)
		}
	}
}

// mark writes other bytes than zeros into a copy.
func mark(t *testing.T, path string, vaddr, n uint64) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse(path, b)
	if err != nil {
		t.Fatal(err)
	}
	off, have, ok := f.OffsetOf(vaddr)
	if !ok || have < n {
		t.Fatalf("%s: 0x%x bytes at 0x%x are not in the file", path, n, vaddr)
	}
	copy(b[off:off+n], marks(n))
	out := path + ".marked"
	if err := os.WriteFile(out, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return out
}

func marks(n uint64) []byte {
	b := bytes.Repeat([]byte("\xa5marks"), int(n/6+1))
	return b[:n]
}

// growTools lets every tool work on both files.
func (s *subject) growTools(t *testing.T, dir, path, marked string, vaddr, n uint64) {
	t.Helper()
	for _, k := range s.Editors() {
		plain, out := filepath.Join(dir, "plain."+k.Name), path+"."+k.Name
		if _, ok := k.Apply(t, s.path, plain); !ok {
			continue
		}
		works := func() bool { got, status := s.Run(t, plain, "go"); return got == s.out && status == s.status }
		if msg, ok := k.Apply(t, path, out); !ok {
			t.Errorf("%s refuses the file: %s", k.Name, msg)
		} else if works() {
			s.same(t, out)
		}
		if msg, ok := k.Apply(t, marked, out); !ok {
			t.Errorf("%s refuses the file: %s", k.Name, msg)
			continue
		}
		f, err := elffile.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := f.BytesAt(vaddr, n); err != nil || !bytes.Equal(b, marks(n)) {
			t.Errorf("%s: bytes were lost from 0x%x: %v", k.Name, vaddr, err)
		}
		f.Close()
	}
}

// TestGrowSections looks at what readelf and nm say of a split .bss.
func TestGrowSections(t *testing.T) {
	samples.Need(t, "gcc", "readelf", "nm")
	dir := t.TempDir()
	src, from, to := filepath.Join(dir, "a.c"), filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(src, []byte("char first[64], second[64]; int main(void) { return first[0] + second[0]; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-fno-common", "-o", from, src).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	vaddr, filesz, _ := zerosOf(t, from)
	was, _ := exec.Command("nm", from).Output()
	for range 3 {
		filesz += 40
		if _, err := grow(t, from, to, vaddr, filesz, phdr.Options{}); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command("readelf", "-SW", to).CombinedOutput()
		if text := string(out); strings.Count(text, " .ew.bss ") != 1 || strings.Count(text, " .bss ") != 1 || strings.Contains(text, "Warning") {
			t.Errorf("%s", text)
		}
		is, _ := exec.Command("nm", to).Output()
		if a, b := addresses(was), addresses(is); a != b {
			t.Errorf("addresses were\n%s\nand are\n%s", a, b)
		}
		from = to
	}
}

// addresses drops the letter for the section from what nm prints.
func addresses(nm []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(nm)) {
		if w := strings.Fields(line); len(w) == 3 {
			b.WriteString(w[0] + " " + w[2] + "\n")
		}
	}
	return b.String()
}
