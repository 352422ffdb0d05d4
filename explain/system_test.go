package explain

import (
	"debug/elf"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"elfwright/image"
	"elfwright/internal/term"
	"elfwright/plan"
	"elfwright/proc"
)

// needKernel skips where programs cannot be held against this kernel.
func needKernel(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs Linux on x86-64")
	}
	err := proc.Start(proc.Run{Path: "/proc/self/exe", Args: []string{"x"}}, func(*proc.Stopped) error { return nil })
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal(err)
	default:
		t.Skipf("a program cannot be traced here: %v", err)
	}
}

// hold checks a program against the kernel and reports every difference.
func hold(t testing.TB, path string, opt Options) *Subject {
	t.Helper()
	s, err := Open(path, opt)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return new(Subject)
	}
	t.Cleanup(func() { s.Close() })
	c, err := s.Check()
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return s
	}
	for _, d := range c.Differences {
		t.Errorf("%s: %v", path, d)
	}
	if c.Compared == 0 {
		t.Errorf("%s: nothing was compared", path)
	}
	return s
}

// systemPrograms are the executables of this machine that its kernel starts.
func systemPrograms(t testing.TB) (paths []string) {
	seen := make(map[string]bool)
	for _, pattern := range []string{"/usr/bin/*", "/usr/sbin/*", "/lib64/ld-*", "/usr/lib*/ld-*", "/usr/lib/x86_64-linux-gnu/ld-*", "/usr/local/go/bin/*", "/usr/local/go/pkg/tool/*/*"} {
		list, _ := filepath.Glob(pattern)
		for _, path := range list {
			real, err := filepath.EvalSymlinks(path)
			if err != nil || seen[real] {
				continue
			}
			seen[real] = true
			st, err := os.Stat(real)
			if err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
				continue
			}
			if f, err := elf.Open(real); err == nil {
				if f.Machine == elf.EM_X86_64 || f.Machine == elf.EM_386 {
					paths = append(paths, real)
				}
				f.Close()
			}
		}
	}
	return paths
}

// TestSystem holds the programs of this machine against its kernel: all of
// them with ELFWRIGHT_SWEEP=1, else some.
func TestSystem(t *testing.T) {
	needKernel(t)
	paths := systemPrograms(t)
	options := []Options{{Env: []string{"LANG=C", "PATH=/usr/bin"}}}
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		for _, limit := range []uint64{1 << 20, 64 << 20, 256 << 20, plan.Unlimited} {
			options = append(options, Options{StackLimit: limit}, Options{StackLimit: limit, Env: environment(900_000), Args: []string{"x"}})
		}
	} else {
		r := rand.New(rand.NewSource(1))
		r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		paths = paths[:min(len(paths), 40)]
	}
	compared := 0
	for _, path := range paths {
		for _, opt := range options {
			hold(t, path, opt).Close()
			compared++
		}
	}
	t.Logf("%d programs, %d starts", len(paths), compared)
}

// TestQuick: no program of the system takes long.
func TestQuick(t *testing.T) {
	const most = 5 * time.Millisecond
	var slowest time.Duration
	var which string
	paths := systemPrograms(t)
	for i, path := range paths {
		if i%10 != 0 && os.Getenv("ELFWRIGHT_SWEEP") == "" {
			continue
		}
		best := time.Hour
		for range 5 { // the machine does other things, too
			began := time.Now()
			s, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s.Text(io.Discard, term.Style{})
			best = min(best, time.Since(began))
			s.Close()
		}
		if best > slowest {
			slowest, which = best, path
		}
	}
	t.Logf("slowest: %s, %v", which, slowest)
	if slowest > most {
		t.Errorf("%s took %v", which, slowest)
	}
}

// TestMapIsExec: the part of a plan that editors use is the same as the whole
// has.
func TestMapIsExec(t *testing.T) {
	dir := t.TempDir()
	for name, c := range crafted() {
		s, err := Open(c.write(t, dir, name, ""), Options{Kernel: plan.Latest, StackLimit: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		p := s.Process
		img := image.FromFile(s.Call.Program.File)
		if p.Outcome.Fate == plan.Runs && len(img.Segments) > 0 && !strings.Contains(name, "stack") {
			m, err := plan.Map(img, plan.Options{Base: p.Bias + img.Segments[0].Vaddr})
			if err != nil || lines(m.Mappings) != lines(p.Mappings) || m.Entry != p.ProgramEntry {
				t.Errorf("%s: %v\n%s\n%s", name, err, lines(m.Mappings), lines(p.Mappings))
			}
		}
		s.Close()
	}
}

func lines(list []plan.Mapping) (out string) {
	for _, m := range list {
		if m.Origin == plan.FromProgram {
			out += fmt.Sprintf("%v %s %x %d %v\n", m.Range, plan.Prot(m.Prot), m.Off, m.Index, m.Zeroed)
		}
	}
	return out
}
