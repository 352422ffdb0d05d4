package cli

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

const stories = "../../testdata/script"

// TestMain makes this test binary the program elfwright for all that tests
// start, so that stories count for coverage.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		name: func() {
			os.Exit(Main(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Environ: os.Environ}))
		},
		"relink": func() { os.Exit(relink(os.Args[1:])) },
	})
}

// TestStories runs testdata/script. Besides testscript's own commands a story
// may say
//
//	need gcc patchelf      skip without these tools; with CI=true, fail
//	exits 2 elfwright show run a program that must end with that exit code
//
// and ask for the conditions [sweep], which ELFWRIGHT_SWEEP=1 sets, and [mounts]:
// file systems can be mounted, also by FUSE.
func TestStories(t *testing.T) {
	keepOwn()
	testscript.Run(t, testscript.Params{
		Dir:                 stories,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupStory,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"need":  cmdNeed,
			"exits": cmdExits,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "sweep" {
				return os.Getenv("ELFWRIGHT_SWEEP") != "", nil
			}
			if cond == "mounts" {
				return noMounts() == "", nil
			}
			return false, errors.New("unknown condition " + cond)
		},
	})
}

// keepOwn keeps from programs what this test was started with besides 0, 1 and 2:
// freeze would refuse it.
func keepOwn() { unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) }

// goEnv asks the go command once where its caches are: a story has a HOME that
// does not exist, and may still build a Go program.
var goEnv = sync.OnceValue(func() []string {
	keys := []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"}
	out, err := exec.Command("go", append([]string{"env"}, keys...)...).Output()
	if err != nil {
		return nil
	}
	values := strings.Split(string(out), "\n")
	for i, k := range keys {
		keys[i] = k + "=" + values[i]
	}
	return append(keys, "GOTOOLCHAIN=local")
})

func setupStory(env *testscript.Env) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, goEnv()...)
	env.Values[storyT{}] = env.T()
	env.Setenv("LC_ALL", "C.UTF-8")
	env.Setenv("REPO", root)
	return nil
}

// noMounts says why file systems cannot be mounted here; "" means that they can.
var noMounts = sync.OnceValue(func() string {
	if os.Geteuid() != 0 {
		return "needs root"
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return err.Error()
	}
	cmd := exec.Command("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out)
	}
	return ""
})

// inCI reports that nothing may be left out for want of a tool.
func inCI() bool { return os.Getenv("CI") == "true" }

func cmdNeed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: need TOOL…")
	}
	for _, tool := range args {
		_, err := exec.LookPath(tool)
		switch {
		case err == nil:
		case inCI():
			ts.Fatalf("%s is missing: test.sh should have installed it", tool)
		default:
			ts.Value(storyT{}).(testscript.T).Skip(tool + " is missing")
		}
	}
}

// storyT is the key under which a story keeps its testing.T.
type storyT struct{}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// TestNoSkipInCI finds the tools that stories test for by condition.
func TestNoSkipInCI(t *testing.T) {
	if !inCI() {
		t.Skip("for CI=true only")
	}
	files, err := filepath.Glob(stories + "/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	condition := regexp.MustCompile(`\[!exec:([^\]]+)\]`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range condition.FindAllStringSubmatch(string(text), -1) {
			if _, err := exec.LookPath(m[1]); err != nil {
				t.Errorf("%s: %s is missing: test.sh should have installed it", f, m[1])
			}
		}
	}
}
