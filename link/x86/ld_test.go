package x86_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/linktest"
	"elfwright/internal/samples"
	"elfwright/link/model"
	"elfwright/link/x86"
	"elfwright/machine"
	"elfwright/machine/amd64"
	"elfwright/machine/i386"
)

var (
	types64 = linktest.DynTypes{Relative: 8, GlobDat: 6, Abs: 1, TPOff: 18, DTPMod: 16, Desc: 36}
	types32 = linktest.DynTypes{Relative: 8, GlobDat: 6, Abs: 1, TPOff: 14, DTPMod: 35, Desc: 41}
)

// assemble makes an object of a text.
func assemble(t testing.TB, flag, name, text string) string {
	t.Helper()
	samples.Need(t, "as")
	obj := filepath.Join(t.TempDir(), name+".o")
	cmd := exec.Command("as", flag, "-o", obj, "-")
	cmd.Stdin = strings.NewReader(text)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as: %v\n%s", err, msg)
	}
	return obj
}

func files64(t testing.TB, names ...string) (objs []string) {
	for _, n := range names {
		objs = append(objs, assemble(t, "--64", strings.TrimSuffix(n, ".s"), readFile(t, n)))
	}
	return objs
}

func files32(t testing.TB, names ...string) (objs []string) {
	for _, n := range names {
		objs = append(objs, assemble(t, "--32", strings.TrimSuffix(n, ".s"), readFile(t, n)))
	}
	return objs
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAgainstLd(t *testing.T) {
	ld64, ld32 := []string{"ld", "-m", "elf_x86_64"}, []string{"ld", "-m", "elf_i386"}
	for _, c := range []struct {
		name  string
		m     *machine.Machine
		opt   model.Options
		flags []string
		files []string
		dyn   bool
	}{
		{name: "amd64 static", m: amd64.Machine, files: []string{"code64.s", "load64.s", "tls64.s", "exec64.s", "data64.s", "base64.s"}},
		{name: "amd64 high", m: amd64.Machine, flags: []string{"-Ttext=0xffffffff80000000", "-Tdata=0xffffffff90000000"}, files: []string{"code64.s", "load64.s", "data64.s", "base64.s"}},
		{name: "amd64 pie", m: amd64.Machine, opt: model.Options{PIE: true, NoDynamicLinker: true}, flags: []string{"-pie", "--no-dynamic-linker"}, files: []string{"code64.s", "load64.s", "tls64.s", "data64.s"}, dyn: true},
		{name: "amd64 shared", m: amd64.Machine, opt: model.Options{Shared: true}, flags: []string{"-shared"}, files: []string{"shared64.s", "tls64.s", "data64.s"}, dyn: true},
		{name: "i386 static", m: i386.Machine, files: []string{"code32.s", "load32.s", "base32.s", "tls32.s", "exec32.s", "data32.s"}},
		{name: "i386 pie", m: i386.Machine, opt: model.Options{PIE: true, NoDynamicLinker: true, NoText: true}, flags: []string{"-pie", "--no-dynamic-linker", "-z", "notext"}, files: []string{"code32.s", "load32.s", "tls32.s", "data32.s"}, dyn: true},
		{name: "i386 shared", m: i386.Machine, opt: model.Options{Shared: true, NoText: true}, flags: []string{"-shared", "-z", "notext"}, files: []string{"shared32.s", "tls32.s", "data32.s"}, dyn: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ld, files, types := ld64, files64, types64
			if c.m == i386.Machine {
				ld, files, types = ld32, files32, types32
			}
			l := linktest.Run(t, x86.New(c.m), &c.opt, append(ld[:len(ld):len(ld)], c.flags...), files(t, c.files...)...)
			l.Scan(types)
			n := l.Compare(t, func(s *model.Section, r *model.Reloc, sym *model.Symbol) string {
				if sym != nil && (sym.Preempt || c.opt.PIE && sym.State == model.Undefined) && strings.Contains(c.m.Relocs.Name(r.Type), "PLT") {
					return "PLT"
				}
				return ""
			})
			t.Logf("%+v", n)
			if n.Relocs < 20 {
				t.Errorf("%d relocations are too few to say anything", n.Relocs)
			}
			if c.dyn {
				l.CompareDynamic(t, types)
			}
		})
	}
}

// TestStatic is a whole program of libc. What GNU ld puts into a GOT entry of an
// indirect function is its own way.
func TestStatic(t *testing.T) {
	for _, c := range []struct {
		name  string
		m     *machine.Machine
		opt   model.Options
		cc    []string
		types linktest.DynTypes
	}{
		{"amd64", amd64.Machine, model.Options{}, []string{"gcc", "-static", "-no-pie"}, types64},
		{"amd64 static-pie", amd64.Machine, model.Options{PIE: true, NoDynamicLinker: true}, []string{"gcc", "-static-pie", "-fPIE"}, types64},
		{"i386", i386.Machine, model.Options{}, []string{"i686-linux-gnu-gcc", "-static", "-no-pie"}, types32},
		{"i386 static-pie", i386.Machine, model.Options{PIE: true, NoDynamicLinker: true, NoText: true}, []string{"i686-linux-gnu-gcc", "-static-pie", "-fPIE"}, types32},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := program(t, c.m, &c.opt, c.cc)
			l.Scan(c.types)
			n := l.Compare(t, func(s *model.Section, r *model.Reloc, sym *model.Symbol) string {
				if sym != nil && (sym.IFunc() || sym.State == model.Undefined || sym.Absolute()) {
					return "PLT, or one of several GOT entries with the same number"
				}
				return ""
			})
			t.Logf("%+v", n)
			if n.Apart*6 > n.Relocs {
				t.Errorf("%d of %d relocations could not be compared", n.Apart, n.Relocs)
			}
		})
	}
}

// program links a program by a compiler and models it.
func program(t testing.TB, m *machine.Machine, opt *model.Options, cc []string) *linktest.Link {
	t.Helper()
	samples.Need(t, cc[0])
	dir := t.TempDir()
	src, out, mapFile := filepath.Join("testdata", "program.c"), filepath.Join(dir, "a.out"), filepath.Join(dir, "a.map")
	obj := filepath.Join(dir, "program.o")
	run := func(args ...string) string {
		msg, err := exec.Command(cc[0], append(cc[1:len(cc):len(cc)], args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, msg)
		}
		return string(msg)
	}
	run("-g", "-O2", "-c", "-o", obj, src)
	log := run("-Wl,-t", "-Wl,-Map="+mapFile, "-o", out, obj, "-lm")
	var files []string
	seen := map[string]bool{}
	for _, f := range strings.Fields(log) {
		f, _, _ = strings.Cut(f, "(")
		if st, err := os.Stat(f); err == nil && st.Mode().IsRegular() && !seen[f] {
			seen[f] = true
			files = append(files, f)
		}
	}
	return linktest.Model(t, x86.New(m), opt, out, mapFile, log, files...)
}

// TestRun are programs of glibc and musl, and with PLT entries for indirect branch
// tracking.
func TestRun(t *testing.T) {
	for _, cc := range []string{
		"gcc -static -no-pie", "gcc -static-pie -fPIE", "gcc -static -no-pie -Wl,-z,ibtplt", "musl-gcc -static",
		"i686-linux-gnu-gcc -static -no-pie", "i686-linux-gnu-gcc -static-pie -fPIE", "i686-linux-gnu-gcc -static -no-pie -Wl,-z,ibtplt",
	} {
		t.Run(cc, func(t *testing.T) {
			t.Parallel()
			words := append(strings.Fields(cc), "-O2", "-g")
			ours := linktest.Ours(t, linktest.Args(t, words, filepath.Join("testdata", "program.c"), "-lm"))
			run := []string{ours}
			if strings.HasPrefix(cc, "i686") {
				samples.Need(t, "qemu-i386")
				run = []string{"qemu-i386", ours}
			}
			out, err := exec.Command(run[0], run[1:]...).CombinedOutput()
			if string(out) != "1970-01-02 4 1.000 =b\n" {
				t.Errorf("%q %v", out, err)
			}
		})
	}
}

// BenchmarkRelocate is calls and addresses, as most relocations are.
func BenchmarkRelocate(b *testing.B) {
	const n = 1 << 16
	e := &model.Env{Opt: &model.Options{}, Target: x86.New(amd64.Machine), Class: 64, Order: binary.LittleEndian, Report: &model.Report{}}
	o := &model.Object{File: "a.o", Order: e.Order}
	s := &model.Section{Obj: o, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Live: true, Data: make([]byte, 8*n+8), Size: 8*n + 8, Out: &model.Output{Addr: 0x400000}}
	o.Symbols = []*model.Symbol{nil}
	for i := range 1000 {
		o.Symbols = append(o.Symbols, &model.Symbol{Name: "s", State: model.Defined, Obj: o, Sec: s, Value: uint64(i)})
	}
	for i := range n {
		s.Relocs = append(s.Relocs, model.Reloc{Off: uint64(8 * i), Sym: uint32(1 + i%1000), Type: []uint32{2, 4, 4, 1}[i%4], Addend: -4})
	}
	buf := make([]byte, s.Size)
	for b.Loop() {
		e.Target.Relocate(e, s, buf)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/reloc")
}
