package own

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/run/memory"
)

// startsItself says whether a program gives its C library a function that calls its
// constructors: one that asks for __libc_start_main as it was before glibc 2.34.
func startsItself(o *memory.Object) bool {
	if o.Symbols == nil || o.Versions == nil {
		return false
	}
	for i := range min(o.Symbols.Len(), o.Versions.Len()) {
		s := o.Symbols.At(i)
		if s.Shndx != uint16(elf.SHN_UNDEF) || string(o.Symbols.Name(s)) != "__libc_start_main" {
			continue
		}
		index, _ := o.Versions.Symbol(i)
		return string(o.Versions.Name(index)) != "GLIBC_2.34"
	}
	return false
}

// stopMain makes a function that stops the process the last of the program's
// constructors. The C library takes them from the dynamic section, which is given
// another array: glibc since 2.34 (csu/libc-start.c, call_init), musl always. Before
// that the program has the array's address in its code.
func (b *builder) stopMain() error {
	o := &b.mem.Objects[0]
	no := func(why string) error {
		return &UnsupportedError{o.Name, "it cannot be stopped at main: " + why}
	}
	if g, ok := b.libc.(*gnu); ok && !g.row.AtLeast(2, 34) {
		return no("glibc before 2.34 leaves the constructors to the program's own code")
	}
	if b.res.Libc == Glibc && startsItself(o) {
		return no("it was linked with a glibc before 2.34, and calls its constructors by its own code")
	}
	if b.res.Libc == None {
		return no("it has no C library that calls one")
	}
	list, err := functions(o, elf.DT_INIT_ARRAY, elf.DT_INIT_ARRAYSZ)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return no("it has no DT_INIT_ARRAY")
	}
	list = append(list, b.plan.Stopper())
	word := o.AddrSize()
	at := b.arena.Alloc(uint64(len(list)*word), 16)
	for i, f := range list {
		b.arena.Word(at+uint64(i*word), f, word)
	}
	start := o.Progs[o.Dynamic.Prog].Vaddr
	for i, e := range o.Dynamic.Entries {
		var v uint64
		switch e.Tag {
		case elf.DT_INIT_ARRAY:
			v = at - o.Base
		case elf.DT_INIT_ARRAYSZ:
			v = uint64(len(list) * word)
		default:
			continue
		}
		if err := o.SetWord(start+uint64(i*o.DynSize()+word), v); err != nil {
			return &elffile.Error{File: o.Name, Struct: "dynamic section", Off: -1, Err: err}
		}
	}
	return nil
}
