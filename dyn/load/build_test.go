package load_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

// tools make the files of a case: an assembler and a linker, for one machine.
type tools struct {
	prefix string // of as and ld
	start  string // a program that ends at once
	interp string
	first  string   // what every source begins with
	libc   []string // how the linker finds libc; nil: nothing needs one
}

var native = tools{"x86_64-linux-gnu-", "mov $60, %eax; xor %edi, %edi; syscall", ldso, "", []string{"-L/lib/x86_64-linux-gnu", "-l:libc.so.6"}}

// tree is a directory in which a case is built.
type tree struct {
	t   testing.TB
	dir string
	tools
	objects map[string]string // by source
	root    string            // the tree is below it; "" is the machine's own
}

// inside is the path of the tree, seen from the root.
func (b *tree) inside() string { return strings.TrimPrefix(b.dir, b.root) }

// seen takes the root off the paths in an account: an emulator's programs see
// both.
func (b *tree) seen(a account) account {
	if b.root != "" {
		for _, list := range [][]string{a.scope, a.events} {
			for i := range list {
				list[i] = strings.ReplaceAll(list[i], b.root+"/", "/")
			}
		}
	}
	return a
}

func newTree(t testing.TB, with tools) *tree {
	t.Helper()
	samples.Need(t, with.prefix+"as", with.prefix+"ld")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &tree{t: t, dir: dir, tools: with, objects: make(map[string]string)}
}

func (b *tree) path(name string) string { return filepath.Join(b.dir, name) }

// object assembles a source, once.
func (b *tree) object(source string) string {
	b.t.Helper()
	if o, ok := b.objects[source]; ok {
		return o
	}
	o := b.path("." + strconv.Itoa(len(b.objects)) + ".o")
	b.run(b.first+source, "as", "-o", o)
	b.objects[source] = o
	return o
}

// link makes a shared object, or a program where the name has no ".so" in it.
// Words that begin with '-', and one behind "-z", are for the linker, LIBC is
// libc; the others are libraries of the tree that it needs.
func (b *tree) link(name, source string, words ...string) {
	b.t.Helper()
	out := b.path(name)
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		b.t.Fatal(err)
	}
	args := []string{"ld", "-o", out, "--no-as-needed", "--allow-shlib-undefined", "--unresolved-symbols=ignore-all"}
	if strings.Contains(name, ".so") {
		args = append(args, "-shared", b.object(source))
	} else {
		args = append(args, "-pie", "-dynamic-linker", b.interp, b.object(".globl _start\n_start: "+b.start))
		words = append(slices.Clone(words), "LIBC")
	}
	for i, w := range words {
		switch {
		case w == "LIBC":
			args = append(args, b.libc...)
		case strings.HasPrefix(w, "-") || i > 0 && words[i-1] == "-z":
			args = append(args, w)
		default:
			args = append(args, b.path(w))
		}
	}
	b.run("", args...)
}

// run runs a tool.
func (b *tree) run(stdin string, args ...string) {
	b.t.Helper()
	cmd := exec.Command(b.prefix+args[0], args[1:]...)
	cmd.Dir = b.dir
	cmd.Stdin = strings.NewReader(stdin + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%s%s: %v\n%s", b.prefix, strings.Join(args, " "), err, out)
	}
}

func (b *tree) write(name, text string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), 0o666); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tree) move(from, to string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(to)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(b.path(from), b.path(to)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tree) symlink(target, name string) {
	b.t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o777); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(target, b.path(name)); err != nil {
		b.t.Fatal(err)
	}
}

// corner is a built case: prog is started in the tree with an environment.
type corner struct {
	name    string
	build   func(b *tree)
	prog    string // "p" if empty
	env     []string
	native  bool   // for this machine alone
	filters bool   // the order in which objects are walked is not that of the list
	want    string // the files that are loaded, as far as they are in the tree, by hand
}

// setEnv puts an environment into options.
func setEnv(opt *load.Options, env []string) {
	for _, e := range env {
		key, value, _ := strings.Cut(e, "=")
		switch key {
		case "LD_LIBRARY_PATH":
			opt.LibraryPath = value
		case "LD_PRELOAD":
			opt.Preload = value
		case "LD_AUDIT":
			opt.Audit = value
		case "GLIBC_TUNABLES":
			opt.Tunables = value
		}
	}
}

// blocks puts each search together and sorts them.
func blocks(events []string) []string {
	var list []string
	for _, e := range events {
		if strings.HasPrefix(e, "find ") || len(list) == 0 {
			list = append(list, e)
		} else {
			list[len(list)-1] += "; " + e
		}
	}
	slices.Sort(list)
	return list
}
