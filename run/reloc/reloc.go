// Package reloc carries out the dynamic relocations of a process's objects on their
// bytes, before the process exists. What only code of the process can give, the
// result of a resolver, and data that is copied from one object to another, is
// recorded and left to stage 2.
package reloc

import (
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/run/memory"
)

// Options are what the C library of the process, or its absence, asks for.
type Options struct {
	Libc load.Libc

	// TLSDesc and TLSWeak are the functions of TLS descriptors: the storage is
	// static, or the symbol is weak and undefined.
	TLSDesc, TLSWeak uint64
	// Alone says that there is no C library: a module is then known by its offset
	// from the thread pointer, and __tls_get_addr, which is TLSAddr, adds that.
	Alone   bool
	TLSAddr uint64
	// Undefined gives the address of code that says that a function is missing, for
	// a slot that is bound when it is first called.
	Undefined func(msg string) uint64
}

// Result is what was done, and what is left.
type Result struct {
	Resolve []Resolve // in the order in which the objects are relocated
	Copies  []Copy
	Counts  []Count // by object and type
}

// Resolve is a word that gets the result of a resolver.
type Resolve struct {
	Object   int    // that has the place
	Of       int    // that has the resolver
	Place    uint64 // address in the process
	Resolver uint64
	Addend   uint64
}

// Copy is data that COPY asks for.
type Copy struct {
	Object, From int
	Symbol       uint32 // of Object
	Dst, Src     uint64
	Size         uint64
}

// Count is how many relocations of a type an object has.
type Count struct {
	Object int
	Type   uint32
	Name   string
	N      int
}

// maxErrors bounds how many faults of a process are told.
const maxErrors = 20

// Apply relocates all objects. Each writes to its own bytes alone, so the order does
// not matter; what is left to stage 2 is told in load order, the program last.
func Apply(m *memory.Process, b *bind.Result, opt Options) (*Result, error) {
	runs, err := byObject(b, len(m.Objects))
	if err != nil {
		return nil, err
	}
	workers := make([]worker, len(m.Objects))
	err = m.Each(func(i int) {
		w := &workers[i]
		w.m, w.opt = m, opt
		w.object(i, runs[i])
		w.lookup, w.known = nil, nil
	})
	if err != nil {
		return nil, err
	}
	r := &Result{}
	var errs []error
	more := 0
	for i := len(workers) - 1; i >= 0; i-- {
		w := &workers[i]
		r.Resolve = append(r.Resolve, w.out.Resolve...)
		r.Copies = append(r.Copies, w.out.Copies...)
		r.Counts = append(r.Counts, w.out.Counts...)
		for _, l := range w.late {
			if b, err := w.o.Write(l.off, w.size); err == nil { // it was there
				w.o.PutAddr(b, opt.Undefined(l.msg)+l.addend)
			}
		}
		room := min(maxErrors-len(errs), len(w.errs))
		errs = append(errs, w.errs[:room]...)
		more += w.more + len(w.errs) - room
	}
	if more > 0 {
		errs = append(errs, fmt.Errorf("and %d more such faults", more))
	}
	return r, errors.Join(errs...)
}

// late is a slot of a function that nothing defines.
type late struct {
	off    uint64
	addend uint64
	msg    string
}

// byObject finds the bindings of each object, which stand together.
func byObject(b *bind.Result, n int) ([][]bind.Binding, error) {
	runs := make([][]bind.Binding, n)
	for i := 0; i < len(b.Bindings); {
		from := b.Bindings[i].From
		j := i + 1
		for j < len(b.Bindings) && b.Bindings[j].From == from {
			j++
		}
		if from < 0 || int(from) >= n || runs[from] != nil {
			return nil, fmt.Errorf("binding %d is of object %d: not one of %d, or not beside the others of its object", i, from, n)
		}
		runs[from] = b.Bindings[i:j]
		i = j
	}
	return runs, nil
}

// worker relocates an object.
type worker struct {
	m    *memory.Process
	opt  Options
	out  Result
	late []late

	index  int
	o      *memory.Object
	k      *kinds
	size   uint64 // of a word
	seg    *memory.Segment
	binds  []bind.Binding
	lookup []int32 // by class and symbol: 1 + index in binds; 0: none
	known  []known // by index in binds
	table  *elffile.RelocTable
	entry  int
	counts []int

	errs []error
	more int
}

// known is the address of a symbol that was resolved before: most are asked for
// several times.
type known struct {
	s  uint64
	ok bool
}

// object relocates one: packed relative relocations first, then the others, slots
// of functions last (glibc, elf/dynamic-link.h).
func (w *worker) object(i int, binds []bind.Binding) {
	w.index, w.o, w.binds, w.seg = i, &w.m.Objects[i], binds, nil
	w.k = kindsOf(w.o.Header.Machine, w.o.Class)
	w.size = uint64(w.o.AddrSize())
	if w.k == nil {
		if len(w.o.Relocs) > 0 {
			w.fail(&elffile.Error{File: w.o.Name, Off: -1, Msg: fmt.Sprintf("relocations of machine %v, %v are not known here", w.o.Header.Machine, w.o.Class)})
		}
		return
	}
	w.byClass()
	w.counts = w.counts[:0]
	for _, name := range [...]string{"RELR", "REL", "RELA", "JMPREL"} {
		for _, t := range w.o.Relocs {
			if t.Name == name && !w.within(t) {
				w.tableOf(t)
			}
		}
	}
	for _, t := range w.o.Relocs {
		switch t.Name {
		case "RELR", "REL", "RELA", "JMPREL":
		default:
			w.table, w.entry = t, -1
			w.fault("", "neither glibc nor musl carries out tables of this kind")
		}
	}
	for typ, n := range w.counts {
		if n > 0 {
			w.out.Counts = append(w.out.Counts, Count{Object: i, Type: uint32(typ), Name: w.typeName(uint32(typ)), N: n})
		}
	}
}

// within says that a table of slots lies inside the one of other relocations, as
// some linkers have it: it is carried out once (glibc, elf/dynamic-link.h).
func (w *worker) within(t *elffile.RelocTable) bool {
	if t.Name != "JMPREL" {
		return false
	}
	for _, o := range w.o.Relocs {
		if o.Name == t.Kind && t.Addr >= o.Addr && t.Addr-o.Addr < o.Size {
			return true
		}
	}
	return false
}

// byClass orders the object's bindings so that each is found at once.
func (w *worker) byClass() {
	n := 0
	if w.o.Symbols != nil {
		n = w.o.Symbols.Len()
	}
	if cap(w.lookup) < 3*n {
		w.lookup = make([]int32, 3*n)
	}
	w.lookup = w.lookup[:3*n]
	clear(w.lookup)
	w.known = make([]known, len(w.binds))
	for i := range w.binds {
		if b := &w.binds[i]; int(b.Symbol) < n && b.Class <= bind.Copy {
			w.lookup[3*int(b.Symbol)+int(b.Class)] = int32(i + 1)
		}
	}
}

// relr adds the base to the word at a place.
func (w *worker) relr(off uint64, typ uint32) {
	w.count(typ)
	b := w.place(off, w.size)
	if b != nil {
		w.o.PutAddr(b, w.o.Addr(b)+w.o.Base)
	}
}

// one carries out a relocation.
func (w *worker) one(r *elffile.Reloc) {
	k := w.k.of(r.Type)
	switch k {
	case relative:
		if b := w.place(r.Off, w.size); b != nil {
			w.o.PutAddr(b, w.o.Base+w.addend(r, b))
		}
	case none:
	case irelative:
		if b := w.place(r.Off, w.size); b != nil {
			w.irelative(r, w.o.Base+w.addend(r, b))
		}
	case byRow:
		w.row(r)
	case copyData:
		w.copyData(r)
	case module, dtpoff, tpoff, tpoffNeg, tlsdesc:
		w.tls(k, r)
	default:
		w.word(k, r)
	}
}

// addend is that of the table, or where that has none, what stands at the place.
func (w *worker) addend(r *elffile.Reloc, place []byte) uint64 {
	if w.table.HasAddend {
		return uint64(r.Addend)
	}
	return w.o.Addr(place)
}

// place is where a relocation writes, or nil after a fault.
func (w *worker) place(off, n uint64) []byte {
	if s := w.seg; s != nil && s.Private && off >= s.Start && off-s.Start+n <= uint64(len(s.Bytes)) {
		i := off - s.Start
		return s.Bytes[i : i+n : i+n]
	}
	w.seg = w.o.Find(off)
	if w.seg == nil {
		w.fault("r_offset", "0x%x is in no segment", off)
		return nil
	}
	b, err := w.o.WriteIn(w.seg, off, n)
	if err != nil {
		w.fault("r_offset", "%v", err)
		return nil
	}
	return b
}

// word puts S or S + A into a word.
func (w *worker) word(k kind, r *elffile.Reloc) {
	class := bind.Plain
	if k == slot || k == slotOnly {
		class = bind.PLT
	}
	b := w.place(r.Off, w.size)
	if b == nil {
		return
	}
	var a uint64
	if k == word || k == slot {
		a = w.addend(r, b)
	}
	x := int32(0)
	if i := 3*uint64(r.Sym) + uint64(class); i < uint64(len(w.lookup)) {
		x = w.lookup[i]
	}
	if x > 0 && w.known[x-1].ok {
		w.o.PutAddr(b, w.known[x-1].s+a)
		return
	}
	s, ok := w.resolve(r, class)
	if !ok {
		return
	}
	if s.missing != "" {
		w.late = append(w.late, late{r.Off, a, s.missing})
		return
	}
	if s.resolver {
		w.out.Resolve = append(w.out.Resolve, Resolve{Object: w.index, Of: s.of, Place: w.o.At(r.Off), Resolver: s.value, Addend: a})
		return
	}
	if x > 0 && r.Sym != 0 {
		w.known[x-1] = known{s.value, true}
	}
	w.o.PutAddr(b, s.value+a)
}

func (w *worker) irelative(r *elffile.Reloc, resolver uint64) {
	if w.opt.Libc == load.Musl {
		w.fault("r_info", "musl knows no indirect functions: %s", w.typeName(r.Type))
		return
	}
	w.out.Resolve = append(w.out.Resolve, Resolve{Object: w.index, Of: w.index, Place: w.o.At(r.Off), Resolver: resolver})
}

func (w *worker) typeName(typ uint32) string {
	if w.o.Machine != nil {
		if s := w.o.Machine.Relocs.Name(typ); s != "" {
			return s
		}
	}
	return fmt.Sprintf("relocation type %d", typ)
}

// fault notes what is wrong with the relocation at hand.
func (w *worker) fault(field, format string, args ...any) {
	e := &elffile.Error{File: w.o.Name, Off: -1, Msg: fmt.Sprintf(format, args...)}
	e.Struct = w.table.Name
	if w.entry >= 0 {
		e.Struct = fmt.Sprintf("%s[%d]", w.table.Name, w.entry)
	}
	if size := w.stride(); field != "" && size > 0 {
		e.Field, e.Off = field, w.table.Offset+int64(w.entry)*size
		if field == "r_info" {
			e.Off += int64(w.size)
		}
	}
	w.fail(e)
}

// stride is the size of the table's entries, 0 where they are packed.
func (w *worker) stride() int64 {
	switch w.table.Kind {
	case "REL":
		return int64(w.o.RelSize())
	case "RELA":
		return int64(w.o.RelaSize())
	}
	return 0
}

func (w *worker) fail(err error) {
	if len(w.errs) < maxErrors {
		w.errs = append(w.errs, err)
	} else {
		w.more++
	}
}

// symbolName is a symbol of the object, and the version it is asked for with.
func (w *worker) symbolName(sym uint32) string {
	if w.o.Symbols == nil || int(sym) >= w.o.Symbols.Len() {
		return fmt.Sprintf("symbol %d", sym)
	}
	name := string(w.o.Symbols.Name(w.o.Symbols.At(int(sym))))
	if int(sym) < w.o.Versions.Len() {
		index, _ := w.o.Versions.Symbol(int(sym))
		if v := w.o.Versions.Name(index); len(v) > 0 {
			name += ", version " + string(v)
		}
	}
	return name
}

// isIndirect says that a definition is found by calling a resolver.
func (w *worker) isIndirect(s elffile.Symbol) bool {
	return s.Type() == elf.STT_GNU_IFUNC && s.Shndx != uint16(elf.SHN_UNDEF) && w.opt.Libc == load.Glibc
}
