package load_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

const both = "--enable-new-dtags"
const old = "--disable-new-dtags"

var corners = []corner{
	{name: "rpath is inherited", want: "a/liba.so b/libb.so", build: func(b *tree) {
		b.link("b/libb.so", "", "-soname=libb.so")
		b.link("a/liba.so", "", "b/libb.so", "-soname=liba.so")
		b.link("p", "", "a/liba.so", old, "-rpath=$ORIGIN/a:$ORIGIN/b")
	}},
	{name: "a runpath is not, and stops rpaths", want: "a/liba.so", build: func(b *tree) {
		b.link("b/libb.so", "", "-soname=libb.so")
		b.link("a/liba.so", "", "b/libb.so", "-soname=liba.so", both, "-rpath=$ORIGIN/none")
		b.link("p", "", "a/liba.so", old, "-rpath=$ORIGIN/a:$ORIGIN/b")
	}},
	{name: "rpaths up the chain, nearest first", want: "a/liba.so b/libb.so b/libc2.so", build: func(b *tree) {
		b.link("a/libc2.so", "", "-soname=libc2.so")
		b.link("b/libc2.so", "", "-soname=libc2.so")
		b.link("b/libb.so", "", "b/libc2.so", "-soname=libb.so")
		b.link("a/liba.so", "", "b/libb.so", "-soname=liba.so", old, "-rpath=$ORIGIN/../b")
		b.link("p", "", "a/liba.so", old, "-rpath=$ORIGIN/a")
	}},
	{name: "LD_LIBRARY_PATH between rpath and runpath", want: "a/liba.so e/libb.so", env: []string{"LD_LIBRARY_PATH=TREE/e"}, build: func(b *tree) {
		for _, n := range []string{"a/liba.so", "e/liba.so", "b/libb.so", "e/libb.so"} {
			b.link(n, "", "-soname="+filepath.Base(n))
		}
		b.link("q.so", "", "b/libb.so", "-soname=q.so", both, "-rpath=$ORIGIN/b")
		b.link("p", "", "a/liba.so", "b/libb.so", old, "-rpath=$ORIGIN/a")
	}},
	{name: "runpath after LD_LIBRARY_PATH", want: "e/liba.so", env: []string{"LD_LIBRARY_PATH=e;none:::"}, build: func(b *tree) {
		b.link("a/liba.so", "", "-soname=liba.so")
		b.link("e/liba.so", "", "-soname=liba.so")
		b.link("p", "", "a/liba.so", both, "-rpath=$ORIGIN/a")
	}},
	{name: "empty elements, slashes, doubles", want: "liba.so", build: func(b *tree) {
		b.link("liba.so", "", "-soname=liba.so")
		b.link("p", "", "liba.so", both, "-rpath=$ORIGIN/x///:/none//:$ORIGIN/x/:./y/::$ORIGIN")
	}},
	{name: "tokens", native: true, want: "TRIPLE/liba.so", build: func(b *tree) {
		const d = "lib/x86_64-linux-gnu"
		b.link(d+"/liba.so", "", "-soname=liba.so")
		b.link("p", "", d+"/liba.so", both, "-rpath=$FOO/x:$ORIGINAL/y:${ORIGIN/z:$ORIGIN/$PLATFORM:${ORIGIN}/${LIB}")
	}},
	{name: "hwcaps", native: true, want: "a/glibc-hwcaps/x86-64-v2/liba.so a/tls/libb.so a/x86_64/x86_64/libc2.so a/libd.so", build: func(b *tree) {
		for _, n := range strings.Fields("liba.so glibc-hwcaps/x86-64-v2/liba.so tls/liba.so libb.so tls/libb.so x86_64/libb.so x86_64/libc2.so x86_64/x86_64/libc2.so libd.so glibc-hwcaps/x86-64-v9/libd.so") {
			b.link("a/"+n, "", "-soname="+filepath.Base(n))
		}
		b.link("p", "", "a/liba.so", "a/libb.so", "a/x86_64/libc2.so", "a/libd.so", both, "-rpath=$ORIGIN/a")
	}},
	{name: "filter", filters: true, want: "liba.so libf.so libz.so libg.so", build: func(b *tree) {
		b.link("libg.so", "", "-soname=libg.so")
		b.link("libf.so", "", "libg.so", "-soname=libf.so")
		b.link("libz.so", "", "-soname=libz.so", "--filter=libf.so", old, "-rpath=$ORIGIN")
		b.link("liba.so", "", "-soname=liba.so")
		b.link("p", "", "liba.so", "libz.so", old, "-rpath=$ORIGIN")
	}},
	{name: "filter that is loaded before", filters: true, build: func(b *tree) {
		b.link("libf.so", "", "-soname=libf.so")
		b.link("libz.so", "", "-soname=libz.so", "--filter=libf.so")
		b.link("p", "", "libf.so", "libz.so", old, "-rpath=$ORIGIN")
	}},
	{name: "filter that would be loaded later", filters: true, build: func(b *tree) {
		b.link("libf.so", "", "-soname=libf.so")
		b.link("libz.so", "", "-soname=libz.so", "--filter=libf.so")
		b.link("p", "", "libz.so", "libf.so", old, "-rpath=$ORIGIN")
	}},
	{name: "two filtees of the program's", filters: true, build: func(b *tree) {
		b.link("libg.so", "", "-soname=libg.so")
		b.link("libh.so", "", "-soname=libh.so", "libg.so")
		b.link("libf.so", "", "-soname=libf.so", "libh.so")
		b.link("libz.so", "", "-soname=libz.so", "--auxiliary=libf.so", "--auxiliary=libnone.so", "--filter=libg.so", "libh.so")
		b.link("p", "", "libz.so", "libf.so", old, "-rpath=$ORIGIN")
	}},
	{name: "auxiliary that is missing", filters: true, build: func(b *tree) {
		b.link("libz.so", "", "-soname=libz.so", "--auxiliary=libnone.so")
		b.link("p", "", "libz.so", old, "-rpath=$ORIGIN")
	}},
	{name: "two files of one soname", want: "a/libx.so b/libw.so", build: func(b *tree) {
		b.link("a/libx.so", "", "-soname=libx.so")
		b.link("b/libx.so", "", "-soname=libx.so")
		b.link("b/libw.so", "", "-soname=libw.so", "b/libx.so", both, "-rpath=$ORIGIN")
		b.link("p", "", "a/libx.so", "b/libw.so", both, "-rpath=$ORIGIN/a:$ORIGIN/b")
	}},
	{name: "a soname that is not the file's name", build: func(b *tree) {
		b.link("liby.so", "", "-soname=liby.so")
		b.link("p", "", "liby.so", both, "-rpath=$ORIGIN")
		b.link("q.so", "", "liby.so", "-soname=q.so")
		b.link("liby.so", "", "-soname=libother.so")
		b.link("libother.so", "", "-soname=libother.so")
		b.link("libr.so", "", "-soname=libr.so", "libother.so")
		b.move("q.so", "q.so.1")
		b.link("p", "", "q.so.1", "libr.so", both, "-rpath=$ORIGIN")
	}},
	{name: "one file by two names", build: func(b *tree) {
		b.link("libx.so.1", "", "-soname=libx.so.1")
		b.link("liby.so.1", "", "-soname=liby.so.1")
		b.link("p", "", "libx.so.1", "liby.so.1", both, "-rpath=$ORIGIN")
		os.Remove(b.path("liby.so.1"))
		b.symlink("libx.so.1", "liby.so.1")
	}},
	{name: "names with slashes", build: func(b *tree) {
		b.link("d/libn.so", "", "-soname=./d/libn.so")
		b.link("d/libo.so", "", "-soname=$ORIGIN/d/libo.so")
		b.link("d/libp.so", "", "-soname=d/none.so")
		b.link("p", "", "d/libn.so", "d/libo.so", "d/libp.so")
	}},
	{name: "nothing but the wrong class", build: func(b *tree) {
		b.link("a/liba.so", "", "-soname=liba.so")
		b.link("p", "", "a/liba.so", both, "-rpath=$ORIGIN/a")
		b.write("a/liba.so", "\x7fELF\x01\x01\x01"+strings.Repeat("\x00", 100))
	}},
	{name: "a directory of that name", build: func(b *tree) {
		b.link("b/liba.so", "", "-soname=liba.so")
		b.link("p", "", "b/liba.so", both, "-rpath=$ORIGIN/a:$ORIGIN/b")
		b.write("a/liba.so/x", "")
	}},
	{name: "a link to itself ends the list", build: func(b *tree) {
		b.link("b/liba.so", "", "-soname=liba.so")
		b.symlink("liba.so", "a/liba.so")
		b.link("p", "", "b/liba.so", both, "-rpath=$ORIGIN/a:$ORIGIN/b")
	}},
	{name: "an executable as a library", build: func(b *tree) {
		b.link("b/liba.so", "", "-soname=liba.so")
		b.link("p", "", "b/liba.so", both, "-rpath=$ORIGIN/b")
		b.link("b/e", "")
		b.move("b/e", "b/liba.so")
	}},
	{name: "nodeflib", build: func(b *tree) {
		b.link("liba.so", "", "-soname=liba.so", "LIBC", "-z", "nodefaultlib")
		b.link("p", "", "liba.so", both, "-rpath=$ORIGIN")
	}},
	{name: "preloaded", env: []string{"LD_PRELOAD=TREE/libp1.so libnone.so:libp2.so TREE/libp1.so libp2.so"}, build: func(b *tree) {
		b.link("libq.so", "", "-soname=libq.so")
		b.link("libp1.so", "", "libq.so")
		b.link("libp2.so", "", "-soname=libp2.so")
		b.link("liba.so", "", "-soname=liba.so")
		b.link("p", "", "liba.so", "libp2.so", old, "-rpath=$ORIGIN")
	}},
	{name: "audited", native: true, env: []string{"LD_AUDIT=libaudit.so"}, build: func(b *tree) {
		b.link("libq.so", "", "-soname=libq.so", "LIBC")
		b.link("libaudit.so", ".globl la_version\nla_version: mov %edi, %eax; ret", "libq.so", "-soname=libaudit.so", old, "-rpath=$ORIGIN")
		b.link("liba.so", "", "-soname=liba.so")
		b.link("p", "", "liba.so", both, "-rpath=$ORIGIN")
	}},
	{name: "in a circle", build: func(b *tree) {
		b.link("libb.so", "", "-soname=libb.so")
		b.link("liba.so", "", "libb.so", "-soname=liba.so")
		b.link("libb.so", "", "liba.so", "-soname=libb.so")
		b.link("p", "", "libb.so", old, "-rpath=$ORIGIN")
	}},
	{name: "a program by a link", prog: "other/q", build: func(b *tree) {
		b.link("liba.so", "", "-soname=liba.so")
		b.link("p", "", "liba.so", both, "-rpath=$ORIGIN")
		b.symlink("../p", "other/q")
	}},
	{name: "a library by a link", build: func(b *tree) {
		b.link("real/libb.so", "", "-soname=libb.so")
		b.link("real/liba.so", "", "real/libb.so", "-soname=liba.so", both, "-rpath=$ORIGIN")
		b.symlink("../real/liba.so", "links/liba.so")
		b.link("p", "", "real/liba.so", both, "-rpath=$ORIGIN/links")
	}},
	{name: "ld.so itself by another path", native: true, build: func(b *tree) {
		b.link("libld.so", "", "-soname=/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
		b.link("p", "", "libld.so")
	}},
	{name: "a missing one, asked for twice", build: func(b *tree) {
		b.link("libm1.so", "", "-soname=libm1.so")
		b.link("liba.so", "", "libm1.so", "-soname=liba.so", both, "-rpath=$ORIGIN/x")
		b.link("libb.so", "", "libm1.so", "-soname=libb.so", both, "-rpath=$ORIGIN/y")
		b.link("p", "", "liba.so", "libb.so", both, "-rpath=$ORIGIN")
		os.Remove(b.path("libm1.so"))
	}},
}

// edit replaces bytes at an offset; "*" the whole file.
type edit struct {
	off  any
	text string
}

// damages are what is done to a library that a search meets before a sound one.
var damages = []damage{
	bad("no ELF file", edit{"*", "INPUT(liba.so.1)" + strings.Repeat(" ", 100)}),
	bad("short file", edit{"*", "\x7fELF"}),
	bad("empty file", edit{"*", ""}),
	bad("magic", edit{0, "\x7e"}),
	bad("magic and machine", edit{0, "\x7e"}, edit{18, "\x00"}),
	bad("other class", edit{4, "\x01"}),
	bad("no class", edit{4, "\x03"}),
	bad("byte order", edit{5, "\x02"}),
	bad("byte order and machine", edit{5, "\x02"}, edit{18, "\x00\x16"}),
	bad("ident version", edit{6, "\x02"}),
	bad("OS ABI of GNU", edit{7, "\x03"}),
	bad("OS ABI of FreeBSD", edit{7, "\x09"}),
	bad("ABI version", edit{8, "\x01"}),
	bad("ABI version of GNU, 3", edit{7, "\x03\x03"}),
	bad("ABI version of GNU, 4", edit{7, "\x03\x04"}),
	bad("padding", edit{10, "\x01"}),
	bad("padding and machine", edit{10, "\x01"}, edit{18, "\xb7"}),
	bad("version", edit{20, "\x00"}),
	bad("version and machine", edit{20, "\x00"}, edit{18, "\xb7"}),
	bad("machine", edit{18, "\xb7"}),
	bad("ET_REL", edit{16, "\x01"}),
	bad("ET_CORE", edit{16, "\x04"}),
	bad("ET_REL of another machine", edit{16, "\x01"}, edit{18, "\xb7"}),
	bad("e_phentsize", edit{54, "\x20"}),
	bad("many program headers", edit{57, "\x20"}),
	bad("no program headers", edit{56, "\x00"}),
}

type damage struct {
	name  string
	edits []edit
}

func bad(name string, edits ...edit) damage { return damage{name, edits} }

// TestDamaged holds what is made of damaged candidates against ld.so: which are
// passed over, and which end the search.
func TestDamaged(t *testing.T) {
	samples.Need(t, ldso)
	b := newTree(t, native)
	b.link("b/liba.so", "", "-soname=liba.so")
	b.link("p", "", "b/liba.so", both, "-rpath=$ORIGIN/a:$ORIGIN/b")
	sound, err := os.ReadFile(b.path("b/liba.so"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damages {
		text := bytes.Clone(sound)
		for _, e := range d.edits {
			if off, ok := e.off.(int); ok {
				copy(text[off:], e.text)
			} else {
				text = []byte(e.text)
			}
		}
		b.write("a/liba.so", string(text))
		p, err := load.Load(b.path("p"), load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := traced(t, b.dir, nil, b.path("p"))
		got := told(p)
		same(t, d.name, want, got)
		// Theirs is "FILE: WORDS"; ours begins the same and may say more.
		if _, words, _ := strings.Cut(want.fatal, ": "); !strings.Contains(got.fatal, words) {
			t.Errorf("%s: %q, here %q", d.name, want.fatal, got.fatal)
		}
		p.Close()
	}
}

// TestCorners holds built cases against what this machine's ld.so makes of them.
func TestCorners(t *testing.T) {
	samples.Need(t, ldso)
	for _, c := range corners {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			c.check(t, newTree(t, native), &rig{})
		})
	}
}

// rig is how programs of a case are started.
type rig struct {
	argv []string // that stands before the program: an emulator
	opt  load.Options
}

func (c corner) check(t *testing.T, b *tree, r *rig) {
	c.build(b)
	env := slices.Clone(c.env)
	for i := range env {
		env[i] = strings.ReplaceAll(env[i], "TREE", b.inside())
	}
	prog := b.path("p")
	if c.prog != "" {
		prog = b.path(c.prog)
	}
	opt := r.opt
	opt.Dir = b.inside()
	setEnv(&opt, env)
	p, err := load.Load(prog, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := told(p)
	argv := append(slices.Clone(r.argv), prog)
	want := b.seen(traced(t, b.dir, env, argv...))
	if c.filters {
		got.events, want.events = blocks(got.events), blocks(want.events)
	}
	same(t, "traced", want, got)
	real := b.seen(started(t, b.dir, env, argv...))
	if (real.fatal == "") != (got.fatal == "" && len(required(p)) == 0) {
		t.Errorf("a start ends with %q, here %q, %q is missing", real.fatal, got.fatal, required(p))
	}
	if real.fatal == "" && !equal(real.scope, got.scope) {
		t.Errorf("scope of a start\n%s", difference(real.scope, got.scope))
	}
	if real.fatal == "" && opt.Audit == "" {
		sameOrder(t, p, b, real)
	}
	if c.want != "" && strings.Join(own(p, b), " ") != strings.ReplaceAll(c.want, "TRIPLE", "lib/x86_64-linux-gnu") {
		t.Errorf("loaded %q, not %q", own(p, b), c.want)
	}
}

// required are the names without which a program does not start.
func required(p *load.Process) (names []string) {
	for _, o := range p.Objects {
		for i := range o.Needs {
			if n := &o.Needs[i]; n.To == nil && (n.Kind == load.Needed || n.Kind == load.Filter) {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// own are the files of the tree that are loaded, without the program.
func own(p *load.Process, b *tree) (names []string) {
	for _, o := range p.Objects[1:] {
		if rest, ok := strings.CutPrefix(filepath.Clean(o.Path), b.inside()+"/"); ok {
			names = append(names, rest)
		} else if !strings.HasPrefix(o.Path, "/") {
			names = append(names, filepath.Clean(o.Path))
		}
	}
	return names
}
