package phdr_test

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// unfit are programs whose output is not the same twice, or that do something
// other than printing their version.
var unfit = []string{"yes", "script", "scriptlive", "reset", "tset", "init", "telinit", "wall", "sg", "newgrp", "su", "login"}

// systemProgram edits one program and returns by which technique.
func systemProgram(t *testing.T, path string) string {
	f, err := elffile.Open(path)
	if err != nil {
		t.Errorf("%v", err)
		return "unread"
	}
	defer f.Close()
	name := filepath.Base(path)
	fit := f.Header.Machine == elf.EM_X86_64 && (f.Header.Type == elf.ET_EXEC || f.Header.Type == elf.ET_DYN) && !slices.Contains(unfit, name)
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
	want, again := version(t, plain), version(t, plain)
	if want != again {
		return "not the same twice"
	}
	if got := version(t, edited); got != want {
		t.Errorf("%s, edited by %s: --version gives\n%s\nthe original gives\n%s", path, r.Report.Technique, got, want)
		return "broken"
	}
	if exec.Command("strip", "-o", stripped, plain).Run() != nil || version(t, stripped) != want {
		return r.Report.Technique + ", strip breaks the original"
	}
	if out, err := exec.Command("strip", "-o", both, edited).CombinedOutput(); err != nil {
		t.Errorf("%s, edited by %s: strip: %v: %s", path, r.Report.Technique, err, out)
		return "strip refuses"
	}
	if got := version(t, both); got != want {
		t.Errorf("%s, edited by %s and stripped: --version gives\n%s\nthe original gives\n%s", path, r.Report.Technique, got, want)
		return "broken by strip"
	}
	return r.Report.Technique
}

// version runs a program in an empty world and returns all that can be seen of
// it, with its directory's name taken out.
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
	cmd.SysProcAttr = newSession()
	var out bytes.Buffer
	w := &firstBytes{&out, 1 << 16}
	cmd.Stdout, cmd.Stderr = w, w
	err := cmd.Run()
	if ctx.Err() != nil {
		return "still running after 5 s"
	}
	status := "0"
	if err != nil {
		status = err.Error()
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			status = fmt.Sprintf("status 0x%x", reflect.ValueOf(e.Sys()).Uint())
		}
	}
	s := strings.ReplaceAll(out.String(), filepath.Dir(path), "DIR")
	return status + "\n" + strings.ReplaceAll(s, home, "HOME")
}

// firstBytes keeps the first bytes and drops the others.
type firstBytes struct {
	w    io.Writer
	left int
}

func (f *firstBytes) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	f.w.Write(p[:n])
	return len(p), nil
}

// newSession takes the terminal away.
func newSession() *unix.SysProcAttr { return &unix.SysProcAttr{Setsid: true} }
