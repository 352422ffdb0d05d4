package source

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func Example() {
	p, err := Open([]string{"true"}, Options{Path: "/nowhere:/bin:/usr/bin"})
	fmt.Println(p.Path, p.Args, err)
	// Output: /bin/true [true] <nil>
}

func file(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestScripts: the arguments are those that the kernel gives.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	for i, c := range []struct {
		text string
		path string
		args []string // before the script's own name
	}{
		{"#!/bin/sh\n", "/bin/sh", []string{"/bin/sh"}},
		{"#! \t/bin/sh -e -u \t\nx", "/bin/sh", []string{"/bin/sh", "-e -u"}},
		{"#!/bin/sh", "/bin/sh", []string{"/bin/sh"}},
		{"echo no first line\n", "/bin/sh", []string{"/bin/sh"}},
	} {
		script := file(t, dir, fmt.Sprint("s", i), c.text, 0o755)
		p, err := Open([]string{script, "a", "b"}, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if want := append(c.args, script, "a", "b"); p.Path != c.path || !slices.Equal(p.Args, want) {
			t.Errorf("%q: %s %q, want %s %q", c.text, p.Path, p.Args, c.path, want)
		}
	}
}

// TestScriptOfScript: interpreters may be scripts, but not for ever.
func TestScriptOfScript(t *testing.T) {
	dir := t.TempDir()
	one := file(t, dir, "one", "#!/bin/sh -x\n", 0o755)
	two := file(t, dir, "two", "#!"+one+" arg\n", 0o755)
	p, err := Open([]string{two, "a"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/bin/sh", "-x", one, "arg", two, "a"}; !slices.Equal(p.Args, want) {
		t.Errorf("%q, want %q", p.Args, want)
	}
	self := filepath.Join(dir, "self")
	file(t, dir, "self", "#!"+self+"\n", 0o755)
	if _, err := Open([]string{self}, Options{}); !errors.Is(err, unix.ELOOP) {
		t.Errorf("%v, want %v", err, unix.ELOOP)
	}
}

// TestNotFound: the exit codes of a shell.
func TestNotFound(t *testing.T) {
	dir := t.TempDir()
	plain := file(t, dir, "plain", "text", 0o644)
	binary := file(t, dir, "binary", "\x00\x01", 0o755)
	lost := file(t, dir, "lost", "#!/nowhere/sh\n", 0o755)
	for _, c := range []struct {
		name, path string
		code       int
	}{
		{"no-such-program", dir, ExitNotFound},
		{dir + "/none", "", ExitNotFound},
		{"", dir, ExitNotFound},
		{plain, "", ExitNotRun},
		{"plain", dir, ExitNotRun},
		{binary, "", ExitNotRun},
		{dir, "", ExitNotRun},
		{lost, "", ExitNotFound},
		{"-", "", ExitNotRun},
		{binary + "(x)", "", ExitNotRun},
	} {
		_, err := Open([]string{c.name}, Options{Path: c.path, Stdin: strings.NewReader("text")})
		if err == nil || Code(err) != c.code {
			t.Errorf("%q: %v, exit code %d, want %d", c.name, err, Code(err), c.code)
		}
	}
}

func FuzzFirstLine(f *testing.F) {
	f.Add([]byte("#!/bin/sh -e\n"))
	f.Add([]byte("#!"))
	f.Add([]byte("#! /a\tb c\x00d"))
	f.Add(bytes.Repeat([]byte("#!"), 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		interp, arg, err := firstLine(b[:min(len(b), headSize)])
		if err == nil && (interp == "" || strings.ContainsAny(interp, " \t\n\x00") || strings.ContainsAny(arg, "\n\x00")) {
			t.Errorf("%q and %q", interp, arg)
		}
	})
}
