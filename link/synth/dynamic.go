package synth

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/link/model"
)

// createDynamic makes what the dynamic linker, or a program that relocates
// itself, reads.
func (s *Set) createDynamic() {
	e := s.env
	if e.Opt.PIE && !e.Opt.Shared && !e.Opt.NoDynamicLinker {
		s.interp = s.add(".interp", elf.SHT_PROGBITS, allocRead, 1, 0, writer(func(b []byte) { copy(b, s.interpreter()) }))
	}
	f := s.format()
	s.dynsym = s.add(".dynsym", elf.SHT_DYNSYM, allocRead, s.word, uint64(f.SymSize()), writer(s.writeDynsym))
	s.dynstr = s.add(".dynstr", elf.SHT_STRTAB, allocRead, 1, 0, writer(func(b []byte) { copy(b, s.dynsyms.bytes) }))
	style := e.Opt.HashStyle
	if style != "gnu" {
		s.hash = s.add(".hash", elf.SHT_HASH, allocRead, s.word, 4, writer(s.writeHash))
	}
	if style != "sysv" {
		entsize := uint64(0) // there is none: its words differ in size
		if s.word == 4 {
			entsize = 4
		}
		s.gnuhash = s.add(".gnu.hash", elf.SHT_GNU_HASH, allocRead, s.word, entsize, writer(s.writeGnuHash))
	}
	s.versym = s.add(".gnu.version", shtVersym, allocRead, 2, 2, writer(s.writeVersym))
	s.verdef = s.add(".gnu.version_d", shtVerdef, allocRead, s.word, 0, writer(s.writeVerdef))
	s.dynamic = s.add(".dynamic", elf.SHT_DYNAMIC, allocWrite, s.word, uint64(f.DynSize()), late{s.writeDynamic})
	e.SecDynamic = s.dynamic
	for _, x := range []*model.Section{s.hash, s.gnuhash, s.versym, s.relaplt, s.relaiplt} {
		if x != nil {
			x.LinkTo = s.dynsym
		}
	}
	for _, t := range s.tables {
		t.sec.LinkTo = s.dynsym
	}
	for _, x := range []*model.Section{s.dynsym, s.dynamic, s.verdef} {
		x.LinkTo = s.dynstr
	}
	s.dynsym.Info = 1
}

// interpreter is what -dynamic-linker gives, else the name that is built into GNU
// ld, which no Linux system has except for AArch64.
func (s *Set) interpreter() string {
	name := s.env.Opt.DynamicLinker
	if name == "" {
		switch s.Object.Machine {
		case elf.EM_X86_64:
			name = "/lib/ld64.so.1"
		case elf.EM_386:
			name = "/usr/lib/libc.so.1"
		case elf.EM_AARCH64:
			name = "/lib/ld-linux-aarch64.so.1"
		case elf.EM_ARM:
			name = "/usr/lib/ld.so.1"
		default:
			name = "/lib/ld.so.1"
		}
	}
	return name + "\x00"
}

// tag is an entry of .dynamic; its value is asked for when all is placed.
type tag struct {
	tag   elf.DynTag
	value func() uint64
}

// spare is how many DT_NULL follow the one that ends the list: GNU ld leaves them
// for tools that add entries, and so that its sizes are ours.
const spare = 5

const (
	dtRelrsz  = elf.DynTag(35)
	dtRelr    = elf.DynTag(36)
	dtRelrent = elf.DynTag(37)
)

// chooseTags makes the list of .dynamic in GNU ld's order.
func (s *Set) chooseTags() {
	s.tags = nil
	s.tagsOfLibrary()
	s.tagsOfArrays()
	s.tagsOfSymbols()
	s.tagsOfRelocs()
	s.tagsOfFlags()
}

func (s *Set) tag(t elf.DynTag, v func() uint64) { s.tags = append(s.tags, tag{t, v}) }

func (s *Set) tagIs(t elf.DynTag, v uint64) { s.tag(t, func() uint64 { return v }) }

func (s *Set) tagAddr(t elf.DynTag, sec *model.Section) {
	s.tag(t, func() uint64 { return addr(sec) })
}

func (s *Set) tagsOfLibrary() {
	if n := s.env.Opt.Soname; n != "" && s.env.Opt.Shared {
		s.dynsyms.add(n)
		s.tag(elf.DT_SONAME, func() uint64 { return uint64(s.dynsyms.at(n)) })
	}
	if s.env.Opt.Symbolic && s.env.Opt.Shared {
		s.tagIs(elf.DT_SYMBOLIC, 0)
	}
	for _, x := range []struct {
		tag  elf.DynTag
		name string
	}{{elf.DT_INIT, "_init"}, {elf.DT_FINI, "_fini"}} {
		if sym := s.env.Table.Get(x.name); sym != nil && sym.Defined() {
			s.tag(x.tag, func() uint64 { return value(sym) })
		}
	}
}

func (s *Set) tagsOfArrays() {
	for _, x := range []struct {
		tag, size elf.DynTag
		name      string
	}{
		{elf.DT_PREINIT_ARRAY, elf.DT_PREINIT_ARRAYSZ, ".preinit_array"},
		{elf.DT_INIT_ARRAY, elf.DT_INIT_ARRAYSZ, ".init_array"},
		{elf.DT_FINI_ARRAY, elf.DT_FINI_ARRAYSZ, ".fini_array"},
	} {
		if out := s.output(x.name); out != nil {
			s.tag(x.tag, func() uint64 { return out.Addr })
			s.tag(x.size, func() uint64 { return out.Size })
		}
	}
}

// output finds an output section that some section of a file goes to.
func (s *Set) output(name string) *model.Output {
	for _, out := range s.env.Outputs {
		if out.Name == name {
			for i := range out.Items {
				if out.Items[i].Section != nil && out.Items[i].Section.Live {
					return out
				}
			}
		}
	}
	return nil
}

func (s *Set) tagsOfSymbols() {
	if s.hash != nil {
		s.tagAddr(elf.DT_HASH, s.hash)
	}
	if s.gnuhash != nil {
		s.tagAddr(elf.DT_GNU_HASH, s.gnuhash)
	}
	s.tagAddr(elf.DT_STRTAB, s.dynstr)
	s.tagAddr(elf.DT_SYMTAB, s.dynsym)
	s.tag(elf.DT_STRSZ, func() uint64 { return s.dynstr.Size })
	s.tagIs(elf.DT_SYMENT, s.dynsym.Entsize)
	if !s.env.Opt.Shared {
		s.tagIs(elf.DT_DEBUG, 0)
	}
}

func (s *Set) tagsOfRelocs() {
	rel := s.env.Target.Machine().REL
	pick := func(a, b elf.DynTag) elf.DynTag {
		if rel {
			return b
		}
		return a
	}
	if jump := s.relaplt.Size + s.relaiplt.Size; jump != 0 {
		s.tagAddr(elf.DT_PLTGOT, s.gotplt)
		s.tagIs(elf.DT_PLTRELSZ, jump)
		s.tagIs(elf.DT_PLTREL, uint64(pick(elf.DT_RELA, elf.DT_REL)))
		s.tag(elf.DT_JMPREL, s.jumpRelocs)
	}
	size := uint64(0)
	for _, t := range s.tables {
		size += t.sec.Size
	}
	if size != 0 {
		s.tag(pick(elf.DT_RELA, elf.DT_REL), s.relocs)
		s.tagIs(pick(elf.DT_RELASZ, elf.DT_RELSZ), size)
		s.tagIs(pick(elf.DT_RELAENT, elf.DT_RELENT), s.relSize())
	}
	if s.relr != nil && len(s.packed.sites) != 0 {
		s.tagAddr(dtRelr, s.relr)
		s.tag(dtRelrsz, func() uint64 { return s.relr.Size })
		s.tagIs(dtRelrent, s.word)
	}
	if s.env.TextRel.Get() {
		s.tagIs(elf.DT_TEXTREL, 0)
	}
	s.tagsOfPLT()
}

// tagsOfPLT tells the dynamic linker what is peculiar about entries.
func (s *Set) tagsOfPLT() {
	if len(s.plts) == 0 {
		return
	}
	p := s.env.Target.PLT(s.env)
	variant := func(sym *model.Symbol) bool { return sym.Other&model.OtherVariant != 0 }
	if p.Variant != 0 && slices.ContainsFunc(s.plts, variant) {
		s.tagIs(p.Variant, 0)
	}
	for _, t := range p.Tags {
		s.tagIs(t, 0)
	}
}

// jumpRelocs is where .rela.plt and .rela.iplt begin: to the dynamic linker they
// are one table.
func (s *Set) jumpRelocs() uint64 {
	a, b := s.relaplt, s.relaiplt
	if a.Size == 0 || b.Size == 0 {
		return addr(a) + addr(b)
	}
	if addr(a) > addr(b) {
		a, b = b, a
	}
	if addr(a)+a.Size != addr(b) {
		s.env.Report.Error(fmt.Errorf("%s at %#x does not follow %s, which ends at %#x: DT_JMPREL can name one table only; put *(%[3]s) *(%[1]s) together in the script",
			b.Name, addr(b), a.Name, addr(a)+a.Size))
	}
	return addr(a)
}

// relocs is the address of the first table.
func (s *Set) relocs() uint64 {
	first := ^uint64(0)
	for _, t := range s.tables {
		if t.sec.Live && t.sec.Size != 0 && t.sec.Out != nil {
			first = min(first, addr(t.sec))
		}
	}
	return first
}

func (s *Set) tagsOfFlags() {
	o := s.env.Opt
	if s.verdef.Size != 0 {
		s.tagAddr(elf.DT_VERDEF, s.verdef)
		s.tagIs(elf.DT_VERDEFNUM, uint64(s.verdef.Info))
	}
	var flags elf.DynFlag
	var flags1 elf.DynFlag1
	set := func(cond bool, f elf.DynFlag, f1 elf.DynFlag1) {
		if cond {
			flags |= f
			flags1 |= f1
		}
	}
	set(o.Origin, elf.DF_ORIGIN, elf.DF_1_ORIGIN)
	set(o.Symbolic && o.Shared, elf.DF_SYMBOLIC, 0)
	set(s.env.TextRel.Get(), elf.DF_TEXTREL, 0)
	set(o.Now, elf.DF_BIND_NOW, elf.DF_1_NOW)
	set(s.env.StaticTLS.Get() && o.Shared, elf.DF_STATIC_TLS, 0)
	set(o.Global, 0, elf.DF_1_GLOBAL)
	set(o.NoDelete, 0, elf.DF_1_NODELETE)
	set(o.Loadfltr, 0, elf.DF_1_LOADFLTR)
	set(o.InitFirst, 0, elf.DF_1_INITFIRST)
	set(o.NoDlopen, 0, elf.DF_1_NOOPEN)
	set(o.Interpose, 0, elf.DF_1_INTERPOSE)
	set(o.NoDefaultLib, 0, elf.DF_1_NODEFLIB)
	set(o.PIE && !o.Shared, 0, elf.DF_1_PIE)
	if flags != 0 {
		s.tagIs(elf.DT_FLAGS, uint64(flags))
	}
	if flags1 != 0 {
		s.tagIs(elf.DT_FLAGS_1, uint64(flags1))
	}
	if s.versym.Size != 0 {
		s.tagAddr(elf.DT_VERSYM, s.versym)
	}
}

// sizeDynamic counts the entries. The count of relative relocations, which is
// known last, takes a spare one.
func (s *Set) sizeDynamic() {
	s.chooseTags()
	s.dynamic.Size = uint64(len(s.tags)+1+spare) * s.dynamic.Entsize
}

func (s *Set) writeDynamic(b []byte) {
	put := func(t elf.DynTag, v uint64) {
		s.putWord(b, uint64(t))
		s.putWord(b[s.word:], v)
		b = b[2*s.word:]
	}
	for _, t := range s.tags {
		put(t.tag, t.value())
	}
	comb := s.env.Opt.CombReloc == nil || *s.env.Opt.CombReloc
	if n := s.relatives(); n != 0 && comb {
		if s.env.Target.Machine().REL {
			put(elf.DT_RELCOUNT, uint64(n))
		} else {
			put(elf.DT_RELACOUNT, uint64(n))
		}
	}
	s.checkRelr()
}
