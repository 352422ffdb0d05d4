package load_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// secured is a case of a set-user-ID program; TREE is its directory.
type secured struct {
	name    string
	runpath string // of the program
	env     []string
	setuid  string // a library that gets the bit, too
	want    string // files of the tree that are loaded; "": the program does not start
}

var secureds = []secured{
	{"LD_LIBRARY_PATH", "TREE/a", []string{"LD_LIBRARY_PATH=TREE/e"}, "", "a/liba.so"},
	{"ORIGIN of the program", "$ORIGIN/a", nil, "", ""},
	{"ORIGIN of the program to a trusted directory", "$ORIGIN/../../../../../../../lib/../usr/lib:TREE/a", nil, "", "a/liba.so"},
	{"ORIGIN within a word", "/x$ORIGIN:$ORIGINAL:TREE/a", nil, "", "a/liba.so"},
	{"LD_PRELOAD by path", "TREE/a", []string{"LD_PRELOAD=TREE/a/libpre.so"}, "", "a/liba.so"},
	{"LD_PRELOAD by name", "TREE/a", []string{"LD_PRELOAD=libpre.so"}, "", "a/liba.so"},
	{"LD_PRELOAD by name, and set-user-ID", "TREE/a", []string{"LD_PRELOAD=libpre.so"}, "a/libpre.so", "a/libpre.so a/liba.so"},
	{"LD_AUDIT by path", "TREE/a", []string{"LD_AUDIT=TREE/a/libpre.so"}, "", "a/liba.so"},
}

const pause = "mov $34, %eax; syscall; hlt" // pause

// open lets others into a directory and those above it.
func openTo(t *testing.T, dir string) {
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecure holds the search for set-user-ID programs against what the kernel
// says is mapped in them: their dynamic linker tells nothing.
func TestSecure(t *testing.T) {
	samples.Need(t, ldso)
	if os.Getuid() != 0 {
		t.Skip("only root can give a program to another user")
	}
	for _, c := range secureds {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			with := native
			with.start = pause
			b := newTree(t, with)
			in := func(s string) string { return strings.ReplaceAll(s, "TREE", b.dir) }
			for _, n := range []string{"a/liba.so", "e/liba.so", "a/libpre.so"} {
				b.link(n, "", "-soname="+filepath.Base(n))
			}
			b.link("p", "", "a/liba.so", both, "-rpath="+in(c.runpath))
			openTo(t, b.dir+"/a")
			openTo(t, b.dir+"/e")
			for _, n := range []string{"p", c.setuid} {
				if n == "" {
					continue
				}
				if err := os.Chown(b.path(n), 65534, -1); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(b.path(n), 0o755|os.ModeSetuid); err != nil {
					t.Fatal(err)
				}
			}
			opt := load.Options{Secure: true}
			var env []string
			for _, e := range c.env {
				env = append(env, in(e))
			}
			setEnv(&opt, env)
			p, err := load.Load(b.path("p"), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			got := strings.Join(own(p, b), " ")
			if missing := required(p); len(missing) > 0 {
				got = ""
			}
			if got != c.want || len(p.Audits) > 0 {
				t.Errorf("loaded %q, not %q; %d audits", got, c.want, len(p.Audits))
			}
			real := b.mapped(env)
			slices.Sort(real)
			want := strings.Fields(c.want)
			slices.Sort(want)
			if !slices.Equal(real, want) {
				t.Errorf("in the process %q, not %q", real, want)
			}
		})
	}
}

// mapped starts the program and says which libraries of the tree are in it; none if
// it ends before it waits.
func (b *tree) mapped(env []string) []string {
	cmd := exec.Command(b.path("p"))
	cmd.Env = append([]string{}, env...)
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ended := make(chan bool)
	go func() { cmd.Wait(); close(ended) }()
	defer func() { cmd.Process.Kill(); <-ended }()
	proc := "/proc/" + strconv.Itoa(cmd.Process.Pid)
	for range 5000 {
		select {
		case <-ended:
			return nil
		default:
		}
		if call, _ := os.ReadFile(proc + "/syscall"); strings.HasPrefix(string(call), "34 ") {
			return b.libraries(proc + "/maps")
		}
		time.Sleep(time.Millisecond)
	}
	b.t.Fatal("the program neither waits nor ends")
	return nil
}

func (b *tree) libraries(maps string) []string {
	text, err := os.ReadFile(maps)
	if err != nil {
		b.t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		_, name, ok := strings.Cut(strings.TrimSpace(line), b.dir+"/")
		if ok && name != "p" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
