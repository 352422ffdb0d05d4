package prelude_test

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/machine"
	"elfwright/machine/all"
	"elfwright/machine/amd64"
	"elfwright/machine/i386"
	"elfwright/phdr"
	"elfwright/prelude"
)

// greeting is a script that says something on standard output.
func greeting(t testing.TB, m *machine.Machine) []byte {
	t.Helper()
	b := prelude.NewBuilder(m)
	b.Call("write", b.Word(), 0, prelude.Int(1), b.Text("first\n"), prelude.Int(6))
	b.End()
	script, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// few are the programs of the matrix that are tried without ELFWRIGHT_SWEEP: one of
// each machine, libc, linker and language.
var few = []string{"x86-64-pie", "x86-64-static-pie", "x86-64-lld-nopie", "x86-64-mold-pie", "x86-64-noseparate-code-nopie", "x86-64-pie-no-sections", "x86-64-musl-pie",
	"x86-64-musl-static-pie", "x86-64-go", "x86-64-go-pie", "x86-64-go-cgo", "x86-64-rust", "i386-pie", "i386-static-pie", "i386-go", "aarch64-pie", "aarch64-static-pie",
	"aarch64-go", "arm-pie", "arm-static", "riscv64-pie", "riscv64-nolibc-static-pie"}

// TestInstall: every kind of program does after a script what it does without.
func TestInstall(t *testing.T) {
	tried := 0
	for _, p := range samples.Programs() {
		if p.Library || os.Getenv("ELFWRIGHT_SWEEP") == "" && !contains(few, p.Name) {
			continue
		}
		tried++
		t.Run(p.Name, func(t *testing.T) {
			original := p.Build(t)
			out, status := p.Run(t, original, "go")
			f, err := elffile.Open(original)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			script := greeting(t, all.Lookup(f.Header.Machine, f.Class))
			r, err := prelude.Install(f, script, phdr.Options{Overlay: phdr.OverlayStay})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "program")
			if err := r.Body.WriteFile(path, f.Mode()); err != nil {
				t.Fatal(err)
			}
			same := func(how string) {
				t.Helper()
				if got, s := p.Run(t, path, "go"); got != "first\n"+out || s != status {
					t.Errorf("%s: status %d:\n%s\nwant %d and, after a line:\n%s", how, s, got, status, out)
				}
				found(t, path, f.Header.Entry)
			}
			same("installed")
			if p.Machine == elf.EM_X86_64 && !p.NoSections {
				samples.Need(t, "strip", "objcopy")
				for _, tool := range []string{"strip", "objcopy"} {
					if msg, err := exec.Command(tool, path).CombinedOutput(); err != nil {
						t.Fatalf("%s: %v\n%s", tool, err, msg)
					}
					same(tool)
				}
			}
		})
	}
	if tried < len(few) {
		t.Errorf("%d programs, %d were meant", tried, len(few))
	}
}

func contains(list []string, name string) bool {
	for _, n := range list {
		if n == name {
			return true
		}
	}
	return false
}

// found checks that a file has a prelude, whose script is readable, and that it
// gets no second one.
func found(t *testing.T, path string, entry uint64) {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := prelude.Installed(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := prelude.Decode(p.Machine, p.Script)
	if err != nil || !strings.Contains(text, `write(1, "first\n", 6)`) || p.Entry != entry {
		t.Errorf("old entry 0x%x, %v\n%s\nwant 0x%x and a write", p.Entry, err, text, entry)
	}
	no(t, f, greeting(t, p.Machine), "there is a prelude at e_entry")
}

// no checks that a file is refused, for a reason.
func no(t *testing.T, f *elffile.File, script []byte, reason string) {
	t.Helper()
	_, err := prelude.Install(f, script, phdr.Options{Force: true})
	refusal, ok := errors.AsType[*phdr.Refusal](err)
	if !ok || !refusal.No() || !strings.Contains(err.Error(), reason) {
		t.Errorf("%v, want a refusal because %s", err, reason)
	}
}

// TestRefusals: files that must not have a prelude, or cannot.
func TestRefusals(t *testing.T) {
	script := greeting(t, amd64.Machine)
	program, err := os.ReadFile(static(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		edit func(*elffile.File)
		want string
	}{
		{func(f *elffile.File) { f.Header.Machine = elf.EM_68K }, "MC68000: no prelude yet"},
		{func(f *elffile.File) { f.Class = elf.ELFCLASS32 }, "x32: no prelude yet"},
		{func(f *elffile.File) { f.Header.Type = elf.ET_REL }, "e_type 0x1 is no program's"},
		{func(f *elffile.File) { f.Header.Entry = 0 }, "e_entry is 0: a shared library is not started"},
		{func(f *elffile.File) { f.Header.Entry = 0x10 }, "e_entry 0x10 is in no executable PT_LOAD"},
		{func(f *elffile.File) { f.Header.Ident[elf.EI_OSABI] = byte(elf.ELFOSABI_FREEBSD) }, "it is for ELFOSABI_FREEBSD"},
		{func(f *elffile.File) { f.Header.Machine, f.Data = elf.EM_AARCH64, elf.ELFDATA2MSB }, "AArch64, big-endian: no prelude yet"},
	} {
		f, err := elffile.Parse("program", program)
		if err != nil {
			t.Fatal(err)
		}
		c.edit(f)
		no(t, f, script, c.want)
	}
	f, err := elffile.Parse("program", program)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prelude.Install(f, greeting(t, i386.Machine), phdr.Options{}); err == nil || !strings.Contains(err.Error(), "program: prelude script, machine at 0xc: e_machine 3") {
		t.Errorf("a script for i386 in a program for x86-64: %v", err)
	}
	if _, err := prelude.Installed(f); err == nil || !err.(interface{ No() bool }).No() {
		t.Errorf("a program without a prelude: %v", err)
	}
	library, err := elffile.Parse("libsmall.so", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	library.Header.Entry = 0x1000 // as old linkers set it
	no(t, library, greeting(t, all.Lookup(library.Header.Machine, library.Class)), "a shared library is not started")
	ld, err := elffile.Open("/lib64/ld-linux-x86-64.so.2")
	if err != nil {
		t.Fatal(err)
	}
	defer ld.Close()
	no(t, ld, script, "library") // it has a DT_SONAME
	setuid(t, program, script)
}

// setuid: who starts such a program has not the rights that it has.
func setuid(t *testing.T, program, script []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "setuid")
	write(t, path, program)
	if err := os.Chmod(path, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	no(t, f, script, "its mode is urwxr-xr-x")
}

// FuzzInstalled: no file makes it panic.
func FuzzInstalled(f *testing.F) {
	seeds := 0
	for _, k := range elftest.Kinds() {
		file, err := elffile.Parse("a", elftest.Exec(k).Bytes())
		if err != nil {
			f.Fatal(err)
		}
		m := all.Lookup(file.Header.Machine, file.Class)
		if m == nil || m.Prelude == nil {
			continue
		}
		r, err := prelude.Install(file, greeting(f, m), phdr.Options{})
		if _, no := errors.AsType[*phdr.Refusal](err); no {
			continue // big-endian
		}
		if err != nil {
			f.Fatal(err)
		}
		b, err := elffile.Bytes(r.Body)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		seeds++
	}
	if seeds == 0 {
		f.Error("no file with a prelude to begin with")
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elffile.Parse("a", b)
		if err != nil {
			return
		}
		if p, err := prelude.Installed(file); err == nil {
			if _, err := prelude.Decode(p.Machine, p.Script); err != nil {
				t.Error(err)
			}
		}
	})
}
