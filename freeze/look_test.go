package freeze_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/explain"
	"elfwright/freeze"
	"elfwright/freeze/note"
	"elfwright/freeze/saved"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

// TestExplained holds what explain says of a frozen file against the kernel, for
// every way to freeze.
func TestExplained(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/resources.c", "-pthread")
	for name, opt := range map[string]freeze.Options{
		"plain": {}, "lazy": {Lazy: true}, "libraries": {Libs: freeze.Ref}, "namespace": {PIDs: freeze.PIDNS}, "other vDSO": {OtherVDSO: true},
	} {
		dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
		if out, code, err := run(t, dir, frozen, opt, prog, "threads"); err != nil || code != 3 {
			t.Fatal(code, out, err)
		}
		s, err := explain.Open(frozen, explain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Check()
		s.Close()
		if err != nil || c.Compared < 20 {
			t.Fatal(name, err)
		}
		for _, d := range c.Differences {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// callsLibrary is the library of testdata/calls.c. It has no frame pointers.
const callsLibrary = "int outer(int (*fn)(int), int n) { volatile char room[200]; room[n] = 1; return fn(n) + room[n]; }\n"

// calls freezes testdata/calls.c when all its threads are where they stay.
func calls(t *testing.T, dir string, flags ...string) (prog, frozen string) {
	t.Helper()
	prog, frozen = filepath.Join(dir, "calls"), filepath.Join(dir, "frozen")
	if err := os.WriteFile(filepath.Join(dir, "lib.c"), []byte(callsLibrary), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := filepath.Abs("testdata/calls.c")
	if err != nil {
		t.Fatal(err)
	}
	link := "gcc -O2 -shared -fPIC -o libcalls.so lib.c && gcc -O1 -o calls %s %s -L. -lcalls -Wl,-rpath,$PWD -pthread"
	if strings.Contains(strings.Join(flags, " "), "-static") {
		link = "gcc -O1 -o calls %s %s lib.c -pthread"
	}
	if out, code := shell(t, dir, fmt.Sprintf(link, strings.Join(flags, " "), src)); code != 0 {
		t.Fatal(out)
	}
	inMiddle(t, dir, prog, func(pid int) {
		time.Sleep(100 * time.Millisecond) // until the first thread is in its handler
		if _, err := freeze.Freeze(pid, frozen, freeze.Options{Kill: true, FDs: map[int]string{1: freeze.Inherit}}); err != nil {
			unix.Kill(pid, unix.SIGKILL)
			t.Fatal(err)
		}
	})
	return prog, frozen
}

// openSaved opens the process in a frozen file or a core.
func openSaved(t *testing.T, name string) *saved.Process {
	t.Helper()
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	list, err := saved.Open(f, amd64.Machine)
	if err != nil || len(list) != 1 || note.Is(f) != (list[0].Core == nil) {
		t.Fatal(len(list), err)
	}
	t.Cleanup(func() { list[0].Close(); f.Close() })
	return list[0]
}

// gdbFrames is a script for gdb: the frames of each thread that are on the stack, without those that gdb makes up.
const gdbFrames = `
import gdb
for t in sorted(gdb.selected_inferior().threads(), key=lambda t: t.ptid[1]):
    t.switch()
    f = gdb.newest_frame()
    while f:
        if f.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            print("frame", t.ptid[1], hex(f.pc()), hex(int(f.read_register("rsp")) & (1 << 64) - 1))
        f = f.older()
`

// TestBacktraces compares the stacks that show finds with those of gdb.
func TestBacktraces(t *testing.T) {
	samples.Need(t, "gcc", "gdb", "bash")
	for kind, flags := range map[string][]string{"plain": nil, "frame pointers": {"-fno-omit-frame-pointer"}, "static": {"-static"}, "fixed": {"-no-pie"}} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prog, frozen := calls(t, dir, flags...)
			core, script := filepath.Join(dir, "core"), filepath.Join(dir, "frames.py")
			if _, err := freeze.FileToCore(frozen, core, freeze.Options{}); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(script, []byte(gdbFrames), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set backtrace past-main on", "-ex", "set backtrace past-entry on", "-x", script, prog, core).Output()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(out)) {
				if rest, ok := strings.CutPrefix(line, "frame "); ok {
					want = append(want, strings.TrimSpace(rest))
				}
			}
			p := openSaved(t, frozen)
			var got []string
			for i := range p.Threads {
				for _, f := range p.Backtrace(i) {
					got = append(got, fmt.Sprintf("%d 0x%x 0x%x", p.Threads[i].TID, f.PC, f.SP))
				}
			}
			if len(want) < 25 || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("frames\n%s\ngdb\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestLookWithoutFiles finds the functions of files that are gone in what of them is
// in the frozen file.
func TestLookWithoutFiles(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	dir := t.TempDir()
	prog, frozen := calls(t, dir, "-rdynamic")
	names := func() string {
		var b strings.Builder
		p := openSaved(t, frozen)
		for i := range p.Threads {
			for _, f := range p.Backtrace(i) {
				fmt.Fprintf(&b, "%s ", f.Symbol.Name)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	whole := names()
	for _, want := range []string{"pause innermost outer recursive recursive recursive recursive handler ", " main ", "pause innermost outer recursive recursive recursive order ", " recursive thread start_thread "} {
		if !strings.Contains(whole, want) && want != " recursive thread start_thread " { // start_thread needs libc's symbols
			t.Errorf("no %q in\n%s", want, whole)
		}
	}
	if err := os.Remove(filepath.Join(dir, "libcalls.so")); err != nil {
		t.Fatal(err)
	}
	// Another file in its place is not taken for it.
	if out, code := shell(t, dir, "cp /bin/ls calls.other && mv calls.other calls"); code != 0 {
		t.Fatal(out)
	}
	_ = prog
	bare := names()
	if strings.Count(bare, "\n") != 3 || strings.Count(bare, " outer ") != 3 || strings.Count(bare, " main ") != 1 {
		t.Errorf("without the files:\n%s", bare)
	}
	if a, b := len(strings.Fields(whole)), strings.Count(bare, " "); b < a {
		t.Errorf("%d frames instead of %d", b, a)
	}
}

// TestOtherTools reads a frozen file by objdump and gdb.
func TestOtherTools(t *testing.T) {
	samples.Need(t, "gcc", "objdump", "gdb", "bash")
	_, frozen := calls(t, t.TempDir())
	p := openSaved(t, frozen)
	out, err := exec.Command("objdump", "-h", frozen).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i := range p.Maps {
		m := &p.Maps[i]
		for _, s := range m.Stored {
			if want := fmt.Sprintf("%016x  %016x  %08x", s.Start, s.Start, s.At); !bytes.Contains(out, []byte(want)) {
				t.Errorf("objdump -h has no %q (%s)\n%s", want, m.Name, out)
			}
		}
	}
	covered := p.Maps[0].Start // all of the memory has a section
	for _, line := range strings.Split(string(out), "\n") {
		var i int
		var name string
		var size, vma uint64
		if n, _ := fmt.Sscanf(line, "%d %s %x %x", &i, &name, &size, &vma); n != 4 {
			continue
		}
		for j := range p.Maps {
			if m := &p.Maps[j]; m.Start <= vma && vma < m.Start+m.Size && vma != covered && vma != m.Start {
				t.Errorf("%s at 0x%x does not follow 0x%x", name, vma, covered)
			}
		}
		covered = vma + size
	}
	pc, _ := p.Register(0, "rip")
	sp, _ := p.Register(0, "rsp")
	out, err = exec.Command("objdump", "-d", fmt.Sprintf("--start-address=%#x", pc), fmt.Sprintf("--stop-address=%#x", pc+2), frozen).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("syscall")) {
		t.Errorf("objdump -d: %v\n%s", err, out)
	}
	var word [8]byte
	if _, err := p.ReadAt(word[:], int64(sp)); err != nil {
		t.Fatal(err)
	}
	out, err = exec.Command("gdb", "-nx", "-batch", "-ex", fmt.Sprintf("x/1i %#x", pc), "-ex", fmt.Sprintf("x/8xb %#x", sp), "-ex", "info files", frozen).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	bytesOf := ""
	for _, c := range word {
		bytesOf += fmt.Sprintf("\t0x%02x", c)
	}
	for _, want := range []string{"syscall", bytesOf, "is .stack", "libcalls.so"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("gdb says no %q\n%s", want, out)
		}
	}
}
