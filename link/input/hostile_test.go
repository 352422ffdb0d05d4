package input

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/link/model"
)

// unit is a relocatable object with most of what objects have.
func unit(k elftest.Kind) elftest.File {
	rel := func(list ...elftest.Reloc) elftest.Content {
		if k.Class == elf.ELFCLASS32 {
			return elftest.Rel(list)
		}
		return elftest.Rela(list)
	}
	return elftest.File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_REL, Sections: []elftest.Section{
		{Name: ".text", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: make([]byte, 32), Align: 4},
		{Name: ".data", Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Data: make([]byte, 16), Align: 8},
		{Name: ".text.f", Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR | elf.SHF_GROUP, Data: make([]byte, 8), Align: 4},
		{Name: ".group", Content: elftest.Group{Flags: 1, Signature: "f", Members: []string{".text.f"}}},
		{Name: ".debug_info", Flags: elf.SHF_COMPRESSED, Content: elftest.Compressed{Type: elf.COMPRESS_ZLIB, Of: elftest.Bytes(make([]byte, 100))}},
		{Name: ".rel.text", Info: ".text", Content: rel(
			elftest.Reloc{Off: 4, Type: 1, Sym: "f"}, elftest.Reloc{Off: 8, Type: 1, Sym: "ext"})},
		{Name: ".symtab", Content: elftest.Symbols{
			{Name: "local", Section: ".text", Type: elf.STT_FUNC},
			{Name: "f", Section: ".text.f", Bind: elf.STB_WEAK, Type: elf.STT_FUNC},
			{Name: "glob", Section: ".data", Bind: elf.STB_GLOBAL, Value: 4, Size: 4},
			{Name: "ext", Bind: elf.STB_GLOBAL},
			{Name: "com", Bind: elf.STB_GLOBAL, Index: elf.SHN_COMMON, Value: 8, Size: 24},
		}},
	}}
}

// linkBytes loads a file of some bytes.
func linkBytes(t testing.TB, where string, b []byte) *loaded {
	t.Helper()
	name := filepath.Join(where, "in.o")
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	d := &dir{TB: t, path: where}
	return d.load(&model.Options{Inputs: []model.Input{{Name: name, WholeArchive: true}}, Threads: 1}, Settings{Entry: "_start"})
}

// sound checks what the passes behind this one rely on.
func (x *loaded) sound(t testing.TB) {
	t.Helper()
	for _, o := range x.Objects() {
		for i, s := range o.Sections {
			switch {
			case s == nil:
			case int(s.Index) != i || s.Obj != o:
				t.Fatalf("section %d: index %d", i, s.Index)
			case s.Align == 0 || s.Align&(s.Align-1) != 0:
				t.Fatalf("section %d: alignment %#x", i, s.Align)
			case s.Type != elf.SHT_NOBITS && s.Live && uint64(len(s.Data)) != s.Size:
				t.Fatalf("section %d: %#x bytes, size %#x", i, len(s.Data), s.Size)
			}
			if s == nil {
				continue
			}
			for k := range s.Relocs {
				if r := &s.Relocs[k]; r.Off > uint64(len(s.Data)) || int(r.Sym) >= len(o.Symbols) {
					t.Fatalf("section %d: relocation %+v", i, *r)
				}
			}
		}
		for i, s := range o.Symbols {
			if i > 0 && s == nil {
				t.Fatalf("%s: symbol %d is missing", o.File, i)
			}
		}
	}
}

// TestUnit: the object that the hostile ones are made of is taken, in every class
// and byte order.
func TestUnit(t *testing.T) {
	for _, k := range elftest.Kinds() {
		x := linkBytes(t, t.TempDir(), unit(k).Bytes()).ok(t)
		x.sound(t)
		o := x.Objects()[0]
		if s := o.Sections[5]; s.Name != ".debug_info" || s.Size != 100 || len(s.Data) != 100 {
			t.Errorf("%s: %+v", k.Name, s)
		}
		if r := o.Sections[1].Relocs; len(r) != 2 || o.Sections[1].Symbol(&r[1]).Name != "ext" {
			t.Errorf("%s: relocations %+v", k.Name, r)
		}
		if s := x.table.Get("com"); s.Sec == nil || s.Sec.Size != 24 || s.Sec.Align != 8 {
			t.Errorf("%s: com is %+v", k.Name, s)
		}
	}
}

// TestMalformed: files that are known to break readers give an error or a sound
// result.
func TestMalformed(t *testing.T) {
	where := t.TempDir()
	for name, b := range elftest.Malformed() {
		t.Run(name, func(t *testing.T) { linkBytes(t, where, b).sound(t) })
	}
	for name, b := range elftest.ArchiveCorpus() {
		t.Run(name, func(t *testing.T) { linkBytes(t, where, b).sound(t) })
	}
}

// TestFaults: an object that is wrong is refused, with the place.
func TestFaults(t *testing.T) {
	k := elftest.Kinds()[0]
	for _, c := range []struct {
		set  map[string]uint64
		want string
	}{
		{map[string]uint64{"shdr[1].sh_addralign": 3}, "sh_addralign"},
		{map[string]uint64{"shdr[1].sh_offset": 1 << 40}, "sh_offset"},
		{map[string]uint64{"shdr[1].sh_name": 1 << 20}, "sh_name"},
		{map[string]uint64{"shdr[6].sh_info": 99}, "sh_info"},
		{map[string]uint64{"shdr[6].sh_link": 1}, "sh_link"},
		{map[string]uint64{"shdr[6].sh_size": 25}, "sh_size"},
		{map[string]uint64{"shdr[6].sh_entsize": 16}, "sh_entsize"},
		{map[string]uint64{"shdr[4].sh_info": 99}, "sh_info"},
		{map[string]uint64{"shdr[7].sh_info": 99}, "sh_info"},
		{map[string]uint64{".symtab[2].st_shndx": 77}, "st_shndx"},
		{map[string]uint64{".symtab[2].st_name": 1 << 20}, "st_name"},
		{map[string]uint64{".symtab[2].st_shndx": 0xff10}, "st_shndx"},
		{map[string]uint64{".symtab[5].st_value": 12}, "not a power of two"},
		{map[string]uint64{"e_machine": 0x1234}, "not linked here"},
		{map[string]uint64{"e_type": 4}, "CORE"},
		{map[string]uint64{"e_shstrndx": 0}, "e_shstrndx"},
	} {
		f := unit(k)
		f.Set = c.set
		errs := linkBytes(t, t.TempDir(), f.Bytes()).rep.Errors()
		if len(errs) == 0 || !strings.Contains(errs[0].Error(), c.want) || !strings.Contains(errs[0].Error(), "in.o") {
			t.Errorf("%v: %v", c.set, errs)
		}
	}
}

// TestForeign names what cannot be linked.
func TestForeign(t *testing.T) {
	exec := elftest.Exec(elftest.Kinds()[0]).Bytes()
	shared := elftest.File{Machine: elf.EM_X86_64, Type: elf.ET_DYN}.Bytes()
	for want, b := range map[string]string{
		"LLVM bitcode":     "BC\xc0\xde\x01\x02\x03\x04",
		"Mach-O":           "\xcf\xfa\xed\xfe\x07\x00\x00\x01",
		"COFF object":      "\x64\x86\x01\x00" + strings.Repeat("\x00", 100),
		"Go compiler":      "go object linux amd64 go1.26\n!\n\x00",
		"WebAssembly":      "\x00asm\x01\x00\x00\x00",
		"empty file":       "",
		"begins with":      "\x01\x02\x03\x04",
		"finished program": string(exec),
		"shared object":    string(shared),
	} {
		errs := linkBytes(t, t.TempDir(), []byte(b)).rep.Errors()
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%s: %v", want, errs)
		}
	}
	d := &dir{TB: t, path: t.TempDir()}
	if errs := d.load(d.options("none.o"), Settings{}).rep.Errors(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "none.o: not found") {
		t.Errorf("a file that is not there: %v", errs)
	}
}

// TestMixed names both objects that do not go together.
func TestMixed(t *testing.T) {
	d := &dir{TB: t, path: t.TempDir()}
	for i, k := range elftest.Kinds() {
		d.write(fmt.Sprintf("%d.o", i), string(unit(k).Bytes()))
	}
	for i := range 4 {
		for j := range 4 {
			errs := d.load(d.options(fmt.Sprintf("%d.o", i), fmt.Sprintf("%d.o", j)), Settings{}).rep.Errors()
			if i == j {
				continue
			}
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), fmt.Sprintf("/%d.o: is ", j)) || !strings.Contains(errs[0].Error(), fmt.Sprintf("/%d.o is ", i)) {
				t.Errorf("%d with %d: %v", i, j, errs)
			}
		}
	}
}

// TestManySections: indices from 0xff00 on are in SHT_SYMTAB_SHNDX.
func TestManySections(t *testing.T) {
	d := newDir(t, amd64Tools)
	var b strings.Builder
	for i := range 66000 {
		fmt.Fprintf(&b, ".section .d%d,\"a\"\n.globl g%[1]d\ng%[1]d: .byte 1\n", i)
	}
	d.asm("many", b.String())
	x := d.load(d.options("many.o"), Settings{}).ok(t)
	for _, i := range []int{0, 65270, 65290, 65999} {
		s := x.table.Get(fmt.Sprintf("g%d", i))
		if s == nil || s.Sec == nil || s.Sec.Name != fmt.Sprintf(".d%d", i) {
			t.Errorf("g%d is %+v", i, s)
		}
	}
}

// loadBytes loads an object or archive from memory, as it would one from a file.
func loadBytes(b []byte) *loaded { return loadInput(b, model.Input{Name: "in.o", WholeArchive: true}) }

func loadInput(b []byte, in model.Input) *loaded {
	x := &loaded{table: model.NewTable(), rep: newReport()}
	opt := &model.Options{Threads: 1}
	it := &item{in: in, path: in.Name, data: b, opened: true}
	it.kind, _ = kindOf(b)
	f := &Files{opt: opt, rep: x.rep, items: []*item{it}}
	x.Set = f.Load(Settings{Entry: "_start"}, x.table)
	return x
}

func FuzzObject(f *testing.F) {
	for _, k := range elftest.Kinds() {
		b := unit(k).Bytes()
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	for _, b := range elftest.ArchiveCorpus() {
		if len(b) < 4096 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, _ := kindOf(b); k != isObject && k != isArchive {
			return
		}
		x := loadBytes(b)
		x.sound(t)
		if x.rep.Failed() {
			return
		}
		env := &model.Env{Opt: x.opt, Objects: x.Objects(), Table: x.table, Report: x.rep, Order: binary.LittleEndian}
		collect(env, Roots{})
		x.sound(t)
	})
}

// FuzzJustSymbols takes the symbols of files that may be anything.
func FuzzJustSymbols(f *testing.F) {
	for _, k := range elftest.Kinds() {
		b := unit(k).Bytes()
		f.Add(b)
		f.Add(b[:len(b)-len(b)/4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, _ := kindOf(b); k == isObject || k == isShared || k == isProgram {
			loadInput(b, model.Input{Name: "in", JustSymbols: true}).sound(t)
		}
	})
}

// FuzzThin reads thin archives that may be anything; what they name is there or
// is not.
func FuzzThin(f *testing.F) {
	dir := f.TempDir()
	object := unit(elftest.Kinds()[0]).Bytes()
	for name, b := range map[string][]byte{"m.o": object, "n.a": []byte("!<arch>\nx.o/            0           0     0     644     4         `\nbody")} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			f.Fatal(err)
		}
	}
	head := func(name string, size int) string {
		return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "644", size)
	}
	f.Add([]byte("!<thin>\n" + head("m.o/", len(object))))
	f.Add([]byte("!<thin>\n" + head("//", 12) + "m.o/\nn.a:8/\n\n" + head("/0", len(object)) + head("/5:8", 4)))
	f.Add([]byte("!<thin>\n" + head("/", 14) + "\x00\x00\x00\x01\x00\x00\x00\x52_start\x00" + head("m.o/", 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !elffile.IsArchive(b) {
			return
		}
		path := filepath.Join(dir, "in.a")
		firstMember(path, b)
		loadInput(b, model.Input{Name: path, WholeArchive: true}).sound(t)
		loadInput(b, model.Input{Name: path}).sound(t)
	})
}
