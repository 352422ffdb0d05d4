package own_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// ldSO is the dynamic linker whose state own knows by a built-in row.
const ldSO = "/lib64/ld-linux-x86-64.so.2"

func source(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func tortureRecipe(t testing.TB) samples.Recipe {
	return samples.Recipe{
		Files: map[string]string{"torture.cc": source(t, "torture.cc"), "thrower.cc": source(t, "thrower.cc"), "plug.cc": source(t, "plug.cc"),
			"plain.c": "int plain(void) { return 8; }\n"},
		Steps: [][]string{
			{"g++", "-O1", "-fPIC", "-shared", "-Wl,-soname,libthrower.so", "-o", "libthrower.so", "thrower.cc"},
			{"g++", "-O1", "-fPIC", "-shared", "-o", "libplug.so", "plug.cc"},
			{"gcc", "-O1", "-fPIC", "-shared", "-o", "libplain.so", "plain.c"},
			{"g++", "-O1", "-rdynamic", "-Wl,-rpath,$ORIGIN", "-o", "torture", "torture.cc", "libthrower.so"},
			{"g++", "-O1", "-rdynamic", "-no-pie", "-fno-pie", "-Wl,-z,now", "-Wl,-rpath,$ORIGIN", "-o", "fixed", "torture.cc", "libthrower.so"},
		},
	}
}

// TestTorture runs a program that asks much of its dynamic linker, and expects what
// it says when the kernel and ld.so start it.
func TestTorture(t *testing.T) {
	samples.Need(t, ldSO)
	dir := samples.Make(t, tortureRecipe(t))
	for _, name := range []string{"torture", "fixed"} {
		for _, embed := range []bool{false, true} {
			prog := filepath.Join(dir, name)
			want, status := output(t, prog, "x", "last")
			r, image := build(t, prog, load.Options{}, own.Options{Embed: embed})
			if r.Libc != own.Glibc {
				t.Fatalf("libc %v", r.Libc)
			}
			got, status2 := output(t, image, "x", "last")
			if got != want || status != status2 {
				t.Errorf("%s, embed %v: status %d and %d\n%s", name, embed, status, status2, diff(want, got))
			}
		}
	}
}

// diff shows the lines that differ.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			b.WriteString("-" + x + "\n+" + y + "\n")
		}
	}
	return b.String()
}

// varying is what differs from one start to the next: process numbers and times.
var varying = regexp.MustCompile(`:[0-9]+\)|[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+|[0-9]+:[0-9]{2}:[0-9]{2} [AP]M`)

// alike compares what was said at two starts. The sequence of lines counts not, for
// some programs are several processes.
func alike(a, b string) bool {
	x, y := strings.Split(varying.ReplaceAllString(a, ""), "\n"), strings.Split(varying.ReplaceAllString(b, ""), "\n")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// TestSweep starts programs of this system with --version, natively and by us.
func TestSweep(t *testing.T) {
	samples.Need(t, ldSO)
	names := []string{"true", "ls", "sort", "git", "perl", "bash", "python3", "gdb", "as", "find", "tar", "awk", "sed", "file", "openssl", "xz"}
	if os.Getenv("ELFWRIGHT_SWEEP") == "1" {
		names = nil
		list, err := os.ReadDir("/usr/bin")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, e.Name())
		}
	}
	tried := 0
	for _, name := range names {
		prog := filepath.Join("/usr/bin", name)
		if !dynamic(prog) {
			continue
		}
		tried++
		_, image := build(t, prog, load.Options{}, own.Options{ExecFn: prog})
		native, err := os.Open(prog)
		if err != nil {
			t.Fatal(err)
		}
		want, status := ordinary(t, native, prog, "--version")
		native.Close()
		ours := inMemory(t, image, prog)
		got, status2 := ordinary(t, ours, prog, "--version")
		ours.Close()
		os.Remove(image)
		if !alike(want, got) || status != status2 {
			t.Errorf("%s: status %d and %d\n%s", prog, status, status2, diff(want, got))
		}
	}
	t.Logf("%d programs", tried)
	if tried < 5 {
		t.Errorf("only %d programs were tried", tried)
	}
}

// dynamic says that a file is a program with an interpreter, without set-id bits.
func dynamic(name string) bool {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 || st.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
		return false
	}
	b, err := os.ReadFile(name)
	return err == nil && bytes.HasPrefix(b, []byte("\x7fELF")) && bytes.Contains(b[:min(len(b), 4096)], []byte("/ld-linux-x86-64.so.2\x00"))
}
