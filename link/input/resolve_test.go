package input

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"elfwright/link/model"
)

// kinds are the ways in which an object may speak of foo. The size of a definition
// tells which it is.
var kinds = []struct{ name, text string }{
	{"undef", ".quad foo\n"},
	{"weakref", ".weak foo\n.quad foo\n"},
	{"def", ".globl foo\n.type foo,@object\n.size foo,%d\nfoo: .skip 32\n"},
	{"weakdef", ".weak foo\n.type foo,@object\n.size foo,%d\nfoo: .skip 32\n"},
	{"common", ".comm foo,%d,8\n"},
	{"abs", ".globl foo\n.size foo,%d\nfoo = 0x1230\n"},
	{"hidden", ".globl foo\n.hidden foo\n.quad foo\n"},
	{"comdat", ".section .data.foo,\"awG\",@progbits,foo,comdat\n.globl foo\n.type foo,@object\n.size foo,%d\nfoo: .skip 32\n"},
	{"once", ".section .gnu.linkonce.d.foo,\"aw\",@progbits\n.globl foo\n.type foo,@object\n.size foo,%d\nfoo: .skip 32\n"},
}

// TestOwner links all pairs, and triples of some kinds: whether GNU ld links them,
// and whose definition it takes, is the same here.
func TestOwner(t *testing.T) {
	d := newDir(t, amd64Tools)
	for _, k := range kinds {
		for n := 1; n <= 3; n++ {
			text := k.text
			if strings.Contains(text, "%d") {
				text = fmt.Sprintf(text, 8*n)
			}
			d.asm(fmt.Sprintf("%d%s", n, k.name), fmt.Sprintf(".data\n%s\n.text\n.globl _start%d\n_start%d: nop\n", text, n, n))
		}
	}
	var lists [][]string
	for _, a := range kinds {
		for _, b := range kinds {
			lists = append(lists, []string{"1" + a.name + ".o", "2" + b.name + ".o"})
		}
	}
	for _, a := range kinds[2:5] {
		for _, b := range kinds[2:5] {
			for _, c := range kinds[2:5] {
				lists = append(lists, []string{"1" + a.name + ".o", "2" + b.name + ".o", "3" + c.name + ".o"})
			}
		}
	}
	for _, list := range lists {
		compareOwner(d, list)
	}
}

func compareOwner(d *dir, list []string) {
	d.Helper()
	_, err := d.try("ld", append([]string{"-e", "0", "-o", "out"}, list...)...)
	x := d.load(d.options(list...), Settings{})
	sym := x.table.Get("foo")
	env := &model.Env{Opt: x.opt, Report: x.rep, Table: x.table, Objects: x.Objects()}
	for _, o := range x.Objects() {
		for _, s := range o.Sections {
			if s != nil && s.Live {
				for i := range s.Relocs {
					env.Refer(s, &s.Relocs[i])
				}
			}
		}
	}
	if failed := x.rep.Failed(); failed != (err != nil) {
		d.Errorf("%v: failed here: %v %v; GNU ld: %v", list, failed, x.rep.Errors(), err)
		return
	}
	if err != nil {
		return
	}
	want, there := d.symbols("out")["foo"]
	if !sym.Defined() {
		if there && want.kind != "w" {
			d.Errorf("%v: undefined; GNU ld has %+v", list, want)
		}
		return
	}
	weak := want.kind == "V" || want.kind == "W"
	if sym.Size != want.size || sym.Weak() != weak {
		d.Errorf("%v: of size %d, bind %v; GNU ld has %+v", list, sym.Size, sym.Bind, want)
	}
}

// TestDuplicate names both places.
func TestDuplicate(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("a", ".globl foo\n.skip 16\nfoo: nop\n")
	d.asm("b", ".section .text.b,\"ax\"\n.skip 32\n.globl foo\nfoo: nop\n")
	x := d.load(d.options("a.o", "b.o"), Settings{})
	errs := x.rep.Errors()
	want := "b.o(.text.b+0x20): multiple definition of foo; " + d.path + "/a.o(.text+0x10) defines it first"
	if len(errs) != 1 || strings.TrimPrefix(errs[0].Error(), d.path+"/") != want {
		t.Errorf("got %v, want %s", errs, want)
	}
	d.load(d.options("a.o", "b.o", "--allow-multiple-definition"), Settings{}).ok(t)
}

// TestVisibility: the most constraining counts, also of references.
func TestVisibility(t *testing.T) {
	d := newDir(t, amd64Tools)
	var names []string
	for _, v := range []string{"", "protected", "hidden", "internal"} {
		text := ".data\n.quad foo\n"
		if v != "" {
			text += "." + v + " foo\n"
		}
		d.asm("r"+v, text)
		names = append(names, "r"+v+".o")
	}
	d.asm("def", ".globl foo\nfoo: nop\n")
	for _, a := range names {
		for _, b := range names {
			d.run("ld", "-r", "-o", "out.o", a, b, "def.o")
			x := d.load(d.options(a, b, "def.o"), Settings{}).ok(t)
			out := d.run("readelf", "-sW", "out.o")
			want := ""
			for line := range strings.Lines(out) {
				if f := strings.Fields(line); len(f) == 8 && f[7] == "foo" {
					want = f[5]
				}
			}
			if got := strings.TrimPrefix(x.table.Get("foo").Vis.String(), "STV_"); got != want {
				t.Errorf("%s %s: %s, GNU ld has %s", a, b, got, want)
			}
		}
	}
}

// TestWrap: references go to __wrap_foo, those to __real_foo come to foo.
func TestWrap(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("main", ".globl _start\n_start: call foo\ncall local\n")
	d.asm("foo", ".globl foo\nfoo: call foo\nret\n.globl local\nlocal: call local\n")
	d.asm("wrap", ".globl __wrap_foo\n__wrap_foo: jmp __real_foo\n")
	list := []string{"--wrap=foo", "main.o", "foo.o", "wrap.o"}
	x := d.load(d.options(list...), Settings{}).ok(t)
	got := map[string]string{}
	for _, o := range x.Objects() {
		for i := range o.Sections[1].Relocs {
			got[strings.TrimPrefix(o.File, d.path+"/")] += " " + o.Sections[1].Symbol(&o.Sections[1].Relocs[i]).Name
		}
	}
	want := map[string]string{"main.o": " __wrap_foo local", "foo.o": " foo local", "wrap.o": " foo"}
	for f, w := range want {
		if got[f] != w {
			t.Errorf("%s refers to%s, want%s", f, got[f], w)
		}
	}
	d.run("ld", append(list, "-o", "out")...)
}

// TestVersions: a reference to foo@V finds the definition of foo@@V, wherever it
// is.
func TestVersions(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("def", ".globl f2\n.symver f2,foo@@V2\nf2: .skip 4\n.globl f1\n.symver f1,foo@V1\nf1: nop\n")
	d.asm("ref", ".globl _start\n_start: .quad foo, v1, v2\n.symver v1,foo@V1\n.symver v2,foo@V2\n")
	for _, list := range [][]string{{"def.o", "ref.o"}, {"ref.o", "def.o"}} {
		x := d.load(d.options(list...), Settings{}).ok(t)
		foo, old := x.table.Get("foo"), x.table.Get("foo@V1")
		if foo.Version != "V2" || !foo.Default || old.Name != "foo" || old.Version != "V1" || old.Default {
			t.Errorf("%v: foo is %+v, foo@V1 %+v", list, foo, old)
		}
		for _, o := range x.Objects() {
			if !strings.HasSuffix(o.File, "ref.o") {
				continue
			}
			s := o.Sections[1]
			var got []*model.Symbol
			for i := range s.Relocs {
				got = append(got, s.Symbol(&s.Relocs[i]))
			}
			if len(got) != 3 || got[0] != foo || got[1] != old || got[2] != foo {
				t.Errorf("%v: the references are to %v, want %p %p %p", list, got, foo, old, foo)
			}
		}
	}
}

// TestCommonOrder compares the addresses of common symbols with GNU ld's, whose
// order is that of a hash table that grows.
func TestCommonOrder(t *testing.T) {
	d := newDir(t, amd64Tools)
	var a, b strings.Builder
	for i := range 7000 {
		name := fmt.Sprintf("sym_%d_%x", i, i*i*i)
		if i%50 == 0 {
			fmt.Fprintf(&a, ".comm %s,%d,%d\n", name, 1+i%13, 1<<(i/50%7))
		} else {
			fmt.Fprintf(&a, ".globl %s\n%s = %d\n", name, name, i)
		}
	}
	for i := range 30 {
		name := strings.Repeat("long", 20+9*i) + fmt.Sprint(i)
		fmt.Fprintf(&b, ".comm %s,%d,%d\n", name, 1+i%13, 1<<(i%5))
	}
	d.asm("a", a.String())
	d.asm("b", b.String())
	d.asm("small", ".comm x,1,1\n.comm y,8,8\n.comm z,2,2\n.comm w,4,4\n.comm v,16,16\n")
	for _, list := range [][]string{
		{"small.o"}, {"small.o", "b.o"}, {"b.o", "a.o", "small.o"}, {"small.o", "--sort-common=ascending"}, {"small.o", "b.o", "--sort-common=descending"},
	} {
		d.run("ld", append([]string{"-e", "0", "-o", "out"}, list...)...)
		syms := d.symbols("out")
		x := d.load(d.options(list...), Settings{}).ok(t)
		base := map[*model.Section]uint64{}
		wrong := 0
		for _, o := range x.Objects() {
			for _, s := range o.Symbols {
				if s == nil || s.Sec == nil || s.Sec.Name != "COMMON" {
					continue
				}
				want := syms[s.Name].value - s.Value
				if was, ok := base[s.Sec]; ok && was != want {
					wrong++
				}
				base[s.Sec] = want
			}
		}
		if wrong > 0 {
			t.Errorf("%v: %d common symbols are elsewhere than GNU ld has them", list, wrong)
		}
	}
}

// TestLargeCommon: other commons have sections of their own.
func TestLargeCommon(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("a", ".largecomm big,100,32\n.comm small,4,4\n.tls_common tls,8,8\n")
	x := d.load(d.options("a.o"), Settings{}).ok(t)
	for name, want := range map[string]string{"big": "LARGE_COMMON", "small": "COMMON", "tls": ".tcommon"} {
		if s := x.table.Get(name); s.Sec == nil || s.Sec.Name != want || s.Sec.Type != elf.SHT_NOBITS {
			t.Errorf("%s is in %+v, want %s", name, s.Sec, want)
		}
	}
	d.options("-r")
	x = d.load(d.options("-r", "a.o"), Settings{}).ok(t)
	if s := x.table.Get("small"); s.State != model.Common {
		t.Errorf("in relocatable output: %+v", s)
	}
}

// TestThreads: the result does not depend on how many goroutines there are.
func TestThreads(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	describe := func(threads int) string {
		opt := d.options("chain.o", "comfoo2.o", "--whole-archive", "order.a", "--no-whole-archive", "b.a", "com.a", "weakref.o")
		opt.Threads = threads
		x := d.load(opt, Settings{Entry: "_start"})
		var b strings.Builder
		b.WriteString(x.files())
		for _, s := range x.table.Sorted() {
			fmt.Fprintf(&b, "\n%s %d %v %d", s.Name, s.State, s.Bind, s.Order)
			if s.Obj != nil {
				b.WriteString(" " + s.Obj.File)
			}
		}
		return b.String() + fmt.Sprint(x.rep.Errors())
	}
	want := describe(1)
	for _, n := range []int{2, 3, 8} {
		if got := describe(n); got != want {
			t.Errorf("with %d goroutines:\n%s\nwith one:\n%s", n, got, want)
		}
	}
}

// TestWarning: who refers to a symbol with a warning gets it, once an object.
func TestWarning(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("gets", ".globl gets\ngets: ret\n.section .gnu.warning.gets\n.string \"gets is dangerous\"\n")
	d.asm("main", ".globl _start\n_start: nop\ncall gets\ncall gets\n")
	d.asm("other", "nop\n")
	x := d.load(d.options("main.o", "gets.o", "other.o"), Settings{}).ok(t)
	want := "main.o(.text+0x2): gets is dangerous"
	if w := x.rep.Warnings(); len(w) != 1 || strings.TrimPrefix(w[0].Error(), d.path+"/") != want {
		t.Errorf("got %v, want %s", w, want)
	}
	if out := d.run("ld", "-o", "out", "main.o", "gets.o", "other.o"); strings.Count(out, "gets is dangerous") != 1 {
		t.Errorf("GNU ld says: %s", out)
	}
}
