package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/plan"
)

// sweepUser is who the programs run as: nobody.
const sweepUser = 65534

// installed is this program in a place that everybody may reach.
func installed(t *testing.T) string {
	t.Helper()
	dir := openDir(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// openDir is a temporary directory for all users.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "elfwright-run-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ran is what became of a program.
type ran struct {
	out  string
	code int
}

// runAs runs a command as an ordinary user, in a session of its own.
func runAs(dir string, args ...string) ran { return runFile(dir, args[0], args...) }

// runFile is runAs for a file that argv[0] does not name.
func runFile(dir, file string, args ...string) ran {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args[1:]...)
	cmd.Args[0] = args[0]
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8", "TERM=dumb", "TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: sweepUser, Gid: sweepUser}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	r := ran{out: out.String(), code: -1}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		r.code = 0
	} else {
		r.out += err.Error()
	}
	return r
}

// dynamicPrograms are those of a directory that have a dynamic linker, are for this
// machine, and run as who starts them.
func dynamicPrograms(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	self, err := elffile.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o005 != 0o005 || info.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
			continue
		}
		f, err := elffile.Open(path)
		if err != nil {
			continue
		}
		if i, _ := (&plan.Program{File: f}).Interp(); i >= 0 && f.Header.Machine == self.Header.Machine {
			out = append(out, path)
		}
		f.Close()
	}
	return out
}

// silent are programs that do not answer --version but do something for long, or
// to the machine.
var silent = []string{"yes", "llvm-PerfectShuffle", "llvm-PerfectShuffle-14", "systemctl", "pidwait", "top", "watch"}

// TestRunPrograms starts programs of /usr/bin with --version, with and without us:
// a sample, each by another way of sweepWays, or with ELFWRIGHT_SWEEP=1 all, by that of
// ELFWRIGHT_ENGINE, or by the first.
func TestRunPrograms(t *testing.T) {
	programs := dynamicPrograms(t, "/usr/bin")
	step := 40
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		step = 1
	}
	ew := installed(t)
	var mu sync.Mutex
	same, unstable := 0, 0
	type job struct{ path, way string }
	work := make(chan job)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for j := range work {
				ok, steady := samePair(t, ew, j.path, j.way)
				mu.Lock()
				if ok {
					same++
				}
				if !steady {
					unstable++
				}
				mu.Unlock()
			}
		})
	}
	tried := 0
	for i := 0; i < len(programs); i += step {
		if !slices.Contains(silent, filepath.Base(programs[i])) {
			work <- job{programs[i], sweepWay(tried)}
			tried++
		}
	}
	close(work)
	wg.Wait()
	t.Logf("%d programs of /usr/bin: %d the same; %d print something else each time", tried, same, unstable)
	if tried < 5 {
		t.Errorf("only %d programs were found", tried)
	}
}

// samePair runs a program both ways. Where it does not say the same each time, what
// it says to us has to be one of the things it says without us, or, for times and
// process numbers, one of them without digits and in any order of lines.
func samePair(t *testing.T, ew, path, way string) (same, steady bool) {
	run := func(args ...string) ran {
		dir := openDir(t)
		r := runAs(dir, args...)
		r.out = strings.ReplaceAll(r.out, dir, "DIR")
		return r
	}
	ours := start(t, ew, way, path)
	native := run(path, "--version")
	steady = true
	for range 4 {
		if native == ours {
			return true, steady
		}
		again := run(path, "--version")
		if steady = steady && native == again; !steady && native.code == ours.code && blurred(native.out) == blurred(ours.out) {
			return true, false
		}
		native = again
	}
	if slices.Contains(erratic, filepath.Base(path)) && native.code == ours.code {
		return true, false
	}
	t.Errorf("%s --version: exit code %d, without us %d\n%s\nwithout us\n%s", path, ours.code, native.code, short(ours.out), short(native.out))
	return false, steady
}

// erratic are programs that print what they never wrote to memory: acpiexec an
// empty line or none, which a copy of it does now and then, too.
var erratic = []string{"acpiexec"}

// sweepWays are the ways to start a program: by an engine, or by a link to an image
// that is kept.
var sweepWays = []string{"interp", "own", "link"}

// sweepWay is that of the i-th program.
func sweepWay(i int) string {
	if e := os.Getenv("ELFWRIGHT_ENGINE"); e != "" {
		return e
	}
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		return sweepWays[0]
	}
	return sweepWays[i%len(sweepWays)]
}

// start starts a program by us.
func start(t *testing.T, ew, way, path string) ran {
	dir := openDir(t)
	r := ran{}
	if way == "link" {
		link := filepath.Join(dir, "link")
		if r = runAs(dir, ew, "run", "--engine=own", "--cache", "--link="+link, path); r.code == 0 && r.out == "" {
			r = runFile(dir, link, path, "--version")
		}
	} else {
		r = runAs(dir, ew, "run", "--engine="+way, path, "--version")
	}
	r.out = strings.ReplaceAll(r.out, dir, "DIR")
	return r
}

func blurred(s string) string {
	lines := strings.Split(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
			return -1
		}
		return r
	}, s), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func short(s string) string { return s[:min(len(s), 600)] }
