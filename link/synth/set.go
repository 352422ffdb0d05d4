package synth

import (
	"debug/elf"

	"elfwright/link/model"
)

// Set is what the linker makes in one link. Its methods are called in the order
// Create, Merge, EhFrame, Size, then Resize after each assignment of addresses,
// and Finish when there are segments.
type Set struct {
	// Object has the sections; it stands among the objects of the link.
	Object *model.Object

	env  *model.Env
	dyn  *dynTypes
	word uint64

	got, gotplt, igotplt, plt, iplt *model.Section
	relaplt, relaiplt, relr         *model.Section
	tables                          []*table // .rela.got, .rela.data, …
	byName                          map[string]*table
	dynamic, dynsym, dynstr         *model.Section
	hash, gnuhash, versym, verdef   *model.Section
	interp, buildID, property       *model.Section
	ehHdr                           *model.Section

	slots     []slot // of .got
	gotHeader uint64 // bytes before the first slot
	plts      []*model.Symbol
	iplts     []*model.Symbol

	dynsyms dynsyms
	tags    []tag
	sorted  map[*model.Output][]model.DynReloc
	packed  relr
	frames  frames
	ehdr    *model.Symbol // __ehdr_start
	tlsBase *model.Symbol // _TLS_MODULE_BASE_
	// ehdrWeak: all references to it are weak.
	ehdrWeak bool

	warnings  []*model.Section // .gnu.warning.SYMBOL
	exidxDone bool
	linked    linkSorter
}

// writer makes a section's bytes when all addresses are known.
type writer func(b []byte)

func (w writer) Write(_ *model.Env, _ *model.Section, b []byte) { w(b) }

// late is a writer that is called when all other sections are written.
type late struct{ writer }

func (late) Late() {}

// Create makes the sections and the symbols of the linker.
func Create(e *model.Env) *Set {
	m := e.Target.Machine()
	s := &Set{env: e, dyn: dynTypesOf(m), word: uint64(m.WordSize()), byName: map[string]*table{},
		sorted: map[*model.Output][]model.DynReloc{}}
	s.Object = &model.Object{File: "<linker>", Path: "<linker>", Linker: true, Class: m.Class, Order: e.Order,
		Machine: m.ELF, Symbols: []*model.Symbol{nil}, Locals: 1, Sections: []*model.Section{nil}, Rank: int32(len(e.Objects))}
	if e.Opt.Relocatable { // what else is needed only the final link knows
		s.createBuildID()
		s.createProperty()
		return s
	}
	s.consume()
	// In the order of GNU ld's, for in that orphans are placed.
	s.createGOT()
	s.createPLT()
	s.createRelocs()
	if e.PIC() {
		s.createDynamic()
	}
	s.createBuildID()
	s.createProperty()
	s.createEhHdr()
	s.createSymbols()
	return s
}

const (
	allocRead  = elf.SHF_ALLOC
	allocWrite = elf.SHF_ALLOC | elf.SHF_WRITE
	allocExec  = elf.SHF_ALLOC | elf.SHF_EXECINSTR
)

// add makes a section of the linker.
func (s *Set) add(name string, t elf.SectionType, flags elf.SectionFlag, align, entsize uint64, w model.Synth) *model.Section {
	sec := &model.Section{Obj: s.Object, Name: name, Index: int32(len(s.Object.Sections)), Type: t, Flags: flags,
		Align: align, Entsize: entsize, Live: true, Synth: w}
	s.Object.Sections = append(s.Object.Sections, sec)
	return sec
}

// words adds a section of words.
func (s *Set) words(name string, w func(b []byte)) *model.Section {
	return s.add(name, elf.SHT_PROGBITS, allocWrite, s.word, s.word, writer(w))
}

func (s *Set) putWord(b []byte, v uint64) {
	if s.word == 4 {
		s.env.Order.PutUint32(b, uint32(v))
	} else {
		s.env.Order.PutUint64(b, v)
	}
}

// drop leaves out a section that nothing needs.
func drop(sec *model.Section) {
	if sec != nil && sec.Size == 0 {
		sec.Live, sec.Dropped = false, model.Empty
	}
}

// addr is the address of a section, 0 if it is nowhere.
func addr(sec *model.Section) uint64 {
	if sec == nil || !sec.Live {
		return 0
	}
	return sec.Addr(0)
}
