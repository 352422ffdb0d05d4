package freeze_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// resource is a case: a program that sets it up, stops itself and looks at it
// again, and what the test does with it (testdata/resources/case.h).
type resource struct {
	name                 string
	opt                  freeze.Options
	refused, warns, says string
	elsewhere            bool // another test has it
}

// TestResources freezes the cases of testdata/resources, one resource each. The
// process that goes on and the thawed one have to find it as it was.
func TestResources(t *testing.T) {
	prog := cases(t)
	list, _ := exec.Command(prog).Output()
	n := 0
	for line := range strings.Lines(string(list)) {
		n++
		name, how, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		r, err := parseResource(name, how)
		if err != nil {
			t.Fatal(err)
		}
		if r.elsewhere {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.test(t, prog)
		})
	}
	if n < 200 {
		t.Errorf("only %d cases: %q", n, list)
	}
}

// parseResource reads how a case is tested.
func parseResource(name, how string) (*resource, error) {
	r := &resource{name: name, opt: freeze.Options{FDs: make(map[int]string)}}
	for how != "" {
		word, rest, _ := strings.Cut(how, " ")
		switch word {
		case "elsewhere":
			r.elsewhere = true
		case "alone":
			r.opt.Kill = true
		case "ns", "keep", "new":
			r.opt.PIDs = freeze.PIDs(word)
		case "fd:":
			var what string
			what, rest, _ = strings.Cut(rest, " ")
			var n int
			if _, err := fmt.Sscanf(what, "%d=%s", &n, &what); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", name, what, err)
			}
			r.opt.FDs[n] = what
		case "refused:":
			r.refused, rest = rest, ""
		case "warns:":
			r.warns, rest = rest, ""
		case "says:":
			r.says, rest = rest, ""
		default:
			return nil, fmt.Errorf("%s: %q is not what a test does", name, word)
		}
		how = rest
	}
	return r, nil
}

// compile makes a program that is there as long as the test runs.
func compile(t *testing.T, args ...string) string {
	t.Helper()
	return build(t, filepath.Join(t.TempDir(), "prog"), args...)
}

// build makes a program, unless it is there already: it returns where.
func build(t *testing.T, prog string, args ...string) string {
	t.Helper()
	if prog := prebuilt(args); prog != "" {
		return prog
	}
	// What gcc reads, go test does not know of; a result that it keeps is one of
	// these texts.
	texts, _ := filepath.Glob("testdata/resources/*")
	for _, name := range append(texts, "testdata/resources.c") {
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("gcc", append([]string{"-o", prog}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return prog
}

// needs is the exit code of a case whose resource this kernel has not.
const needs = "exit code 77"

func (r *resource) test(t *testing.T, prog string) {
	dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
	report, out, code, err := start(t, dir, frozen, r.opt, prog, r.name)
	if err != nil && strings.Contains(err.Error(), needs) {
		t.Skipf("this kernel has it not: %s", out)
	}
	if r.refused != "" {
		if err == nil || !strings.Contains(err.Error(), r.refused) {
			t.Fatalf("error %v, want one with %q", err, r.refused)
		}
		if _, err := os.Stat(frozen); err == nil {
			t.Error("a file was written")
		}
		return
	}
	if err != nil {
		t.Fatal(err, out)
	}
	want := r.name + " is as it was\n"
	if !r.opt.Kill && (code != 3 || out != want) {
		t.Errorf("the process that goes on: exit code %d, %q", code, out)
	}
	if w := strings.Join(report.Warnings, "\n"); !strings.Contains(w, r.warns) {
		t.Errorf("warnings %q, want %q", w, r.warns)
	}
	if r.says == "" {
		thawed(t, dir, frozen, 3, want)
		return
	}
	if out, code := thaw(t, dir, frozen); code != 3 || !strings.HasPrefix(out, "thaw: ") || !strings.Contains(out, r.says) || !strings.HasSuffix(out, want) {
		t.Errorf("thawed: exit code %d, %q; want %q", code, out, r.says)
	}
}

// TestMain keeps from the programs what this test was started with besides 0, 1
// and 2: they would have to be refused.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 {
		guest()
	}
	if os.Getenv(dyingFreezer) != "" {
		freezeAndDie()
	}
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if os.Getenv(asOther) != "" {
		os.Exit(freezeOther())
	}
	dir, err := os.MkdirTemp("", "elfwright")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// run starts a program in a directory and freezes it when it stops itself.
func run(t *testing.T, dir, frozen string, opt freeze.Options, args ...string) (out string, code int, err error) {
	t.Helper()
	_, out, code, err = start(t, dir, frozen, opt, args...)
	return out, code, err
}

// start is run with the report of the freeze.
func start(t *testing.T, dir, frozen string, opt freeze.Options, args ...string) (report *freeze.Report, out string, code int, err error) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var buf bytes.Buffer
	r := freeze.Run{Args: append([]string{"/usr/bin/env", "-C", dir}, args...), Env: os.Environ(), In: null, Out: &buf, Err: os.Stderr, Options: opt}
	if report, code, err = r.Start(frozen); err == nil {
		samples.Settle(t, frozen)
	}
	return report, buf.String(), code, err
}

// thawed starts a frozen file, which has to end with a code and an output.
func thawed(t *testing.T, dir, frozen string, code int, want string) {
	t.Helper()
	if out, got := thaw(t, dir, frozen); got != code || out != want {
		t.Errorf("thawed: exit code %d, %q; want exit code %d, %q", got, out, code, want)
	}
}

// thaw starts a frozen file and waits for its end; -1 is a signal.
func thaw(t *testing.T, dir, frozen string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(frozen)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(patience(), func() { cmd.Process.Kill() })
	defer slow.Stop()
	cmd.Wait()
	return buf.String(), cmd.ProcessState.ExitCode()
}
