package freeze_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// refusedTrees are the trees that cannot be restored, and what the error says.
var refusedTrees = map[string]string{
	"common_memory":  "has its memory in common with process ",
	"memory_outside": "is shared with process ",
	"outside":        "is a socket that process ",
}

// TestTrees freezes testdata/tree.c, a tree of processes a case.
func TestTrees(t *testing.T) {
	samples.Need(t, "gcc")
	prog := compile(t, "-O1", "testdata/tree.c", "-pthread")
	names, _ := exec.Command(prog).Output()
	if len(bytes.Fields(names)) < 30 {
		t.Fatalf("cases: %q", names)
	}
	page, err := os.ReadFile("../docs/freeze-trees.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(names)) {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("case %s is not in docs/freeze-trees.md", name)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
			out, code, err := run(t, dir, frozen, freeze.Options{Tree: true}, prog, name)
			if want := refusedTrees[name]; want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one with %q", err, want)
				}
				if _, err := os.Stat(frozen); err == nil {
					t.Error("a file was written")
				}
				return
			}
			if err != nil {
				t.Fatal(err, out)
			}
			want := name + " is as it was\n"
			if name == "output" {
				want = "through\n" + want
			}
			if code != 3 || out != want {
				t.Errorf("the tree that goes on: exit code %d, %q", code, out)
			}
			file := filepath.Join(dir, "outlived")
			if name == "outlives" {
				outlived(t, file)
				os.Truncate(file, 0)
			}
			thawed(t, dir, frozen, 3, want)
			if name == "outlives" {
				outlived(t, file)
			}
		})
	}
}

// outlived waits for what a process writes that goes on when the first one has
// ended.
func outlived(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if b, _ := os.ReadFile(name); string(b) == "outlived" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the process that goes on has written nothing")
		}
	}
}

// atRandom freezes a program at instants of its run, and thaws each file twice at
// once. What it had written before and what the thawed one writes are what it
// writes otherwise.
func atRandom(t *testing.T, n int, code int, args ...string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	begin := time.Now()
	want, _ := cmd.Output()
	took := time.Since(begin)
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("undisturbed: exit code %d, %q", got, want)
	}
	var written atomic.Int64
	defer func() {
		if written.Load() == 0 {
			t.Error("no thawed tree has written anything")
		}
	}()
	random := rand.New(rand.NewSource(1))
	for i := range n {
		after := 5*time.Millisecond + time.Duration(random.Int63n(int64(took)*8/10))
		frozen := filepath.Join(dir, fmt.Sprint("frozen", i))
		var live bytes.Buffer
		r := freeze.Run{
			Args: append([]string{"/usr/bin/env", "-C", dir}, args...), Env: os.Environ(), Out: &live, Err: os.Stderr, After: after,
			Options: freeze.Options{Tree: true},
		}
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		r.In = null
		_, got, err := r.Start(frozen)
		null.Close()
		if err != nil {
			if s := err.Error(); strings.Contains(s, "before it came to its freeze point") || strings.Contains(s, "has ended (State") {
				continue
			}
			t.Fatalf("after %v: %v", after, err)
		}
		if got != code || live.String() != string(want) {
			t.Errorf("after %v, live: exit code %d, %q; want %q", after, got, live.String(), want)
		}
		samples.Settle(t, frozen)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { written.Add(suffix(t, after, dir, frozen, code, string(want))) })
		}
		both.Wait()
		os.Remove(frozen)
	}
}

// suffix starts a frozen file, which has to write the rest of an output.
func suffix(t *testing.T, after time.Duration, dir, frozen string, code int, want string) int64 {
	cmd := exec.Command(frozen)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return 0
	}
	slow := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer slow.Stop()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.HasSuffix(want, out.String()) {
		t.Errorf("after %v, thawed: %v, %q; want exit code %d, and the end of %q", after, cmd.ProcessState, out.String(), code, want)
	}
	return int64(out.Len())
}

// TestTreeAtRandom freezes trees at instants of their runs.
func TestTreeAtRandom(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	prog := compile(t, "-O1", "testdata/tree.c", "-pthread")
	for name, c := range map[string]struct {
		instants int
		args     []string
	}{
		"work":     {12, []string{prog, "work"}},
		"pipeline": {4, []string{"bash", "-c", "yes | head -n 300000 | sort -S 100M | uniq -c; for i in 1 2 3 4 5 6; do echo $i; sleep 0.02; done | while read x; do echo got $x; done; exit 5"}},
		"jobs":     {6, []string{"bash", "-c", "sleep 0.2 & for i in 1 2 3 4 5 6 7 8; do sleep 0.02; echo $i; done; wait; echo all; exit 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atRandom(t, c.instants, 5, c.args...)
		})
	}
}

// TestTreeAgain freezes a tree that was thawed, some times over, by the number of
// what was started, and by that of the process itself.
func TestTreeAgain(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	args := []string{"bash", "-c", "me=$$; sleep 100 & for i in 1 2 3; do kill -STOP $me; echo $i $(echo a child | cat); done; kill %1; wait; exit 7"}
	for i := range 3 {
		to := filepath.Join(dir, fmt.Sprint("f", i))
		out, _, err := run(t, dir, to, freeze.Options{Kill: true, Tree: true}, args...)
		if err != nil || strings.Count(out, "\n") != min(i, 1) {
			t.Fatal(i, out, err)
		}
		args = []string{to}
	}
	if out, code := shell(t, dir, "./f2"); out != "3 a child\n" || code != 7 {
		t.Errorf("exit code %d, %q", code, out)
	}
}

const pool = `
import multiprocessing as mp, sys, time
def f(x):
    time.sleep(0.002)
    return x * x
def worker(q, r):
    while (x := q.get()) is not None:
        r.put(x + 1)
mp.set_start_method("fork")
q, r = mp.Queue(), mp.Queue()
ps = [mp.Process(target=worker, args=(q, r)) for _ in range(2)]
for p in ps: p.start()
with mp.Pool(3) as pool:
    print(sum(pool.map(f, range(60))), flush=True)
    print(sum(pool.imap_unordered(f, range(60))), flush=True)
for i in range(50):
    q.put(i)
    time.sleep(0.001)
print(sum(r.get() for i in range(50)), flush=True)
for p in ps: q.put(None)
for p in ps: p.join()
print([p.exitcode for p in ps])
sys.exit(5)
`

const makefile = `
all: a b c d e f
	@echo all; exit 3
%:
	@sleep 0.05
`

// TestTreePrograms freezes programs that have children.
func TestTreePrograms(t *testing.T) {
	samples.Need(t, "python3", "make")
	for name, c := range map[string]struct {
		code int
		args []string
	}{
		"python": {5, []string{"python3", "-c", pool}},
		"make":   {2, []string{"bash", "-c", "make -s -j2 -f <(printf '%s' \"$0\") 2>&1 | sed 's/^make.*/failed/'; exit ${PIPESTATUS[0]}", makefile}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atRandom(t, 5, c.code, c.args...)
		})
	}
}

// TestTreeMissing takes away what one process of a tree needs: none goes on.
func TestTreeMissing(t *testing.T) {
	samples.Need(t, "bash")
	for _, c := range []struct{ name, make, away, want string }{
		{"a file of a child", "echo x >file; (exec 3<file; rm -f begun; sleep 0.2; echo lost >begun) & sleep 0.1; kill -STOP $$; wait; exit 3", "rm file", "descriptor 3: open "},
		{"the directory of a grandchild", "mkdir dir; (sleep 0.3 & cd dir; sleep 0.3 & wait; echo lost >../begun) & sleep 0.1; kill -STOP $$; wait; exit 3", "rmdir dir", "working directory "},
		{"a file of several", "echo x >file; exec 3<file; sleep 0.2 & sleep 0.3 & sleep 0.1; kill -STOP $$; wait; echo lost >begun; exit 3", "rm file", "descriptor 3: open "},
	} {
		dir := t.TempDir()
		frozen := filepath.Join(dir, "frozen")
		if out, code, err := run(t, dir, frozen, freeze.Options{Tree: true}, "bash", "-c", c.make); err != nil || code != 3 {
			t.Fatal(c.name, code, out, err)
		}
		if out, code := shell(t, dir, "rm -f begun; ./frozen"); code != 3 || out != "" {
			t.Errorf("%s, which is there: exit code %d, %q", c.name, code, out)
		}
		out, code := shell(t, dir, c.away+"; rm -f begun; ./frozen; r=$?; sleep 0.5; cat begun; exit $r")
		if code != 125 || !strings.Contains(out, "thaw: ") || !strings.Contains(out, c.want) || strings.Contains(out, "lost") {
			t.Errorf("%s: exit code %d, %q; want 125 and %q", c.name, code, out, c.want)
		}
	}
}

// TestTreeDescriptors says what becomes of a descriptor of one process.
func TestTreeDescriptors(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	out, code, err := run(t, dir, filepath.Join(dir, "f"), freeze.Options{Tree: true, FDs: map[int]string{7: freeze.Null}}, "bash", "-c",
		"(sleep 0.5 &) | { exec 7<&0 </dev/null; sleep 0.1; kill -STOP $$; read x <&7; echo end $?; }; exit 3")
	if err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	thawed(t, dir, filepath.Join(dir, "f"), 3, "end 1\n")
}

// TestAgainInside freezes a process that is in a namespace of its own, by the number
// of what was started, which only waits for it. It knows the numbers inside.
func TestAgainInside(t *testing.T) {
	samples.Need(t, "python3")
	dir := t.TempDir()
	var f [2]string
	for i := range f {
		f[i] = filepath.Join(dir, fmt.Sprint("f", i))
	}
	opt := freeze.Options{Kill: true, PIDs: freeze.PIDNS}
	const text = `
import os, signal, sys, threading, time
me = os.getpid()
t = threading.Thread(target=time.sleep, args=(0.6,))
t.start()
tid = t.native_id
os.kill(me, signal.SIGSTOP)
time.sleep(0.3)
t.join()
print("same" if os.getpid() == me and threading.get_native_id() == me and t.native_id == tid else "other")
sys.stdout.flush()
os._exit(7)`
	if _, _, err := run(t, dir, f[0], opt, "python3", "-c", text); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(f[0])
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(150 * time.Millisecond)
	r, err := freeze.Freeze(cmd.Process.Pid, f[1], opt)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if r.Snapshot.Outer == cmd.Process.Pid || r.Snapshot.PID == r.Snapshot.Outer {
		t.Errorf("process %d was frozen for %d", r.Snapshot.Outer, cmd.Process.Pid)
	}
	samples.Settle(t, f[1])
	thawed(t, dir, f[1], 7, "same\n")
}
