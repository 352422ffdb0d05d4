package input

import (
	"debug/elf"
	"errors"

	"elfwright/elffile"
	"elfwright/link/model"
)

func rawGlobal(value uint64) elffile.Symbol {
	return elffile.Symbol{Info: uint8(elf.STB_GLOBAL) << 4, Value: value}
}

// justSymbols makes an object that gives the addresses of a finished program's
// symbols and nothing else (--just-symbols).
func (l *loader) justSymbols(name string, data []byte) (*object, error) {
	f, err := elffile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	if err := f.SectionErr(); err != nil {
		return nil, err
	}
	m := &model.Object{
		File: name, Path: name, Class: f.Class, Order: f.Order(), Machine: f.Header.Machine, OSABI: f.Header.OSABI(),
		JustSymbols: true, Locals: 1,
	}
	o := &object{Object: m, stack: StackPlain}
	at := f.SectionByType(elf.SHT_SYMTAB)
	var t *elffile.SymbolTable
	if at >= 0 {
		t, err = f.SymbolTable(at)
	} else {
		t, err = f.DynamicSymbolTable()
	}
	if err != nil {
		return nil, err
	}
	for i := 1; i < t.Len(); i++ {
		raw := t.At(i)
		if raw.Bind() == elf.STB_LOCAL || raw.Shndx == uint16(elf.SHN_UNDEF) || raw.Shndx == uint16(elf.SHN_COMMON) {
			continue
		}
		name, ok := stringAt(t.Strings, raw.Name)
		if !ok || name == "" {
			return nil, errors.Join(&elffile.Error{File: m.File, Off: -1, Msg: "a global symbol without a name in the string table"})
		}
		o.just = append(o.just, just{name, raw})
	}
	return o, nil
}

// just is a symbol of --just-symbols.
type just struct {
	name string
	raw  elffile.Symbol
}

// resolveJust puts those symbols to the others: absolute ones.
func (l *loader) resolveJust(o *object) {
	o.Symbols = []*model.Symbol{nil}
	for i := range o.just {
		x := &o.just[i]
		sym := l.table.Intern(versionKey(x.name))
		l.meet(sym)
		o.Symbols = append(o.Symbols, sym)
		p := place{shndx: elf.SHN_ABS}
		l.tell(o, sym, p)
		l.define(o, sym, &x.raw, p)
		if sym.Obj == o.Object && o.Machine == elf.EM_ARM && x.raw.Type() == elf.STT_FUNC && sym.Value&1 != 0 {
			sym.Value, sym.Thumb = sym.Value&^1, true
		}
	}
}
