package explain

import (
	"debug/elf"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// needKernel skips where programs cannot be held against this kernel.
func needKernel(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs Linux on x86-64")
	}
}

// hold checks a program against the kernel and reports every difference.
func hold(t testing.TB, path string, opt Options) *Subject {
	t.Helper()
	s, err := Open(path, opt)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return nil
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
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		r := rand.New(rand.NewSource(1))
		r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		paths = paths[:min(len(paths), 60)]
	}
	compared := 0
	for _, path := range paths {
		hold(t, path, Options{Env: []string{"LANG=C", "PATH=/usr/bin"}})
		compared++
	}
	t.Logf("%d programs", compared)
}
