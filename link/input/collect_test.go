package input

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

const gcMain = `
struct Base { virtual ~Base() {} virtual int f() { return 1; } };
struct Derived : Base { int f() override { return 2; } };
template <class T> T twice(T x) { if (x > 100) throw x; return x + x; }
inline int counter(int x) { static int k; return k += x; }
int unused(int x) { return counter(x); }
long unused2() { try { return twice(3L); } catch (long) { return 1; } }
int table[] = {1, 2, 3};
const char *dead_text() { return "dead"; }
struct Global { int v; Global(); ~Global() { v = 0; } };
Global::Global() : v(counter(7)) {}
Global global;
int main(int c, char **) {
	Base *b = new Derived;
	try { c = twice(c + 1000); } catch (int e) { c = e; }
	return b->f() + c;
}
`

const gcOther = `
template <class T> T twice(T x) { if (x > 100) throw x; return x + x; }
inline int counter(int x) { static int k; return k += x; }
int un1() { return counter(1) + twice(2); }
__attribute__((section("mysec"))) int in_section = 3;
extern "C" int only_dead() { return un1(); }
`

// keepNames are what GNU ld's default script keeps.
var keepNames = regexp.MustCompile(`^\.(init|fini|init_array|fini_array|preinit_array|ctors|dtors|jcr|eh_frame)(\..*)?$`)

func keepAsDefault(objs []*model.Object) {
	for _, o := range objs {
		for _, s := range o.Sections {
			if s != nil && keepNames.MatchString(s.Name) {
				s.Keep = true
			}
		}
	}
}

// unusedLine is GNU ld's word for a section that goes; it writes the signature of
// a group behind its members' names.
var unusedLine = regexp.MustCompile(`removing unused section '([^'\[]*)(?:\[.*\])?' in file '(.*)'`)

func ldRemoved(out string) []string {
	var list []string
	for _, m := range unusedLine.FindAllStringSubmatch(out, -1) {
		// Attributes are merged here before, into a section that stays.
		if m[1] != ".group" && !strings.HasSuffix(m[1], ".attributes") {
			list = append(list, m[1]+" "+m[2])
		}
	}
	slices.Sort(list)
	return list
}

// removed are the sections that go here. GNU ld counts duplicates among them.
func (x *loaded) removed(opt *model.Options, entry string) []string {
	env := &model.Env{Opt: opt, Objects: x.Objects(), Table: x.table, Report: x.rep}
	list := collect(env, Roots{Symbols: []*model.Symbol{x.table.Get(entry)}})
	for _, o := range x.Objects() {
		for _, s := range o.Sections {
			if s != nil && s.Dropped == model.Duplicate && s.Size > 0 {
				list = append(list, s)
			}
		}
	}
	var names []string
	for _, s := range list {
		names = append(names, s.Name+" "+strings.TrimPrefix(s.Obj.File, x.dir+"/"))
	}
	slices.Sort(names)
	return names
}

// TestCollect compares what goes of a C++ program, with all of the C++ library
// that it needs, on each machine.
func TestCollect(t *testing.T) {
	for _, tools := range toolchains {
		t.Run(tools.name, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, tools.pre+"g++", tools.lib+"/libc.a")
			d := newDir(t, tools)
			d.write("p.cc", gcMain)
			d.write("q.cc", gcOther)
			d.run("g++", "-g", "-O1", "-ffunction-sections", "-fdata-sections", "-c", "p.cc", "q.cc")
			find := func(name string) string { return strings.TrimSpace(d.run("g++", "-print-file-name="+name)) }
			args := []string{
				tools.lib + "/crt1.o", tools.lib + "/crti.o", find("crtbeginT.o"), "p.o", "q.o", find("libstdc++.a"), tools.lib + "/libm.a",
				"--start-group", find("libgcc.a"), find("libgcc_eh.a"), tools.lib + "/libc.a", "--end-group", find("crtend.o"), tools.lib + "/crtn.o",
			}
			compareRemoved(d, args, "_start")
		})
	}
}

func compareRemoved(d *dir, args []string, entry string) {
	d.Helper()
	args = append([]string{"--gc-sections"}, args...)
	want := ldRemoved(d.run("ld", append([]string{"--print-gc-sections", "-static", "-e", entry, "-o", "out"}, args...)...))
	opt := d.options(args...)
	x := d.load(opt, Settings{Entry: entry})
	for _, err := range x.rep.Errors() {
		d.Fatal(err)
	}
	keepAsDefault(x.Objects())
	got := x.removed(opt, entry)
	if len(want) == 0 {
		d.Error("GNU ld removes nothing")
	}
	if more, less := minus(got, want), minus(want, got); len(more)+len(less) > 0 {
		d.Errorf("removed here alone: %v\nby GNU ld alone: %v", more, less)
	}
}

func minus(a, b []string) (diff []string) {
	count := map[string]int{}
	for _, s := range b {
		count[s]++
	}
	for _, s := range a {
		if count[s]--; count[s] < 0 {
			diff = append(diff, s)
		}
	}
	return diff
}

// TestCollectRules are cases of one rule each.
func TestCollectRules(t *testing.T) {
	d := newDir(t, amd64Tools)
	for name, text := range map[string]string{
		"start stop":   ".section mysec,\"a\"\n.quad 1\n.section dead,\"a\"\n.quad 2\n.text\n.globl _start\n_start: .quad __start_mysec\n",
		"stop alone":   ".section mysec,\"a\"\n.quad 1\n.section mysec,\"aw\",unique,2\n.quad 2\n.text\n.globl _start\n_start: .quad __stop_mysec\n",
		"link order":   ".section .text.f,\"ax\"\nf: nop\n.section .meta,\"ao\",@progbits,.text.f\n.quad g\n.section .text.g,\"ax\"\ng: nop\n.section .text.h,\"ax\"\nh: nop\n.section .meta2,\"ao\",@progbits,.text.h\n.quad 1\n.text\n.globl _start\n_start: .quad f\n",
		"group":        ".section .text.f,\"axG\",@progbits,sig,comdat\nf: nop\n.section .data.f,\"awG\",@progbits,sig,comdat\n.quad 1\n.section .data.g,\"awG\",@progbits,sig2,comdat\n.quad 1\n.text\n.globl _start\n_start: .quad f\n",
		"note":         ".section .note.x,\"a\",@note\n.long 4,4,1,0x41424344,0\n.section .note.g,\"aG\",@note,sig,comdat\n.long 4,4,1,0x41424344,0\n.text\n.globl _start\n_start: nop\n",
		"retain":       ".section .keepme,\"awR\",@progbits\n.quad f\n.section .text.f,\"ax\"\nf: nop\n.section .dropme,\"aw\"\n.quad 1\n.text\n.globl _start\n_start: nop\n",
		"common":       ".comm used,8,8\n.globl _start\n_start: .quad used\n.data\n.quad 1\n",
		"common dead":  ".comm unused,8,8\n.globl _start\n_start: .quad 1\n",
		"chain":        ".section .a,\"a\"\na: .quad b\n.section .b,\"a\"\nb: .quad a\n.section .c,\"a\"\nc: .quad d\n.section .d,\"a\"\nd: .quad c\n.text\n.globl _start\n_start: .quad a\n",
		"debug types":  ".section .debug_info\n.quad .Lt\n.section .debug_types,\"G\",@progbits,sig,comdat\n.Lt: .quad 1\n.section .other\n.quad 5\n.section .reloc\n.quad _start\n.text\n.globl _start\n_start: nop\n.data\n.quad 1\n",
		"debug pieces": ".section .debug_line.text.f\n.quad 1\n.section .debug_line.text.g\n.quad 1\n.section .text.f,\"ax\"\nf: nop\n.section .text.g,\"ax\"\ng: nop\n.text\n.globl _start\n_start: .quad f\n",
		"dead data":    ".section .debug_info\n.quad 1\n.section .comment\n.quad 1\n.data\n.quad 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			d := &dir{t, t.TempDir(), d.tools}
			d.asm("a", text)
			d.asm("start", ".section .text.first,\"ax\"\n.globl begin\nbegin: .weak _start\n.quad _start\n.data\n.quad 3\n")
			compareRemoved(d, []string{"start.o", "a.o"}, "begin")
		})
	}
}

// TestFrames: a function that stays keeps what its unwind record names, on
// machines with either kind of relocation.
func TestFrames(t *testing.T) {
	for _, tools := range toolchains[:4] {
		t.Run(tools.name, func(t *testing.T) {
			d := newDir(t, tools)
			text := ".cfi_sections .eh_frame\n"
			for _, f := range []string{"live", "dead"} {
				text += fmt.Sprintf(".section .lsda.%[1]s,\"a\"\nlsda_%[1]s: .long pers_%[1]s\n.section .text.pers_%[1]s,\"ax\"\npers_%[1]s: .long 1\n"+
					".section .text.%[1]s,\"ax\"\n%[1]s: .cfi_startproc\n.cfi_personality 0,pers_%[1]s\n.cfi_lsda 0,lsda_%[1]s\n.long 1\n.cfi_endproc\n", f)
			}
			d.asm("a", text+".text\n.globl _start\n_start: .long live\n")
			compareRemoved(d, []string{"a.o"}, "_start")
		})
	}
}

// TestExported: with --gc-keep-exported all that others could see stays.
func TestExported(t *testing.T) {
	d := newDir(t, amd64Tools)
	d.asm("a", ".section .text.f,\"ax\"\n.globl f\nf: nop\n.section .text.g,\"ax\"\n.globl g\n.hidden g\ng: nop\n.text\n.globl _start\n_start: nop\n")
	opt := d.options("--gc-sections", "a.o")
	opt.KeepExported = true
	got := d.load(opt, Settings{}).ok(t).removed(opt, "_start")
	want := ldRemoved(d.run("ld", "--gc-sections", "--gc-keep-exported", "--print-gc-sections", "-o", "out", "a.o"))
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestComdat: of equal groups the first stays, with its .gnu.linkonce relatives.
func TestComdat(t *testing.T) {
	d := newDir(t, amd64Tools)
	group := ".section .text.f,\"axG\",@progbits,f,comdat\n.weak f\nf: .skip %d\n"
	once := ".section .gnu.linkonce.t.f,\"ax\",@progbits\n.weak f\nf: .skip %d\n"
	for i, text := range []string{group, group, once, once, group + ".section .data.f,\"awG\",@progbits,f,comdat\n.skip 3\n"} {
		d.asm(fmt.Sprintf("o%d", i), fmt.Sprintf(text, 10+i)+".text\n.quad f\n")
	}
	for _, list := range [][]string{{"o0.o", "o1.o"}, {"o1.o", "o0.o"}, {"o2.o", "o3.o"}, {"o0.o", "o2.o"}, {"o2.o", "o0.o"}, {"o4.o", "o2.o"}, {"o2.o", "o4.o"}, {"o0.o", "o4.o"}, {"o4.o", "o0.o"}} {
		d.run("ld", append([]string{"-e", "0", "-r", "-o", "out.o"}, list...)...)
		x := d.load(d.options(list...), Settings{}).ok(t)
		var live []string
		for _, o := range x.Objects() {
			for _, s := range o.Sections {
				if s != nil && s.Live && strings.HasSuffix(s.Name, ".f") {
					live = append(live, fmt.Sprint(s.Name, " ", s.Size))
				}
			}
		}
		var want []string
		for line := range strings.Lines(d.run("readelf", "-SW", "out.o")) {
			if i := strings.IndexByte(line, ']'); i > 0 {
				if f := strings.Fields(line[i+1:]); len(f) > 5 && strings.HasSuffix(f[0], ".f") {
					var size int
					fmt.Sscanf(f[4], "%x", &size)
					want = append(want, fmt.Sprint(f[0], " ", size))
				}
			}
		}
		slices.Sort(live)
		slices.Sort(want)
		if !slices.Equal(live, want) {
			t.Errorf("%v: %v stay, GNU ld keeps %v", list, live, want)
		}
	}
}
