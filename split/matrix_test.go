package split_test

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/match"
	"elfwright/split"
)

// TestMatrix splits every kind of program, runs the image, holds it against its
// symbols, and joins the two.
func TestMatrix(t *testing.T) {
	for i, p := range slices.Concat(samples.Programs(), samples.BigEndian()) {
		if testing.Short() && i%8 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			path := p.Build(t)
			want, status := p.Run(t, path, "go")
			if status != 0 || want == "" {
				t.Fatalf("the original ends with %d:\n%s", status, want)
			}
			for _, sections := range []string{split.Minimal, split.None} {
				s := splitTo(t, path, sections)
				if got, status := p.Run(t, s.img, "go"); got != want || status != 0 {
					t.Errorf("the image with sections %s ends with %d:\n%s\nthe original with 0:\n%s", sections, status, got, want)
				}
				checkParts(t, path, s, sections)
			}
		})
	}
}

// checkParts checks what must be true of every split.
func checkParts(t *testing.T, path string, s parts, sections string) {
	t.Helper()
	prog, img, syms := open(t, path), open(t, s.img), open(t, s.syms)
	if !slices.Equal(img.Progs, prog.Progs) {
		t.Errorf("the image has other program headers")
	}
	if n := len(img.Sections()); sections == split.None && n != 0 || n != s.report.Image.Sections {
		t.Errorf("the image has %d section headers with --sections=%s; the report says %d", n, sections, s.report.Image.Sections)
	}
	if err := syms.CheckProgs(); err != nil {
		t.Error(err)
	}
	if r := match.Files(img, syms); !r.Match {
		t.Errorf("the two do not match: %v", r.Err())
	}
	if a, b := match.BuildID(prog), match.BuildID(syms); !bytes.Equal(a, b) {
		t.Errorf("the build-id is %x, in the file with symbols %x", a, b)
	}
	back := s.img + ".joined"
	if r := join(t, s.img, s.syms, back); !r.Identical || r.How != split.Exact || len(r.Warnings) > 0 {
		t.Errorf("joined by %s, identical %v, %v", r.How, r.Identical, r.Warnings)
	}
	sameBytes(t, back, path)
}

// TestTools lets other readers and writers at the two files.
func TestTools(t *testing.T) {
	samples.Need(t, "readelf", "nm", "eu-readelf", "eu-elflint", "addr2line", "eu-addr2line", "strip", "llvm-strip-14", "objcopy")
	for _, name := range []string{"x86-64-pie", "x86-64-static", "x86-64-lld-nopie", "x86-64-go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := samples.Find(t, name)
			path := p.Build(t)
			s := splitTo(t, path, split.Minimal)
			if a, b := run(t, "nm", path), run(t, "nm", "--no-sort", s.syms); len(strings.Fields(a)) != len(strings.Fields(b)) || b == "" {
				t.Errorf("nm says of the symbols\n%s", b)
			}
			sameLines(t, "addr2line", path, s.syms)
			sameLines(t, "eu-addr2line", path, s.syms)
			for _, argv := range [][]string{{"readelf", "-SlW", s.img}, {"eu-readelf", "-a", s.img}, {"eu-readelf", "-S", "-l", "-s", "-n", s.syms}} {
				if out := run(t, argv...); strings.Contains(out, "readelf: ") || strings.Contains(out, "arning:") {
					t.Errorf("%v says:\n%s", argv, out)
				}
			}
			want, _ := p.Run(t, path, "go")
			for _, tool := range []string{"strip", "llvm-strip-14"} {
				out := s.img + "." + tool
				run(t, tool, "-o", out, s.img)
				if got, _ := p.Run(t, out, "go"); got != want {
					t.Errorf("after %s the image prints\n%s", tool, got)
				}
			}
		})
	}
}

// sameLines asks for the lines of some functions.
func sameLines(t *testing.T, tool, prog, syms string) {
	t.Helper()
	f := open(t, prog)
	table, err := f.SymbolTable(f.SectionByType(elf.SHT_SYMTAB))
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{tool, "-f", "-e", ""}
	for i := 0; i < table.Len() && len(argv) < 60; i++ {
		if s := table.At(i); s.Type() == elf.STT_FUNC && s.Shndx != 0 {
			argv = append(argv, fmt.Sprintf("0x%x", s.Value))
		}
	}
	argv[3] = prog
	want := run(t, argv...)
	argv[3] = syms
	if got := run(t, argv...); got != want {
		t.Errorf("%s says of the symbols\n%s\nof the program\n%s", tool, got, want)
	}
}

// TestSystem splits and joins the ELF files of this system: a sample, or with
// ELFWRIGHT_SWEEP all of them.
func TestSystem(t *testing.T) {
	var paths iter.Seq[string] = samples.SystemELFs("/usr/bin", "/usr/lib", "/usr/sbin", "/usr/libexec")
	if !sweep() {
		paths = samples.Some(samples.SystemELFs("/usr/bin", "/usr/lib/x86_64-linux-gnu"), 150, 5)
	}
	count := make(map[string]int)
	for path := range paths {
		count[systemFile(t, path)]++
	}
	t.Logf("%v", count)
}

func systemFile(t *testing.T, path string) string {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		return "unread"
	}
	defer f.Close()
	for _, sections := range []string{split.Minimal, split.None} {
		r, err := split.Split(f, split.Options{Sections: sections, Link: "a.debug"})
		if no, ok := err.(interface{ No() bool }); ok && no.No() {
			return "refused"
		}
		if err != nil {
			t.Error(err)
			return "failed"
		}
		img, err := elffile.ParseBody(path, r.Image)
		if err != nil {
			t.Fatal(err)
		}
		syms, err := elffile.ParseBody("a.debug", r.Symbols)
		if err != nil {
			t.Fatal(err)
		}
		j, err := split.Join(img, syms, split.JoinOptions{})
		if err != nil {
			t.Error(err)
			return "failed"
		}
		if !j.Report.Identical {
			t.Errorf("%s: joined by %s, not identical: %v", path, j.Report.How, j.Report.Warnings)
		}
		if err := elffile.Diff(f.Body, j.Body, func(from, to int64) bool {
			t.Errorf("%s: [0x%x, 0x%x) differ", path, from, to)
			return false
		}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	return "split and joined"
}

// unfit are programs whose output is not the same twice, or that do something
// other than printing their version.
var unfit = []string{"yes", "script", "scriptlive", "reset", "tset", "init", "telinit", "wall", "sg", "newgrp", "su", "login"}

// TestSystemPrograms runs images of programs of this system beside the programs.
func TestSystemPrograms(t *testing.T) {
	var paths iter.Seq[string] = samples.SystemELFs("/usr/bin")
	switch {
	case sweep():
	case testing.Short():
		paths = samples.Some(paths, 4, 7)
	default:
		paths = samples.Some(paths, 20, 7)
	}
	count := make(map[string]int)
	for path := range paths {
		f := open(t, path)
		name := filepath.Base(path)
		if f.Header.Machine != elf.EM_X86_64 || f.Header.Type == elf.ET_REL || slices.Contains(unfit, name) {
			continue
		}
		dir := t.TempDir()
		plain := filepath.Join(dir, name)
		if err := f.Encode().WriteFile(plain, 0o755); err != nil {
			t.Fatal(err)
		}
		want := version(t, plain)
		if version(t, plain) != want {
			count["not the same twice"]++
			continue
		}
		for _, sections := range []string{split.Minimal, split.None} {
			s := splitTo(t, path, sections)
			if got := version(t, s.img); got != want {
				t.Errorf("%s, sections %s: the image prints\n%s\nthe program\n%s", path, sections, got, want)
			}
			os.RemoveAll(filepath.Dir(s.img))
		}
		os.RemoveAll(dir)
		count["same"]++
	}
	t.Logf("%v", count)
}

// version runs a program in an empty world and returns what it says of itself.
func version(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	home := t.TempDir()
	defer os.RemoveAll(home)
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin", "LC_ALL=C", "TERM=dumb"}
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "still running after 5 s"
	}
	status := "0"
	if err != nil {
		status = err.Error()
	}
	s := strings.ReplaceAll(string(out[:min(len(out), 1<<16)]), filepath.Dir(path), "DIR")
	return status + "\n" + strings.ReplaceAll(s, home, "HOME")
}
