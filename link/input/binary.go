package input

import (
	"debug/elf"

	"elfwright/link/model"
)

// binaryObject makes an object of the bytes of a file (--format binary): a section
// .data, and symbols at its start and end and for its size, in whose names all
// that is no letter or digit of the file's name is "_".
func (l *loader) binaryObject(name string, data []byte) *object {
	m := &model.Object{File: name, Path: name, Machine: elf.EM_NONE}
	o := &object{Object: m, stack: StackPlain}
	s := &model.Section{
		Obj: m, Name: ".data", Index: 1, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE,
		Align: 1, Size: uint64(len(data)), Data: data, Live: true,
	}
	m.Sections = []*model.Section{nil, s}
	m.Locals = 1
	base := "_binary_" + mangle(name)
	size := uint64(len(data))
	o.made = []made{{base + "_start", s, 0}, {base + "_end", s, size}, {base + "_size", nil, size}}
	return o
}

// made is a symbol of an object that is no ELF file.
type made struct {
	name  string
	sec   *model.Section
	value uint64
}

func mangle(name string) string {
	b := []byte(name)
	for i, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			b[i] = '_'
		}
	}
	return string(b)
}

// resolveMade puts the symbols of such an object to the others.
func (l *loader) resolveMade(o *object) {
	o.Symbols = []*model.Symbol{nil}
	for _, x := range o.made {
		sym := l.table.Intern(x.name)
		l.meet(sym)
		o.Symbols = append(o.Symbols, sym)
		raw := rawGlobal(x.value)
		p := place{sec: x.sec}
		if x.sec == nil {
			p.shndx = elf.SHN_ABS
		}
		l.tell(o, sym, p)
		l.define(o, sym, &raw, p)
	}
}
