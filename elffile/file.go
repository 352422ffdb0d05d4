package elffile

import (
	"debug/elf"
	"errors"
	"fmt"
)

// File is an ELF file. Its fields may be changed; [File.Renumber] brings the
// counts in the ELF header into step and [File.Encode] gives the new file. It is
// for one goroutine at a time: section headers are read when first asked for.
type File struct {
	Name string // as the user named it, for errors
	Format
	Header Header
	Progs  []Prog // the program header table: as many whole entries as the file has
	Body   *Body  // every byte of the file; where tables stand, Encode writes them anew

	HeaderErr error // oddities of the ELF header that did not stop us
	ProgErr   error // what is wrong with the program header table

	sections     []Section // read by Sections
	sectionsRead bool
	sectionErr   error
	shstrtab     []byte
	mapping      *Mapping
}

// Parse reads an ELF header and program headers from data, which stays the
// file's: nothing is copied. It fails only where there is no usable ELF header;
// every other fault is told by the view it is in.
func Parse(name string, data []byte) (*File, error) { return parse(name, Buffer(data), data) }

func parse(name string, d Data, b []byte) (*File, error) {
	format, guessed, err := identFormat(name, b)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name, Format: format, Body: NewBody(d)}
	f.Header = decodeHeader(format, b)
	f.HeaderErr = f.checkHeader(guessed)
	f.readProgs()
	return f, nil
}

// ehdrFields are the fields of the ELF header after e_ident, in order; the wide
// ones are addresses.
var ehdrFields = []struct {
	name string
	size int // 0: an address
}{
	{"e_type", 2}, {"e_machine", 2}, {"e_version", 4}, {"e_entry", 0}, {"e_phoff", 0}, {"e_shoff", 0}, {"e_flags", 4},
	{"e_ehsize", 2}, {"e_phentsize", 2}, {"e_phnum", 2}, {"e_shentsize", 2}, {"e_shnum", 2}, {"e_shstrndx", 2},
}

// fieldOff gives the offset of a field of the ELF header.
func (f *File) fieldOff(field string) int64 {
	off := int64(elf.EI_NIDENT)
	for _, e := range ehdrFields {
		if e.name == field {
			return off
		}
		if off += int64(e.size); e.size == 0 {
			off += int64(f.AddrSize())
		}
	}
	return -1
}

// HeaderError makes an error about a field of the ELF header.
func (f *File) HeaderError(field, format string, args ...any) *Error {
	return f.fault("ELF header", field, f.fieldOff(field), format, args...)
}

func (f *File) checkHeader(guessed bool) error {
	var c Faults
	if guessed {
		c.Add(&Error{File: f.Name, Struct: "ELF header", Field: "e_ident", Off: elf.EI_CLASS,
			Msg: fmt.Sprintf("class %d and byte order %d are not both ELF's; read as %v, %v by the rest of the header",
				f.Header.Ident[elf.EI_CLASS], f.Header.Ident[elf.EI_DATA], f.Class, f.Data)})
	}
	if v := f.Header.Ident[elf.EI_VERSION]; v != 1 {
		c.Add(&Error{File: f.Name, Struct: "ELF header", Field: "EI_VERSION", Off: elf.EI_VERSION, Msg: fmt.Sprintf("%d is not EV_CURRENT (1)", v)})
	}
	if int(f.Header.Ehsize) != f.EhdrSize() {
		c.Add(f.HeaderError("e_ehsize", "%d is not the size of an ELF header (%d)", f.Header.Ehsize, f.EhdrSize()))
	}
	return c.Err()
}

// table returns the bytes of a table of n entries at off, cut to the whole
// entries that are in the file, how many those are, and the fault if they are
// fewer. Field names start with prefix: "e_ph" or "e_sh".
func (f *File) table(what, prefix string, off, n uint64, entsize uint16, size int) ([]byte, int, error) {
	if int(entsize) < size {
		return nil, 0, f.HeaderError(prefix+"entsize", "%d is less than the size of an entry (%d)", entsize, size)
	}
	var warn error
	if int(entsize) > size {
		warn = f.HeaderError(prefix+"entsize", "%d is more than the size of an entry (%d)", entsize, size)
	}
	total := uint64(f.Body.Size())
	var have uint64
	if off < total {
		// The last entry needs its size, not its stride.
		if rest := total - off; rest >= uint64(size) {
			have = (rest-uint64(size))/uint64(entsize) + 1
		}
	}
	if have < n {
		warn = errors.Join(warn, f.HeaderError(prefix+"off", "0x%x: the %s of %d entries of %d bytes reaches past the end of the file (0x%x); %d are read", off, what, n, entsize, total, have))
		n = have
	}
	if n == 0 {
		return nil, 0, warn
	}
	b, err := f.Body.Bytes(off, (n-1)*uint64(entsize)+uint64(size))
	if err != nil {
		return nil, 0, errors.Join(warn, f.fault(what, "", int64(off), "%v", err))
	}
	return b, int(n), warn
}

// Renumber sets e_phnum, e_shnum and e_shstrndx to the tables at hand, with the
// escapes of extended numbering where they are needed, and the entry sizes.
// shstrndx is the index of the section name string table. A field that says what
// is meant already is not touched, and neither are the fields for sections
// while there are none because their table could not be read.
func (f *File) Renumber(shstrndx uint32) error {
	if len(f.Progs) > 0 {
		f.Header.Phentsize = uint16(f.PhdrSize())
	}
	sections := f.Sections()
	if len(sections) == 0 {
		return f.renumberBare()
	}
	f.Header.Shentsize = uint16(f.ShdrSize())
	// Where a count needed no escape and needs none now, section header 0 may hold
	// something else that is none of our business.
	s0 := &sections[0]
	n := len(f.Progs)
	if n >= PnXnum {
		f.Header.Phnum, s0.Info = PnXnum, uint32(n)
	} else {
		if f.Header.Phnum == PnXnum {
			s0.Info = 0
		}
		f.Header.Phnum = uint16(n)
	}
	if n := len(sections); n >= ShnLoReserve {
		f.Header.Shnum, s0.Size = 0, uint64(n)
	} else {
		if f.Header.Shnum == 0 {
			s0.Size = 0
		}
		f.Header.Shnum = uint16(n)
	}
	if shstrndx >= ShnLoReserve {
		f.Header.Shstrndx, s0.Link = ShnXindex, shstrndx
	} else {
		if f.Header.Shstrndx == ShnXindex {
			s0.Link = 0
		}
		f.Header.Shstrndx = uint16(shstrndx)
	}
	return nil
}

// renumberBare is Renumber where no section header is at hand.
func (f *File) renumberBare() error {
	if len(f.Progs) >= PnXnum {
		return f.HeaderError("e_phnum", "%d program headers need section header 0 for their count, and there are no section headers", len(f.Progs))
	}
	f.Header.Phnum = uint16(len(f.Progs))
	if f.sectionErr == nil {
		f.Header.Shnum, f.Header.Shstrndx = 0, 0
	}
	return nil
}

// Encode returns the file as it is to be written: the body, with the section
// header table, the program header table and the ELF header written over it, in
// this order, so that where they overlap the one that starts a program wins.
// Tables grow the file where they reach beyond its end. What was not read,
// because it was broken or not asked for, stays as it was.
func (f *File) Encode() *Body {
	b := f.Body.Clone()
	if f.sectionsRead {
		putTable(b, f.Header.Shoff, f.Header.Shentsize, f.sections, func(s *Section) []byte { return s.Encode(f.Format) })
	}
	putTable(b, f.Header.Phoff, f.Header.Phentsize, f.Progs, func(p *Prog) []byte { return p.Encode(f.Format) })
	b.Put(0, Buffer(f.Header.Encode(f.Format)))
	return b
}

// putTable writes a table's entries at their stride.
func putTable[T any](b *Body, off uint64, stride uint16, entries []T, encode func(*T) []byte) {
	if len(entries) == 0 {
		return
	}
	size := len(encode(&entries[0]))
	if int(stride) == size {
		buf := make([]byte, 0, size*len(entries))
		for i := range entries {
			buf = append(buf, encode(&entries[i])...)
		}
		b.Put(int64(off), Buffer(buf))
		return
	}
	for i := range entries {
		b.Put(int64(off)+int64(i)*int64(stride), Buffer(encode(&entries[i])))
	}
}
