package elffile

import (
	"debug/elf"
	"encoding/binary"
	"iter"
)

// Reloc is a relocation (gABI, "Relocation"), with r_info taken apart.
type Reloc struct {
	Off    uint64
	Sym    uint32
	Type   uint32 // on 64-bit MIPS r_type | r_type2<<8 | r_type3<<16; on 64-bit SPARC with the data in the upper 24 bits
	Addend int64  // 0 where the table has none: it stands at the place
	Ssym   uint8  // r_ssym, 64-bit MIPS alone
}

// RelocTable is a table of relocations: a window whose entries are decoded when
// they are asked for.
type RelocTable struct {
	Kind      string // "REL", "RELA", "RELR", "CREL", "ANDROID_REL", "ANDROID_RELA"
	Name      string // of the dynamic tag that named it: "RELA", "JMPREL", ...; of the section otherwise
	Index     int    // of its section, or -1
	Offset    int64  // in the file
	Addr      uint64 // virtual address, 0 if it is not loaded
	Size      uint64 // bytes in the file
	Symbols   uint32 // sh_link: the section of its symbols; 0 for a dynamic one
	Target    uint32 // sh_info: the section it applies to, or 0
	HasAddend bool

	format   Format
	rela64LE bool // RELA of a 64-bit little-endian file
	decode   func(t *RelocTable, i int) Reloc
	b        []byte
	stride   int
	n        int
	packed   *packedRelocs
}

// relocForm is how a kind of table is stored.
type relocForm int

const (
	formRel relocForm = iota
	formRela
	formRelr
	formCrel
	formAndroidRel
	formAndroidRela
)

var relocKind = [...]string{"REL", "RELA", "RELR", "CREL", "ANDROID_REL", "ANDROID_RELA"}

// relocSections are the section types of relocation tables.
func relocSection(t elf.SectionType) (relocForm, bool) {
	switch t {
	case elf.SHT_REL:
		return formRel, true
	case elf.SHT_RELA:
		return formRela, true
	case shtRelr, shtAndroidRelr:
		return formRelr, true
	case shtCrel:
		return formCrel, true
	case shtAndroidRel:
		return formAndroidRel, true
	case shtAndroidRela:
		return formAndroidRela, true
	}
	return 0, false
}

// IsRelocSection says whether sections of this type hold relocations that
// [File.RelocTable] reads.
func IsRelocSection(t elf.SectionType) bool { _, ok := relocSection(t); return ok }

// RelocTable returns the relocations that section i holds. It is never nil:
// with an error it has what could be read.
func (f *File) RelocTable(i int) (*RelocTable, error) {
	t := &RelocTable{Index: i, Offset: -1, format: f.Format}
	if err := f.checkSection(i); err != nil {
		return t, err
	}
	s := &f.sections[i]
	form, ok := relocSection(s.Type)
	if !ok {
		return t, f.SectionError(i, "sh_type", "%s is not a relocation table", SectionTypeName(f.Header.Machine, s.Type))
	}
	t.Name, t.Offset, t.Addr, t.Symbols, t.Target = f.SectionName(i), int64(s.Off), s.Addr, s.Link, s.Info
	var c Faults
	var err error
	var b []byte
	n := 0
	stride := 1
	if size := f.relocSize(form); size > 0 {
		b, stride, n, err = f.sectionEntries(i, size)
	} else if b, err = f.SectionData(i); s.Has(elf.SHF_COMPRESSED) {
		b, err = nil, f.SectionError(i, "sh_flags", "a compressed relocation table is not read")
	}
	c.Add(err)
	c.Add(t.set(f, form, b, stride, n, func(format string, args ...any) *Error { return f.SectionError(i, "sh_offset", format, args...) }))
	return t, c.Err()
}

// relocSize is the size of an entry; 0 where entries differ.
func (f *File) relocSize(form relocForm) int {
	switch form {
	case formRel:
		return f.RelSize()
	case formRela:
		return f.RelaSize()
	case formRelr:
		return f.AddrSize()
	}
	return 0
}

// set gives t its bytes: n entries at a distance of stride.
func (t *RelocTable) set(f *File, form relocForm, b []byte, stride, n int, fault func(string, ...any) *Error) error {
	t.Kind, t.Size = relocKind[form], uint64(len(b))
	t.b, t.stride, t.n = b, stride, n
	t.HasAddend = form == formRela || form == formAndroidRela
	switch form {
	case formRel, formRela:
		t.decode = decodeReloc(f)
		t.rela64LE = form == formRela && f.Is64() && !f.Big() && !isMips(f.Header.Machine)
		return nil
	case formRelr:
		t.packed = packRelr(f, b, stride, n)
	case formCrel:
		t.packed = packCrel(f, b)
	default:
		t.packed = packAndroid(f, b)
	}
	if t.packed.hasAddend {
		t.HasAddend = true
	}
	t.n = t.packed.n
	if t.packed.fault != "" {
		return fault("%s, in the %s relocations at 0x%x", t.packed.fault, t.Kind, t.Offset)
	}
	return nil
}

// decodeReloc picks the decoder of a table once, so that an entry costs no
// decisions.
func decodeReloc(f *File) func(*RelocTable, int) Reloc {
	switch {
	case f.Is64() && isMips(f.Header.Machine):
		return (*RelocTable).atMips64
	case f.Is64():
		return (*RelocTable).at64
	}
	return (*RelocTable).at32
}

func isMips(m elf.Machine) bool { return m == elf.EM_MIPS || m == elf.EM_MIPS_RS3_LE }

// Len is the number of relocations.
func (t *RelocTable) Len() int { return t.n }

// At returns relocation i. In the packed kinds (RELR, CREL, ANDROID) that
// decodes up to some hundred others; [RelocTable.All] is the way to see all.
func (t *RelocTable) At(i int) Reloc {
	if t.rela64LE { // first, and here, for it is what most programs have, by the 100,000
		b := t.b[i*t.stride:]
		b = b[:24]
		info := binary.LittleEndian.Uint64(b[8:])
		return Reloc{Off: binary.LittleEndian.Uint64(b), Sym: uint32(info >> 32), Type: uint32(info), Addend: int64(binary.LittleEndian.Uint64(b[16:]))}
	}
	if t.packed != nil {
		return t.packed.at(i)
	}
	return t.decode(t, i)
}

// Rela64 returns the bytes of a RELA table of a 64-bit little-endian file, and the
// size of its entries, for loops that At is too slow for; else nil.
func (t *RelocTable) Rela64() (b []byte, stride int) {
	if !t.rela64LE {
		return nil, 0
	}
	return t.b, t.stride
}

// All calls yield with each relocation, in order.
func (t *RelocTable) All() iter.Seq[Reloc] {
	if t.packed != nil {
		return t.packed.all
	}
	return func(yield func(Reloc) bool) {
		for i := range t.n {
			if !yield(t.At(i)) {
				return
			}
		}
	}
}

func (t *RelocTable) at64(i int) Reloc {
	b := t.b[i*t.stride:]
	f := t.format
	info := f.U64(b[8:16])
	r := Reloc{Off: f.U64(b), Sym: uint32(info >> 32), Type: uint32(info)}
	if t.HasAddend {
		r.Addend = int64(f.U64(b[16:24]))
	}
	return r
}

// atMips64 reads r_info as the five fields that the 64-bit MIPS psABI
// ("64-bit ELF Object File Specification", section 2.9) makes of it; in a
// little-endian file they are not in the order that shifting a word gives.
func (t *RelocTable) atMips64(i int) Reloc {
	b := t.b[i*t.stride:]
	f := t.format
	r := Reloc{Off: f.U64(b), Sym: f.U32(b[8:]), Ssym: b[12], Type: uint32(b[15]) | uint32(b[14])<<8 | uint32(b[13])<<16}
	if t.HasAddend {
		r.Addend = int64(f.U64(b[16:24]))
	}
	return r
}

func (t *RelocTable) at32(i int) Reloc {
	b := t.b[i*t.stride:]
	f := t.format
	info := f.U32(b[4:8])
	r := Reloc{Off: uint64(f.U32(b)), Sym: info >> 8, Type: info & 0xff}
	if t.HasAddend {
		r.Addend = int64(int32(f.U32(b[8:12])))
	}
	return r
}
