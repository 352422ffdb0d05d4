package input

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

// TestLibrary links a program against the C library of each machine: the members
// that are taken, and their order, are those of GNU ld.
func TestLibrary(t *testing.T) {
	for _, tools := range toolchains {
		t.Run(tools.name, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, tools.pre+"gcc", tools.lib+"/libc.a")
			d := newDir(t, tools)
			libgcc := strings.TrimSpace(d.run("gcc", "-print-libgcc-file-name"))
			args := []string{tools.lib + "/crt1.o", "--start-group", libgcc, filepath.Join(filepath.Dir(libgcc), "libgcc_eh.a"), tools.lib + "/libc.a", "--end-group"}
			d.asm("main", ".globl main, _init, _fini\nmain: _init: _fini: .long 0\n")
			args = append([]string{"main.o"}, args...)
			out := d.run("ld", append([]string{"-t", "-t", "-o", "out"}, args...)...)
			x := d.load(d.options(args...), Settings{Entry: "_start"}).ok(t)
			if got, want := x.files(), ldFiles(out); got != want {
				t.Errorf("%d objects, GNU ld has %d", strings.Count(got, " ")+1, strings.Count(want, " ")+1)
			}
		})
	}
}

// members makes what the cases below link.
func members(d *dir) {
	d.asm("main", ".globl _start\n_start: .quad foo\n")
	d.asm("foo", ".globl foo\nfoo: nop\n")
	d.asm("ent", ".globl ent\nent: nop\n")
	d.asm("weakref", ".globl _start\n_start: .quad 0\n.weak foo\n.quad foo\n")
	d.asm("a1", ".globl a1\na1: .quad b1\n")
	d.asm("b1", ".globl b1\nb1: .quad a2\n")
	d.asm("a2", ".globl a2\na2: .quad foo\n")
	d.asm("chain", ".globl _start\n_start: .quad a1\n")
	d.asm("comfoo", ".comm foo,4,4\n.globl _start\n_start: .quad foo\n")
	d.asm("comfoo2", ".comm foo,8,8\n")
	d.asm("comref", ".globl _start\n_start: .quad foo, bar\n")
	d.asm("combar", ".comm bar,8,8\n.globl foo\nfoo: nop\n")
	d.asm("onlybar", ".globl bar\nbar: nop\n")
	d.asm("verref", ".globl _start\n_start: .quad 0\n.symver vfoo,foo@V2\n.quad vfoo\n")
	d.asm("verdef", ".globl foo_v2\n.symver foo_v2,foo@@V2\nfoo_v2: nop\n")
	d.run("ar", "rc", "lib.a", "foo.o", "ent.o")
	d.run("ar", "rc", "a.a", "a1.o", "a2.o")
	d.run("ar", "rc", "b.a", "b1.o", "foo.o")
	d.run("ar", "rc", "order.a", "foo.o", "a2.o", "b1.o", "a1.o")
	d.run("ar", "rc", "com.a", "comfoo2.o", "foo.o")
	d.run("ar", "rc", "combar.a", "combar.o", "onlybar.o")
	d.run("ar", "rc", "ver.a", "verdef.o")
	d.run("ar", "rcT", "thin.a", "foo.o", "ent.o")
	d.run("ar", "rcS", "noindex.a", "foo.o", "ent.o")
	d.run("ar", "rcT", "nested.a", "thin.a", "b.a")
}

// TestMembers compares which objects are linked, and in which order.
func TestMembers(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	for _, args := range []string{
		"main.o lib.a", "lib.a main.o foo.o", "main.o foo.o lib.a", "weakref.o lib.a",
		"weakref.o main.o --allow-multiple-definition lib.a",
		"chain.o a.a b.a a.a b.a", "chain.o --start-group a.a b.a --end-group",
		"--start-group chain.o a.a b.a --end-group", "chain.o order.a",
		"comfoo.o lib.a", "comfoo.o com.a", "comref.o combar.a", "comfoo.o comfoo2.o",
		"main.o --whole-archive lib.a", "main.o --whole-archive lib.a --no-whole-archive lib.a",
		"main.o thin.a", "main.o --whole-archive thin.a", "chain.o a.a nested.a a.a nested.a",
		"verref.o ver.a", "main.o lib.a --undefined=ent", "--undefined=nothing main.o lib.a",
		"main.o lib.a --entry=ent", "main.o foo.o lib.a --entry=0x10",
	} {
		list := strings.Fields(args)
		out, err := d.try("ld", append([]string{"-t", "-t", "-o", "out"}, list...)...)
		x := d.load(d.options(list...), Settings{Entry: "_start"})
		if got, want := x.files(), ldFiles(out); got != want {
			t.Errorf("%s:\n got  %s\n want %s", args, got, want)
		}
		if x.rep.Failed() && err == nil {
			t.Errorf("%s: GNU ld links it: %v", args, x.rep.Errors()[0])
		}
	}
}

// TestScriptsBeforeArchives: what a script defines before an archive is not taken
// from that; what it names there is.
func TestScriptsBeforeArchives(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	for _, c := range []struct {
		script string
		args   string
		defs   []Definition
	}{
		{"SECTIONS { .text : { *(.text) foo = .; } }", "-Ts.ld main.o lib.a", []Definition{{Name: "foo", Script: 1}}},
		{"SECTIONS { .text : { *(.text) } foo = .; }", "-Ts.ld main.o lib.a", []Definition{{Name: "foo", Script: 1}}},
		{"foo = 5; SECTIONS { .text : { *(.text) } }", "main.o lib.a -Ts.ld", []Definition{{Name: "foo", Script: 1}}},
		{"foo = 5; SECTIONS { .text : { *(.text) } }", "main.o -Ts.ld lib.a", []Definition{{Name: "foo", Script: 1}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); }", "-Ts.ld main.o lib.a", []Definition{{Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); }", "main.o -Ts.ld lib.a", []Definition{{Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); }", "main.o lib.a -Ts.ld", []Definition{{Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); }", "-Ts.ld weakref.o lib.a", []Definition{{Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); }", "--undefined=foo -Ts.ld weakref.o lib.a", []Definition{{Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = ent); }", "weakref.o -Ts.ld lib.a", []Definition{{Name: "foo", Script: 1, Provide: true, Refers: []string{"ent"}}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(x = ent); }", "main.o -Ts.ld lib.a", []Definition{{Name: "x", Script: 1, Provide: true, Refers: []string{"ent"}}}},
		{"SECTIONS { .text : { *(.text) } x = foo; PROVIDE(foo = 5); }", "-Ts.ld main.o lib.a", []Definition{{Name: "x", Script: 1, Refers: []string{"foo"}}, {Name: "foo", Script: 1, Provide: true}}},
		{"SECTIONS { .text : { *(.text) } PROVIDE(foo = 5); x = foo; }", "-Ts.ld main.o lib.a", []Definition{{Name: "foo", Script: 1, Provide: true}, {Name: "x", Script: 1, Refers: []string{"foo"}}}},
		{"SECTIONS { .text : { *(.text) } x = ent; }", "-Ts.ld main.o lib.a", []Definition{{Name: "x", Script: 1, Refers: []string{"ent"}}}},
		{"SECTIONS { .text : { *(.text) } x = DEFINED(ent) ? 1 : 2; }", "-Ts.ld main.o lib.a", []Definition{{Name: "x", Script: 1}}},
		{"SECTIONS { .text : { *(.text) } }", "-Ts.ld main.o lib.a --defsym=foo=5", []Definition{{Name: "foo", Defsym: 1}}},
		{"SECTIONS { .text : { *(.text) } }", "-Ts.ld --defsym=foo=5 main.o lib.a", []Definition{{Name: "foo", Defsym: 1}}},
		{"SECTIONS { .text : { *(.text) } }", "-Ts.ld --defsym=foo=ent main.o lib.a", []Definition{{Name: "foo", Defsym: 1, Refers: []string{"ent"}}}},
		{"SECTIONS { .text : { *(.text) } }", "-Ts.ld --defsym=x=1 main.o --defsym=foo=1 lib.a", []Definition{{Name: "x", Defsym: 1}, {Name: "foo", Defsym: 2}}},
	} {
		d.write("s.ld", c.script)
		list := strings.Fields(c.args)
		out := d.run("ld", append([]string{"-t", "-t", "-o", "out"}, list...)...)
		x := d.load(d.options(list...), Settings{Definitions: c.defs}).ok(t)
		if got, want := x.files(), ldFiles(out); got != want {
			t.Errorf("%s with %s:\n got  %s\n want %s", c.args, c.script, got, want)
		}
		if s := x.table.Get("foo"); !s.Defined() {
			t.Errorf("%s with %s: foo is not defined", c.args, c.script)
		}
	}
}

// TestNoIndex: an archive without a symbol table is read itself, where GNU ld asks
// for ranlib.
func TestNoIndex(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	if got, want := d.load(d.options("main.o", "noindex.a"), Settings{}).ok(t).files(), "main.o noindex.a(foo.o)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestStartLib: objects between --start-lib and --end-lib are as in an archive.
func TestStartLib(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	for args, want := range map[string]string{
		"main.o --start-lib ent.o foo.o --end-lib":            "main.o foo.o",
		"--start-lib foo.o --end-lib main.o":                  "main.o",
		"main.o --start-lib ent.o --end-lib foo.o":            "main.o foo.o",
		"chain.o --start-lib foo.o a2.o b1.o a1.o --end-lib":  "chain.o a1.o b1.o a2.o foo.o",
		"weakref.o --start-lib foo.o --end-lib --start-group": "weakref.o",
	} {
		if got := d.load(d.options(strings.Fields(args)...), Settings{}).ok(t).files(); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// TestRemembered: in lld's dialect an archive gives members also to what comes
// after it.
func TestRemembered(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	opt := d.options("lib.a", "main.o")
	opt.Dialect = "lld"
	if got, want := d.load(opt, Settings{}).ok(t).files(), "main.o lib.a(foo.o)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := d.load(d.options("lib.a", "main.o"), Settings{}).ok(t).files(); got != "main.o" {
		t.Errorf("GNU's order: got %s", got)
	}
}

// TestSearch finds libraries by name, where a machine's own go before others.
func TestSearch(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	for _, sub := range []string{"one", "two", "root/lib"} {
		if err := os.MkdirAll(filepath.Join(d.path, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d.write("one/libx.a", "!<arch>\n")
	d.run("ar", "rc", "two/libx.a", "foo.o")
	d.run("ar", "rc", "root/lib/libroot.a", "foo.o")
	opt := d.options("-Ltwo", "main.o", "-lx")
	if got, want := d.load(opt, Settings{}).ok(t).files(), "main.o two/libx.a(foo.o)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := d.load(d.options("-Ltwo", "main.o", "-l:libx.a"), Settings{}).ok(t).files(); !strings.HasSuffix(got, "libx.a(foo.o)") {
		t.Errorf("-l:libx.a: got %s", got)
	}
	opt = d.options("main.o", "-lroot")
	opt.Sysroot, opt.LibPaths = filepath.Join(d.path, "root"), []string{"=/lib"}
	if got := d.load(opt, Settings{}).ok(t).files(); !strings.HasSuffix(got, "libroot.a(foo.o)") {
		t.Errorf("-L=/lib: got %s", got)
	}
	x := d.load(d.options("-Lone", "-Ltwo", "main.o", "-lnone"), Settings{})
	if errs := x.rep.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "one/libnone.so") {
		t.Errorf("-lnone: %v", errs)
	}
}

// TestForeignLibrary: a library for another machine is passed over.
func TestForeignLibrary(t *testing.T) {
	d := newDir(t, amd64Tools)
	arm := newDir(t, armTools)
	members(d)
	arm.asm("foo", ".globl foo\nfoo: nop\n")
	for _, sub := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(d.path, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	arm.run("ar", "rc", filepath.Join(d.path, "one/libx.a"), "foo.o")
	d.run("ar", "rc", "two/libx.a", "foo.o")
	if got, want := d.load(d.options("-Lone", "-Ltwo", "main.o", "-lx"), Settings{}).ok(t).files(), "main.o two/libx.a(foo.o)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	x := d.load(d.options("main.o", "one/libx.a"), Settings{})
	if errs := x.rep.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "main.o") || !strings.Contains(errs[0].Error(), "libx.a(foo.o)") {
		t.Errorf("a library for Arm by its name: %v", errs)
	}
}

// TestScriptInput: a text is a script; INPUT and GROUP in it stand for their files.
func TestScriptInput(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	d.write("libs.ld", "INPUT(chain.o)\nGROUP(a.a b.a)\n")
	d.write("outer.ld", "SEARCH_DIR(.) INPUT(libs.ld)")
	d.write("loop.ld", "INPUT(loop.ld)")
	for _, name := range []string{"libs.ld", "outer.ld"} {
		out := d.run("ld", "-t", "-t", "-o", "out", name)
		x := d.load(d.options(name), Settings{Entry: "_start"}).ok(t)
		got := strings.ReplaceAll(x.files(), "./", "")
		if want := strings.ReplaceAll(ldFiles(out), "./", ""); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if x := d.load(d.options("loop.ld"), Settings{}); !x.rep.Failed() {
		t.Error("a script that names itself is taken")
	}
}

// TestBinary: --format binary makes the symbols that GNU ld makes.
func TestBinary(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.write("some-file.bin", "\x00\x01hello")
	d.run("ld", "-r", "-b", "binary", "-o", "out.o", "some-file.bin")
	opt := &model.Options{Inputs: []model.Input{{Name: "some-file.bin", Format: "binary"}}}
	t.Chdir(d.path)
	x := d.load(opt, Settings{}).ok(t)
	for name, want := range d.symbols("out.o") {
		s := x.table.Get(name)
		if s == nil || s.Value != want.value || (s.Sec == nil) != (want.kind == "A") {
			t.Errorf("%s: got %+v, want %+v", name, s, want)
		}
	}
	if s := x.Objects()[0].Sections[1]; s.Name != ".data" || s.Flags != elf.SHF_ALLOC|elf.SHF_WRITE || string(s.Data) != "\x00\x01hello" {
		t.Errorf("section %+v", s)
	}
}

// TestJustSymbols takes addresses from a program.
func TestJustSymbols(t *testing.T) {
	d := newDir(t, amd64Tools)
	members(d)
	d.run("ld", "-o", "prog", "main.o", "foo.o")
	want := d.symbols("prog")["foo"]
	opt := d.options("chain.o", "a.a", "b.a", "a.a")
	opt.Inputs = append(opt.Inputs, model.Input{Name: d.abs("prog"), JustSymbols: true})
	opt.AllowMultiple = true
	x := d.load(opt, Settings{}).ok(t)
	if s := x.table.Get("foo"); !s.Absolute() || s.Value != want.value || !s.Obj.JustSymbols {
		t.Errorf("foo is %+v, want %#x", s, want.value)
	}
}
