package write

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// symtab is the symbol table in the order of GNU ld: the null symbol; of each
// object its locals, the file's name first; globals that are made local behind a
// file symbol without a name; then globals, each with the object that defines it.
type symtab struct {
	runs   []run
	local  int // symbols before the first global
	count  int
	names  int64 // bytes of .strtab
	xindex bool  // there is a .symtab_shndx
}

// run is what one object gives, of locals, hidden globals or globals; also the
// symbols that no object defines.
type run struct {
	obj   *model.Object // nil: list
	list  []*model.Symbol
	kind  kind
	first int // index of its first symbol
	n     int
	str   int64 // offset of its first name
	len   int64
}

type kind uint8

const (
	locals   kind = iota
	nameless      // the file symbol "" alone
	hidden
	globals
)

// newSymtab decides which symbols are in the table and where.
func newSymtab(f *file) *symtab {
	e := f.env
	script := e.Table.Some(func(s *model.Symbol) bool { return s.Obj == nil })
	t := &symtab{count: 1, names: 1, xindex: f.count() >= elffile.ShnLoReserve}
	each := func(k kind) {
		for _, o := range e.Objects {
			t.runs = append(t.runs, run{obj: o, kind: k})
		}
		if k != locals {
			t.runs = append(t.runs, run{list: script, kind: k})
		}
	}
	each(locals)
	mark := len(t.runs)
	t.runs = append(t.runs, run{kind: nameless, n: 1})
	each(hidden)
	each(globals)
	model.Each(f.workers, len(t.runs), func(i int) {
		r := &t.runs[i]
		r.walk(e, func(s *model.Symbol) {
			r.n++
			r.len += int64(len(name(s))) + 1
		})
	})
	t.place(mark)
	return t
}

// place gives the runs their indices. The nameless file symbol is there only if
// hidden globals follow.
func (t *symtab) place(mark int) {
	any := false
	for i := range t.runs {
		any = any || t.runs[i].kind == hidden && t.runs[i].n != 0
	}
	if !any {
		t.runs[mark].n = 0
	}
	for i := range t.runs {
		r := &t.runs[i]
		if r.kind == globals && t.local == 0 {
			t.local = t.count
		}
		r.first, r.str = t.count, t.names
		t.count += r.n
		t.names += r.len
	}
}

// walk calls yield with the symbols of a run.
func (r *run) walk(e *model.Env, yield func(*model.Symbol)) {
	list := r.list
	if o := r.obj; o != nil {
		list = o.Symbols
		if r.kind == locals {
			list = list[:min(o.Locals, len(list))]
		} else {
			list = list[min(o.Locals, len(list)):]
		}
		if o.JustSymbols && r.kind == locals {
			return
		}
	}
	for _, s := range list {
		if s == nil || r.kind != locals && s.Obj != r.obj {
			continue
		}
		if r.kind == locals {
			if keepLocal(e, s) {
				yield(s)
			}
		} else if keepGlobal(s) && forcedLocal(e, s) == (r.kind == hidden) && !(r.kind == hidden && e.Opt.DiscardLocals == model.DiscardAll) {
			yield(s)
		}
	}
}

// keepLocal says whether a local symbol goes into the table. By default those
// that the assembler made (".L") are left out where they lie in merged data, as
// the merging made them meaningless.
func keepLocal(e *model.Env, s *model.Symbol) bool {
	switch {
	case s.Type == elf.STT_SECTION, !placed(s):
		return false
	case s.Type == elf.STT_FILE:
		return e.Opt.DiscardLocals != model.DiscardAll
	}
	switch e.Opt.DiscardLocals {
	case model.DiscardAll:
		return false
	case model.DiscardTemporary:
		return !strings.HasPrefix(s.Name, ".L")
	case model.DiscardDefault:
		return s.Sec == nil || s.Sec.Flags&elf.SHF_MERGE == 0 || !strings.HasPrefix(s.Name, ".L")
	}
	return true
}

// keepGlobal says the same of a global one. GNU ld leaves out undefined symbols
// that are not dynamic.
func keepGlobal(s *model.Symbol) bool {
	if s.State == model.Defined {
		return placed(s) && (!s.Provide || s.Used)
	}
	return s.State == model.Undefined && s.DynIndex != 0
}

// placed says whether the symbol has a place in the output or needs none.
func placed(s *model.Symbol) bool {
	if s.Sec == nil {
		return true
	}
	_, _, ok := s.Sec.At(s.Value)
	return ok && s.Sec.Live
}

// forcedLocal says whether a global is local in the table. In an executable that
// is not loaded anywhere hidden symbols stay global.
func forcedLocal(e *model.Env, s *model.Symbol) bool {
	return s.Bind == elf.STB_LOCAL ||
		e.PIC() && s.State == model.Defined && !s.Exported && (s.Vis == elf.STV_HIDDEN || s.Vis == elf.STV_INTERNAL)
}

// name is a symbol's name in the table: with its version, where it is dynamic.
func name(s *model.Symbol) string {
	switch {
	case s.Version == "" || s.Local || s.DynIndex == 0:
		return s.Name
	case s.Default:
		return s.Name + "@@" + s.Version
	}
	return s.Name + "@" + s.Version
}

// write fills the table, its string table and its table of extended indices.
func (t *symtab) write(f *file, tab, str, shndx []byte) {
	model.Each(f.workers, len(t.runs), func(i int) {
		r := &t.runs[i]
		n, pos := r.first, r.str
		if r.kind == nameless && r.n == 1 {
			f.putSymbol(tab, shndx, n, &elffile.Symbol{Info: info(elf.STB_LOCAL, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)}, 0)
			return
		}
		r.walk(f.env, func(s *model.Symbol) {
			sym, sec := f.symbol(s, r.kind)
			if s.Name != "" {
				sym.Name = uint32(pos)
			}
			f.putSymbol(tab, shndx, n, &sym, sec)
			w := name(s)
			copy(str[pos:], w)
			pos += int64(len(w)) + 1
			n++
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
	if s.State != model.Defined {
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
		if s.Type == elf.STT_TLS {
			sym.Value -= f.env.TLSStart
		}
		if s.Sec != nil && s.Sec.Moves != nil {
			sym.Size = s.Sec.Moved(s.Value+s.Size) - s.Sec.Moved(s.Value)
		}
	}
	return sym, sec
}

func outOf(s *model.Symbol) *model.Output {
	if s.Sec == nil {
		return s.Out
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
