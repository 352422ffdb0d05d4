package patch_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/show"
)

// open maps a file for the time of the test.
func open(t testing.TB, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// noFile is for values that name none.
func noFile(string) (elffile.Data, error) { return nil, errors.New("no file") }

func readFile(name string) (elffile.Data, error) {
	b, err := os.ReadFile(name)
	return elffile.Buffer(b), err
}

func parse(t testing.TB, list ...string) []patch.Set {
	t.Helper()
	var sets []patch.Set
	for _, s := range list {
		one, err := patch.ParseSet(s, readFile)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, one)
	}
	return sets
}

// apply patches a file and writes the result.
func apply(t testing.TB, from, to string, opt patch.Options, list ...string) *patch.Report {
	t.Helper()
	r, err := patch.Apply(open(t, from), parse(t, list...), opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.WriteFile(to, 0o755); err != nil {
		t.Fatal(err)
	}
	return r.Report
}

// run returns what a program prints.
func (m machine) run(t testing.TB, path string) string {
	t.Helper()
	argv := []string{path}
	if m.emulator != "" {
		samples.Need(t, m.emulator)
		argv = []string{m.emulator, path}
	}
	for {
		out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		if errors.Is(err, unix.ETXTBSY) { // another test starts a program while this one is written
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		return string(out)
	}
}

func tool(t testing.TB, argv ...string) {
	t.Helper()
	samples.Need(t, argv[0])
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s prints\n%s\nwant\n%s", what, got, want)
	}
}

// TestPrograms sets every kind of variable in programs of every machine, of both
// classes and byte orders, and runs them.
func TestPrograms(t *testing.T) {
	for _, m := range machines {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			prog := m.build(t, "-static")
			same(t, "the original", m.run(t, prog), before)
			dir := t.TempDir()
			all := filepath.Join(dir, "all")
			apply(t, prog, all, patch.Options{}, changes...)
			same(t, "the patched program", m.run(t, all), after)
			again := filepath.Join(dir, "again")
			apply(t, all, again, patch.Options{}, changes...)
			sameFiles(t, all, again)
			split(t, m, dir, prog)
		})
	}
}

func sameFiles(t testing.TB, a, b string) {
	t.Helper()
	x, err1 := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

// split does the same to an image without symbols, and to one without section
// headers, by a file that has nothing but symbols.
func split(t *testing.T, m machine, dir, prog string) {
	t.Helper()
	syms, image, bare := filepath.Join(dir, "syms"), filepath.Join(dir, "image"), filepath.Join(dir, "bare")
	tool(t, m.prefix+"objcopy", "--only-keep-debug", prog, syms)
	tool(t, m.prefix+"strip", "-o", image, prog)
	if _, err := patch.Apply(open(t, syms), parse(t, "half=1"), patch.Options{}); !no(err) {
		t.Errorf("a debug file as image: %v", err)
	}
	cutSections(t, image, bare)
	for _, from := range []string{image, bare} {
		out := from + ".out"
		apply(t, from, out, patch.Options{Symbols: []*elffile.File{open(t, syms)}}, changes...)
		same(t, out, m.run(t, out), after)
	}
}

// cutSections takes the section headers off, and what only they name: the file
// ends with its last segment.
func cutSections(t testing.TB, from, to string) {
	t.Helper()
	f := open(t, from)
	end := uint64(0)
	for i := range f.Progs {
		end = max(end, f.Progs[i].Off+f.Progs[i].Filesz)
	}
	c := *f
	c.Body = f.Body.Clone()
	c.Body.Truncate(int64(end))
	c.Header.Shoff, c.Header.Shnum, c.Header.Shstrndx = 0, 0, 0
	c.SetSections(nil)
	if err := c.Encode().WriteFile(to, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestLinkings does it to programs that are loaded anywhere, whose addresses need
// relocations, and lets gdb read the result.
func TestLinkings(t *testing.T) {
	for _, flags := range []string{"-pie", "-no-pie", "-static-pie", "-pie -Wl,-z,pack-relative-relocs", "-pie -fuse-ld=gold", "-pie -gdwarf-2 -gstrict-dwarf",
		"-pie -gdwarf-3 -gstrict-dwarf", "-pie -gdwarf-4", "-pie -gz", "-pie -gz=zlib-gnu", "-pie zstd", "-pie -flto -O2", "-pie -O2 -m32"} {
		t.Run(flags, func(t *testing.T) {
			t.Parallel()
			m := native
			if strings.Contains(flags, "-m32") { // REL: the addend is at the place
				m, flags = machine{"i686-linux-gnu-", "qemu-i386"}, "-static-pie"
			}
			flags, zstd := strings.CutSuffix(flags, " zstd")
			prog := m.build(t, strings.Fields(flags)...)
			out := filepath.Join(t.TempDir(), "out")
			if zstd {
				tool(t, "objcopy", "--compress-debug-sections=zstd", prog, out)
				prog, out = out, out+".patched"
			}
			list, want := changes, after
			if strings.Contains(flags, "-flto") { // what is never written is no variable any more
				list = []string{"cfg.uart[1].base=0x9000000", "cfg.uart[1].irq=31", "cfg.grid[1][2]=42", "counter=-3"}
				want = strings.NewReplacer("1000 2000 irq 4", "1000 9000000 irq 31", "grid 0", "grid 42", "counter 7", "counter -3").Replace(before)
			}
			apply(t, prog, out, patch.Options{}, list...)
			same(t, "the patched program", m.run(t, out), want)
			if m == native && want == after {
				gdb(t, out)
			}
		})
	}
}

// gdb reads variables from the file, without running it.
func gdb(t *testing.T, path string) {
	t.Helper()
	samples.Need(t, "gdb")
	var argv []string
	for _, e := range []string{"cfg.uart[1]", "cfg.color", "cfg.grid", "cfg.label", "zero.version", "microkit_irqs", "tab", "bytes"} {
		argv = append(argv, "-ex", "output "+e, "-ex", "echo \\n")
	}
	out, err := exec.Command("gdb", append([]string{"-nx", "-batch", path}, argv...)...).CombinedOutput()
	const want = `{base = 150994944, irq = 31, mode = 5, level = -1000, prio = -5}
GREEN
{{0, 0, 0}, {0, 0, 42}}
"hello\000\000"
77
18374686479671623680
{1, 2, 3, 4, 0, 0, 0, 99}
"\t\a\000"
`
	if err != nil || !strings.HasSuffix(string(out), want) {
		t.Errorf("gdb: %v\n%s\nwant\n%s", err, out, want)
	}
}

// TestSections replaces sections, by name and by the symbols around them, also
// where there are no section headers.
func TestSections(t *testing.T) {
	prog := native.build(t, "-pie")
	dir := t.TempDir()
	bare := filepath.Join(dir, "bare")
	cutSections(t, prog, bare)
	syms := open(t, prog)
	blob := bytes.Repeat([]byte{7}, 4000)
	want := strings.Replace(before, "blob 1 0 4000", "blob 7 7 4000", 1)
	value := patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(blob)}
	for _, from := range []string{prog, bare} {
		for _, s := range []patch.Set{{Section: "blob", Value: value}, {Between: [2]string{"__start_blob", "__stop_blob"}, Value: value}} {
			r, err := patch.Apply(open(t, from), []patch.Set{s}, patch.Options{Symbols: []*elffile.File{syms}})
			if err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "out")
			if err := r.Body.WriteFile(out, 0o755); err != nil {
				t.Fatal(err)
			}
			same(t, out, native.run(t, out), want)
		}
	}
	f := open(t, prog)
	short := patch.Value{Kind: patch.Bytes, Data: elffile.Buffer("short")}
	r, err := patch.Apply(f, []patch.Set{{Section: ".comment", Value: short}}, patch.Options{Fill: ' '})
	if err != nil {
		t.Fatal(err)
	}
	i := f.SectionByName(".comment")
	s := f.Sections()[i]
	got := make([]byte, s.Size)
	r.Body.ReadAt(got, int64(s.Off))
	if text := fmt.Sprintf("%-*s", s.Size, "short"); string(got) != text {
		t.Errorf("%q, want %q", got, text)
	}
	long := patch.Value{Kind: patch.Bytes, Data: elffile.Zeros(int64(s.Size + 1))}
	if _, err := patch.Apply(f, []patch.Set{{Section: ".comment", Value: long}}, patch.Options{}); !no(err) {
		t.Errorf("a longer section: %v", err)
	}
}

// no says whether an error is the answer no.
func no(err error) bool {
	x, ok := errors.AsType[interface {
		error
		No() bool
	}](err)
	return ok && x.No()
}

// TestOverlay: where the file must grow and something follows it that no header
// names, that is refused, moved, or stays where it is.
func TestOverlay(t *testing.T) {
	prog := native.build(t, "-pie")
	dir := t.TempDir()
	with := filepath.Join(dir, "with")
	b, err := os.ReadFile(prog)
	if err != nil {
		t.Fatal(err)
	}
	archive := []byte("PK an archive, from here to the end")
	if err := os.WriteFile(with, append(b, archive...), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := patch.Apply(open(t, with), parse(t, changes...), patch.Options{}); !no(err) {
		t.Errorf("with an overlay: %v", err)
	}
	apply(t, with, filepath.Join(dir, "in-place"), patch.Options{}, "half=1") // moves nothing
	for _, o := range []phdr.Overlay{phdr.OverlayMove, phdr.OverlayStay} {
		out := filepath.Join(dir, string(o))
		apply(t, with, out, patch.Options{Overlay: o}, changes...)
		same(t, out, native.run(t, out), after)
		now, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if o == phdr.OverlayStay && !bytes.HasPrefix(now[len(b):], archive) || o == phdr.OverlayMove && !bytes.HasSuffix(now, archive) {
			t.Errorf("--overlay=%s: the archive is elsewhere", o)
		}
	}
}

// TestCXX: names as the source spells them, members of base classes, enumerators.
func TestCXX(t *testing.T) {
	const source = `
#include <cstdio>
namespace ns {
struct Base { int id; virtual ~Base() {} };
struct Mid { short mid; };
struct Thing : Base, Mid { double w; static int count; enum class Mode : unsigned char { Off, On } mode; int arr[4]; };
int Thing::count = 3; Thing thing; static volatile long hidden = 5;
template <class T> struct Box { T v; }; Box<int> box = {8};
}
namespace { struct { volatile int x = 1; } local; }
inline int shared = 77;
int main() { printf("%d %d %g %d %d %ld %d %d %d %d\n", ns::thing.id, ns::thing.mid, ns::thing.w, ns::Thing::count, (int)ns::thing.mode,
	ns::hidden, ns::box.v, ns::thing.arr[3], shared, local.x); }
`
	for _, version := range []string{"-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"} {
		prog := samples.MakeFile(t, samples.Recipe{
			Files: map[string]string{"x.cc": source},
			Steps: [][]string{{"g++", "-std=c++17", version, "-gstrict-dwarf", "-o", "prog", "x.cc"}},
			Out:   "prog",
		})
		out := filepath.Join(t.TempDir(), "out")
		apply(t, prog, out, patch.Options{Demangle: show.Demangle}, "ns::thing.id=42", "ns::thing.mid=-7", "ns::thing.w=1.25", "ns::Thing::count=9", "ns::thing.mode=On",
			"ns::hidden=-2", "ns::box.v=5", "ns::thing.arr[3]=4", "shared=6", "{(anonymous namespace)::local}.x=11")
		same(t, version, native.run(t, out), "42 -7 1.25 9 1 -2 5 4 6 11\n")
	}
}

// TestRust: the same of Rust.
func TestRust(t *testing.T) {
	const source = `
#[derive(Clone, Copy, Debug)] #[repr(u8)] #[allow(dead_code)] enum Mode { Off, On }
struct Inner { a: u32, b: [u16; 3] }
struct Cfg { base: u64, on: bool, mode: Mode, inner: Inner, ratio: f32 }
static mut CFG: Cfg = Cfg { base: 0x1000, on: false, mode: Mode::Off, inner: Inner { a: 1, b: [1, 2, 3] }, ratio: 1.0 };
#[no_mangle] pub static mut COUNT: i64 = 5;
static mut ZERO: [u8; 32] = [0; 32];
fn main() { unsafe {
	let c = std::ptr::read_volatile(&raw const CFG);
	let z = std::ptr::read_volatile(&raw const ZERO);
	println!("{:x} {} {:?} {} {:?} {} {} {:?}", c.base, c.on, c.mode, c.inner.a, c.inner.b, c.ratio, std::ptr::read_volatile(&raw const COUNT), &z[..4]);
} }
`
	prog := samples.MakeFile(t, samples.Recipe{
		Files:    map[string]string{"main.rs": source},
		Steps:    [][]string{{"rustc", "-g", "--edition=2021", "-o", "prog", "main.rs"}},
		Needs:    []string{"gcc"},
		Out:      "prog",
		Optional: true,
	})
	out := filepath.Join(t.TempDir(), "out")
	apply(t, prog, out, patch.Options{Demangle: show.Demangle}, "main::CFG.base=0xabc", "main::CFG.on=true", "main::CFG.mode=On", "main::CFG.inner.b[2]=99",
		"main::CFG.ratio=2.5", "COUNT=-1", `main::ZERO="hey"`)
	same(t, "Rust", native.run(t, out), "abc true On 1 [1, 2, 99] 2.5 -1 [104, 101, 121, 0]\n")
}

// TestGo: variables of a Go program, whose debugging information is compressed.
func TestGo(t *testing.T) {
	const source = `package main

import "fmt"

type conf struct {
	Base uint64
	On   bool
	Arr  [3]int32
}

var cfg conf
var count = 7
var ratio = 1.5

func main() { fmt.Println(cfg.Base, cfg.On, cfg.Arr, count, ratio) }
`
	prog := samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{"main.go": source},
		Steps: [][]string{{"go", "build", "-trimpath", "-buildvcs=false", "-o", "prog", "main.go"}},
		Env:   []string{"GOFLAGS=", "GO111MODULE=off", "CGO_ENABLED=0"},
		Out:   "prog",
	})
	out := filepath.Join(t.TempDir(), "out")
	apply(t, prog, out, patch.Options{}, "main.cfg.Base=77", "main.cfg.On=true", "main.cfg.Arr[2]=-4", "main.count=8", "main.ratio=2.5")
	same(t, "Go", native.run(t, out), "77 true [0 0 -4] 8 2.5\n")
}
