package bind

import (
	"debug/elf"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Direct is a program's direct use of a protected symbol of a library, which was not
// protected when the program was linked: the library goes on using its own.
type Direct struct {
	Binding Binding
	Copy    bool // its data is copied into the program; else a function has its address there
	// Fatal says that the library does not bear it
	// (GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS): glibc ends the start. Else it warns.
	Fatal bool
}

// Directs lists what glibc since 2.35 finds fault with (_dl_check_protected_symbol,
// sysdeps/generic/dl-protected.h), each symbol once.
func (r *Result) Directs() []Direct {
	p := r.Process
	o := p.Program()
	if p.Libc != load.Glibc || p.Version.Before(2, 35) && p.Version != (load.Version{}) || o == nil || o.Interp == "" || o.Symbols == nil {
		return nil
	}
	var list []Direct
	indirect := make(map[int32]bool)
	for _, b := range r.Of(o) {
		if b.To < 0 || b.To == b.From {
			continue
		}
		def := p.Objects[b.To].Symbols.At(int(b.Def))
		ref := o.Symbols.At(int(b.Symbol))
		canonical := b.Class == PLT && ref.Value != 0 && ref.Shndx == uint16(elf.SHN_UNDEF)
		if elf.SymVis(def.Other&3) != elf.STV_PROTECTED || b.Class != Copy && !canonical {
			continue
		}
		fatal, known := indirect[b.To]
		if !known {
			fatal = needsIndirect(p.Objects[b.To])
			indirect[b.To] = fatal
		}
		list = append(list, Direct{Binding: b, Copy: b.Class == Copy, Fatal: fatal})
	}
	return list
}

// Properties of a note (Linux Extensions to gABI, "Program Property").
const (
	noteProperties = 5 // NT_GNU_PROPERTY_TYPE_0
	property1Need  = 0xb0008000
	indirectExtern = 1
)

// needsIndirect says whether an object wants its symbols to be reached by its own
// addresses alone.
func needsIndirect(o *load.Object) bool {
	for i := range o.Progs {
		if o.Progs[i].Type != elf.PT_NOTE {
			continue
		}
		notes, _ := o.ProgNotes(i) // what can be read of them
		for _, n := range notes {
			if n.Name == "GNU" && n.Type == noteProperties && property(o.File, n.Desc, property1Need)&indirectExtern != 0 {
				return true
			}
		}
	}
	return false
}

// property is the first word of a property; 0 where there is none.
func property(f *elffile.File, b []byte, typ uint32) uint32 {
	word := uint64(f.AddrSize())
	for len(b) >= 8 {
		have, size := f.U32(b), uint64(f.U32(b[4:]))
		b = b[8:]
		if size > uint64(len(b)) {
			return 0
		}
		if have == typ && size >= 4 {
			return f.U32(b)
		}
		b = b[min((size+word-1)&^(word-1), uint64(len(b))):]
	}
	return 0
}
