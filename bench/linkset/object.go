package linkset

import (
	"debug/elf"
	"fmt"

	"elfwright/internal/elftest"
)

// object is one relocatable file while it is described.
type object struct {
	file    elftest.File
	rel     bool // relocations have their addends in the places
	locals  elftest.Symbols
	globals elftest.Symbols
	refs    map[string]symbol // globals and undefined symbols by name
	relocs  []pending
}

// symbol stands for an entry of the symbol table before it is known how many
// local symbols there will be.
type symbol struct {
	global bool
	index  int
}

// pending is the relocations of a section before symbols have their indexes.
type pending struct {
	section string
	list    []reloc
}

type reloc struct {
	off    int
	typ    uint32
	sym    symbol
	addend int64
}

func newObject(machine elf.Machine, class elf.Class, flags uint32, source string) *object {
	o := &object{
		file: elftest.File{Class: class, Type: elf.ET_REL, Machine: machine, Flags: flags},
		refs: map[string]symbol{},
	}
	o.local(elftest.Symbol{Name: source, Type: elf.STT_FILE, Index: elf.SHN_ABS})
	return o
}

func (o *object) local(s elftest.Symbol) symbol {
	o.locals = append(o.locals, s)
	return symbol{false, len(o.locals) - 1}
}

func (o *object) global(s elftest.Symbol) symbol {
	if s.Bind == elf.STB_LOCAL {
		s.Bind = elf.STB_GLOBAL
	}
	x := symbol{true, len(o.globals)}
	o.globals = append(o.globals, s)
	o.refs[s.Name] = x
	return x
}

// ref is a symbol of this or another object.
func (o *object) ref(name string) symbol {
	if x, ok := o.refs[name]; ok {
		return x
	}
	return o.global(elftest.Symbol{Name: name})
}

// section adds a section and returns its section symbol.
func (o *object) section(s elftest.Section) symbol {
	o.file.Sections = append(o.file.Sections, s)
	return o.local(elftest.Symbol{Section: sectionKey(s), Type: elf.STT_SECTION})
}

func sectionKey(s elftest.Section) string {
	if s.Key != "" {
		return s.Key
	}
	return s.Name
}

// relocate gives a section its relocations.
func (o *object) relocate(section string, list []reloc) {
	if len(list) > 0 {
		o.relocs = append(o.relocs, pending{section, list})
	}
}

// encode finishes the object.
func (o *object) encode() []byte {
	for _, p := range o.relocs {
		o.file.Sections = append(o.file.Sections, o.table(p))
	}
	o.file.Sections = append(o.file.Sections, elftest.Section{Name: ".symtab", Content: append(o.locals, o.globals...)})
	return o.file.Bytes()
}

func (o *object) table(p pending) elftest.Section {
	list := make([]elftest.Reloc, len(p.list))
	for i, r := range p.list {
		index := 1 + r.sym.index
		if r.sym.global {
			index += len(o.locals)
		}
		list[i] = elftest.Reloc{Section: p.section, Off: uint64(r.off), SymIndex: uint32(index), Type: r.typ, Addend: r.addend}
	}
	s := elftest.Section{Info: p.section, Flags: elf.SHF_INFO_LINK}
	if o.rel {
		s.Name, s.Content = ".rel"+p.section, elftest.Rel(list)
	} else {
		s.Name, s.Content = ".rela"+p.section, elftest.Rela(list)
	}
	return s
}

// strings adds a section of strings that linkers merge, and returns its symbol
// and where each string begins.
func (o *object) strings(name string, flags elf.SectionFlag, list []string) (symbol, []int) {
	var data []byte
	offs := make([]int, len(list))
	for i, s := range list {
		offs[i] = len(data)
		data = append(append(data, s...), 0)
	}
	return o.section(elftest.Section{Name: name, Flags: flags | elf.SHF_MERGE | elf.SHF_STRINGS, Entsize: 1, Align: 1, Data: data}), offs
}

// note adds what compilers put at the end of every object.
func (o *object) note(compiler string) {
	o.strings(".comment", 0, []string{"", compiler})
	o.section(elftest.Section{Name: ".note.GNU-stack", Align: 1})
}

func function(unit, k int) string {
	return fmt.Sprintf("%s_%s_%d_%d", words[unit%len(words)], words[(unit/7+k*3)%len(words)], unit, k)
}
