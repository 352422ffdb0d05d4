package attach_test

import (
	"debug/elf"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/payload"
	"elfwright/phdr"
)

// TestSystemPrograms puts payloads into programs of this system, and compares what
// they print for --version, also after each of the tools: a sample, or with
// ELFWRIGHT_SWEEP all of /usr/bin.
func TestSystemPrograms(t *testing.T) {
	var paths iter.Seq[string] = samples.SystemELFs("/usr/bin")
	switch {
	case os.Getenv("ELFWRIGHT_SWEEP") != "":
	case testing.Short():
		paths = samples.Some(paths, 3, 5)
	default:
		paths = samples.Some(paths, 12, 5)
	}
	count := make(map[string]int)
	for path := range paths {
		count[systemProgram(t, path)]++
	}
	t.Logf("%v", count)
}

// systemProgram returns what became of a program.
func systemProgram(t *testing.T, path string) string {
	f, err := elffile.Open(path)
	if err != nil {
		t.Error(err)
		return "unread"
	}
	kind, name := f.Header.Type, filepath.Base(path)
	fit := f.Header.Machine == elf.EM_X86_64 && (kind == elf.ET_EXEC || kind == elf.ET_DYN) && !slices.Contains(samples.Unfit, name)
	f.Close()
	if !fit {
		return "not run"
	}
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	place := func(sub string) string {
		os.Mkdir(filepath.Join(dir, sub), 0o755)
		return filepath.Join(dir, sub, name)
	}
	with := place("with")
	list := []attach.Item{
		{Name: "data", Kind: payload.File, Data: elffile.Buffer(pattern(9000))},
		{Name: "tree", Kind: payload.Tree, Data: tree(t)},
	}
	r, err := add(t, path, with, attach.Options{}, list...)
	if refused, ok := errors.AsType[*phdr.Refusal](err); ok {
		t.Logf("%v", refused)
		return "refused"
	}
	if err != nil {
		t.Error(err)
		return "failed"
	}
	plain := place("plain")
	whole, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(plain, whole, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := samples.Version(t, plain)
	if want != samples.Version(t, plain) {
		return "not the same twice"
	}
	os.Chmod(with, 0o755)
	sameVersion(t, path, "", with, want)
	for _, k := range samples.Editors(elf.EM_X86_64) {
		before, after := place("plain."+k.Name), place("with."+k.Name)
		if _, ok := k.Apply(t, plain, before); !ok || samples.Version(t, before) != want {
			continue // it cannot handle the original
		}
		if msg, ok := k.Apply(t, with, after); !ok {
			t.Errorf("%s, by %s: %s refuses it: %s", path, r.Technique, k.Name, msg)
			continue
		}
		sameVersion(t, path, k.Name, after, want)
	}
	return r.Technique
}

// sameVersion checks an edited program, and the payloads in it.
func sameVersion(t *testing.T, path, tool, edited, want string) {
	t.Helper()
	if got := samples.Version(t, edited); got != want {
		t.Errorf("%s %s: --version gives\n%s\nthe original gives\n%s", path, tool, got, want)
	}
	p, err := payload.Open(edited)
	if err != nil {
		t.Errorf("%s %s: %v", path, tool, err)
		return
	}
	defer p.Close()
	if l, err := attach.List(p.ELF(), true); err != nil || len(l.Payloads) != 2 {
		t.Errorf("%s %s: %d payloads, %v", path, tool, len(l.Payloads), err)
	}
}
