package prelude_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
	"elfwright/machine/i386"
	"elfwright/phdr"
	"elfwright/prelude"
)

// text makes an entry for a file whose content is appended to data, at base in the
// executable.
func text(path, content string, data *bytes.Buffer, base int64) prelude.Entry {
	e := prelude.Entry{Path: path, Mode: unix.S_IFREG | 0o644, Offset: base + int64(data.Len()), Size: int64(len(content)), Mtime: time.Unix(1e9, 0)}
	data.WriteString(content)
	return e
}

// bind writes a program with trees whose content begins at base.
func bind(t *testing.T, from, to string, trees func(data *bytes.Buffer, base int64) []prelude.Tree, part int64) {
	t.Helper()
	f, err := elffile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := amd64.Machine
	if !f.Is64() {
		m = i386.Machine
	}
	base, data := int64(0), new(bytes.Buffer)
	var r *phdr.Result
	for range 2 {
		data.Reset()
		script, err := prelude.MountsInParts(m, trees(data, base), part)
		if err != nil {
			t.Fatal(err)
		}
		if r, err = prelude.Install(f, script, phdr.Options{}); err != nil {
			t.Fatal(err)
		}
		base = (r.Body.Size() + 0xffff) &^ 0xffff
	}
	r.Body.Put(base, elffile.Buffer(data.Bytes()))
	if err := r.Body.WriteFile(to, f.Mode()); err != nil {
		t.Fatal(err)
	}
}

// TestNested: a tree within a tree, on a directory that the outer one has and on
// one that it has not, in any order; two covers, of which one lies in the other;
// and a third tree whose directory is in a cover already.
func TestNested(t *testing.T) {
	dir := openDir(t)
	for _, d := range []string{"a", "a/old"} {
		if err := errors.Join(os.Mkdir(filepath.Join(dir, d), 0o755), os.Chmod(filepath.Join(dir, d), 0o775)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "a", "old", "host"), []byte("host"))
	write(t, filepath.Join(dir, "a", "host"), []byte("host"))
	all := []string{"a/old/new/in", "a/old/new/in/has/x", "a/old/new/in/not/y", "a/new/z", "a/old/more", "b"}
	for _, c := range []struct {
		user    bool
		targets []string
		owner   string // of what lies on the host
	}{
		{false, all, "0:0"},
		// The kernel stacks two overlays at most, and of these covers one more would
		// need a third.
		{true, all[:5], "65534:65534"},
	} {
		t.Run(fmt.Sprintf("user=%v", c.user), func(t *testing.T) {
			needMounts(t, c.user)
			program := filepath.Join(dir, "program")
			bind(t, static(t), program, func(data *bytes.Buffer, base int64) []prelude.Tree {
				var trees []prelude.Tree
				for i := range c.targets {
					target := c.targets[len(c.targets)-1-i] // the inner ones first
					trees = append(trees, prelude.Tree{Target: filepath.Join(dir, target), Entries: []prelude.Entry{
						{Path: "has", Mode: unix.S_IFDIR | 0o755}, {Path: "has/x", Mode: unix.S_IFDIR | 0o755}, text("name", target, data, base),
					}})
				}
				return trees
			}, 1<<30)
			before := host(t, dir)
			out, errs, status := run(t, c.user, filepath.Join(dir, "a", "old"), program, dir)
			if status != 0 || errs != "" {
				t.Fatalf("status %d: %s", status, errs)
			}
			for _, target := range c.targets {
				if line := fmt.Sprintf("\n/%s/name 100644 %s links 1 time 1000000000 %d bytes, sum", target, c.owner, len(target)); !strings.Contains(out, line) {
					t.Errorf("no line %q in\n%s", line, out)
				}
			}
			for _, line := range []string{"\n/a 40775 " + c.owner + " ", "\n/a/host 100644 " + c.owner + " links 1", "\n/a/old/host 100644 " + c.owner + " links 1"} {
				if !strings.Contains(out, line) {
					t.Errorf("no line %q in\n%s", line, out)
				}
			}
			if after := host(t, dir); after != before {
				t.Errorf("the host had\n%s\nand has\n%s", before, after)
			}
		})
	}
}

// TestParts: a file that is copied in several parts; on a machine of 32 bits, too.
func TestParts(t *testing.T) {
	needMounts(t, false)
	for _, cc := range []string{"gcc", "i686-linux-gnu-gcc"} {
		t.Run(cc, func(t *testing.T) {
			emulator := emulate("i386")
			if cc == "gcc" {
				emulator = nil
			}
			dir := openDir(t)
			program, target := filepath.Join(dir, "program"), filepath.Join(dir, "t")
			content := strings.Repeat("0123456789abcdef", 1000)
			tree := func(data *bytes.Buffer, base int64) []prelude.Tree {
				return []prelude.Tree{{Target: target, Entries: []prelude.Entry{
					text("a", content, data, base), text("b", content[:8192], data, base), text("c", "", data, base), text("d", "z", data, base),
				}}}
			}
			var out [2]string
			for i, part := range []int64{1 << 30, 4096} {
				bind(t, samples.MakeFile(t, probe(cc, "-static")), program, tree, part)
				var errs string
				var status int
				if out[i], errs, status = run(t, false, "/", append(emulator, program, target)...); status != 0 {
					t.Fatalf("status %d: %s", status, errs)
				}
			}
			if out[0] != out[1] || !strings.Contains(out[0], "/a 100644 0:0 links 1 time 1000000000 16000 bytes") || !strings.Contains(out[0], "/c 100644 0:0 links 1 time 1000000000 0 bytes") {
				t.Errorf("in one part\n%s\nin parts of 4096 bytes\n%s", out[0], out[1])
			}
		})
	}
}

// TestFar: content beyond 4 GiB of the executable reaches a program of 32 bits, too.
func TestFar(t *testing.T) {
	needMounts(t, false)
	for _, cc := range []string{"gcc", "i686-linux-gnu-gcc"} {
		t.Run(cc, func(t *testing.T) {
			emulator := emulate("i386")
			if cc == "gcc" {
				emulator = nil
			}
			dir := openDir(t)
			program, target := filepath.Join(dir, "program"), filepath.Join(dir, "t")
			const far = 5<<30 + 123
			bind(t, samples.MakeFile(t, probe(cc, "-static")), program, func(data *bytes.Buffer, base int64) []prelude.Tree {
				return []prelude.Tree{{Target: target, Entries: []prelude.Entry{{Path: "far", Mode: unix.S_IFREG | 0o644, Offset: far, Size: 5}}}}
			}, 1<<30)
			f, err := os.OpenFile(program, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte("a far"), far); err != nil {
				t.Fatal(err)
			}
			f.Close()
			out, errs, status := run(t, false, "/", append(emulator, program, target)...)
			if status != 0 || !strings.Contains(out, "/far 100644 0:0 links 1 time 0 5 bytes, sum eed93ff") {
				t.Errorf("status %d: %s%s", status, out, errs)
			}
		})
	}
}

// goProbe reads a file of a tree, with threads.
const goProbe = `package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

func main() {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := os.ReadFile(os.Args[1] + "/hello"); err != nil {
				panic(err)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(os.Args[1] + "/hello")
	fmt.Printf("%s%v %d %d\n", b, err, os.Getuid(), len(os.Args))
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "CapEff") {
			fmt.Print(line)
		}
	}
	os.Exit(3)
}
`

// TestGo: programs whose runtime is their own start.
func TestGo(t *testing.T) {
	dir := openDir(t)
	makeTree(t, filepath.Join(dir, "tree"))
	target := filepath.Join(dir, "missing", "app")
	for _, mode := range []string{"exe", "pie"} {
		program := filepath.Join(dir, mode)
		original := samples.MakeFile(t, samples.Recipe{
			Files: map[string]string{"main.go": goProbe},
			Steps: [][]string{{"go", "build", "-buildmode=" + mode, "-trimpath", "-o", "probe", "main.go"}},
			Env:   []string{"CGO_ENABLED=0", "GOFLAGS=", "GO111MODULE=off"},
			Out:   "probe",
		})
		bundle{filepath.Join(dir, "tree"), []string{target}, true, true}.bind(t, original, program)
		for _, user := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/user=%v", mode, user), func(t *testing.T) {
				needMounts(t, user)
				out, errs, status := run(t, user, "/", program, target)
				want := "hello\n<nil> 0 2\nCapEff:\t"
				if user {
					want = "hello\n<nil> 65534 2\nCapEff:\t0000000000000000\n"
				}
				if status != 3 || !strings.HasPrefix(out, want) {
					t.Errorf("status %d: %s%s", status, out, errs)
				}
			})
		}
	}
}
