package link_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link"
	"elfwright/link/emul"
	"elfwright/link/options"
)

// crossTools are the cross tools of a machine, with options.
type crossTools struct {
	prefix string // "aarch64-linux-gnu-"
	as     []string
	ld     []string
	qemu   string
}

// assemble makes objects in dir of files of testdata, or of texts (name=text).
func (m *crossTools) assemble(t testing.TB, dir string, sources ...string) (objs []string) {
	t.Helper()
	samples.Need(t, m.prefix+"as")
	for _, src := range sources {
		name, text, ok := strings.Cut(src, "=")
		if !ok {
			b, err := os.ReadFile(filepath.Join("testdata", src))
			if err != nil {
				t.Fatal(err)
			}
			name, text = strings.TrimSuffix(src, ".s"), string(b)
		}
		obj := filepath.Join(dir, name+".o")
		cmd := exec.Command(m.prefix+"as", append(m.as[:len(m.as):len(m.as)], "-o", obj, "-")...)
		cmd.Stdin = strings.NewReader(text)
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %s\n%s", name, err, msg)
		}
		objs = append(objs, obj)
	}
	return objs
}

// ours links in this process, and returns the output's name.
func (m *crossTools) ours(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out := filepath.Join(dir, "ours")
	if _, err := m.try(append(args, "-o", out)...); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (m *crossTools) try(args ...string) (*link.Result, error) {
	opt, _, err := options.Parse(append(m.ld[:len(m.ld):len(m.ld)], args...), os.ReadFile)
	if err != nil {
		return nil, err
	}
	if e := emul.ByProgram(m.prefix + "ld"); opt.Emulation == "" {
		opt.Emulation = e.Name
	}
	return link.Link(opt, link.Host{})
}

// gnu links with GNU ld.
func (m *crossTools) gnu(t testing.TB, dir string, args ...string) string {
	t.Helper()
	samples.Need(t, m.prefix+"ld")
	out := filepath.Join(dir, "gnu")
	args = append(append(m.ld[:len(m.ld):len(m.ld)], args...), "-o", out)
	if msg, err := exec.Command(m.prefix+"ld", args...).CombinedOutput(); err != nil {
		t.Fatalf("ld %v: %s\n%s", args, err, msg)
	}
	return out
}

// alike links with both linkers and compares the sections named: addresses and
// bytes.
func (m *crossTools) alike(t *testing.T, sections string, sources []string, args ...string) (gnu, ours *elf.File) {
	t.Helper()
	dir := t.TempDir()
	args = append(args, m.assemble(t, dir, sources...)...)
	want, got := m.gnu(t, dir, args...), m.ours(t, dir, args...)
	w, g := open(t, want), open(t, got)
	for _, name := range strings.Fields(sections) {
		ws, gs := w.Section(name), g.Section(name)
		if ws == nil || gs == nil {
			t.Errorf("%s: ld has it: %v, ours: %v", name, ws != nil, gs != nil)
			continue
		}
		if ws.Addr != gs.Addr || ws.Size != gs.Size {
			t.Errorf("%s: ld %#x+%#x, ours %#x+%#x", name, ws.Addr, ws.Size, gs.Addr, gs.Size)
		}
		wb, _ := ws.Data()
		gb, _ := gs.Data()
		m.sameWords(t, name, ws.Addr, wb, gb)
	}
	return w, g
}

func (m *crossTools) sameWords(t *testing.T, name string, at uint64, want, got []byte) {
	t.Helper()
	said := 0
	for i := 0; i+4 <= min(len(want), len(got)) && said < 12; i += 4 {
		if !bytes.Equal(want[i:i+4], got[i:i+4]) {
			t.Errorf("%s at %#x: ld % x, ours % x", name, at+uint64(i), want[i:i+4], got[i:i+4])
			said++
		}
	}
}

func open(t testing.TB, name string) *elf.File {
	t.Helper()
	f, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// wantRun runs a program of the machine.
func (m *crossTools) wantRun(t testing.TB, program, want string) {
	t.Helper()
	samples.Need(t, m.qemu)
	out, err := exec.Command(m.qemu, program).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%s: %v, output %q, want %q", filepath.Base(program), err, out, want)
	}
}

// refused links something that cannot be, and looks for words in the error.
func (m *crossTools) refused(t *testing.T, sources []string, words string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	_, err := m.try(append(append(args, m.assemble(t, dir, sources...)...), "-o", out)...)
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("%v: %v, want %q", args, err, words)
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%v: there is an output", args)
	}
}

func script(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.lds")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("-T%s", name)
}

// program links a C++ program with this linker under gcc, and runs it.
func (m *crossTools) program(t *testing.T, args string) {
	t.Helper()
	samples.Need(t, m.prefix+"g++", m.qemu)
	dir := t.TempDir()
	ld := filepath.Join(dir, "bin", m.prefix+"ld")
	if err := os.MkdirAll(filepath.Dir(ld), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ld, []byte("#!/bin/sh\nexec env "+asLinker+"=1 "+os.Args[0]+" \"$@\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(ld, filepath.Join(dir, "bin", "ld")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	list := append(strings.Fields(args), "-B"+filepath.Dir(ld), "-pthread", "-o", out, filepath.Join("testdata", "program.cc"))
	if msg, err := exec.Command(m.prefix+"g++", list...).CombinedOutput(); err != nil {
		t.Fatalf("g++ %v: %v\n%s", list, err, msg)
	}
	m.wantRun(t, out, "3 5.5 boom 4\n")
}
