package freeze_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze"
	"elfwright/freeze/core"
	"elfwright/freeze/note"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

const coreEnd = "sum 22.5, threads 1 1, what was written before\n"

// inMiddle starts testdata/core.c and calls fn when it has said that it is ready;
// fn may kill it. It returns what it wrote after that.
func inMiddle(t *testing.T, dir, prog string, fn func(pid int)) (rest string, state *os.ProcessState) {
	t.Helper()
	// On one processor, for the kernel writes into the memory of a thread on which it
	// is (rseq(2)), and every look at it may move it.
	cmd := exec.Command("sh", "-c", `ulimit -c unlimited; exec taskset -c 0 "$0"`, prog)
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	if line, err := in.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	fn(cmd.Process.Pid)
	var b bytes.Buffer
	b.ReadFrom(in)
	cmd.Wait()
	return b.String(), cmd.ProcessState
}

// kernelCore has the kernel write a core of a process; it is killed.
func kernelCore(t *testing.T, dir, prog string) string {
	t.Helper()
	pattern, _ := os.ReadFile("/proc/sys/kernel/core_pattern")
	if strings.ContainsAny(string(pattern), "|/%") {
		t.Skipf("cores go to %q here", pattern)
	}
	_, state := inMiddle(t, dir, prog, func(pid int) { unix.Kill(pid, unix.SIGQUIT) })
	if ws := state.Sys().(interface{ CoreDump() bool }); !ws.CoreDump() {
		t.Skip("the kernel writes no cores here")
	}
	names, _ := filepath.Glob(filepath.Join(dir, strings.TrimSpace(string(pattern))+"*"))
	if len(names) != 1 {
		t.Fatal(names)
	}
	return names[0]
}

func gcore(t *testing.T, pid int, name string) string {
	t.Helper()
	if out, err := exec.Command("gcore", "-o", name, fmt.Sprint(pid)).CombinedOutput(); err != nil {
		t.Fatalf("gcore: %v\n%s", err, out)
	}
	return fmt.Sprintf("%s.%d", name, pid)
}

// goesOn makes a program of a core and runs it.
func goesOn(t *testing.T, dir, corefile string, opt freeze.Options) *freeze.Report {
	t.Helper()
	to := corefile + ".again"
	r, err := freeze.FromCore(corefile, "", to, opt)
	if err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, to)
	thawed(t, dir, to, 3, coreEnd)
	return r
}

// kinds are the ways to link a program.
var kinds = map[string][]string{"dynamic": nil, "fixed": {"-no-pie"}, "static": {"-static"}, "static PIE": {"-static-pie"}}

// TestCoreOfKernel: a program that the kernel has written a core of goes on.
func TestCoreOfKernel(t *testing.T) {
	samples.Need(t, "gcc")
	for kind, flags := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prog := compile(t, append([]string{"-O1", "testdata/core.c", "-pthread"}, flags...)...)
			name := kernelCore(t, dir, prog)
			r := goesOn(t, dir, name, freeze.Options{})
			if all := strings.Join(r.Warnings, "\n"); !strings.Contains(all, "descriptors: ") || !strings.Contains(all, "signals: handlers") || !strings.Contains(all, "(brk)") {
				t.Errorf("warnings: %q", r.Warnings)
			}
			goesOn(t, dir, name, freeze.Options{OtherVDSO: true})
			goesOn(t, dir, name, freeze.Options{Libs: freeze.Ref})
		})
	}
}

// vectors looks into a core for what core.c has in a wide register.
func vectors(t *testing.T, name string) {
	t.Helper()
	p := openSaved(t, name)
	if cpu, _ := os.ReadFile("/proc/cpuinfo"); !bytes.Contains(cpu, []byte(" avx ")) {
		return
	}
	for i := range p.Threads {
		for _, r := range p.Vectors(i) {
			if (r.Name == "ymm15" || r.Name == "zmm15") && strings.HasPrefix(string(r.Value), "thirty-two bytes of one register") {
				return
			}
		}
	}
	t.Errorf("%s: no ymm15 has its value", name)
}

// TestCoreOfGcore does the same with what gdb writes, while the process goes on.
func TestCoreOfGcore(t *testing.T) {
	samples.Need(t, "gcc", "gcore")
	for _, kind := range []string{"dynamic", "static PIE"} {
		flags := kinds[kind]
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prog := compile(t, append([]string{"-O1", "testdata/core.c", "-pthread"}, flags...)...)
			var name string
			out, _ := inMiddle(t, dir, prog, func(pid int) {
				pause(pid) // gcore takes longer than the program
				name = gcore(t, pid, filepath.Join(dir, "core"))
				unix.Kill(pid, unix.SIGCONT)
			})
			if out != coreEnd {
				t.Errorf("the process that goes on: %q", out)
			}
			goesOn(t, dir, name, freeze.Options{})
		})
	}
}

// TestCoreRound goes from a process to a core, to a program, to a core and to a
// program again.
func TestCoreRound(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	prog := compile(t, "-O1", "testdata/core.c", "-pthread")
	first, frozen, second := filepath.Join(dir, "first"), filepath.Join(dir, "frozen"), filepath.Join(dir, "second")
	out, _ := inMiddle(t, dir, prog, func(pid int) {
		if _, err := freeze.ToCore(pid, first, freeze.Options{}); err != nil {
			t.Error(err)
		}
	})
	if out != coreEnd {
		t.Errorf("the process that goes on: %q", out)
	}
	goesOn(t, dir, first, freeze.Options{})
	if _, err := freeze.FromCore(first, "", frozen, freeze.Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := freeze.FileToCore(frozen, second, freeze.Options{})
	if err != nil || len(r.Warnings) == 0 {
		t.Fatal(r, err)
	}
	goesOn(t, dir, second, freeze.Options{})
	if st, _ := os.Stat(first); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

// stopped starts a program and stops it when it is ready, so that it is the same
// for all who look.
func stopped(t *testing.T, dir, prog string, fn func(pid int)) {
	inMiddle(t, dir, prog, func(pid int) {
		pause(pid)
		fn(pid)
		unix.Kill(pid, unix.SIGKILL)
	})
}

// pause stops a process by a signal.
func pause(pid int) {
	unix.Kill(pid, unix.SIGSTOP)
	for range 1000 {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); strings.Contains(string(b), ") T ") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // its threads stop one after the other
}

func readCore(t *testing.T, name string) *core.Core {
	t.Helper()
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	c, err := core.Read(f, amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCoreLikeGcore compares our core with gcore's of the same process: registers,
// notes, memory, and what gdb says of both.
func TestCoreLikeGcore(t *testing.T) {
	samples.Need(t, "gcc", "gcore", "gdb")
	dir := t.TempDir()
	prog := compile(t, "-O1", "-g", "testdata/core.c", "-pthread")
	ours, frozen, ofFrozen, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "frozen"), filepath.Join(dir, "of-frozen"), ""
	stopped(t, dir, prog, func(pid int) {
		// gcore comes first: after us a stopped system call is one that is to be made
		// again, which is what the kernel makes of it when the process goes on.
		theirs = gcore(t, pid, filepath.Join(dir, "core"))
		if _, err := freeze.ToCore(pid, ours, freeze.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := freeze.Freeze(pid, frozen, freeze.Options{FDs: map[int]string{1: freeze.Inherit}}); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := freeze.FileToCore(frozen, ofFrozen, freeze.Options{}); err != nil {
		t.Fatal(err)
	}
	a, b := readCore(t, ours), readCore(t, theirs)
	for _, name := range []string{ours, frozen, ofFrozen, theirs} {
		vectors(t, name)
	}
	sameNotes(t, a, b)
	sameMemory(t, a, b)
	sameMemory(t, readCore(t, ofFrozen), b)
	want := debugger(t, prog, theirs)
	if got := debugger(t, prog, ours); got != want {
		t.Errorf("gdb says of ours\n%s\nand of gcore's\n%s", got, want)
	}
	// A frozen thread makes its system call again: registers differ by that alone.
	if got := debugger(t, prog, ofFrozen); backtraces(got) != backtraces(want) {
		t.Errorf("gdb says of the frozen file\n%s\nand of gcore's\n%s", got, want)
	}
	for _, s := range []string{"computes (p=", "waits (p=", "main ()"} {
		if !strings.Contains(want, s) {
			t.Errorf("no %q in %s", s, want)
		}
	}
}

func sameNotes(t *testing.T, a, b *core.Core) {
	t.Helper()
	if !bytes.Equal(a.Auxv, b.Auxv) {
		t.Error("NT_AUXV differs")
	}
	if a.Info.PID != b.Info.PID || a.Info.Parent != b.Info.Parent || a.Info.Group != b.Info.Group || a.Info.Session != b.Info.Session || a.Info.Name != b.Info.Name || !strings.HasPrefix(a.Info.Args, b.Info.Args) {
		t.Errorf("NT_PRPSINFO: %+v, %+v", a.Info, b.Info)
	}
	if fmt.Sprint(a.Files) != fmt.Sprint(b.Files) {
		t.Errorf("NT_FILE:\n%v\n%v", a.Files, b.Files)
	}
	if len(a.Threads) != 3 || len(b.Threads) != 3 {
		t.Fatal(len(a.Threads), len(b.Threads))
	}
	for i := range a.Threads {
		x := &a.Threads[i]
		for j := range b.Threads {
			y := &b.Threads[j]
			if x.TID != y.TID {
				continue
			}
			if !bytes.Equal(x.Regs, y.Regs) {
				t.Errorf("thread %d: registers\n%x\n%x", x.TID, x.Regs, y.Regs)
			}
			for _, set := range []uint32{2, 0x202} { // NT_FPREGSET, NT_X86_XSTATE
				p, q := bytes.Clone(x.Set(set)), bytes.Clone(y.Set(set))
				if len(p) < 512 || len(q) < 512 {
					t.Fatalf("thread %d: note 0x%x: %d and %d bytes", x.TID, set, len(p), len(q))
				}
				clear(q[28:32]) // MXCSR_MASK, which gdb leaves out
				clear(p[28:32])
				for k := range min(len(p), len(q)) {
					// XSTATE_BV says which parts are not as at the start; gdb says all.
					if p[k] != q[k] && k != 512 {
						t.Errorf("thread %d: note 0x%x: byte %d of %d is %02x, gcore %02x of %d", x.TID, set, k, len(p), p[k], q[k], len(q))
					}
				}
			}
		}
	}
}

// sameMemory compares what both have.
func sameMemory(t *testing.T, a, b *core.Core) {
	t.Helper()
	compared := uint64(0)
	for i := range b.Segments {
		s := &b.Segments[i]
		for j := range a.Segments {
			o := &a.Segments[j]
			if o.Start != s.Start || o.Stored == 0 || s.Stored == 0 {
				continue
			}
			n := min(o.Stored, s.Stored)
			x, y := make([]byte, n), make([]byte, n)
			o.Parts[0].Data.ReadAt(x, 0)
			s.Parts[0].Data.ReadAt(y, 0)
			for k := range x {
				// What the kernel writes into struct rseq, when a thread goes on somewhere,
				// is not kept.
				if x[k] != y[k] && x[k] != 0 {
					t.Errorf("memory at 0x%x: 0x%02x, gcore 0x%02x", s.Start+uint64(k), x[k], y[k])
					break
				}
			}
			compared += n
		}
	}
	if compared < 1<<20 {
		t.Errorf("only %d bytes are in both", compared)
	}
}

// debugger asks gdb.
func debugger(t *testing.T, prog, corefile string) string {
	t.Helper()
	cmd := exec.Command("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "thread apply all -q bt", "-ex", "thread apply all -q info registers", "-ex", "thread apply all -q p $ymm15.v2_int128", "-ex", "info proc mappings", "-ex", "info auxv", prog, corefile)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("gdb: %v", err)
	}
	_, text, _ := strings.Cut(string(out), "[Current thread")
	_, text, _ = strings.Cut(text, "\n")
	return text
}

var frameLine = regexp.MustCompile(`(?m)^#.*$`)

// backtraces are the lines of calls, without addresses.
func backtraces(s string) string {
	lines := frameLine.FindAllString(s, -1)
	return regexp.MustCompile(`0x[0-9a-f]+ in `).ReplaceAllString(strings.Join(lines, "\n"), "")
}

// TestCoreRefused takes away what a core needs, and looks for its name.
func TestCoreRefused(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	prog := filepath.Join(dir, "prog")
	if err := os.Rename(compile(t, "-O1", "testdata/core.c", "-pthread"), prog); err != nil {
		t.Fatal(err)
	}
	whole, name := filepath.Join(dir, "whole"), filepath.Join(dir, "file")
	bare := kernelCore(t, dir, prog)
	inMiddle(t, dir, prog, func(pid int) {
		if _, err := freeze.ToCore(pid, whole, freeze.Options{Kill: true}); err != nil {
			t.Error(err)
		}
	})
	refused := func(from, exe string, want ...string) {
		t.Helper()
		_, err := freeze.FromCore(from, exe, name, freeze.Options{})
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v, want one with %q", err, w)
			}
		}
		if _, err := os.Stat(name); err == nil {
			t.Error("a file was written")
			os.Remove(name)
		}
	}
	refused(prog, "", "is not an ELF core file (e_type is DYN")
	if err := os.Rename(prog, prog+".moved"); err != nil {
		t.Fatal(err)
	}
	refused(bare, "", "prog: the core does not have all of its pages (coredump_filter), and ", "no such file", "--exe lets it go on")
	refused(bare, "/bin/true", "has build ID", "the one that was mapped had")
	for _, c := range []struct{ from, exe string }{{bare, prog + ".moved"}, {whole, ""}} { // ours has all pages
		if _, err := freeze.FromCore(c.from, c.exe, name, freeze.Options{}); err != nil {
			t.Fatal(err)
		}
		samples.Settle(t, name)
		thawed(t, dir, name, 3, coreEnd)
		os.Remove(name)
	}
	b, err := os.ReadFile(bare)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	if err := os.WriteFile(cut, b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	refused(cut, prog+".moved", "the core is cut off")
}

// TestCoreWithoutMemory has the kernel leave out what coredump_filter says.
func TestCoreWithoutMemory(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	prog := compile(t, "-O1", "testdata/core.c", "-pthread")
	filtered := filepath.Join(dir, "filtered")
	if err := os.WriteFile(filtered, []byte("#!/bin/sh\necho 0 >/proc/self/coredump_filter\nexec "+prog+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, filtered)
	name := kernelCore(t, dir, filtered)
	_, err := freeze.FromCore(name, "", filepath.Join(dir, "file"), freeze.Options{})
	if err == nil || !strings.Contains(err.Error(), "coredump_filter") {
		t.Errorf("error %v", err)
	}
}

// TestCoreDescriptors gives a program of a core a descriptor that it had.
func TestCoreDescriptors(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	corefile, name := filepath.Join(dir, "core"), filepath.Join(dir, "file")
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("first\nsecond\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", "exec 5<in; kill -STOP $$; read -u 5 line; echo $line; exit 3")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for s := ""; !strings.Contains(s, ") T "); time.Sleep(time.Millisecond) {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		s = string(b)
	}
	if _, err := freeze.ToCore(cmd.Process.Pid, corefile, freeze.Options{Kill: true}); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if _, err := freeze.FromCore(corefile, "", name, freeze.Options{FDs: map[int]string{5: filepath.Join(dir, "in")}}); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, name)
	thawed(t, dir, name, 3, "first\n")
}

// TestCoreOfMusl: what musl tells the kernel of its threads is found in its code.
func TestCoreOfMusl(t *testing.T) {
	samples.Need(t, "musl-gcc")
	for _, flag := range []string{"-pie", "-static"} {
		dir := t.TempDir()
		prog := filepath.Join(dir, "prog")
		if out, err := exec.Command("musl-gcc", "-O1", flag, "-o", prog, "testdata/core.c").CombinedOutput(); err != nil {
			t.Fatalf("musl-gcc: %v\n%s", err, out)
		}
		samples.Settle(t, prog)
		goesOn(t, dir, kernelCore(t, dir, prog), freeze.Options{})
	}
}

// TestCoreUnjoined takes from a thread what a C library would be known by.
func TestCoreUnjoined(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	name, other, to := filepath.Join(dir, "core"), filepath.Join(dir, "other"), filepath.Join(dir, "file")
	inMiddle(t, dir, compile(t, "-O1", "testdata/core.c", "-pthread"), func(pid int) {
		if _, err := freeze.ToCore(pid, name, freeze.Options{Kill: true}); err != nil {
			t.Error(err)
		}
	})
	c := readCore(t, name)
	slot, _ := amd64.Machine.Status.Slot("fs_base")
	c.Threads[1].Regs = bytes.Clone(c.Threads[1].Regs)
	clear(c.Threads[1].Regs[slot.Off:][:8])
	body, err := c.Write(amd64.Machine)
	if err != nil {
		t.Fatal(err)
	}
	if err := body.WriteFile(other, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := freeze.FromCore(other, "", to, freeze.Options{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("threads %d: are not of a C library that is known", c.Threads[1].TID)) || !strings.Contains(err.Error(), "--unjoined lets it go on") {
		t.Errorf("error %v", err)
	}
	r, err := freeze.FromCore(other, "", to, freeze.Options{Unjoined: true})
	if err != nil || !strings.Contains(strings.Join(r.Warnings, "\n"), "waits for ever") {
		t.Errorf("error %v", err)
	}
}

// TestCoreOfTree: of a frozen file with several processes each gets a core.
func TestCoreOfTree(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	frozen, two, to := filepath.Join(dir, "frozen"), filepath.Join(dir, "two"), filepath.Join(dir, "core")
	inMiddle(t, dir, compile(t, "-O1", "testdata/core.c", "-pthread"), func(pid int) {
		if _, err := freeze.Freeze(pid, frozen, freeze.Options{Kill: true, FDs: map[int]string{1: freeze.Inherit}}); err != nil {
			t.Error(err)
		}
	})
	f, err := elffile.Open(frozen)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := note.Read(f)
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	var both []byte
	for _, pid := range []int{100, 200} {
		list[0].PID = pid
		b, err := list[0].Encode()
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_NOTE {
			p.Off, p.Filesz = uint64(f.Body.Size()), uint64(len(both))
			f.Body.Put(f.Body.Size(), elffile.Buffer(both))
		}
	}
	if err := f.Encode().WriteFile(two, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := freeze.FileToCore(two, to, freeze.Options{})
	if err != nil || fmt.Sprint(r.Files) != fmt.Sprint([]string{to + ".100", to + ".200"}) {
		t.Fatal(r, err)
	}
	for i, name := range r.Files {
		if c := readCore(t, name); int(c.Info.PID) != 100*(i+1) || len(c.Threads) != 3 {
			t.Errorf("%s: %+v", name, c.Info)
		}
	}
}
