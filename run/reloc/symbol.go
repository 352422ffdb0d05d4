package reloc

import (
	"debug/elf"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/run/memory"
)

// bound is what a reference is bound to.
type bound struct {
	value    uint64 // S; of thread-local symbols st_value; of indirect functions the resolver
	of       int    // object that defines it, -1: none
	def      elffile.Symbol
	resolver bool
	missing  string // what is to be said when it is called, for it is not defined
}

// binding finds how a symbol is bound for a class of relocations.
func (w *worker) binding(r *elffile.Reloc, class bind.Class) *bind.Binding {
	if i := 3*int(r.Sym) + int(class); i < len(w.lookup) {
		if x := w.lookup[i]; x > 0 {
			return &w.binds[x-1]
		}
	}
	return nil
}

// definition finds what a symbol is bound to. Symbol 0 is the object itself.
func (w *worker) definition(r *elffile.Reloc, class bind.Class) (bound, bool) {
	if r.Sym == 0 {
		return bound{of: w.index}, true
	}
	b := w.binding(r, class)
	switch {
	case b == nil && (w.o.Symbols == nil || int(r.Sym) >= w.o.Symbols.Len()):
		n := 0
		if w.o.Symbols != nil {
			n = w.o.Symbols.Len()
		}
		w.fault("r_info", "symbol %d is not one of %d", r.Sym, n)
		return bound{}, false
	case b == nil:
		w.fault("r_info", "%s is not bound", w.symbolName(r.Sym))
		return bound{}, false
	case w.opt.Alone && w.isTLSGetAddr(r.Sym):
		return bound{value: w.opt.TLSAddr, of: -1}, true
	case b.Rule == bind.WeakZero:
		return bound{of: -1}, true
	case b.To < 0 || b.Rule == bind.Undefined:
		return w.undefined(r, b)
	}
	d := &w.m.Objects[b.To]
	if d.Symbols == nil || int(b.Def) >= d.Symbols.Len() {
		w.fault("r_info", "%s is bound to symbol %d of %s, which is not there", w.symbolName(r.Sym), b.Def, d.Name)
		return bound{}, false
	}
	return bound{of: int(b.To), def: d.Symbols.At(int(b.Def))}, true
}

// undefined is a symbol that nothing defines: an error, unless it is a function
// that is looked for when it is first called.
func (w *worker) undefined(r *elffile.Reloc, b *bind.Binding) (bound, bool) {
	name := w.symbolName(r.Sym)
	if b.Lazy && w.opt.Undefined != nil {
		return bound{missing: w.m.Objects[0].Path + ": symbol lookup error: " + w.o.Path + ": undefined symbol: " + name + "\n", of: -1}, true
	}
	w.fault("r_info", "undefined symbol: %s", name)
	return bound{}, false
}

func (w *worker) isTLSGetAddr(sym uint32) bool {
	s := w.o.Symbols.At(int(sym))
	return s.Shndx == uint16(elf.SHN_UNDEF) && string(w.o.Symbols.Name(s)) == "__tls_get_addr"
}

// resolve is definition with S as an address.
func (w *worker) resolve(r *elffile.Reloc, class bind.Class) (bound, bool) {
	s, ok := w.definition(r, class)
	switch {
	case !ok || s.of < 0:
		return s, ok
	case r.Sym == 0:
		// glibc takes the null symbol for a local one of value 0, musl for none.
		if w.opt.Libc == load.Glibc {
			s.value = w.o.Base
		}
		return s, true
	}
	s.value = w.address(&w.m.Objects[s.of], s.def)
	s.resolver = w.isIndirect(s.def)
	return s, true
}

// address is that of a symbol. glibc keeps absolute ones as they are since 2.28;
// musl adds the base to all.
func (w *worker) address(o *memory.Object, s elffile.Symbol) uint64 {
	if s.Shndx == uint16(elf.SHN_ABS) && w.opt.Libc == load.Glibc {
		return s.Value
	}
	return s.Value + o.Base
}

// tls carries out the relocations of thread-local storage.
func (w *worker) tls(k kind, r *elffile.Reloc) {
	n := w.size
	if k == tlsdesc {
		n *= 2
	}
	b := w.place(r.Off, n)
	if b == nil {
		return
	}
	class := bind.PLT
	if w.opt.Libc == load.Musl {
		class = bind.Plain // musl asks for a definition for slots of functions alone (do_relocs)
	}
	s, ok := w.definition(r, class)
	if !ok {
		return
	}
	arg := b
	if k == tlsdesc && !w.k.swapped {
		arg = b[w.size:]
	}
	a := w.addend(r, arg)
	if s.of < 0 {
		// Weak and undefined: glibc leaves the word alone, or describes address A.
		if k == tlsdesc {
			w.descriptor(b, w.opt.TLSWeak, a)
		}
		return
	}
	d := &w.m.Objects[s.of]
	if d.Module == 0 {
		w.fault("r_info", "%s: %s asks for thread-local storage of %s, which has no PT_TLS", w.symbolName(r.Sym), w.typeName(r.Type), d.Name)
		return
	}
	switch t := uint64(d.Offset) + s.def.Value + a; k {
	case module:
		if w.opt.Alone {
			w.o.PutAddr(b, uint64(d.Offset))
		} else {
			w.o.PutAddr(b, uint64(d.Module))
		}
	case dtpoff:
		w.o.PutAddr(b, s.def.Value+a-w.k.bias)
	case tpoff:
		w.o.PutAddr(b, t)
	case tpoffNeg:
		w.o.PutAddr(b, -t+2*a) // the place holds A of the negated value
	case tlsdesc:
		w.descriptor(b, w.opt.TLSDesc, t)
	}
}

// descriptor writes the two words of a TLS descriptor.
func (w *worker) descriptor(b []byte, fn, arg uint64) {
	if w.k.swapped {
		fn, arg = arg, fn
	}
	w.o.PutAddr(b, fn)
	w.o.PutAddr(b[w.size:], arg)
}

// copyData notes what is to be copied: as much as both have (glibc warns where the
// sizes differ).
func (w *worker) copyData(r *elffile.Reloc) {
	s, ok := w.definition(r, bind.Copy)
	if !ok {
		return
	}
	if s.of < 0 || r.Sym == 0 {
		return // weak and undefined: nothing to copy
	}
	own := w.o.Symbols.At(int(r.Sym))
	d := &w.m.Objects[s.of]
	size := min(own.Size, s.def.Size)
	if size == 0 {
		return
	}
	if to := w.o.Find(r.Off); to == nil || size > to.End-r.Off {
		w.fault("r_offset", "0x%x: the 0x%x bytes of %s are not in one segment", r.Off, size, w.symbolName(r.Sym))
		return
	} else if to.Flags&elf.PF_W == 0 {
		w.fault("r_offset", "0x%x: %s would be copied into a segment without PF_W (program header %d)", r.Off, w.symbolName(r.Sym), to.Index)
		return
	}
	if from := d.Find(s.def.Value); from == nil || size > from.End-s.def.Value {
		w.fault("r_info", "%s is at 0x%x, 0x%x bytes, in %s: not in one segment", w.symbolName(r.Sym), s.def.Value, size, d.Name)
		return
	}
	w.out.Copies = append(w.out.Copies, Copy{Object: w.index, From: s.of, Symbol: r.Sym, Dst: w.o.At(r.Off), Src: d.At(s.def.Value), Size: size})
}

// row carries out a type by the machine's table: what few objects have, such as a
// distance in code.
func (w *worker) row(r *elffile.Reloc) {
	var row *machine.Reloc
	if w.o.Machine != nil {
		row = w.o.Machine.Relocs.Lookup(r.Type)
	}
	if row == nil || !row.Dynamic || !row.Static() {
		w.fault("r_info", "%s is none that a dynamic linker carries out", w.typeName(r.Type))
		return
	}
	s, ok := w.resolve(r, bind.Plain)
	if !ok {
		return
	}
	if s.resolver {
		w.fault("r_info", "%s against %s, an indirect function: the field is not a word", w.typeName(r.Type), w.symbolName(r.Sym))
		return
	}
	b := w.place(r.Off, uint64(max(row.Width(), 1)))
	if b == nil {
		return
	}
	a := r.Addend
	if !w.table.HasAddend {
		var err error
		if a, err = row.Addend(b, w.o.Order()); err != nil {
			w.fault("r_offset", "%v", err)
			return
		}
	}
	v := machine.Values{S: s.value, A: a, P: w.o.At(r.Off), B: w.o.Base, Z: s.def.Size}
	if err := row.Apply(b, w.o.Order(), &v); err != nil {
		w.fault("r_info", "against %s: %v; S is 0x%x, the place at 0x%x", w.symbolName(r.Sym), err, s.value, v.P)
	}
}
