package phdr_test

import (
	"debug/elf"
	"errors"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// TestSystemPrograms adds headers to programs of this system and compares what
// they print for --version: a sample, or with ELFWRIGHT_SWEEP all of /usr/bin.
func TestSystemPrograms(t *testing.T) {
	samples.Need(t, "strip")
	var paths iter.Seq[string] = samples.SystemELFs("/usr/bin")
	switch {
	case os.Getenv("ELFWRIGHT_SWEEP") != "":
	case testing.Short():
		paths = samples.Some(paths, 4, 3)
	default:
		paths = samples.Some(paths, 25, 3)
	}
	count := make(map[string]int)
	for path := range paths {
		how := systemProgram(t, path)
		count[how]++
	}
	t.Logf("%v", count)
}

// systemProgram edits one program and returns by which technique.
func systemProgram(t *testing.T, path string) string {
	f, err := elffile.Open(path)
	if err != nil {
		t.Errorf("%v", err)
		return "unread"
	}
	defer f.Close()
	name := filepath.Base(path)
	fit := f.Header.Machine == elf.EM_X86_64 && (f.Header.Type == elf.ET_EXEC || f.Header.Type == elf.ET_DYN) && !slices.Contains(samples.Unfit, name)
	if !fit {
		return "not run"
	}
	r, err := phdr.Add(f, []phdr.Header{dataHeader(), arenaHeader()}, phdr.Options{})
	if _, refused := errors.AsType[*phdr.Refusal](err); refused {
		t.Logf("%v", err)
		return "refused"
	}
	if err != nil {
		t.Errorf("%v", err)
		return "failed"
	}
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	place := func(sub string) string {
		os.Mkdir(filepath.Join(dir, sub), 0o755)
		return filepath.Join(dir, sub, name)
	}
	plain, edited, stripped, both := place("a"), place("b"), place("c"), place("d")
	if err := errors.Join(f.Encode().WriteFile(plain, 0o755), r.Body.WriteFile(edited, 0o755)); err != nil {
		t.Fatal(err)
	}
	want, again := samples.Version(t, plain), samples.Version(t, plain)
	if want != again {
		return "not the same twice"
	}
	if got := samples.Version(t, edited); got != want {
		t.Errorf("%s, edited by %s: --version gives\n%s\nthe original gives\n%s", path, r.Report.Technique, got, want)
		return "broken"
	}
	if exec.Command("strip", "-o", stripped, plain).Run() != nil || samples.Version(t, stripped) != want {
		return r.Report.Technique + ", strip breaks the original"
	}
	if out, err := exec.Command("strip", "-o", both, edited).CombinedOutput(); err != nil {
		t.Errorf("%s, edited by %s: strip: %v: %s", path, r.Report.Technique, err, out)
		return "strip refuses"
	}
	if got := samples.Version(t, both); got != want {
		t.Errorf("%s, edited by %s and stripped: --version gives\n%s\nthe original gives\n%s", path, r.Report.Technique, got, want)
		return "broken by strip"
	}
	return r.Report.Technique
}
