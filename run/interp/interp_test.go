package interp

import (
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/plan"
)

const ldSO = "/lib64/ld-linux-x86-64.so.2"

func open(t testing.TB, name string) *elffile.File {
	t.Helper()
	samples.Need(t, name)
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestMappings: the kernel maps of the image what it maps of the program and of the
// dynamic linker, page by page, and the image is one that it takes.
func TestMappings(t *testing.T) {
	prog, ld := open(t, "/bin/sh"), open(t, ldSO)
	img, err := Make(prog, ld, Options{ExecFn: "sh", Exe: "/bin/sh", LibraryPath: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := elffile.ParseBody("image", img.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := image.FromFile(f).Check(0x1000); err != nil {
		t.Error(err)
	}
	if slices.ContainsFunc(f.Progs, func(p elffile.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Error("the image has a PT_INTERP")
	}
	bias := uint64(0)
	for _, p := range img.Parts {
		if p.Of == ld.Name {
			bias = p.Prog.Vaddr &^ 0xfff
			break
		}
	}
	for _, c := range []struct {
		f    *elffile.File
		bias uint64
	}{{prog, 0}, {ld, bias}} {
		for i, p := range c.f.Progs {
			if p.Type != elf.PT_LOAD {
				continue
			}
			want, err := c.f.ProgData(i)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.BytesAt(p.Vaddr+c.bias, p.Filesz)
			if err != nil {
				t.Fatal(err)
			}
			changed := 0
			for k := range want {
				if want[k] != got[k] {
					changed++
				}
			}
			served := c.f == ld && p.Flags&elf.PF_X != 0
			if !served && changed > 0 || served && (changed == 0 || changed > 7*len(img.Served.List)) {
				t.Errorf("%s: program header %d: %d bytes are others", c.f.Name, i, changed)
			}
		}
	}
	p, err := plan.Read("image", img.Body)
	if err != nil {
		t.Fatal(err)
	}
	if i, _ := p.Interp(); i >= 0 {
		t.Errorf("program header %d is an interpreter", i)
	}
}

// TestSame: the same program gives the same bytes.
func TestSame(t *testing.T) {
	prog, ld := open(t, "/bin/sh"), open(t, ldSO)
	var first []byte
	for range 3 {
		img, err := Make(prog, ld, Options{ExecFn: "sh", Preload: "a", LibraryPath: "b"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := img.Body.Bytes(0, uint64(img.Body.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && string(b) != string(first) {
			t.Fatal("another image")
		}
		first = slices.Clone(b)
	}
}

// TestRefusals: what can not be put together is refused, with the field.
func TestRefusals(t *testing.T) {
	ld := open(t, ldSO)
	load := func(vaddr, memsz, align uint64) elffile.Prog {
		return elffile.Prog{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: vaddr, Memsz: memsz, Filesz: 0x100, Align: align}
	}
	many := make([]elffile.Prog, maxProgs)
	for i := range many {
		many[i] = load(uint64(i)*0x1000, 0x100, 0x1000)
	}
	for _, c := range []struct {
		progs []elffile.Prog
		why   string
	}{
		{nil, "none of the 0 program headers is a PT_LOAD"},
		{[]elffile.Prog{load(1<<40, 1, 0x1000)}, "p_vaddr at 0x50: 0x10000000000 + p_memsz 0x1 is beyond"},
		{[]elffile.Prog{load(0x1000, ^uint64(0), 0x1000)}, "p_memsz 0xffffffffffffffff is beyond"},
		{[]elffile.Prog{load(0x2000, 0x100, 0x1000), load(0x1000, 0x100, 0x1000)}, "0x1000 is below the end of the segment before it, 0x2100"},
		{[]elffile.Prog{load(0x1000, 0x100, 1<<40)}, "p_align at 0x70: 0x10000000000 is more than 0x40000000"},
		{[]elffile.Prog{load(0x1010, 0x100, 0x1000)}, "p_offset at 0x48: 0x0 is not p_vaddr 0x1010 modulo the page size 0x1000"},
		{many, "with the dynamic linker there would be"},
	} {
		prog := open(t, "/bin/sh")
		prog.Progs = c.progs
		prog.Header.Phnum = uint16(len(c.progs))
		_, err := Make(prog, ld, Options{})
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v, want %s", err, c.why)
		}
	}
	if _, err := Make(ld, open(t, "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"), Options{}); err == nil || !strings.Contains(err.Error(), "the dynamic linker is for AArch64") {
		t.Errorf("%v", err)
	}
}

func FuzzMake(f *testing.F) {
	ld, err := os.ReadFile(ldSO)
	if err != nil {
		f.Skip(err)
	}
	for _, b := range elftest.Corpus() {
		f.Add(b, b)
		f.Add(b, ld)
	}
	f.Fuzz(func(t *testing.T, prog, ld []byte) {
		p, err := elffile.Parse("prog", prog)
		if err != nil {
			return
		}
		l, err := elffile.Parse("ld", ld)
		if err != nil {
			return
		}
		img, err := Make(p, l, Options{ExecFn: "x", LibraryPath: "y"})
		if (img == nil) == (err == nil) {
			t.Fatalf("%v and %v", img, err)
		}
		if err == nil {
			if _, err := elffile.ParseBody("image", img.Body); err != nil {
				t.Fatal(err)
			}
		}
	})
}
