package input

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/link/model"
)

// parseSymbols reads a file for --just-symbols: its symbols as absolute values.
// Of an object the values are offsets, as GNU ld takes them.
func parseSymbols(name string, data []byte) (*object, error) {
	f, err := elffile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	if f.HeaderErr != nil {
		return nil, f.HeaderErr
	}
	o := &object{elf: f, heads: f.Sections(), Object: &model.Object{
		File: name, Path: name, Class: f.Class, Order: f.Order(), Machine: f.Header.Machine, JustSymbols: true,
	}}
	o.Sections = make([]*model.Section, len(o.heads))
	o.readSymtab()
	if o.symtab == nil {
		return o, nil
	}
	o.Symbols = make([]*model.Symbol, o.symtab.Len())
	return o, nil
}

// absolute is the place of a symbol of --just-symbols: an address.
func absolute(raw *elffile.Symbol) place {
	if raw.Shndx == uint16(elf.SHN_UNDEF) {
		return place{shndx: elf.SHN_UNDEF}
	}
	return place{shndx: elf.SHN_ABS}
}
