package bind

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/samples"
)

// host is a machine whose programs the dynamic linker of glibc can start here.
type host struct {
	name    string
	cc      string
	emul    string                 // "" for none
	sysroot string                 // that has its libc
	root    string                 // "", or the tree that a test made for the emulator
	quirks  func(line string) bool // lines of the trace that belong to no relocation
}

var hosts = []host{
	{name: "x86-64", cc: "gcc"},
	{name: "i386", cc: "i686-linux-gnu-gcc", emul: "qemu-i386", sysroot: "/usr/i686-linux-gnu"},
	{name: "AArch64", cc: "aarch64-linux-gnu-gcc", emul: "qemu-aarch64", sysroot: "/usr/aarch64-linux-gnu"},
	{name: "ARM", cc: "arm-linux-gnueabihf-gcc", emul: "qemu-arm", sysroot: "/usr/arm-linux-gnueabihf"},
	// The gp of a program without PIE is looked up, though it is no relocation
	// (elf_machine_runtime_setup in sysdeps/riscv/dl-machine.h).
	{name: "RISC-V 64", cc: "riscv64-linux-gnu-gcc", emul: "qemu-riscv64", sysroot: "/usr/riscv64-linux-gnu",
		quirks: func(l string) bool { return strings.Contains(l, ": __global_pointer$ ") }},
}

// start is the command that starts a program with variables for its dynamic linker.
func (h host) start(args []string, env ...string) *exec.Cmd {
	if h.emul == "" {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = env
		return cmd
	}
	// Without LD_LIBRARY_PATH it would read this machine's ld.so.cache.
	list := []string{"-L", h.root, "-E", "LD_LIBRARY_PATH=/lib"}
	for _, e := range env {
		list = append(list, "-E", e)
	}
	cmd := exec.Command(h.emul, append(list, args...)...)
	cmd.Env = []string{}
	return cmd
}

// load loads a program as the machine's dynamic linker would.
func (h host) load(t testing.TB, path string) *load.Process {
	t.Helper()
	opt := load.Options{Root: h.root}
	if h.root != "" {
		opt.LibraryPath = "/lib"
	}
	p, err := load.Load(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// account is what a dynamic linker says that it did.
type account struct {
	bindings  []string
	undefined []string
	versions  []string
}

// trace has the dynamic linker bind all and start nothing, as ldd -r does.
func (h host) trace(args ...string) account {
	cmd := h.start(args, "LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=1", "LD_DEBUG=bindings")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Run() // 127 for a fault that we want to read
	return h.read(out.Bytes())
}

// real starts the program.
func (h host) real(path string) account {
	return h.listen(h.start([]string{path}, "LD_BIND_NOW=1", "LD_DEBUG=bindings:impcalls"))
}

// listen runs a command until the first constructor is called.
func (h host) listen(cmd *exec.Cmd, env ...string) account {
	cmd.Env = append(cmd.Env, env...)
	pipe, err := cmd.StderrPipe()
	if err != nil || cmd.Start() != nil {
		return account{}
	}
	var text []byte
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte("calling init: ")) {
			break
		}
		text = append(append(text, lines.Bytes()...), '\n')
	}
	cmd.Process.Kill()
	cmd.Wait()
	return h.read(text)
}

// read takes the words of the dynamic linker apart.
func (h host) read(text []byte) account {
	if h.root != "" { // ours are paths in the tree
		text = bytes.ReplaceAll(text, []byte(h.root), nil)
	}
	var a account
	for l := range bytes.Lines(text) {
		l = bytes.TrimRight(l, "\n")
		s := string(l)
		switch m := bindLine.FindSubmatch(l); {
		case m != nil:
			a.bindings = append(a.bindings, fmt.Sprintf("%s -> %s: %s [%s]", m[1], m[2], m[3], m[4]))
		case strings.HasSuffix(s, " (continued)"): // said twice
		case strings.Contains(s, "undefined symbol: "):
			a.undefined = append(a.undefined, s[strings.Index(s, "undefined symbol: "):])
		case strings.Contains(s, "(required by "):
			a.versions = append(a.versions, s)
		}
	}
	a.bindings = slices.DeleteFunc(withoutVDSO(a.bindings), func(l string) bool { return h.quirks != nil && h.quirks(l) })
	for _, list := range []*[]string{&a.bindings, &a.undefined, &a.versions} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return a
}

// ours is a result in the words of the dynamic linker.
func ours(r *Result) account {
	a := account{bindings: bindings(r)}
	for b := range r.Unresolved(false) {
		v, _ := r.Version(b)
		s := fmt.Sprintf("undefined symbol: %s", r.Name(b))
		if v != "" {
			s += ", version " + v
		}
		a.undefined = append(a.undefined, fmt.Sprintf("%s\t(%s)", s, r.Process.Objects[b.From].Path))
	}
	for _, v := range r.Versions {
		if v.Of == nil { // trace mode says nothing of a library that is missing
			continue
		}
		a.versions = append(a.versions, versionLine(r, v))
	}
	for _, list := range []*[]string{&a.undefined, &a.versions} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return a
}

// versionLine is what match_symbol of elf/dl-version.c says with LD_WARN.
func versionLine(r *Result, v VersionFault) string {
	what := fmt.Sprintf("version `%s' not found", v.Version)
	switch {
	case v.Warning:
		what = "no version information available"
	case v.Weak:
		what = "weak " + what
	}
	return fmt.Sprintf("%s: %s: %s (required by %s)", r.Process.Program().Path, v.Of.Path, what, v.By.Path)
}

// TestCorners builds programs that the rules of binding treat in an odd way, and
// holds every binding against the dynamic linker's account of it, with the order
// of its trace mode and with that of a start.
func TestCorners(t *testing.T) {
	scripts, err := filepath.Glob("testdata/corner/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no cases", err)
	}
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, h.cc)
			if h.emul != "" {
				samples.Need(t, h.emul)
			}
			h := h.prepare(t)
			for _, script := range scripts {
				name := strings.TrimSuffix(filepath.Base(script), ".sh")
				if h.emul != "" && !sweep() && !slices.Contains(foreignCorners, name) {
					continue
				}
				t.Run(name, func(t *testing.T) { h.corner(t, script) })
			}
		})
	}
}

// foreignCorners are the cases that also other machines take by default, for their
// types of relocations; ELFWRIGHT_SWEEP=1 gives them all.
var foreignCorners = []string{"canonical-plt", "hash-styles", "tls", "unique-copy", "versions"}

func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") != "" }

// prepare makes a tree for the emulator, with the libc that programs need, so that
// nothing is found on this machine.
func (h host) prepare(t *testing.T) host {
	if h.emul == "" {
		return h
	}
	h.root = t.TempDir()
	lib := filepath.Join(h.root, "lib")
	if err := os.Mkdir(lib, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"ld-linux*", "libc.so.6"} {
		files, _ := filepath.Glob(filepath.Join(h.sysroot, "lib", pattern))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err == nil {
				err = os.WriteFile(filepath.Join(lib, filepath.Base(f)), b, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return h
}

func (h host) corner(t *testing.T, script string) {
	dir := filepath.Join(h.root, t.TempDir())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	build(t, script, dir, h.cc)
	prog := filepath.Join(dir, "prog")
	theirs := h.trace(prog)
	r := h.bind(t, prog, Trace)
	sameAccount(t, "trace", ours(r), theirs)
	if want, ok := cornerRules[strings.TrimSuffix(filepath.Base(script), ".sh")]; ok && !has(r, want) {
		t.Errorf("nothing is bound by rule %d", want)
	}
	if len(theirs.undefined)+len(theirs.versions) > 0 {
		return // it does not start
	}
	us, theirs := ours(h.bind(t, prog, Start)), h.real(prog)
	theirs.bindings = withoutMalloc(strings.TrimPrefix(prog, h.root), us.bindings, theirs.bindings)
	sameAccount(t, "start", us, theirs)
}

// build runs the script of a case, which leaves a program in the directory.
func build(t *testing.T, script, dir, cc string) {
	t.Helper()
	text, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-e", text)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CC="+cc)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	makeSymbolic(t, dir)
}

// cornerRules are what the cases are for: without such a binding they show nothing.
var cornerRules = map[string]Rule{"unique-versions": Unique, "unique-copy": Unique, "protected": Protected, "symbolic": Symbolic, "weak": WeakZero, "undefined": Undefined}

func has(r *Result, rule Rule) bool {
	return slices.ContainsFunc(r.Bindings, func(b Binding) bool { return b.Rule == rule })
}

func (h host) bind(t *testing.T, prog string, order Order) *Result {
	t.Helper()
	r, err := Bind(h.load(t, prog), Options{Order: order, Now: true})
	if err != nil {
		t.Error(err)
	}
	return r
}

// withoutMalloc drops the look-ups that ld.so makes after it has relocated all, for
// its own use, in the name of the program (__rtld_malloc_init_real in
// elf/dl-minimal.c).
func withoutMalloc(prog string, ours, theirs []string) []string {
	return slices.DeleteFunc(theirs, func(l string) bool {
		rest, ok := strings.CutPrefix(l, prog+" -> ")
		_, rest, _ = strings.Cut(rest, ": ")
		name, _, _ := strings.Cut(rest, " ")
		_, known := slices.BinarySearch(ours, l)
		return ok && !known && slices.Contains([]string{"malloc", "calloc", "realloc", "free"}, name)
	})
}

// makeSymbolic writes DT_SYMBOLIC over the first spare entry of the files that
// dir/symbolic names.
func makeSymbolic(t *testing.T, dir string) {
	list, _ := os.ReadFile(filepath.Join(dir, "symbolic"))
	for _, name := range strings.Fields(string(list)) {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := elffile.Parse(path, b)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := f.Dynamic()
		end := d.Entries[len(d.Entries)-1]
		f.PutAddr(b[end.Off:], uint64(elf.DT_SYMBOLIC))
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func sameAccount(t *testing.T, what string, ours, theirs account) {
	t.Helper()
	if len(theirs.bindings)+len(theirs.versions) == 0 {
		t.Errorf("%s: the dynamic linker says nothing", what)
	}
	if len(theirs.bindings) > 0 { // versions that are missing end it
		same(t, what, ours.bindings, theirs.bindings)
		same(t, what, ours.undefined, theirs.undefined)
	}
	same(t, what, ours.versions, theirs.versions)
}

func same(t *testing.T, what string, ours, theirs []string) bool {
	t.Helper()
	missing, extra := minus(theirs, ours), minus(ours, theirs)
	if len(missing)+len(extra) > 0 {
		t.Errorf("%s: of %d, %d missing, %d extra", what, len(theirs), len(missing), len(extra))
	}
	for _, x := range missing[:min(10, len(missing))] {
		t.Logf("missing %s", x)
	}
	for _, x := range extra[:min(10, len(extra))] {
		t.Logf("extra   %s", x)
	}
	return len(missing)+len(extra) == 0
}
