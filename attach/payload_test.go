package attach_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/payload"
)

// carrying is a program with a payload of each kind, and one that is not loaded.
func carrying(t *testing.T) (*payload.Program, []byte) {
	t.Helper()
	p := samples.Find(t, "x86-64-pie")
	object := p.Build(t)
	plain, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	list := append(items(t, object), attach.Item{Name: "apart", Kind: payload.File, Data: elffile.Buffer(pattern(10000)), Unloaded: true, Mode: 0o750 | fs.ModeSetuid})
	path := filepath.Join(t.TempDir(), "program")
	if _, err := add(t, object, path, attach.Options{}, list...); err != nil {
		t.Fatal(err)
	}
	prog, err := payload.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return prog, plain
}

// TestFS holds the file system of a program against the rules of io/fs.
func TestFS(t *testing.T) {
	prog, plain := carrying(t)
	if err := fstest.TestFS(prog, "small", "data", "object", "apart", "tree/sub/file", "tree/link"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string][]byte{
		"small": []byte("a few words"), "data": pattern(6000), "object": plain, "apart": pattern(10000), "tree/sub/file": pattern(5000), "tree/link": pattern(5000),
	} {
		read, err1 := prog.ReadFile(name)
		mapped, err2 := prog.Bytes(name)
		again, err3 := prog.Bytes(name)
		r, err4 := prog.ReaderAt(name)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(read, want) || !bytes.Equal(mapped, want) || &mapped[0] != &again[0] {
			t.Errorf("%s: the contents are not what was put in", name)
		}
		part := make([]byte, 5)
		if _, err := r.ReadAt(part, 3); err != nil || !bytes.Equal(part, want[3:8]) {
			t.Errorf("%s: ReadAt gives %q, %v", name, part, err)
		}
	}
	if st, err := prog.Stat("apart"); err != nil || st.Mode() != 0o750|fs.ModeSetuid {
		t.Errorf("the mode is %v, %v", st.Mode(), err)
	}
	if to, err := prog.ReadLink("tree/link"); to != "sub/file" || err != nil {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

// TestMissing: what is not there is fs.ErrNotExist, with the path that was asked
// for.
func TestMissing(t *testing.T) {
	prog, _ := carrying(t)
	for _, name := range []string{"none", "small/x", "tree/none", "tree/sub/file/x"} {
		for _, do := range []func() error{
			func() error { _, err := prog.Open(name); return err },
			func() error { _, err := prog.Stat(name); return err },
			func() error { _, err := prog.Bytes(name); return err },
			func() error { _, _, _, err := prog.Locate(name); return err },
		} {
			err := do()
			p, ok := errors.AsType[*fs.PathError](err)
			if !ok || p.Path != name && p.Path != filepath.Base(name) && "tree/"+p.Path != name || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := payload.Open("/bin/true"); !errors.Is(err, payload.ErrNone) || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, _, _, err := prog.Locate("data"); err == nil {
		t.Error("what is compressed has a place")
	}
}

// TestLocate: what is there can be read from the program's descriptor.
func TestLocate(t *testing.T) {
	prog, plain := carrying(t)
	f, off, size, err := prog.Locate("object")
	if err != nil || size != int64(len(plain)) {
		t.Fatal(size, err)
	}
	b := make([]byte, size)
	f.ReadAt(b, off)
	e, err := elffile.Parse("object", b)
	if err != nil {
		t.Fatal(err)
	}
	if e.Header.Phoff != uint64(off)+64 {
		t.Errorf("e_phoff is 0x%x, and the object begins at 0x%x", e.Header.Phoff, off)
	}
	if f, off, size, err = prog.Locate("tree/sub/file"); err != nil || off%4096 != 0 {
		t.Fatal(off, err)
	}
	got, err := io.ReadAll(io.NewSectionReader(f, off, size))
	if err != nil || !bytes.Equal(got, pattern(5000)) {
		t.Error("a file of the tree is not where it should be", err)
	}
}

// TestMemfd runs a program that a program carries.
func TestMemfd(t *testing.T) {
	prog, _ := carrying(t)
	f, err := prog.Memfd("object")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("x")); err == nil {
		t.Error("it can be written to")
	}
	cmd := exec.Command("/proc/self/fd/3", "exit", "7")
	cmd.ExtraFiles = []*os.File{f}
	err = cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 7 {
		t.Error(err)
	}
}

func TestExtract(t *testing.T) {
	prog, plain := carrying(t)
	dir := filepath.Join(t.TempDir(), "out")
	if err := prog.Extract(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"small": []byte("a few words"), "data": pattern(6000), "object": plain, "apart": pattern(10000), "tree/sub/file": pattern(5000)} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if st, _ := os.Stat(filepath.Join(dir, "apart")); st.Mode() != 0o750|fs.ModeSetuid {
		t.Errorf("the mode is %v", st.Mode())
	}
	if err := prog.Extract(dir, "small"); err == nil {
		t.Error("a file that is there was replaced")
	}
	list, _ := os.ReadDir(dir)
	if len(list) != 5 {
		t.Errorf("left in the directory: %v", list)
	}
}

// TestDamage: every changed byte of a payload or its directory is noticed.
func TestDamage(t *testing.T) {
	prog, _ := carrying(t)
	whole, err := os.ReadFile(prog.ELF().Name)
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := payload.Read(prog.ELF())
	if err != nil {
		t.Fatal(err)
	}
	check := func(off uint64) {
		b := bytes.Clone(whole)
		b[off] ^= 0x41
		f, err := elffile.Parse("damaged", b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attach.List(f, true); err == nil {
			t.Errorf("a changed byte at 0x%x is not noticed", off)
		}
	}
	for _, d := range dirs {
		first := d.Off + d.Size
		for i := range d.Entries {
			e := &d.Entries[i]
			first = min(first, e.Off)
			check(e.Off)
			if e.Kind != payload.Object { // e_phoff and its kin are not what the digest is of
				check(e.Off + e.Stored/2)
			}
			check(e.Off + e.Stored - 1)
		}
		end := d.Off
		for i := range whole[d.Off:first] { // up to the padding
			if whole[d.Off+uint64(i)] != 0 {
				end = d.Off + uint64(i)
			}
		}
		for off := d.Off; off <= end; off += 7 {
			check(off)
		}
	}
}

func TestRefusals(t *testing.T) {
	p := samples.Find(t, "x86-64-pie")
	path, dir := p.Build(t), t.TempDir()
	with := filepath.Join(dir, "with")
	small := attach.Item{Name: "small", Kind: payload.File, Data: elffile.Buffer("x")}
	if _, err := add(t, path, with, attach.Options{}, small); err != nil {
		t.Fatal(err)
	}
	for i, it := range []attach.Item{
		{Name: "a/b", Kind: payload.File, Data: elffile.Buffer("x")},
		{Name: "..", Kind: payload.File, Data: elffile.Buffer("x")},
		{Name: "", Kind: payload.File, Data: elffile.Buffer("x")},
		{Name: "no-elf", Kind: payload.Object, Data: elffile.Buffer("not ELF")},
		{Name: "x", Kind: payload.Object, Data: elffile.Buffer("x"), Zstd: true},
		{Name: "x", Kind: payload.File, Data: elffile.Buffer("x"), Bind: "/opt"},
		{Name: "x", Kind: payload.Tree, Data: elffile.Buffer("x"), Bind: "opt"},
		{Name: "x", Kind: payload.Tree, Data: elffile.Buffer("x"), Self: true},
		{Name: "x", Kind: payload.File, Data: elffile.Buffer("x"), Align: 3},
		small,
	} {
		if _, err := add(t, with, filepath.Join(dir, "no"), attach.Options{}, it); err == nil {
			t.Errorf("item %d is taken", i)
		}
	}
	if _, err := add(t, with, with, attach.Options{Replace: true}, attach.Item{Name: "small", Kind: payload.File, Data: elffile.Buffer("other")}); err != nil {
		t.Fatal(err)
	}
	prog, err := payload.Open(with)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	if b, err := prog.ReadFile("small"); string(b) != "other" {
		t.Error(string(b), err)
	}
	if _, err := change(t, with, with, func(f *elffile.File) (*attach.Result, error) {
		return attach.Remove(f, []string{"none"}, attach.Options{})
	}); err == nil {
		t.Error("a payload that is not there is removed")
	}
}

// TestUnloadedAfterTools: a payload that is not loaded is found again, by its
// section where a tool has left the header behind.
func TestUnloadedAfterTools(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "arm-pie", "riscv64-pie", "aarch64-static"} {
		p := samples.Find(t, name)
		s := newSubject(t, p)
		dir := t.TempDir()
		path := filepath.Join(dir, "apart")
		if _, err := add(t, s.path, path, attach.Options{}, attach.Item{Name: "apart", Kind: payload.Tree, Data: tree(t), Unloaded: true}, attach.Item{Name: "in", Kind: payload.File, Data: elffile.Buffer("in")}); err != nil {
			t.Fatal(err)
		}
		s.works(t, path, []string{"apart", "in"})
		for _, k := range p.Editors() {
			if _, ok := k.Apply(t, s.path, filepath.Join(dir, "plain")); !ok {
				continue
			}
			out := filepath.Join(dir, k.Name)
			if msg, ok := k.Apply(t, path, out); !ok {
				t.Errorf("%s: %s: %s", name, k.Name, msg)
				continue
			}
			s.works(t, out, []string{"apart", "in"})
			for what, edit := range map[string]func(f *elffile.File) (*attach.Result, error){
				"fix": func(f *elffile.File) (*attach.Result, error) { return attach.Fix(f, attach.Options{}) },
				"rm": func(f *elffile.File) (*attach.Result, error) {
					return attach.Remove(f, []string{"apart"}, attach.Options{})
				},
			} {
				if _, err := change(t, out, out+"."+what, edit); err != nil {
					t.Errorf("%s: %s after %s: %v", name, what, k.Name, err)
					continue
				}
				s.works(t, out+"."+what, []string{"in"})
			}
		}
	}
}

func Example() {
	f, err := elffile.Open("/bin/true")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	r, err := attach.Add(f, []attach.Item{{Name: "motd", Kind: payload.File, Data: elffile.Buffer("hello")}}, attach.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	rep, err := r.Report()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep.Payloads[0].Name, rep.Payloads[0].Digest[:16])
	// Output: motd 2cf24dba5fb0a30e
}
