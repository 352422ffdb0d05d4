package samples

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

//go:embed src
var sources embed.FS

// Source is the text of one of the package's source files: sample.c, nolibc.c, …
func Source(name string) string {
	b, err := sources.ReadFile("src/" + name)
	if err != nil {
		panic(err) // a misspelt name
	}
	return string(b)
}

// Recipe says how to build a file. The same recipe with the same tools is built
// once: see [Make].
type Recipe struct {
	// Files are written to an empty directory, which the steps run in.
	Files map[string]string
	// Steps are commands: the name of a tool, then its arguments, in which $DIR
	// stands for the directory.
	Steps [][]string
	// Env is added to the environment of the steps.
	Env []string
	// Needs are tools that the steps call themselves, and libraries, by absolute
	// path, whose change should lead to a new build.
	Needs []string
	// Optional recipes are skipped without their tools even with CI=true.
	Optional bool
	// Edit changes the bytes of the result after the steps; EditName stands for it
	// in the cache, so change it with the function.
	Edit     func([]byte) ([]byte, error)
	EditName string
	// Out is the name of the result in the directory.
	Out string
}

// tools are the commands a recipe needs.
func (r Recipe) tools() []string {
	list := slices.Clone(r.Needs)
	for _, s := range r.Steps {
		list = append(list, s[0])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Make builds a recipe, or finds it built, and returns the directory of its
// files. It must not be written to: other tests use it at the same time. Tests
// are skipped as by [Need] when a tool is missing.
func Make(t testing.TB, r Recipe) string {
	t.Helper()
	if missing := Missing(r.tools()...); missing != "" && r.Optional {
		t.Skip(missing)
	}
	Need(t, r.tools()...)
	cache := cacheDir(t)
	dir := filepath.Join(cache, r.key(t))
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	// Packages are tested in parallel and want the same files: the first one
	// builds, the others wait for its lock.
	unlock := lock(t, dir+".lock")
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tmp, err := os.MkdirTemp(cache, "building-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	r.build(t, tmp)
	if err := os.Rename(tmp, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// MakeFile is [Make] for the result alone.
func MakeFile(t testing.TB, r Recipe) string {
	t.Helper()
	return filepath.Join(Make(t, r), r.Out)
}

// build runs the steps in dir.
func (r Recipe) build(t testing.TB, dir string) {
	t.Helper()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range r.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range r.Steps {
		args := slices.Clone(step[1:])
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "$DIR", dir)
		}
		cmd := exec.Command(step[0], args...)
		cmd.Dir = dir
		// Messages and sorting must not depend on the user's language.
		cmd.Env = append(os.Environ(), "LC_ALL=C", "SOURCE_DATE_EPOCH=0")
		cmd.Env = append(cmd.Env, r.Env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(step, " "), err, out)
		}
	}
	if r.Edit == nil {
		return
	}
	path := filepath.Join(dir, r.Out)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = r.Edit(data); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// key names the recipe by its content and the tools' identity.
func (r Recipe) key(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	names := make([]string, 0, len(r.Files))
	for name := range r.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "file %q %q\n", name, r.Files[name])
	}
	fmt.Fprintf(h, "%q %q %q %q\n", r.Steps, r.Env, r.EditName, r.Out)
	for _, tool := range r.tools() {
		fmt.Fprintf(h, "%s %s\n", tool, identity(tool))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// identity tells versions of a tool apart without running it.
func identity(tool string) string {
	path := tool
	if !filepath.IsAbs(tool) {
		path, _ = exec.LookPath(tool)
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "missing"
	}
	info, err := os.Stat(path)
	if err != nil {
		return "missing"
	}
	return fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
}

// cacheDir is where built samples stay; removing it is always safe.
func cacheDir(t testing.TB) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), fmt.Sprint("cache-", os.Getuid()))
	}
	dir := filepath.Join(base, "elfwright-samples")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lock takes an exclusive lock on a file and returns the function that frees it.
// The kernel frees the lock of a process that dies.
func lock(t testing.TB, path string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		t.Fatal(err)
	}
	return func() { f.Close() }
}
