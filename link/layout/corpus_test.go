package layout

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/ldcase"
	"elfwright/internal/samples"
	"elfwright/link/model"
)

// TestCorpus lays out the corpus of scripts and compares sections, segments and
// symbols with GNU ld's; with ELFWRIGHT_SWEEP for all machines. Left out are known
// differences, and what needs more of a linker than layout: archives, gc,
// relocatable output; bytes are not compared.
func TestCorpus(t *testing.T) {
	samples.Need(t, "as", "ld", "ar", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld", "arm-linux-gnueabihf-as", "arm-linux-gnueabihf-ld",
		"riscv64-linux-gnu-as", "riscv64-linux-gnu-ld")
	cases, err := ldcase.Load("../../testdata/ldscript")
	if err != nil {
		t.Fatal(err)
	}
	lab := &ldcase.Lab{Dir: t.TempDir()}
	for _, c := range cases {
		if len(c.Archives) > 0 || c.Refuses != nil || len(c.Differs) > 0 || notLayout(c) {
			continue
		}
		for i, name := range c.Machines {
			if i > 0 && os.Getenv("ELFWRIGHT_SWEEP") == "" {
				break // TestMachines has some for all
			}
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				corpusCase(t, lab, c, name)
			})
		}
	}
}

// notLayout are cases about other parts of a linker: what the parser says, what
// becomes of symbols, groups and common symbols, what relocations refer to; and
// those where GNU ld's own sections, or the first file that has them, show.
func notLayout(c *ldcase.Case) bool {
	switch c.Group() {
	case "common", "group", "name", "punctuation", "reloc", "merge", "cross", "symbol":
		return true
	}
	name, _, _ := strings.Cut(c.Name, "[")
	return slices.Contains([]string{
		"address/section-start-bad", "assert/separator", "data/missing-argument", "discard/referenced",
		"emulation/other-class", "entry/unknown", "exclude/before-sort", "files/arch-unknown",
		"files/format-binary", "files/format-unknown", "files/output-command",
		"handling/unknown", "map/eh-frame-no-header", "op/no-xor", "overlay/crossrefs",
		"phdr/keyword-names", "place/commons", "provide/before-object", "region/no-colon", "sort/two-in-one",
		"startstop/merged-into-other",
		"insert/without-sections",
	}, name)
}

func corpusCase(t *testing.T, lab *ldcase.Lab, c *ldcase.Case, machine string) {
	m := ldcase.MachineByName(machine)
	b, err := lab.Bench(c, m)
	if err != nil {
		t.Fatal(err)
	}
	gnu, err := b.Link(m.GNU())
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Link(func(dir string, args []string) (string, error) { return linkForTest(t, dir, args) })
	switch {
	case got != nil && errors.Is(got.Err, errSkip):
		t.Skip(got.Err)
	case err != nil:
		t.Fatal(err)
	}
	for _, r := range []*ldcase.Result{gnu, got} {
		if r.Summary != nil {
			forget(r.Summary)
		}
	}
	if d := c.Compare(gnu, got); len(d) > 0 {
		t.Errorf("%s:%d: %s\n  %s\n%s", c.File, c.Line, strings.Join(gnu.Args, " "), strings.Join(d, "\n  "), c.Files)
	}
}

// TestDialect: with the dialect "lld" the corpus is laid out as ld.lld does where
// that means otherwise than GNU ld.
func TestDialect(t *testing.T) {
	samples.Need(t, "as", "ld", "ld.lld-14", "arm-linux-gnueabihf-as", "aarch64-linux-gnu-as")
	cases, err := ldcase.Load("../../testdata/ldscript")
	if err != nil {
		t.Fatal(err)
	}
	// Bytes are not made here, and nothing is collected.
	cases = slices.DeleteFunc(cases, func(c *ldcase.Case) bool {
		return c.Dialect == "fill-width" || c.Group() == "gc"
	})
	ldcase.RunDialect(t, cases, ldcase.Command("ld.lld-14"), func(dir string, args []string) (string, error) {
		return linkForTest(t, dir, args)
	})
}

// forget drops what layout does not make.
func forget(s *ldcase.Summary) {
	s.Head, s.Entry = "", 0
	for i := range s.Sections {
		s.Sections[i].Hash = ""
		if strings.HasPrefix(s.Sections[i].Type, "REL") {
			s.Sections[i].Link = ""
		}
		if n := s.Sections[i].Name; n == ".symtab" || n == ".ARM.attributes" || n == ".riscv.attributes" {
			s.Sections[i].Size, s.Sections[i].Link, s.Sections[i].Info, s.Sections[i].Entsize = 0, "", "", 0
		}
	}
	for i := range s.Segments {
		if strings.Contains(s.Segments[i].Type, "ATTRIBUTES") {
			s.Segments[i].Filesz = 0
			s.Segments[i].Sections = nil
		}
	}
	s.Relocs = nil
	var keep []string
	for _, y := range s.Symbols {
		if !strings.Contains(y, " LOCAL ") && !strings.Contains(y, " undefined ") {
			keep = append(keep, y)
		}
	}
	s.Symbols = keep
}

var errSkip = errors.New("not a case for layout alone")

// linkForTest is as much of a linker as the corpus needs.
func linkForTest(t *testing.T, dir string, args []string) (said string, err error) {
	opt := &model.Options{}
	var texts []Text
	var objs []string
	out, emu := "a.out", ""
	for i := 0; i < len(args); i++ {
		a := args[i]
		next := func() string { i++; return args[min(i, len(args)-1)] }
		name, value, has := strings.Cut(a, "=")
		switch {
		case a == "-m":
			emu = next()
			opt.Emulation = emu
		case a == "-o":
			out = next()
		case a == "-e":
			next()
		case a == "-T":
			f := next()
			b, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				return "", errSkip
			}
			texts = append(texts, Text{Name: f, Text: b})
		case a == "-z":
			if !zOption(opt, next()) {
				return "", errSkip
			}
		case a == "--dialect=lld":
			opt.Dialect = "lld"
		case a == "-N":
			opt.OMagic = true
		case a == "-n":
			opt.NMagic = true
		case a == "--no-check-sections":
			opt.CheckSections = new(bool)
		case name == "--defsym" && has:
			opt.Defsyms = append(opt.Defsyms, model.Defsym{Text: value})
		case name == "--section-start" && has:
			n, v, _ := strings.Cut(value, "=")
			x, _ := strconv.ParseUint(strings.TrimPrefix(v, "0x"), 16, 64)
			opt.SectionStart = append(opt.SectionStart, model.SectionStart{Name: n, Addr: x})
		case name == "-Ttext" || name == "-Tdata" || name == "-Tbss" || name == "-Ttext-segment" || name == "-Trodata-segment" || name == "-Tldata-segment":
			x, _ := strconv.ParseUint(strings.TrimPrefix(value, "0x"), 16, 64)
			*map[string]**uint64{"-Ttext": &opt.Text, "-Tdata": &opt.Data, "-Tbss": &opt.Bss, "-Ttext-segment": &opt.TextSegment, "-Trodata-segment": &opt.RodataSegment, "-Tldata-segment": &opt.LdataSegment}[name] = &x
		case name == "--sort-section" && has:
			opt.SortSection = value
		case name == "--orphan-handling" && has:
			opt.Orphans = value
		case a == "--unique":
			opt.Unique = append(opt.Unique, "")
		case name == "--unique" && has:
			opt.Unique = append(opt.Unique, value)
		case strings.HasSuffix(a, ".o"):
			objs = append(objs, a)
		default:
			return "", errSkip
		}
	}
	if len(objs) == 0 {
		return "", errSkip
	}
	for _, x := range texts {
		if strings.Contains(string(x.Text), "INSERT") {
			texts = append(texts, builtin(t, toolchain{ld: []string{linkerOf[emu], "-m", emu}}))
			break
		}
	}
	return layoutFile(t, dir, out, objs, texts, opt)
}

var linkerOf = map[string]string{
	"elf_x86_64": "ld", "elf_i386": "ld", "aarch64linux": "aarch64-linux-gnu-ld", "armelf_linux_eabi": "arm-linux-gnueabihf-ld",
	"elf64lriscv": "riscv64-linux-gnu-ld", "elf32lriscv": "riscv64-linux-gnu-ld",
}

func zOption(opt *model.Options, z string) bool {
	name, value, _ := strings.Cut(z, "=")
	n, _ := strconv.ParseUint(value, 0, 64)
	switch name {
	case "relro":
		opt.Relro = yesNo(true)
	case "norelro":
		opt.Relro = yesNo(false)
	case "separate-code":
		opt.SeparateCode = yesNo(true)
	case "noseparate-code":
		opt.SeparateCode = yesNo(false)
	case "execstack":
		opt.ExecStack = yesNo(true)
	case "noexecstack":
		opt.ExecStack = yesNo(false)
	case "max-page-size":
		opt.MaxPageSize = n
	case "common-page-size":
		opt.CommonPageSize = n
	case "stack-size":
		opt.StackSize = &n
	default:
		return false
	}
	return true
}

func layoutFile(t *testing.T, dir, out string, objs []string, texts []Text, opt *model.Options) (string, error) {
	for _, x := range texts {
		if strings.Contains(string(x.Text), "INCLUDE") || strings.Contains(string(x.Text), "INPUT") || strings.Contains(string(x.Text), "STARTUP") {
			return "", errSkip
		}
	}
	if len(texts) == 0 {
		return "", errSkip
	}
	// Files that the script names come first, as GNU ld opens them.
	if s, err := Read(opt, texts, nil, &model.Report{}); err == nil {
		var first []string
		for _, f := range s.Commands().Files {
			if i := slices.Index(objs, f); i >= 0 {
				first = append(first, f)
				objs = slices.Delete(slices.Clone(objs), i, i+1)
			} else {
				return "", errSkip
			}
		}
		objs = append(first, objs...)
	}
	r := ours(t, dir, objs, texts, opt)
	said := strings.Join(append(append([]string(nil), r.errs...), r.warnings...), "\n")
	if len(r.errs) > 0 {
		return said, errors.New(r.errs[0])
	}
	return said, os.WriteFile(filepath.Join(dir, out), r.file(objs, dir), 0o666)
}

// file writes what layout has made as an ELF file without contents.
func (r *result) file(objs []string, dir string) []byte {
	env := r.env
	o := env.Order
	var strs, names bytes.Buffer
	strs.WriteByte(0)
	names.WriteByte(0)
	str := func(b *bytes.Buffer, s string) uint32 {
		n := b.Len()
		b.WriteString(s)
		b.WriteByte(0)
		return uint32(n)
	}
	w := elfWriter{order: o, class: env.Class}
	var end uint64
	for _, x := range env.Outputs {
		if x.Type != elf.SHT_NOBITS {
			end = max(end, uint64(x.FileOff)+x.Size)
		}
	}
	end = alignUp(max(end, 0x1000), 16)
	var tlsStart uint64
	for _, x := range env.Outputs {
		if x.Flags&elf.SHF_TLS != 0 {
			tlsStart = x.Addr
			break
		}
	}
	syms := elfWriter{order: o, class: env.Class}
	syms.symbol(0, 0, 0, 0, 0, 0)
	for _, m := range env.Table.Sorted() {
		if m.State != model.Defined || m.Gone() || m.Vis == elf.STV_HIDDEN {
			continue
		}
		shndx := uint16(elf.SHN_ABS)
		switch {
		case m.Sec != nil && m.Sec.Out != nil:
			shndx = uint16(m.Sec.Out.Index)
		case m.Out != nil:
			shndx = uint16(m.Out.Index)
		}
		value := m.Addr()
		if m.Type == elf.STT_TLS {
			value -= tlsStart
		}
		syms.symbol(str(&strs, m.Name), byte(m.Bind)<<4|byte(m.Type), byte(m.Vis), shndx, value, m.Size)
	}
	n := len(env.Outputs)
	w.sectionHeader(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, x := range env.Outputs {
		link := 0
		if x.LinkTo != nil {
			link = x.LinkTo.Index
		}
		w.sectionHeader(str(&names, x.Name), uint32(x.Type), uint64(x.Flags), x.Addr, uint64(x.FileOff), x.Size, uint32(link), x.Info, x.Align, x.Entsize)
	}
	symEnt := uint64(24)
	if env.Class == 32 {
		symEnt = 16
	}
	w.sectionHeader(str(&names, ".symtab"), uint32(elf.SHT_SYMTAB), 0, 0, end, uint64(syms.Len()), uint32(n+2), 1, 8, symEnt)
	strOff := end + uint64(syms.Len())
	w.sectionHeader(str(&names, ".strtab"), uint32(elf.SHT_STRTAB), 0, 0, strOff, uint64(strs.Len()), 0, 0, 1, 0)
	nameOff := strOff + uint64(strs.Len())
	nameAt := str(&names, ".shstrtab")
	w.sectionHeader(nameAt, uint32(elf.SHT_STRTAB), 0, 0, nameOff, uint64(names.Len()), 0, 0, 1, 0)
	shoff := alignUp(nameOff+uint64(names.Len()), 8)

	head := elfWriter{order: o, class: env.Class}
	head.header(env.Objects[0].Machine, r.segs, shoff, n+4, n+3)
	file := make([]byte, shoff+uint64(w.Len()))
	copy(file, head.Bytes())
	copy(file[end:], syms.Bytes())
	copy(file[strOff:], strs.Bytes())
	copy(file[nameOff:], names.Bytes())
	copy(file[shoff:], w.Bytes())
	return file
}

type elfWriter struct {
	bytes.Buffer
	order binary.ByteOrder
	class int
}

func (w *elfWriter) put(v any) {
	if err := binary.Write(&w.Buffer, w.order, v); err != nil {
		panic(err)
	}
}

func (w *elfWriter) symbol(name uint32, info, other byte, shndx uint16, value, size uint64) {
	if w.class == 32 {
		w.put(elf.Sym32{Name: name, Value: uint32(value), Size: uint32(size), Info: info, Other: other, Shndx: shndx})
		return
	}
	w.put(elf.Sym64{Name: name, Info: info, Other: other, Shndx: shndx, Value: value, Size: size})
}

func (w *elfWriter) sectionHeader(name, typ uint32, flags, addr, off, size uint64, link, info uint32, align, ent uint64) {
	if w.class == 32 {
		w.put(elf.Section32{Name: name, Type: typ, Flags: uint32(flags), Addr: uint32(addr), Off: uint32(off), Size: uint32(size), Link: link, Info: info, Addralign: uint32(align), Entsize: uint32(ent)})
		return
	}
	w.put(elf.Section64{Name: name, Type: typ, Flags: flags, Addr: addr, Off: off, Size: size, Link: link, Info: info, Addralign: align, Entsize: ent})
}

func (w *elfWriter) header(m elf.Machine, segs []*model.Segment, shoff uint64, shnum, shstr int) {
	ident := [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}
	if w.order == binary.BigEndian {
		ident[5] = 2
	}
	if w.class == 32 {
		ident[4] = 1
		w.put(elf.Header32{Ident: ident, Type: 2, Machine: uint16(m), Version: 1, Phoff: 52, Shoff: uint32(shoff), Ehsize: 52, Phentsize: 32, Phnum: uint16(len(segs)), Shentsize: 40, Shnum: uint16(shnum), Shstrndx: uint16(shstr)})
		for _, p := range segs {
			w.put(elf.Prog32{Type: uint32(p.Type), Off: uint32(p.Off), Vaddr: uint32(p.Vaddr), Paddr: uint32(p.Paddr), Filesz: uint32(p.Filesz), Memsz: uint32(p.Memsz), Flags: uint32(p.Flags), Align: uint32(p.Align)})
		}
		return
	}
	w.put(elf.Header64{Ident: ident, Type: 2, Machine: uint16(m), Version: 1, Phoff: 64, Shoff: shoff, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(segs)), Shentsize: 64, Shnum: uint16(shnum), Shstrndx: uint16(shstr)})
	for _, p := range segs {
		w.put(elf.Prog64{Type: uint32(p.Type), Off: p.Off, Vaddr: p.Vaddr, Paddr: p.Paddr, Filesz: p.Filesz, Memsz: p.Memsz, Flags: uint32(p.Flags), Align: p.Align})
	}
}
