package input

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/ldscript"
	"elfwright/link/model"
)

// toolchain is GNU's tools for a machine, of which the tests ask what is right.
type toolchain struct {
	name string
	pre  string   // of the names of tools
	lib  string   // where the C library is
	as   []string // what as has to be told
}

var (
	amd64Tools = toolchain{name: "x86-64", lib: "/usr/lib/x86_64-linux-gnu"}
	armTools   = toolchain{name: "arm", pre: "arm-linux-gnueabihf-", lib: "/usr/arm-linux-gnueabihf/lib"}
	riscvTools = toolchain{name: "riscv64", pre: "riscv64-linux-gnu-", lib: "/usr/riscv64-linux-gnu/lib"}
)

// toolchains are those with a C library.
var toolchains = []toolchain{
	amd64Tools,
	{name: "i386", pre: "i686-linux-gnu-", lib: "/usr/i686-linux-gnu/lib"},
	{name: "aarch64", pre: "aarch64-linux-gnu-", lib: "/usr/aarch64-linux-gnu/lib"},
	armTools,
	riscvTools,
}

// dir is a directory in which a test makes files, and whose tools it calls there.
type dir struct {
	testing.TB
	path  string
	tools toolchain
}

func newDir(t testing.TB, tools toolchain) *dir {
	t.Helper()
	samples.Need(t, tools.pre+"as", tools.pre+"ld")
	return &dir{t, t.TempDir(), tools}
}

func (d *dir) write(name, text string) {
	d.Helper()
	if err := os.WriteFile(filepath.Join(d.path, name), []byte(text), 0o644); err != nil {
		d.Fatal(err)
	}
}

// run calls a tool in the directory, which must succeed.
func (d *dir) run(tool string, args ...string) string {
	d.Helper()
	out, err := d.try(tool, args...)
	if err != nil {
		d.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
	return out
}

func (d *dir) try(tool string, args ...string) (string, error) {
	cmd := exec.Command(d.tools.pre+tool, args...)
	cmd.Dir = d.path
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// asm assembles a text as NAME.o.
func (d *dir) asm(name, text string) {
	d.Helper()
	d.write(name+".s", text)
	d.run("as", append(slices.Clone(d.tools.as), "-o", name+".o", name+".s")...)
}

// options makes options of some words that GNU ld takes too. Paths of files are
// those in the directory.
func (d *dir) options(args ...string) *model.Options {
	opt := &model.Options{Relax: true}
	var state model.Input
	groups := 0
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		in := state
		switch {
		case a == "--start-group":
			groups++
			state.Group = groups
			continue
		case a == "--end-group":
			state.Group = 0
			continue
		case a == "--whole-archive", a == "--no-whole-archive":
			state.WholeArchive = a == "--whole-archive"
			continue
		case a == "--start-lib", a == "--end-lib":
			state.StartLib = a == "--start-lib"
			continue
		case a == "-r":
			opt.Relocatable = true
			continue
		case a == "--gc-sections":
			opt.GC = true
			continue
		case a == "--allow-multiple-definition":
			opt.AllowMultiple = true
			continue
		case strings.HasPrefix(a, "-T"):
			in.Name, in.Mark = a[2:], model.MarkScript
			opt.Scripts = append(opt.Scripts, in.Name)
		case key == "--defsym":
			in.Mark = model.MarkDefsym
			opt.Defsyms = append(opt.Defsyms, model.Defsym{Text: value})
		case key == "--undefined":
			opt.Undefined = append(opt.Undefined, value)
			continue
		case key == "--wrap":
			opt.Wrap = append(opt.Wrap, value)
			continue
		case key == "--entry":
			opt.Entry = value
			continue
		case key == "--sort-common":
			opt.SortCommon = value
			continue
		case key == "-L":
			opt.LibPaths = append(opt.LibPaths, d.abs(value))
			continue
		case strings.HasPrefix(a, "-L"):
			opt.LibPaths = append(opt.LibPaths, d.abs(a[2:]))
			continue
		case strings.HasPrefix(a, "-l"):
			in.Name, in.Library = a[2:], true
		case strings.HasPrefix(a, "-"):
			d.Fatalf("the test does not know option %s", a)
		default:
			in.Name = d.abs(a)
		}
		opt.Inputs = append(opt.Inputs, in)
	}
	return opt
}

func (d *dir) abs(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(d.path, name)
}

// loaded is a link as this package makes it.
type loaded struct {
	*Set
	table *model.Table
	rep   *model.Report
	dir   string
}

func (d *dir) load(opt *model.Options, with Settings) *loaded {
	x := &loaded{table: model.NewTable(), rep: &model.Report{}, dir: d.path}
	parse := func(name string, text []byte) (*ldscript.Script, error) {
		return ldscript.Parse(name, text, ldscript.Options{})
	}
	x.Set = Load(opt, Commands{}, parse, with, x.table, x.rep)
	return x
}

// ok fails the test if there are errors.
func (x *loaded) ok(t testing.TB) *loaded {
	t.Helper()
	if errs := x.rep.Errors(); len(errs) > 0 {
		t.Fatalf("%d errors: %v", len(errs), errs[0])
	}
	return x
}

// files are the objects in their order, by names that the test gave.
func (x *loaded) files() string {
	var names []string
	for _, o := range x.Objects() {
		names = append(names, strings.TrimPrefix(o.File, x.dir+"/"))
	}
	return strings.Join(names, " ")
}

// ldFiles are the objects that GNU ld links, in their order.
func ldFiles(out string) string {
	var names []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if archive, member, ok := strings.Cut(line, ")"); ok && strings.HasPrefix(line, "(") {
			line = archive[1:] + "(" + member + ")"
		} else if !strings.HasSuffix(line, ".o") || strings.Contains(line, " ") {
			continue // an archive, a script, a message
		}
		names = append(names, line)
	}
	return strings.Join(names, " ")
}

// elfSymbol is a symbol as nm -S prints it.
type elfSymbol struct {
	value, size uint64
	kind        string
}

// symbols are those of an output.
func (d *dir) symbols(name string) map[string]elfSymbol {
	d.Helper()
	syms := map[string]elfSymbol{}
	for line := range strings.Lines(d.run("nm", "-f", "posix", "-t", "x", name)) {
		f := strings.Fields(line)
		var s elfSymbol
		s.kind = f[1]
		if len(f) > 2 {
			fmt.Sscanf(f[2], "%x", &s.value)
		}
		if len(f) > 3 {
			fmt.Sscanf(f[3], "%x", &s.size)
		}
		syms[f[0]] = s
	}
	return syms
}

// first is the first of some lines, for messages.
func first(s string) string {
	b, _, _ := bytes.Cut([]byte(s), []byte("\n"))
	return string(b)
}

func newReport() *model.Report { return &model.Report{} }

func newObject(name string) *model.Object { return &model.Object{File: name} }
