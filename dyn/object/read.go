package object

import (
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/machine/all"
)

// Read reads all of an object. The result is never nil: a part that is damaged
// is left out, or is there as far as it could be read, and the error, which
// joins one for each such part, says what and where.
func Read(f *elffile.File) (*Object, error) {
	o, err := ReadNames(f)
	return o, joinOnce([]error{err, o.ReadSymbols()})
}

// ReadNames reads what loading goes by: the dynamic section and the names in it,
// PT_INTERP and PT_TLS. Symbols, hash tables, versions and relocations stay
// empty until ReadSymbols.
func ReadNames(f *elffile.File) (*Object, error) {
	o := Empty(f)
	errs := []error{f.ProgErr, o.readProgs()}
	if o.hasDynamic() {
		d, err := f.Dynamic()
		o.Dynamic = d
		errs = append(errs, err, o.readEntries())
	}
	return o, errors.Join(errs...)
}

// Empty is the object of a file of which nothing is read.
func Empty(f *elffile.File) *Object {
	return &Object{File: f, Machine: all.Lookup(f.Header.Machine, f.Class),
		Dynamic:  &elffile.Dynamic{Prog: -1, Section: -1},
		Versions: &elffile.Versions{SymbolsOff: -1, NeedsOff: -1, DefsOff: -1}}
}

// hasDynamic says whether there is a PT_DYNAMIC; without one the views of
// elffile would turn to section headers, which no dynamic linker sees.
func (o *Object) hasDynamic() bool {
	for i := range o.Progs {
		if o.Progs[i].Type == elf.PT_DYNAMIC {
			return true
		}
	}
	return false
}

func (o *Object) readProgs() error {
	var err error
	for i := range o.Progs {
		switch p := &o.Progs[i]; p.Type {
		case elf.PT_INTERP:
			if o.Interp == "" {
				o.Interp, err = o.interpOf(i)
			}
		case elf.PT_TLS:
			// glibc ignores an empty one (_dl_map_object_from_fd).
			if p.Memsz > 0 {
				o.TLS = p
			}
		}
	}
	return err
}

// interpOf reads the path of a PT_INTERP. Linux (load_elf_binary) wants it to
// end with NUL and to have at most PATH_MAX bytes.
func (o *Object) interpOf(i int) (string, error) {
	b, err := o.ProgData(i)
	if err != nil {
		return "", err
	}
	if n := len(b); n < 2 || n > 4096 || b[n-1] != 0 {
		return "", o.ProgError(i, "p_filesz", "the %d bytes are not a path that ends with NUL, of 2 to 4096 bytes", n)
	}
	s, _ := elffile.CString(b, 0)
	return string(s), nil
}

// readEntries takes the names and flags out of the dynamic section. Where a tag
// stands more than once, the last one counts, as in glibc and musl, save for
// those of which all count.
func (o *Object) readEntries() error {
	var errs []error
	room := 2*len(o.Dynamic.Strings) + spareNames
	text := func(e elffile.Dyn) string {
		s, err := o.text(e, &room)
		if err != nil && len(errs) < maxFaults {
			errs = append(errs, err)
		}
		return s
	}
	for _, e := range o.Dynamic.Entries {
		switch e.Tag {
		case elf.DT_NEEDED:
			o.Needed = append(o.Needed, text(e))
		case elf.DT_FILTER, elf.DT_AUXILIARY:
			o.Filtees = append(o.Filtees, Filtee{text(e), e.Tag == elf.DT_AUXILIARY})
		case elf.DT_SONAME:
			o.Soname = text(e)
		case elf.DT_RPATH:
			o.Rpath = Path{text(e), true}
		case elf.DT_RUNPATH:
			o.Runpath = Path{text(e), true}
		case elf.DT_AUDIT:
			o.Audit = text(e)
		case elf.DT_DEPAUDIT:
			o.Depaudit = text(e)
		case elf.DT_FLAGS:
			o.Flags = elf.DynFlag(e.Val)
		case elf.DT_FLAGS_1:
			o.Flags1 = elf.DynFlag1(e.Val)
		case elf.DT_SYMBOLIC:
			o.Symbolic = true
		case elf.DT_TEXTREL:
			o.Textrel = true
		case elf.DT_BIND_NOW:
			o.BindNow = true
		}
	}
	o.Symbolic = o.Symbolic || o.Flags&elf.DF_SYMBOLIC != 0
	o.Textrel = o.Textrel || o.Flags&elf.DF_TEXTREL != 0
	o.BindNow = o.BindNow || o.Flags&elf.DF_BIND_NOW != 0 || o.Flags1&elf.DF_1_NOW != 0
	return errors.Join(errs...)
}

// maxFaults bounds how many broken entries are told of.
const maxFaults = 20

// spareNames is how much longer the names together may be than twice the string
// table. Names are copied, for they outlive the file's mapping; without a bound,
// many entries that name one long string would take memory without end.
const spareNames = 64 << 10

// text is the string that an entry names. One that the table does not have is an
// error, and empty.
func (o *Object) text(e elffile.Dyn, room *int) (string, error) {
	b, ended := elffile.CString(o.Dynamic.Strings, e.Val)
	switch {
	case !ended:
		return "", o.entryFault(e, "0x%x is no string of the string table of 0x%x bytes", e.Val, len(o.Dynamic.Strings))
	case len(b) > *room:
		return "", o.entryFault(e, "its string of %d bytes: the names together are more than twice the string table of 0x%x bytes", len(b), len(o.Dynamic.Strings))
	}
	*room -= len(b)
	return string(b), nil
}

func (o *Object) entryFault(e elffile.Dyn, format string, args ...any) error {
	return &elffile.Error{File: o.Name, Struct: "dynamic entry " + elffile.DynTagName(o.Header.Machine, e.Tag), Field: "d_val",
		Off: e.Off + int64(o.AddrSize()), Msg: fmt.Sprintf(format, args...)}
}
