package layout

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/link/model"
)

// A toolchain is as and ld of a machine.
type toolchain struct {
	name   string
	as, ld []string
}

var (
	x86   = toolchain{"x86-64", []string{"as"}, []string{"ld"}}
	i386  = toolchain{"i386", []string{"as", "--32"}, []string{"ld", "-m", "elf_i386"}}
	arm64 = toolchain{"aarch64", []string{"aarch64-linux-gnu-as"}, []string{"aarch64-linux-gnu-ld"}}
	arm   = toolchain{"arm", []string{"arm-none-eabi-as"}, []string{"arm-none-eabi-ld"}}
	rv64  = toolchain{"riscv64", []string{"riscv64-linux-gnu-as"}, []string{"riscv64-linux-gnu-ld"}}
	rv32  = toolchain{"riscv32", []string{"riscv64-linux-gnu-as", "-march=rv32gc", "-mabi=ilp32d"}, []string{"riscv64-linux-gnu-ld", "-m", "elf32lriscv"}}
)

// assemble makes an object from assembly text.
func (tc toolchain) assemble(t *testing.T, dir, name, text string) string {
	t.Helper()
	samples.Need(t, tc.as[0])
	if tc.name[:2] == "ri" {
		text = ".option norelax\n" + text
	}
	src := filepath.Join(dir, name+".s")
	obj := filepath.Join(dir, name)
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tc.as[0], append(tc.as[1:len(tc.as):len(tc.as)], "-o", name, name+".s")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return obj
}

// readObject reads an object as far as layout looks at it.
func readObject(t *testing.T, dir, name string, rank int, table *model.Table) *model.Object {
	t.Helper()
	f, err := elf.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o := &model.Object{File: name, Path: name, Rank: int32(rank), Class: f.Class, Order: f.ByteOrder, Machine: f.Machine}
	for i, s := range f.Sections {
		o.Sections = append(o.Sections, section1(o, i, s))
	}
	for i, s := range f.Sections {
		if s.Flags&elf.SHF_LINK_ORDER != 0 {
			o.Sections[i].LinkTo = o.Sections[s.Link]
		}
	}
	o.Symbols = append(o.Symbols, nil)
	syms, _ := f.Symbols()
	var common uint64
	for _, y := range syms {
		o.Symbols = append(o.Symbols, symbolOf(o, y, table, &common))
	}
	if common > 0 {
		c := o.Sections[len(o.Sections)-1]
		_ = c
	}
	return o
}

// linkerSections are those that GNU ld makes in every static link for a machine;
// here they stay empty.
func linkerSections(first *model.Object) *model.Object {
	o := &model.Object{File: "linker", Linker: true, Class: first.Class, Order: first.Order, Machine: first.Machine}
	rel, relType, al := ".rela", elf.SHT_RELA, uint64(8)
	if first.Class == elf.ELFCLASS32 {
		rel, relType, al = ".rel", elf.SHT_REL, 4
	}
	type made struct {
		name  string
		typ   elf.SectionType
		flags elf.SectionFlag
	}
	list := []made{
		{".got", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
		{".got.plt", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
		{rel + ".got", relType, elf.SHF_ALLOC},
		{".iplt", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR},
		{rel + ".iplt", relType, elf.SHF_ALLOC},
		{".igot.plt", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_WRITE},
	}
	if first.Machine == elf.EM_ARM {
		list = []made{{".glue_7", elf.SHT_PROGBITS, elf.SHF_ALLOC | elf.SHF_EXECINSTR}}
	}
	for _, s := range list {
		al := al
		if s.name == ".iplt" {
			al = 4
		}
		o.Sections = append(o.Sections, &model.Section{Obj: o, Name: s.name, Index: int32(len(o.Sections)), Type: s.typ, Flags: s.flags, Align: al, Live: true})
	}
	return o
}

func section1(o *model.Object, i int, s *elf.Section) *model.Section {
	switch s.Type {
	case elf.SHT_NULL, elf.SHT_SYMTAB, elf.SHT_STRTAB, elf.SHT_REL, elf.SHT_RELA, elf.SHT_GROUP:
		return nil
	}
	// Attributes are merged by others, and so are those of the second object here.
	live := s.Flags&0x80000000 == 0 && (o.Rank == 0 || s.Type != 0x70000003)
	return &model.Section{
		Obj: o, Name: s.Name, Index: int32(i), Type: s.Type, Flags: s.Flags, Align: max(s.Addralign, 1),
		Entsize: s.Entsize, Info: s.Info, Size: s.Size, Live: live,
	}
}

func symbolOf(o *model.Object, y elf.Symbol, table *model.Table, common *uint64) *model.Symbol {
	bind, typ := elf.ST_BIND(y.Info), elf.ST_TYPE(y.Info)
	m := &model.Symbol{Name: y.Name, Local: true}
	if bind != elf.STB_LOCAL {
		m = table.Intern(y.Name)
	}
	if y.Section == elf.SHN_UNDEF || m.State == model.Defined {
		return m
	}
	m.Obj, m.Bind, m.Type, m.Size, m.Value = o, bind, typ, y.Size, y.Value
	m.State = model.Defined
	switch {
	case y.Section == elf.SHN_COMMON:
		c := commonSection(o)
		c.Size = (c.Size + y.Value - 1) &^ (y.Value - 1)
		c.Align = max(c.Align, y.Value)
		m.Sec, m.Value = c, c.Size
		c.Size += y.Size
	case y.Section < elf.SHN_LORESERVE:
		m.Sec = o.Sections[y.Section]
	}
	return m
}

func commonSection(o *model.Object) *model.Section {
	for _, s := range o.Sections {
		if s != nil && s.Name == "COMMON" {
			return s
		}
	}
	s := &model.Section{Obj: o, Name: "COMMON", Index: int32(len(o.Sections)), Type: elf.SHT_NOBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE, Align: 1, Live: true}
	o.Sections = append(o.Sections, s)
	return s
}

// A result is what the two linkers are compared by.
type result struct {
	sections, segments, symbols []string
	errs, warnings              []string
	script                      *Script
	env                         *model.Env
	segs                        []*model.Segment
}

func (r *result) String() string {
	return strings.Join(r.sections, "\n") + "\n" + strings.Join(r.segments, "\n") + "\n" + strings.Join(r.symbols, "\n") + "\n"
}

// ours lays out objects by a script.
func ours(t *testing.T, dir string, objs []string, texts []Text, opt *model.Options) *result {
	t.Helper()
	r := &result{}
	rep := &model.Report{}
	table := model.NewTable()
	s, err := Read(opt, texts, nil, rep)
	if err != nil {
		r.errs = append(r.errs, err.Error())
		return r
	}
	r.script = s
	env := &model.Env{Opt: opt, Table: table, Report: rep, Order: binary.LittleEndian, Class: 64}
	for i, name := range objs {
		o := readObject(t, dir, name, i, table)
		env.Objects = append(env.Objects, o)
		env.Order = o.Order
		if o.Class == elf.ELFCLASS32 {
			env.Class = 32
		}
	}
	if m := env.Objects[0].Machine; m == elf.EM_X86_64 || m == elf.EM_386 || m == elf.EM_ARM {
		env.Objects = append(env.Objects, linkerSections(env.Objects[0]))
	}
	for _, name := range s.Refers() {
		table.Intern(name)
	}
	r.env = env
	s.Keeps(env.Objects)
	var segs []*model.Segment
	if _, err = s.Match(env); err == nil {
		if err = s.Assign(env); err == nil {
			segs, err = s.Finish(env)
		}
	}
	if err != nil {
		r.errs = append(r.errs, err.Error())
	}
	for _, e := range rep.Errors() {
		r.errs = append(r.errs, e.Error())
	}
	for _, e := range rep.Warnings() {
		r.warnings = append(r.warnings, e.Error())
	}
	r.segs = segs
	if len(r.errs) == 0 {
		r.describe(env, segs)
	}
	return r
}

func (r *result) describe(env *model.Env, segs []*model.Segment) {
	for _, o := range env.Outputs {
		r.sections = append(r.sections, sectionLine(o.Name, o.Type, o.Flags, o.Addr, uint64(o.FileOff), o.Size, o.Align, o.Entsize))
	}
	for _, p := range segs {
		r.segments = append(r.segments, segmentLine(p.Type, p.Flags, p.Off, p.Vaddr, p.Paddr, p.Filesz, p.Memsz, p.Align))
	}
	for _, m := range env.Table.Sorted() {
		if m.State != model.Defined || m.Gone() || m.Vis == elf.STV_HIDDEN {
			continue
		}
		where := "ABS"
		switch {
		case m.Sec != nil && m.Sec.Out != nil:
			where = m.Sec.Out.Name
		case m.Out != nil:
			where = m.Out.Name
		}
		value := m.Addr()
		if env.Class == 32 {
			value = uint64(uint32(value))
		}
		r.symbols = append(r.symbols, symbolLine(m.Name, value, where, m.Type))
	}
}

func sectionLine(name string, typ elf.SectionType, flags elf.SectionFlag, addr, off, size, align, ent uint64) string {
	return fmt.Sprintf("section %s %v %#x at %#x off %#x size %#x align %#x ent %d", name, typ, uint64(flags), addr, off, size, align, ent)
}

func segmentLine(typ elf.ProgType, flags elf.ProgFlag, off, vaddr, paddr, filesz, memsz, align uint64) string {
	return fmt.Sprintf("segment %v %v off %#x vaddr %#x paddr %#x filesz %#x memsz %#x align %#x", typ, flags, off, vaddr, paddr, filesz, memsz, align)
}

func symbolLine(name string, value uint64, where string, typ elf.SymType) string {
	return fmt.Sprintf("symbol %s %#x %s %v", name, value, where, typ)
}

// gnu links with GNU ld.
func gnu(t *testing.T, tc toolchain, dir string, objs []string, texts []Text, args []string) *result {
	t.Helper()
	samples.Need(t, tc.ld[0])
	for _, text := range texts {
		if text.Default {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, text.Name), text.Text, 0o666); err != nil {
			t.Fatal(err)
		}
		args = append(args[:len(args):len(args)], "-T", text.Name)
	}
	out := filepath.Join(dir, "ld.out")
	os.Remove(out)
	list := append(append(append([]string(nil), tc.ld[1:]...), args...), "-o", "ld.out")
	cmd := exec.Command(tc.ld[0], append(list, objs...)...)
	cmd.Dir = dir
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	r := &result{}
	if err := cmd.Run(); err != nil {
		r.errs = append(r.errs, text.String())
		return r
	}
	r.warnings = append(r.warnings, text.String())
	f, err := elf.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r.describeFile(f)
	return r
}

func (r *result) describeFile(f *elf.File) {
	for i, s := range f.Sections {
		if i == 0 || s.Name == ".symtab" || s.Name == ".strtab" || s.Name == ".shstrtab" {
			continue
		}
		r.sections = append(r.sections, sectionLine(s.Name, s.Type, s.Flags, s.Addr, s.Offset, s.Size, s.Addralign, s.Entsize))
	}
	for _, p := range f.Progs {
		r.segments = append(r.segments, segmentLine(p.Type, p.Flags, p.Off, p.Vaddr, p.Paddr, p.Filesz, p.Memsz, p.Align))
	}
	syms, _ := f.Symbols()
	found := map[string]string{}
	table := model.NewTable()
	for _, y := range syms {
		if elf.ST_BIND(y.Info) == elf.STB_LOCAL || y.Section == elf.SHN_UNDEF {
			continue
		}
		where := "ABS"
		if y.Section < elf.SHN_LORESERVE {
			where = f.Sections[y.Section].Name
		}
		table.Intern(y.Name)
		found[y.Name] = symbolLine(y.Name, y.Value, where, elf.ST_TYPE(y.Info))
	}
	for _, m := range table.Sorted() {
		r.symbols = append(r.symbols, found[m.Name])
	}
}

// builtin is the default script of ld.
func builtin(t *testing.T, tc toolchain, args ...string) Text {
	t.Helper()
	samples.Need(t, tc.ld[0])
	list := append(append(append([]string(nil), tc.ld[1:]...), args...), "--verbose")
	out, err := exec.Command(tc.ld[0], list...).Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(out), "==================================================\n")
	if len(parts) != 3 {
		t.Fatalf("%s --verbose has %d parts", tc.ld[0], len(parts))
	}
	return Text{Name: "default", Text: []byte(parts[1]), Default: true}
}

// diff shows the lines in which two results differ.
func diff(want, got *result) string {
	if len(want.errs) > 0 || len(got.errs) > 0 {
		if len(want.errs) > 0 && len(got.errs) > 0 {
			return ""
		}
		return fmt.Sprintf("ld: %q\nours: %q\n", want.errs, got.errs)
	}
	var b strings.Builder
	for _, p := range [][2][]string{{want.sections, got.sections}, {want.segments, got.segments}, {want.symbols, got.symbols}} {
		lineDiff(&b, p[0], p[1])
	}
	return b.String()
}

func lineDiff(b *strings.Builder, want, got []string) {
	for i := 0; i < max(len(want), len(got)); i++ {
		w, g := "(none)", "(none)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			fmt.Fprintf(b, "  ld   %s\n  ours %s\n", w, g)
		}
	}
}
