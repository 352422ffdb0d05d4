package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func Example() {
	code := Main([]string{"shwo", "/bin/ls"}, Streams{Out: os.Stdout, Err: os.Stdout})
	fmt.Println(code)
	// Output:
	// elfwright: unknown verb "shwo" (did you mean show?); see 'elfwright --help'
	// 2
}

// try runs a command line in this process.
func try(line string) (out, talk string, code int) {
	var o, e bytes.Buffer
	code = Main(strings.Fields(line), Streams{In: strings.NewReader(""), Out: &o, Err: &e})
	return o.String(), e.String(), code
}

func TestUsageErrors(t *testing.T) {
	const see = "; see 'elfwright%s --help'\n"
	for _, tc := range []struct{ line, path, want string }{
		{"", "", "which verb? " + orList(visible(verbs()))},
		{"show", " show", "needs at least 1 FILE"},
		{"show --foo x", " show", "unknown flag --foo"},
		{"--foo show", "", "unknown flag --foo"},
		{"show --seciton x", " show", "unknown flag --seciton (did you mean --sections?)"},
		{"show -lq x", " show", "unknown flag -q"},
		{"show -q x", " show", "unknown flag -q"},
		{"show --color=red x", " show", `flag --color: "red": want auto, always or never`},
		{"show --json=7 x", " show", `flag --json: "7": takes no value`},
		{"show -x", " show", "flag --hex-dump needs a value"},
		{"shwo --all x", "", `unknown verb "shwo" (did you mean show?)`},
		{"frobnicate", "", `unknown verb "frobnicate"`},
		{"phdr", " phdr", "which verb? list, add, set or rm"},
		{"phdr ad", " phdr", `unknown verb "ad" (did you mean add?)`},
		{"phdr add", " phdr add", "needs a FILE"},
		{"phdr add a b", " phdr add", "takes 1 FILE, but got 2: a b"},
		{"phdr add --memsz=010 a", " phdr add", `flag --memsz: "010": a leading zero could mean octal: write 0x… or a decimal number`},
		{"phdr add --memsz=-1 a", " phdr add", `flag --memsz: "-1": want a number such as 4096, 0x1000 or 4K`},
		{"phdr set 0", " phdr set", "needs at least 2 arguments (INDEX|TYPE and FILE)"},
		{"phdr set 0 a", " phdr set", "where to? name a file with -o, or say --dry-run"},
		{"phdr rm 0", " phdr rm", "needs at least 2 arguments (INDEX|TYPE… and FILE)"},
		{"mount", " mount", "needs at least 1 PROG"},
		{"mount a", " mount", "takes PROG, DIR and perhaps NAME, or FILE and DIR with --offset, but got 1 arguments: a"},
		{"mount --offset=0 a b c", " mount", "takes PROG, DIR and perhaps NAME, or FILE and DIR with --offset, but got 3 arguments: a b c"},
		{"mount --offset=0 --size=0 a b", " mount", "flags --offset=0x0 and --size=0x0: no file has such bytes"},
		{"mount --offset=0xffffffffffffffff a b", " mount", "flags --offset=0xffffffffffffffff and --size=0x0: no file has such bytes"},
		{"mount --size=1 a b", " mount", "flag --size: needs --offset"},
		{"mount --bind=a=/b a b", " mount", "flag --bind: is for --run; DIR says where the tree goes"},
		{"mount --via=nfs a b", " mount", `flag --via: "nfs": want auto, kernel, loop or fuse`},
		{"mount --run --json a", " mount", "flag --json: is not for --run"},
		{"version now", " version", `takes no arguments, but got "now"`},
		{"completion tcsh", " completion", `"tcsh": want bash, zsh or fish`},
		{"help phdr ad", " help", `unknown verb "ad" (did you mean add?)`},
	} {
		out, talk, code := try(tc.line)
		want := "elfwright" + tc.path + ": " + tc.want + fmt.Sprintf(see, tc.path)
		if out != "" || code != exitError || talk != want {
			t.Errorf("elfwright %s: exit code %d, output %q\n%s", tc.line, code, out, cmp.Diff(want, talk))
		}
	}
}

func TestHelpIsTheSame(t *testing.T) {
	want, _, code := try("help phdr add")
	if code != exitDone || !strings.HasPrefix(want, "elfwright phdr add: ") {
		t.Fatalf("exit code %d, output %q", code, want)
	}
	for _, line := range []string{"phdr add --help", "phdr add -h", "phdr add a b c --help", "--help phdr add"} {
		if out, talk, code := try(line); code != exitDone || out != want || talk != "" {
			t.Errorf("elfwright %s: exit code %d, %s%s", line, code, talk, cmp.Diff(want, out))
		}
	}
}

// TestTable holds every verb to what help promises.
func TestTable(t *testing.T) {
	var visit func(v *verb, path string)
	visit = func(v *verb, path string) {
		if len(v.examples) < 2 {
			t.Errorf("%s: %d examples, want 2", path, len(v.examples))
		}
		for _, e := range v.examples {
			if !strings.HasPrefix(e.line, "elfwright ") && !strings.Contains(e.line, "(elfwright ") {
				t.Errorf("%s: example %q is not of elfwright", path, e.line)
			}
		}
		short := map[string]bool{v.short: true}
		for _, f := range v.flags {
			short[f.help] = true
		}
		for s := range short {
			if s == "" || strings.HasSuffix(s, ".") {
				t.Errorf("%s: %q is to have no full stop", path, s)
			}
		}
		if (v.run == nil) == (v.children == nil) {
			t.Errorf("%s: has a run and children, or neither", path)
		}
		for _, ch := range v.children {
			visit(ch, path+" "+ch.name)
		}
	}
	visit(topVerb(), name)
}

// TestExamples runs each example of the help as a user would paste it, in an
// empty directory.
func TestExamples(t *testing.T) {
	keepOwn()
	var visit func(t *testing.T, v *verb)
	visit = func(t *testing.T, v *verb) {
		for i, e := range v.examples {
			t.Run(fmt.Sprintf("%s/%d", v.name, i), func(t *testing.T) {
				t.Parallel()
				runExample(t, e.line)
			})
		}
		for _, ch := range v.children {
			visit(t, ch)
		}
	}
	visit(t, topVerb())
}

func runExample(t *testing.T, line string) {
	if strings.Contains(line, "elfwright mount ") {
		if why := noMounts(); why != "" {
			t.Skip(why)
		}
	}
	cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", line)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
}

func TestParseNumber(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want uint64
		bad  bool
	}{
		{"0", 0, false}, {"16", 16, false}, {"0x10", 16, false}, {"0XfF", 255, false},
		{"4K", 4096, false}, {"1M", 1 << 20, false}, {"2G", 2 << 30, false},
		{"18446744073709551615", math.MaxUint64, false}, {"0xffffffffffffffff", math.MaxUint64, false},
		{"18446744073709551616", 0, true}, {"17179869184G", 0, true}, {"17179869183G", 17179869183 << 30, false},
		{"", 0, true}, {"K", 0, true}, {"010", 0, true}, {"0x", 0, true}, {"-1", 0, true}, {"4k", 0, true}, {"1_000", 0, true},
	} {
		got, err := parseNumber(tc.in)
		if got != tc.want || (err != nil) != tc.bad {
			t.Errorf("parseNumber(%q) = %d, %v", tc.in, got, err)
		}
	}
}

// failing is a stream that breaks after some bytes.
type failing struct {
	left int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return f.left, f.err
	}
	f.left -= len(p)
	return len(p), nil
}

func TestOutputThatFails(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code int
		talk string
	}{
		{unix.EPIPE, exitDone, ""},
		{unix.ENOSPC, exitError, "elfwright help: standard output: no space left on device\n"},
		{io.ErrShortWrite, exitError, "elfwright help: standard output: short write\n"},
	} {
		var talk bytes.Buffer
		code := Main([]string{"help"}, Streams{Out: &failing{10, tc.err}, Err: &talk})
		if code != tc.code || talk.String() != tc.talk {
			t.Errorf("%v: exit code %d, %q", tc.err, code, talk.String())
		}
	}
}

func TestErrorsAndExitCodes(t *testing.T) {
	one, two := errors.New("a: bad"), errors.New("b: worse")
	for _, tc := range []struct {
		err  error
		code int
		talk string
	}{
		{nil, 0, ""},
		{errNo, 1, ""},
		{faulty(nil), 0, ""},
		{faulty(one), 1, "elfwright: a: bad\n"},
		{errors.Join(one, two), 2, "elfwright: a: bad\nelfwright: b: worse\n"},
		{faulty(errors.Join(one, errors.Join(two, nil))), 1, "elfwright: a: bad\nelfwright: b: worse\n"},
		{fmt.Errorf("both: %w and %w", one, two), 2, "elfwright: both: a: bad and b: worse\n"},
		{errors.New("t.lds:1:2: no\n  PHDRS\n  ^"), 2, "elfwright: t.lds:1:2: no\n    PHDRS\n    ^\n"},
	} {
		var talk bytes.Buffer
		p := newProgram(Streams{Out: io.Discard, Err: &talk})
		p.report(tc.err)
		if got := exitCode(tc.err); got != tc.code || talk.String() != tc.talk {
			t.Errorf("%v: exit code %d, %s", tc.err, got, cmp.Diff(tc.talk, talk.String()))
		}
	}
	var many []error
	for range maxErrors + 5 {
		many = append(many, one)
	}
	var talk bytes.Buffer
	newProgram(Streams{Out: io.Discard, Err: &talk}).report(errors.Join(many...))
	if got := strings.Count(talk.String(), "\n"); got != maxErrors+1 || !strings.HasSuffix(talk.String(), ": 5 more errors are not shown\n") {
		t.Errorf("%d lines:\n%s", got, talk.String())
	}
}

func TestProfilesAndTiming(t *testing.T) {
	dir := t.TempDir()
	cpu, mem := filepath.Join(dir, "cpu"), filepath.Join(dir, "mem")
	_, talk, code := try("version --timing --cpuprofile=" + cpu + " --memprofile=" + mem)
	if code != exitDone || !strings.Contains(talk, "in all") {
		t.Errorf("exit code %d, %q", code, talk)
	}
	for _, f := range []string{cpu, mem} {
		if st, err := os.Stat(f); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v, %v", f, st, err)
		}
	}
	if _, _, code := try("version --memprofile=" + dir); code != exitError {
		t.Errorf("exit code %d for a profile that cannot be written", code)
	}
}
