package bind

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/samples"
)

// sampleFiles is how many files of the machine are compared by default;
// ELFWRIGHT_SWEEP=1 takes all.
const sampleFiles = 8

// dynamicFiles are the files of this machine's own kind that a dynamic linker can
// take as a program.
func dynamicFiles() []string {
	var list []string
	for path := range samples.SystemELFs("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec") {
		f, err := elffile.Open(path)
		if err != nil {
			continue
		}
		d, err := f.Dynamic()
		if err == nil && d.Prog >= 0 && len(d.Entries) > 0 && f.Header.Machine == elf.EM_X86_64 && f.Is64() && f.Header.Type != elf.ET_REL && !isMusl(f) {
			list = append(list, path)
		}
		f.Close()
	}
	return list
}

func isMusl(f *elffile.File) bool {
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_INTERP {
			b, _ := f.ProgData(i)
			return strings.Contains(string(b), "ld-musl-")
		}
	}
	return false
}

// TestSystem compares every binding of the files of this machine with what ld.so
// says in its trace mode.
func TestSystem(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs files of x86-64")
	}
	files := dynamicFiles()
	if !sweep() {
		files = slices.Collect(samples.Some(slices.Values(files), sampleFiles, 5))
	}
	var bound, faults, differ atomic.Int64
	eachFile(files, func(path string) {
		n, f, ok := compareTrace(t, path)
		bound.Add(int64(n))
		faults.Add(int64(f))
		if !ok {
			differ.Add(1)
		}
	})
	t.Logf("%d files, %d bindings, %d undefined symbols and version faults, %d files differ", len(files), bound.Load(), faults.Load(), differ.Load())
	if bound.Load() == 0 {
		t.Error("nothing was compared")
	}
}

// eachFile shares the files among the processors.
func eachFile(files []string, do func(path string)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				do(files[i])
			}
		})
	}
	wg.Wait()
}

func compareTrace(t *testing.T, path string) (bound, faults int, ok bool) {
	p, err := load.Load(path, load.Options{})
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0, 0, false
	}
	defer p.Close()
	return hosts[0].compare(t, p, path)
}

// compare binds what is loaded and asks ld.so, by its own name, for the file may be
// no program.
func (h host) compare(t *testing.T, p *load.Process, path string) (bound, faults int, ok bool) {
	r, err := Bind(p, Options{Order: Trace, Now: true})
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	theirs := h.trace(h.root+p.Ld.Path, path)
	us := ours(r)
	ok = err == nil
	ok = same(t, path, us.bindings, theirs.bindings) && ok
	ok = same(t, path, us.undefined, theirs.undefined) && ok
	ok = same(t, path, us.versions, theirs.versions) && ok
	return len(theirs.bindings), len(theirs.undefined) + len(theirs.versions), ok
}

// TestStarts compares the bindings of programs with what ld.so says when it starts
// them, up to the first constructor. They are started with --version, and ended
// after that.
func TestStarts(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs files of x86-64")
	}
	files := slices.DeleteFunc(dynamicFiles(), func(path string) bool {
		st, err := os.Stat(path)
		return !strings.HasPrefix(path, "/usr/bin/") || err != nil || st.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0
	})
	if !sweep() {
		files = slices.Collect(samples.Some(slices.Values(files), sampleFiles, 6))
	}
	var bound, differ atomic.Int64
	eachFile(files, func(path string) {
		n, ok := compareStart(t, path)
		bound.Add(int64(n))
		if !ok {
			differ.Add(1)
		}
	})
	t.Logf("%d programs, %d bindings, %d programs differ", len(files), bound.Load(), differ.Load())
	if bound.Load() == 0 {
		t.Error("nothing was compared")
	}
}

func compareStart(t *testing.T, path string) (bound int, ok bool) {
	p, err := load.Load(path, load.Options{})
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0, false
	}
	defer p.Close()
	r, err := Bind(p, Options{Now: true})
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	us, theirs := ours(r), startOf(path)
	if len(us.undefined) > 0 || slices.ContainsFunc(r.Versions, func(v VersionFault) bool { return !v.Weak && !v.Warning }) {
		return 0, true // it does not start
	}
	theirs.bindings = withoutMalloc(path, us.bindings, theirs.bindings)
	return len(theirs.bindings), same(t, path, us.bindings, theirs.bindings)
}

// startOf starts a program where it can do no harm, and ends it soon.
func startOf(path string) account {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	dir, err := os.MkdirTemp("", "start")
	if err != nil {
		return account{}
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Dir = dir
	return hosts[0].listen(cmd, "LD_BIND_NOW=1", "LD_DEBUG=bindings,impcalls")
}

// TestForeign compares the libraries of other machines' sysroots, which is what there
// is of real files for them.
func TestForeign(t *testing.T) {
	for _, h := range hosts {
		if h.emul == "" {
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			samples.Need(t, h.emul, h.sysroot+"/lib/libc.so.6")
			h.root = h.sysroot
			files, _ := filepath.Glob(h.root + "/lib/lib*.so.[0-9]*")
			if !sweep() {
				files = slices.Collect(samples.Some(slices.Values(files), 3, 7))
			}
			var bound, faults, differ int
			for _, path := range files {
				p, err := load.Load(path, load.Options{Root: h.root, LibraryPath: "/lib"})
				if err != nil {
					t.Error(err)
					continue
				}
				n, f, ok := h.compare(t, p, strings.TrimPrefix(path, h.root))
				p.Close()
				bound += n
				faults += f
				if !ok {
					differ++
				}
			}
			t.Logf("%d files, %d bindings, %d undefined symbols and version faults, %d files differ", len(files), bound, faults, differ)
			if bound == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}
