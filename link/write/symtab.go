package write

import (
	"debug/elf"
	"path/filepath"
	"slices"

	"elfwright/elffile"
	"elfwright/link/model"
)

// symtab is the symbol table in the order of GNU ld: the null symbol; where the
// output has relocations, a symbol for each section; of each object its locals, the file's name first; globals that are made local behind a
// file symbol without a name; then globals, each with the object that defines it.
type symtab struct {
	runs   []run
	local  int // symbols before the first global
	count  int
	names  int64 // bytes of .strtab
	mark   int   // index of the file symbol without a name, 0: there is none
	xindex bool  // there is a .symtab_shndx
}

// kind is one of the three parts of the table.
type kind int

const (
	locals kind = iota
	hidden
	globals
	kinds
	left // not in the table
)

// run is what one object gives to each part; or what symbols give that no object
// defines.
type run struct {
	obj  *model.Object // nil: list
	list []*model.Symbol
	part [kinds]struct {
		first, n int   // symbols
		str, len int64 // bytes of names
	}
}

// newSymtab decides which symbols are in the table and where.
func newSymtab(f *file) *symtab {
	e := f.env
	t := &symtab{count: 1 + f.placeSectionSymbols(), names: 1, xindex: f.count() >= elffile.ShnLoReserve}
	for _, o := range e.Objects {
		t.runs = append(t.runs, run{obj: o, list: o.Symbols})
	}
	t.runs = append(t.runs, run{list: e.Table.Some(func(s *model.Symbol) bool { return s.Obj == nil })})
	model.Each(f.workers, len(t.runs), func(i int) {
		r := &t.runs[i]
		r.walk(f, func(s *model.Symbol, k kind) {
			r.part[k].n++
			r.part[k].len += int64(len(f.name(s))) + 1
		})
	})
	t.place()
	return t
}

// place gives the runs their indices. The nameless file symbol is there only if
// hidden globals follow.
func (t *symtab) place() {
	for k := locals; k < kinds; k++ {
		if k == globals {
			t.local = t.count
		}
		for i := range t.runs {
			p := &t.runs[i].part[k]
			if k == hidden && p.n != 0 && t.mark == 0 {
				t.mark = t.count
				t.count++
			}
			p.first, p.str = t.count, t.names
			t.count += p.n
			t.names += p.len
		}
	}
}

// walk calls yield with the symbols that a run gives, and the part they are in.
func (r *run) walk(f *file, yield func(*model.Symbol, kind)) {
	n := 0
	if o := r.obj; o != nil {
		n = min(o.Locals, len(r.list))
		if !o.JustSymbols && (f.env.Opt.Relocatable || o.Linker || contributes(o)) {
			r.walkLocals(f, r.list[:n], yield)
		}
	}
	for _, s := range r.list[n:] {
		if s == nil || s.Obj != r.obj {
			continue
		}
		if k := f.globalKind(s); k != left {
			yield(s, k)
		}
	}
}

// contributes says whether bytes of an object are in the output. Else GNU ld does
// not write its local symbols, not even absolute ones.
func contributes(o *model.Object) bool {
	return slices.ContainsFunc(o.Sections, func(s *model.Section) bool {
		return s != nil && s.Live && s.Out != nil && s.Out.Type != elf.SHT_NOBITS
	})
}

// walkLocals gives an object's local symbols. They follow a file symbol; an object
// that has none, of the assembler, gets one with its own name.
func (r *run) walkLocals(f *file, list []*model.Symbol, yield func(*model.Symbol, kind)) {
	named := false
	for _, s := range list {
		if s == nil || !f.keepLocal(s) {
			continue
		}
		if !named && s.Type != elf.STT_FILE && !r.obj.Linker && f.env.Opt.DiscardLocals != model.DiscardAll {
			yield(&model.Symbol{Name: fileName(r.obj), State: model.Defined, Type: elf.STT_FILE, Local: true}, locals)
		}
		named = true
		yield(s, locals)
	}
}

// fileName is the name of an object without directory or archive.
func fileName(o *model.Object) string {
	if o.Member != "" {
		return filepath.Base(o.Member)
	}
	return filepath.Base(o.File)
}

// keepLocal says whether a local symbol goes into the table. By default those
// that the assembler made (".L") are left out where they lie in merged data, as
// the merging made them meaningless; in an object nothing was merged. Whatever
// relocations of the output name is there.
func (f *file) keepLocal(s *model.Symbol) bool {
	opt := f.env.Opt
	switch {
	case s.State != model.Defined:
		return f.signature[s] != nil
	case s.Type == elf.STT_SECTION, !placed(s):
		return false
	case s.Need.Load()&model.NeedIndex != 0:
		return true
	case opt.Strip == model.StripAll, !f.retained(s):
		return false
	case s.Type == elf.STT_FILE:
		return opt.DiscardLocals != model.DiscardAll
	}
	switch opt.DiscardLocals {
	case model.DiscardAll:
		return false
	case model.DiscardTemporary:
		return !isTemporary(s.Name)
	case model.DiscardDefault:
		if f.env.Target.Machine().ELF == elf.EM_RISCV { // its GNU ld leaves out all
			return !isTemporary(s.Name)
		}
		return opt.Relocatable || s.Sec == nil || s.Sec.Flags&elf.SHF_MERGE == 0 || !isTemporary(s.Name)
	}
	return true
}

// globalKind says in which part a global symbol is. GNU ld leaves out undefined
// symbols that are not dynamic; an object has all, or where sections were
// collected those that what is left refers to.
func (f *file) globalKind(s *model.Symbol) kind {
	e := f.env
	switch {
	case s.Need.Load()&model.NeedIndex != 0 && (s.State != model.Defined || placed(s)):
		if forcedLocal(e, s) {
			return hidden
		}
		return globals
	case e.Opt.Strip == model.StripAll && !e.Opt.Relocatable, !f.retained(s):
		return left
	case s.State == model.Common:
		return globals
	case s.State == model.Undefined && (s.DynIndex != 0 || demanded(s) || e.Opt.Relocatable && s.Order != 0 && !e.Opt.GC):
		return globals
	case s.State != model.Defined || s.Provide && !s.Used || !placed(s):
		return left
	case !forcedLocal(e, s):
		return globals
	case e.Opt.DiscardLocals == model.DiscardAll:
		return left
	}
	return hidden
}

// demanded says whether -u, EXTERN or the entry alone name an undefined symbol.
// GNU ld writes those, but not what objects refer to.
func demanded(s *model.Symbol) bool {
	return s.Asked && s.Obj == nil && s.Bind == elf.STB_GLOBAL
}

// retained says whether --retain-symbols-file, if there is one, names the symbol.
func (f *file) retained(s *model.Symbol) bool {
	return f.env.Retain == nil || f.env.Retain[s.Name]
}

// placed says whether the symbol has a place in the output or needs none.
func placed(s *model.Symbol) bool {
	t := s.Sec
	if t == nil || t.Map == nil {
		return t == nil || t.Live && t.Out != nil
	}
	_, _, ok := t.At(s.Value)
	return ok && t.Live
}

// forcedLocal says whether a global is local in the table. In an executable that
// is not loaded anywhere hidden symbols stay global, but for those of the script.
func forcedLocal(e *model.Env, s *model.Symbol) bool {
	if s.Hidden && !e.Opt.Relocatable || s.Bind == elf.STB_LOCAL {
		return true
	}
	return s.Script && s.Vis == elf.STV_HIDDEN && !e.Opt.Relocatable ||
		e.PIC() && s.State == model.Defined && !s.Exported && (s.Vis == elf.STV_HIDDEN || s.Vis == elf.STV_INTERNAL)
}

// name is a symbol's name in the table: with its version, where it is dynamic or
// may become so, if an object named it that way.
func (f *file) name(s *model.Symbol) string {
	switch {
	case s.Version == "" || s.Noded || s.Local || s.DynIndex == 0 && !f.env.Opt.Relocatable:
		return s.Name
	case s.Default:
		return s.Name + "@@" + s.Version
	}
	return s.Name + "@" + s.Version
}

// write fills the table, its string table and its table of extended indices.
func (t *symtab) write(f *file, tab, str, shndx []byte) {
	if t.mark != 0 {
		f.putSymbol(tab, shndx, t.mark, &elffile.Symbol{Info: info(elf.STB_LOCAL, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)}, 0)
	}
	for out, i := range f.sectionSyms {
		s := elffile.Symbol{Info: info(elf.STB_LOCAL, elf.STT_SECTION)}
		if !f.env.Opt.Relocatable {
			s.Value = out.Addr
		}
		f.putSymbol(tab, shndx, i, &s, out.Index)
	}
	model.Each(f.workers, len(t.runs), func(i int) {
		r := &t.runs[i]
		next := r.part
		r.walk(f, func(s *model.Symbol, k kind) {
			p := &next[k]
			sym, sec := f.symbol(s, k)
			w := f.name(s)
			if w != "" {
				sym.Name = uint32(p.str)
			}
			s.Index = int32(p.first)
			f.putSymbol(tab, shndx, p.first, &sym, sec)
			copy(str[p.str:], w)
			p.str += int64(len(w)) + 1
			p.first++
		})
	})
}

func info(b elf.SymBind, t elf.SymType) uint8 { return uint8(b)<<4 | uint8(t)&0xf }

// symbol makes an entry; sec is the index of its section, 0 if it has none.
func (f *file) symbol(s *model.Symbol, k kind) (sym elffile.Symbol, sec int) {
	bind := s.Bind
	if k == hidden || s.Local {
		bind = elf.STB_LOCAL
	}
	sym = elffile.Symbol{Info: info(bind, s.Type), Other: s.Other | uint8(s.Vis), Size: s.Size}
	if k == hidden {
		sym.Other &^= 3 // a local symbol has no visibility
	}
	switch {
	case s.State == model.Common:
		return f.common(s, sym), 0
	case f.signature[s] != nil:
		return sym, f.signature[s].index
	case s.State != model.Defined:
		return sym, 0
	}
	sym.Value = s.Addr()
	if s.Thumb {
		sym.Value |= 1
	}
	switch out := outOf(s); {
	case out == nil:
		sym.Shndx = uint16(elf.SHN_ABS)
	default:
		sec = out.Index
		switch {
		case f.env.Opt.Relocatable: // gABI: an offset in the section
			sym.Value -= out.Addr
		case s.Type == elf.STT_TLS:
			sym.Value -= f.env.TLSStart
		}
		if s.Sec != nil && s.Sec.Moves != nil {
			sym.Size = s.Sec.Moved(s.Value+s.Size) - s.Sec.Moved(s.Value)
		}
	}
	return sym, sec
}

// common is the entry of a common symbol, whose value is its alignment.
func (f *file) common(s *model.Symbol, sym elffile.Symbol) elffile.Symbol {
	sym.Value, sym.Shndx = s.Value, uint16(elf.SHN_COMMON)
	if s.Large {
		sym.Shndx = shnLargeCommon
	}
	return sym
}

// shnLargeCommon is SHN_X86_64_LCOMMON.
const shnLargeCommon = 0xff02

// placeSectionSymbols gives each section a symbol, where relocations may need it,
// and returns how many there are.
func (f *file) placeSectionSymbols() int {
	if !f.emits() {
		return 0
	}
	f.sectionSyms = make(map[*model.Output]int, len(f.env.Outputs))
	for i, out := range f.env.Outputs {
		f.sectionSyms[out] = i + 1
	}
	return len(f.env.Outputs)
}

func outOf(s *model.Symbol) *model.Output {
	if t := s.Sec; t == nil {
		return s.Out
	} else if t.Map == nil {
		return t.Out
	}
	out, _, _ := s.Sec.At(s.Value)
	return out
}

func (f *file) putSymbol(tab, shndx []byte, n int, s *elffile.Symbol, sec int) {
	switch {
	case sec >= elffile.ShnLoReserve:
		s.Shndx = elffile.ShnXindex
		f.PutU32(shndx[4*n:], uint32(sec))
	case sec != 0:
		s.Shndx = uint16(sec)
	}
	b := tab[n*f.SymSize():]
	if f.Is64() { // the classes differ in the order of the fields
		f.PutU32(b, s.Name)
		b[4], b[5] = s.Info, s.Other
		f.PutU16(b[6:], s.Shndx)
		f.PutU64(b[8:], s.Value)
		f.PutU64(b[16:], s.Size)
		return
	}
	f.PutU32(b, s.Name)
	f.PutU32(b[4:], uint32(s.Value))
	f.PutU32(b[8:], uint32(s.Size))
	b[12], b[13] = s.Info, s.Other
	f.PutU16(b[14:], s.Shndx)
}
