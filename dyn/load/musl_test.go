package load_test

import (
	"bytes"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

const (
	muslLd   = "/lib/ld-musl-x86_64.so.1"
	muslLibc = "/usr/lib/x86_64-linux-musl/libc.so"
)

var (
	muslTools = tools{"x86_64-linux-gnu-", "mov $60, %eax; xor %edi, %edi; syscall", muslLd, "", []string{muslLibc}}
	muslLost  = regexp.MustCompile(`^Error loading shared library ([^:]*): .* \(needed by .*\)$`)
)

// muslSays asks musl what it loads: --list is the only thing it tells.
func muslSays(t *testing.T, dir string, env []string, prog string) (listed, missing []string) {
	cmd := exec.Command(muslLd, "--list", prog)
	cmd.Dir, cmd.Env = dir, append([]string{}, env...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if m := foundLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil && m[1] != muslLd {
			listed = append(listed, m[1])
		}
	}
	for line := range strings.Lines(talk.String()) {
		if m := muslLost.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			missing = append(missing, m[1])
		}
	}
	return listed, missing
}

// muslCorners are cases of rules that musl alone has.
var muslCorners = []corner{
	{name: "runpath is inherited and goes after the environment", env: []string{"LD_LIBRARY_PATH=e"}, build: func(b *tree) {
		b.link("b/libb.so", "", "-soname=libb.so")
		b.link("e/libc2.so", "", "-soname=libc2.so")
		b.link("b/libc2.so", "", "-soname=libc2.so")
		b.link("a/liba.so", "", "b/libb.so", "b/libc2.so", "-soname=liba.so")
		b.link("p", "", "a/liba.so", both, "-rpath=$ORIGIN/a:$ORIGIN/b")
	}},
	{name: "an unknown token drops the list", build: func(b *tree) {
		b.link("a/liba.so", "", "-soname=liba.so")
		b.link("p", "", "a/liba.so", both, "-rpath=${ORIGIN}/a:$LIB")
	}},
	{name: "origin without end of word", build: func(b *tree) {
		b.link("a/liba.so", "", "-soname=liba.so")
		b.link("p", "", "a/liba.so", both, "-rpath=$ORIGIN/a:$ORIGINAL")
	}},
	{name: "names of libc", build: func(b *tree) {
		b.link("libpthread.so.0", "", "-soname=libpthread.so.0")
		b.link("libm.so.6", "", "-soname=libm.so.6")
		b.link("libmm.so.6", "", "-soname=libmm.so.6")
		b.link("p", "", "libpthread.so.0", "libm.so.6", "libmm.so.6", both, "-rpath=$ORIGIN")
	}},
	{name: "libc by a path", build: func(b *tree) {
		b.link("libx.so", "", "-soname=/usr/lib/x86_64-linux-musl/libc.so")
		b.link("p", "", "libx.so", both, "-rpath=$ORIGIN")
	}},
	{name: "a soname does not count", build: func(b *tree) {
		b.link("libx.so", "", "-soname=liby.so")
		b.move("libx.so", "d/libx.so")
		b.link("libz.so", "", "-soname=libz.so")
		b.link("p", "", "d/libx.so", "libz.so", both, "-rpath=$ORIGIN:$ORIGIN/d")
		b.link("liby.so", "", "-soname=libq.so")
	}},
	{name: "by path, then by name", build: func(b *tree) {
		b.link("libx.so", "", "-soname=./libx.so")
		b.link("libw.so", "", "-soname=libx.so")
		b.link("liby.so", "", "-soname=liby.so", "libw.so")
		b.link("p", "", "libx.so", "liby.so", both, "-rpath=$ORIGIN")
	}},
}

// TestMusl holds built cases against what musl makes of them: the glibc ones, for
// the same trees have other answers, and its own.
func TestMusl(t *testing.T) {
	samples.Need(t, "musl-gcc", muslLd)
	for _, c := range append(slices.Clone(muslCorners), corners...) {
		if c.native || c.prog != "" { // --list does not resolve links of the program
			continue
		}
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			b := newTree(t, muslTools)
			c.build(b)
			env := slices.Clone(c.env)
			for i := range env {
				env[i] = strings.ReplaceAll(env[i], "TREE", b.dir)
			}
			opt := load.Options{Dir: b.dir}
			setEnv(&opt, env)
			p, err := load.Load(b.path("p"), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if p.Libc != load.Musl {
				t.Fatal("not musl's")
			}
			listed, missing := muslSays(t, b.dir, env, b.path("p"))
			if len(listed)+len(missing) == 0 && c.name != "libc by a path" {
				t.Fatal("musl says nothing")
			}
			var got []string
			for _, o := range p.Objects[1:] {
				if o != p.Ld {
					got = append(got, o.Path)
				}
			}
			if !equal(listed, got) {
				t.Errorf("loaded\n%s", difference(listed, got))
			}
			if !equal(missing, required(p)) {
				t.Errorf("missing %q, here %q", missing, required(p))
			}
		})
	}
}
