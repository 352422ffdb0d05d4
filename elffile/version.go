package elffile

import (
	"debug/elf"
	"fmt"
	"sync"
)

// VerNeed is a library of which versions are needed, and the versions (Solaris
// Linker and Libraries Guide, "Version Dependency Section"; glibc, elf/elf.h,
// Elf64_Verneed).
type VerNeed struct {
	Off     int64 // in the file
	Version uint16
	File    []byte // the library's name: a window
	Aux     []VerAux
}

// VerAux is a needed version.
type VerAux struct {
	Off   int64
	Hash  uint32
	Flags uint16
	Index uint16 // vna_other: what the version symbol table calls it
	Name  []byte
}

// VerDef is a version that the file defines.
type VerDef struct {
	Off     int64
	Version uint16
	Flags   uint16
	Index   uint16
	Hash    uint32
	Names   [][]byte // its own, then those it inherits from
}

// Name is the version's own name.
func (d *VerDef) Name() []byte {
	if len(d.Names) == 0 {
		return nil
	}
	return d.Names[0]
}

// Bits of the versions (glibc, elf/elf.h).
const (
	VerFlagBase = 1      // VerDef.Flags: the version of the file itself
	VerFlagWeak = 2      // Flags
	VerHidden   = 0x8000 // in the version symbol table: not the default version
)

// Versions is a file's symbol versions.
type Versions struct {
	Needs []VerNeed
	Defs  []VerDef

	SymbolsOff int64 // of the version symbol table in the file; -1 if there is none
	NeedsOff   int64
	DefsOff    int64

	file    string
	format  Format
	symbols []byte
	named   sync.Once
	names   map[uint16]versionName
}

type versionName struct{ name, file []byte }

// Versions reads the symbol versions, by the dynamic section or else by the
// section headers. The result is never nil; without versions it is empty.
func (f *File) Versions() (*Versions, error) {
	v := &Versions{SymbolsOff: -1, NeedsOff: -1, DefsOff: -1, file: f.Name, format: f.Format}
	d, err := f.Dynamic()
	var c Faults
	if d.Prog >= 0 {
		c.Add(err)
		t, _ := f.dynamicSymbols(d)
		c.Add(f.versionsByDynamic(v, d, t))
	}
	if v.SymbolsOff < 0 && v.NeedsOff < 0 && v.DefsOff < 0 {
		c.Add(f.versionsBySection(v))
	}
	return v, c.Err()
}

func (f *File) versionsByDynamic(v *Versions, d *Dynamic, t *SymbolTable) error {
	var c Faults
	if e, ok := d.Entry(elf.DT_VERSYM); ok {
		b, off, err := f.tableAt(e, 2*uint64(t.Len()))
		v.symbols, v.SymbolsOff = b, off
		c.Add(err)
	}
	for _, x := range []struct {
		tag, num elf.DynTag
		off      *int64
		read     func(*versionReader) error
	}{
		{elf.DT_VERNEED, elf.DT_VERNEEDNUM, &v.NeedsOff, v.readNeeds},
		{elf.DT_VERDEF, elf.DT_VERDEFNUM, &v.DefsOff, v.readDefs},
	} {
		e, ok := d.Entry(x.tag)
		if !ok {
			continue
		}
		s, ok := f.spanAt(e.Val)
		if !ok {
			c.Add(f.dynError(e, "address 0x%x is in the file bytes of no PT_LOAD", e.Val))
			continue
		}
		*x.off = int64(s.off)
		num, ok := d.Value(x.num)
		if !ok {
			num = s.n
		}
		c.Add(x.read(&versionReader{f: f, span: s, num: num, strings: d.Strings}))
	}
	return c.Err()
}

func (f *File) versionsBySection(v *Versions) error {
	var c Faults
	for i := range f.Sections() {
		s := &f.sections[i]
		switch s.Type {
		case elf.SHT_GNU_VERSYM, elf.SHT_GNU_VERNEED, elf.SHT_GNU_VERDEF:
		default:
			continue
		}
		b, err := f.SectionData(i)
		c.Add(err)
		if s.Type == elf.SHT_GNU_VERSYM {
			v.symbols, v.SymbolsOff = b, int64(s.Off)
			continue
		}
		strings, err := f.linkedStrings(i)
		c.Add(err)
		// sh_info is the number of entries.
		r := &versionReader{f: f, span: f.spanOf(s.Off, s.Size), num: uint64(s.Info), strings: strings}
		if s.Type == elf.SHT_GNU_VERNEED {
			v.NeedsOff = int64(s.Off)
			c.Add(v.readNeeds(r))
		} else {
			v.DefsOff = int64(s.Off)
			c.Add(v.readDefs(r))
		}
	}
	return c.Err()
}

// versionReader walks over the two linked lists of lists. Each step must go
// forward by at least an entry, and no more entries are taken than fit, so that
// lists which share entries cost no more than honest ones.
type versionReader struct {
	f       *File
	span    span
	num     uint64 // entries that are announced
	strings []byte
	aux     uint64 // auxiliary entries taken
}

// Sizes of the structures, the same in both classes.
const (
	verneedSize = 16
	vernauxSize = 16
	verdefSize  = 20
	verdauxSize = 8
)

func (r *versionReader) fault(what string, i uint64, pos uint64, format string, args ...any) *Error {
	return r.f.fault(fmt.Sprintf("%s %d", what, i), "", int64(r.span.off+pos), format, args...)
}

// entry returns the entry of a list at pos.
func (r *versionReader) entry(what string, i, pos, size uint64) ([]byte, error) {
	b, ok := r.span.at(pos, size)
	if !ok {
		return nil, r.fault(what, i, pos, "its 0x%x bytes are past the end of the table (0x%x)", size, r.span.off+r.span.n)
	}
	return b, nil
}

// step returns the position of the next entry, and whether there is one.
func (r *versionReader) step(what string, i, n, pos, next, size uint64) (uint64, bool, error) {
	switch {
	case i+1 >= n:
		return 0, false, nil
	case next == 0:
		return 0, false, r.fault(what, i, pos, "it is the last of %d, and %d are announced", i+1, n)
	case next < size:
		return 0, false, r.fault(what, i, pos, "the next one is 0x%x bytes further, inside this one (0x%x)", next, size)
	}
	return pos + next, true, nil
}

func (r *versionReader) name(off uint32) []byte {
	s, _ := cstring(r.strings, uint64(off))
	return s
}

// auxList walks over the auxiliary entries of an entry; take is given each
// entry's bytes and position and returns its distance to the next.
func (r *versionReader) auxList(what string, n, pos, size uint64, take func(b []byte, pos uint64) uint64) error {
	for i, more := uint64(0), n > 0; more; i++ {
		if r.aux++; r.aux > r.span.n/size {
			return r.fault(what, i, pos, "more of them are linked than the 0x%x bytes of the table hold", r.span.n)
		}
		b, err := r.entry(what, i, pos, size)
		if err != nil {
			return err
		}
		if pos, more, err = r.step(what, i, n, pos, take(b, pos), size); err != nil {
			return err
		}
	}
	return nil
}

func (v *Versions) readNeeds(r *versionReader) error {
	const what, auxWhat = "version need", "needed version"
	var c Faults
	pos := uint64(0)
	for i, more := uint64(0), r.num > 0; more; i++ {
		b, err := r.entry(what, i, pos, verneedSize)
		if err != nil {
			c.Add(err)
			break
		}
		f := r.f.Format
		n := VerNeed{Off: int64(r.span.off + pos), Version: f.U16(b), File: r.name(f.U32(b[4:]))}
		err = r.auxList(auxWhat, uint64(f.U16(b[2:])), pos+uint64(f.U32(b[8:])), vernauxSize, func(b []byte, pos uint64) uint64 {
			n.Aux = append(n.Aux, VerAux{int64(r.span.off + pos), f.U32(b), f.U16(b[4:]), f.U16(b[6:]), r.name(f.U32(b[8:]))})
			return uint64(f.U32(b[12:]))
		})
		c.Add(err)
		v.Needs = append(v.Needs, n)
		pos, more, err = r.step(what, i, r.num, pos, uint64(f.U32(b[12:])), verneedSize)
		c.Add(err)
	}
	return c.Err()
}

func (v *Versions) readDefs(r *versionReader) error {
	const what, auxWhat = "version definition", "version name"
	var c Faults
	pos := uint64(0)
	for i, more := uint64(0), r.num > 0; more; i++ {
		b, err := r.entry(what, i, pos, verdefSize)
		if err != nil {
			c.Add(err)
			break
		}
		f := r.f.Format
		d := VerDef{Off: int64(r.span.off + pos), Version: f.U16(b), Flags: f.U16(b[2:]), Index: f.U16(b[4:]), Hash: f.U32(b[8:])}
		err = r.auxList(auxWhat, uint64(f.U16(b[6:])), pos+uint64(f.U32(b[12:])), verdauxSize, func(b []byte, _ uint64) uint64 {
			d.Names = append(d.Names, r.name(f.U32(b)))
			return uint64(f.U32(b[4:]))
		})
		c.Add(err)
		v.Defs = append(v.Defs, d)
		pos, more, err = r.step(what, i, r.num, pos, uint64(f.U32(b[16:])), verdefSize)
		c.Add(err)
	}
	return c.Err()
}

// name looks a version index up, in a table that is made for the first.
func (v *Versions) name(index uint16) versionName {
	v.named.Do(v.index)
	return v.names[index]
}

// index makes the table from version indices to names.
func (v *Versions) index() {
	v.names = make(map[uint16]versionName)
	for i := range v.Defs {
		d := &v.Defs[i]
		v.names[d.Index&^VerHidden] = versionName{d.Name(), nil}
	}
	for i := range v.Needs {
		for _, a := range v.Needs[i].Aux {
			v.names[a.Index&^VerHidden] = versionName{a.Name, v.Needs[i].File}
		}
	}
}

// Len is the number of entries of the version symbol table.
func (v *Versions) Len() int { return len(v.symbols) / 2 }

// Raw returns the version symbol table as it is stored, two bytes a symbol.
func (v *Versions) Raw() []byte { return v.symbols }

// Symbol returns the version index of dynamic symbol i and whether that version
// is hidden (not the default one). Index 0 is a local symbol, 1 a global one
// without version; so is a symbol beyond the table.
func (v *Versions) Symbol(i int) (index uint16, hidden bool) {
	if i < 0 || i >= v.Len() {
		return 1, false
	}
	x := v.format.U16(v.symbols[2*i:])
	return x &^ VerHidden, x&VerHidden != 0
}

// Name returns the name of a version index, nil if nothing has that index.
func (v *Versions) Name(index uint16) []byte { return v.name(index).name }

// File returns the library that a needed version is needed from, nil for a
// version that is defined here.
func (v *Versions) File(index uint16) []byte { return v.name(index).file }

// Check returns needed versions and definitions whose hash is not that of
// their name: a dynamic linker compares the hash first and will not find them.
func (v *Versions) Check() error {
	var c Faults
	const longest = 1000 // names that are longer are not looked at: many may share one
	check := func(off int64, hash uint32, name []byte) {
		if name == nil || len(name) > longest {
			return
		}
		if h := SysvHashOf(string(name)); h != hash && !c.Full() {
			c.Add(&Error{File: v.file, Struct: "version " + quoteBytes(name), Field: "hash", Off: off, Msg: fmt.Sprintf("0x%x is not the hash of its name (0x%x)", hash, h)})
		}
	}
	for i := range v.Defs {
		check(v.Defs[i].Off, v.Defs[i].Hash, v.Defs[i].Name())
	}
	for i := range v.Needs {
		for _, a := range v.Needs[i].Aux {
			check(a.Off, a.Hash, a.Name)
		}
	}
	return c.Err()
}
