package mount

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A mode is who runs a program, and how its trees are to be mounted.
type mode struct {
	name   string
	via    Via
	nobody bool
	served bool // by elfwright, which is then the parent
}

var modes = []mode{
	{name: "kernel", via: Kernel},
	{name: "loop", via: Loop},
	{name: "root-fuse", via: FUSE, served: true},
	{name: "user", via: Auto, nobody: true, served: true},
}

// start is a command that starts a Run of a carrier's file.
func (m mode) start(c *carrier, targets []string, args ...string) *exec.Cmd {
	r := Run{Program: c.file, Args: append([]string{carried}, args...), Via: m.via}
	for _, target := range targets {
		r.Binds = append(r.Binds, Bind{c.src, target})
	}
	text, _ := json.Marshal(r)
	if m.nobody {
		return asNobody(wordRun, string(text))
	}
	return exec.Command("/proc/self/exe", wordRun, string(text))
}

// forModes runs a test for each mode, and looks for what is left behind.
func forModes(t *testing.T, test func(t *testing.T, m mode, c *carrier)) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			before, loops := mountinfo(t), boundLoops(t)
			test(t, m, c)
			if after := mountinfo(t); after != before {
				t.Errorf("mounts are left:\n%s", cmp.Diff(before, after))
			}
			eventually(t, "loop devices are free", func() bool { return boundLoops(t) <= loops })
		})
	}
}

func boundLoops(t testing.TB) int {
	t.Helper()
	bound, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	must(t, err)
	return len(bound)
}

// TestRun starts a program with trees at places that are there, that are not in
// a directory, and that are not in the root, and compares what it finds.
func TestRun(t *testing.T) {
	forModes(t, func(t *testing.T, m mode, c *carrier) {
		there := filepath.Join(c.dir, "there")
		must(t, os.MkdirAll(filepath.Join(there, "below"), 0o755))
		for name, targets := range map[string][]string{
			"existing":    {there + "/below"},
			"in-opt":      {"/opt/elfwright-test"},
			"deep-in-opt": {"/opt/elfwright-test/a/b/c"},
			"in-root":     {"/elfwright-test"},
			"in-tmp":      {filepath.Join(os.TempDir(), "elfwright-test")},
			"several":     {"/opt/elfwright-test/two", "/opt/elfwright-test", "/elfwright-test3/three", "/elfwright-test1", there + "/below"},
			"over-itself": {c.dir},
			"through":     {"/opt/elfwright-test", "/opt/elfwright-test/d/e/f"},
		} {
			t.Run(name, func(t *testing.T) { findsItsTrees(t, m, c, targets) })
		}
	})
}

func findsItsTrees(t *testing.T, m mode, c *carrier, targets []string) {
	cmd := m.start(c, targets, append([]string{"facts"}, targets...)...)
	cmd.Dir = filepath.Join(c.dir, "tree")
	cmd.Env = append(os.Environ(), "ELFWRIGHT_WORD=a word")
	cmd.Stdin = strings.NewReader("typed\n")
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, _ := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != 7 || talk.Len() > 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, talk.Bytes())
	}
	var got facts
	must(t, json.Unmarshal(out, &got))
	want := facts{
		Args: append([]string{carried, "facts"}, targets...), Word: "a word", Dir: cmd.Dir, Exe: c.file, Stdin: "typed\n",
		UID: os.Getuid(), GID: os.Getgid(), Caps: got.Caps, Parent: cmd.Process.Pid, PID: got.PID, Create: got.Create,
		Files: inherited(t, c), Entries: got.Entries,
	}
	if m.nobody {
		want.UID, want.GID = nobody, nobody
		want.Caps = "CapInh:\t0000000000000000 CapPrm:\t0000000000000000 CapEff:\t0000000000000000 CapAmb:\t0000000000000000"
	}
	if !m.served {
		want.Parent, want.PID = os.Getpid(), cmd.Process.Pid // it has become the program
	}
	if targets[0] == c.dir {
		want.Dir = got.Dir // it is under the tree now
	}
	for range targets {
		want.Sums = append(want.Sums, "100 true <nil>")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what the program finds:\n%s", d)
	}
	besides(t, m, targets, got)
	for _, target := range targets {
		if strings.Contains(target, "elfwright-test") {
			if _, err := os.Lstat(target); err == nil {
				t.Errorf("%s is on the host", target)
			}
		}
	}
}

// inherited are the descriptors that a program has when it is started plainly.
func inherited(t *testing.T, c *carrier) []string {
	t.Helper()
	cmd := exec.Command(c.file, "facts", c.dir)
	cmd.Args[0] = carried
	cmd.Stderr = new(bytes.Buffer)
	cmd.Stdin = strings.NewReader("")
	out, _ := cmd.Output()
	var f facts
	must(t, json.Unmarshal(out, &f))
	return f.Files
}

// besides compares the entries beside the first mount point with those of the
// host, and what becomes of a new one.
func besides(t *testing.T, m mode, targets []string, got facts) {
	t.Helper()
	beside := filepath.Dir(targets[0])
	host, err := os.ReadDir(beside)
	if err != nil {
		return // it was provided, too
	}
	var want []string
	for _, e := range host {
		want = append(want, e.Name())
	}
	added := 0
	for _, target := range targets {
		if first := strings.TrimPrefix(target, beside); filepath.Dir(target) == beside && !slices.Contains(want, first[1:]) {
			added++
		}
	}
	for _, name := range want {
		if !slices.Contains(got.Entries, name) && beside != os.TempDir() {
			t.Errorf("%s is not seen any more", filepath.Join(beside, name))
		}
	}
	if added > 0 && beside != os.TempDir() && !strings.Contains(got.Create, "read-only file system") {
		t.Errorf("a new file in %s: %s; it would be lost", beside, got.Create)
	}
	if beside == os.TempDir() && got.Create != "<nil>" {
		t.Errorf("a new file in %s: %s", beside, got.Create)
	}
}

func TestExitCodes(t *testing.T) {
	forModes(t, func(t *testing.T, m mode, c *carrier) {
		for _, tc := range []struct {
			args []string
			want int
		}{
			{[]string{"exit", "0"}, 0}, {[]string{"exit", "1"}, 1}, {[]string{"exit", "255"}, 255},
			{[]string{"die", "9"}, 137}, {[]string{"die", "15"}, 143}, {[]string{"die", "1"}, 129},
		} {
			cmd := m.start(c, []string{"/opt/elfwright-test"}, tc.args...)
			cmd.Run()
			code := cmd.ProcessState.ExitCode()
			if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() && !m.served {
				code = 128 + int(ws.Signal()) // a shell's view of the program that we became
			}
			if code != tc.want {
				t.Errorf("%v: exit code %d, want %d", tc.args, code, tc.want)
			}
		}
		text := *c
		text.file = filepath.Join(c.dir, "text")
		must(t, os.WriteFile(text.file, []byte("not a program\n"), 0o755))
		plain := *c
		plain.file = filepath.Join(c.dir, "plain")
		must(t, os.WriteFile(plain.file, []byte("\x7fELF"), 0o644))
		none := *c
		none.file = filepath.Join(c.dir, "none")
		broken := *c
		broken.src = Source{Path: c.file, Offset: c.src.Offset + 512}
		for _, tc := range []struct {
			c      *carrier
			target string
			want   int
			talk   string
		}{
			{&text, "/opt/elfwright-test", ExitNotRun, "exec format error"},
			{&plain, "/opt/elfwright-test", ExitNotRun, "permission denied"},
			{&none, "/opt/elfwright-test", ExitNotFound, "no such file"},
			{&broken, "/opt/elfwright-test", ExitFailed, "magic"},
			{c, "relative", ExitFailed, "not an absolute path"},
			{c, "/", ExitFailed, "nothing would be left"},
			{c, "/opt/../x", ExitFailed, "write /x"},
			{c, c.file, ExitFailed, "not a directory"},
			{c, c.file + "/below", ExitFailed, "not a directory"},
			{c, filepath.Join(c.tree, "d/dangling"), ExitFailed, "symbolic link to what does not exist"},
		} {
			cmd := m.start(tc.c, []string{tc.target}, "exit", "0")
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tc.want || !strings.Contains(string(out), tc.talk) {
				t.Errorf("%s at %s: exit code %d, want %d and %q\n%s", filepath.Base(tc.c.file), tc.target, code, tc.want, tc.talk, out)
			}
		}
	})
}

// TestSignals sends signals to elfwright, and finds them in the program, once
// each.
func TestSignals(t *testing.T) {
	forModes(t, func(t *testing.T, m mode, c *carrier) {
		cmd := m.start(c, []string{"/opt/elfwright-test"}, "signals")
		cmd.SysProcAttr = sessionOf(cmd)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		next := func(want string) {
			t.Helper()
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("%q, want %s", lines.Text(), want)
			}
		}
		next("ready")
		for _, s := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGTERM} {
			must(t, unix.Kill(cmd.Process.Pid, s))
			next(unix.SignalName(s))
		}
		if lines.Scan() {
			t.Errorf("and %s", lines.Text())
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 5 {
			t.Errorf("exit code %d", code)
		}
	})
}

// sessionOf adds a session of its own, without a terminal, to what cmd has.
func sessionOf(cmd *exec.Cmd) *syscall.SysProcAttr {
	attr := cmd.SysProcAttr
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	}
	attr.Setsid = true
	return attr
}

// paused starts a program that waits, and returns its process id.
func paused(t *testing.T, m mode, c *carrier) (*exec.Cmd, int) {
	t.Helper()
	cmd := m.start(c, []string{"/elfwright-test"}, "pause")
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// In a process group that nobody outside can continue, Linux lets SIGTSTP pass
	// (is_current_pgrp_orphaned): tests without a terminal may be in one.
	cmd.SysProcAttr.Setpgid = true
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	return cmd, pid
}

// TestKilled kills elfwright, and then the program, with SIGKILL: neither
// outlives the other, and nothing of them is left (forModes looks).
func TestKilled(t *testing.T) {
	forModes(t, func(t *testing.T, m mode, c *carrier) {
		for _, victim := range []string{"elfwright", "program"} {
			cmd, pid := paused(t, m, c)
			if victim == "program" {
				must(t, unix.Kill(pid, unix.SIGKILL))
			} else {
				must(t, cmd.Process.Kill())
			}
			cmd.Wait()
			if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); victim == "program" && m.served && ws.ExitStatus() != 128+9 {
				t.Errorf("the program was killed, and the exit code is %d", ws.ExitStatus())
			}
			eventually(t, victim+" was killed, and the program ends", func() bool { return !alive(pid) })
			if _, err := os.Lstat("/elfwright-test"); err == nil {
				t.Error("/elfwright-test is on the host")
			}
		}
	})
}

// TestStops stops a program that stops for the terminal together with elfwright,
// and continues both.
func TestStops(t *testing.T) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	cmd, pid := paused(t, mode{name: "root-fuse", via: FUSE, served: true}, c)
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	must(t, unix.Kill(pid, unix.SIGTSTP))
	eventually(t, "elfwright stops with the program", func() bool { return stopped(cmd.Process.Pid) && stopped(pid) })
	must(t, cmd.Process.Signal(unix.SIGCONT))
	eventually(t, "both go on", func() bool { return !stopped(cmd.Process.Pid) && !stopped(pid) })

	// A debugger's stop is the program's alone.
	must(t, unix.Kill(pid, unix.SIGSTOP))
	eventually(t, "the program stops", func() bool { return stopped(pid) })
	if stopped(cmd.Process.Pid) {
		t.Error("elfwright stops, too, and cannot serve")
	}
	must(t, unix.Kill(pid, unix.SIGCONT))
	eventually(t, "it goes on", func() bool { return !stopped(pid) })
}

// TestIgnoredSignals leaves nohup's effect on the program.
func TestIgnoredSignals(t *testing.T) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	for _, via := range []Via{Kernel, FUSE} {
		text, _ := json.Marshal(Run{Program: "/bin/grep", Args: []string{"grep", "SigIgn", "/proc/self/status"}, Via: via, Binds: []Bind{{c.src, "/opt/elfwright-test"}}})
		exe, err := os.Readlink("/proc/self/exe")
		must(t, err)
		out, err := exec.Command("/bin/sh", "-c", `trap "" HUP; exec "$0" "$@"`, exe, wordRun, string(text)).CombinedOutput()
		if want := "SigIgn:\t0000000000000001\n"; err != nil || string(out) != want {
			t.Errorf("%s: %v, %q, want %q", via, err, out, want)
		}
	}
}
