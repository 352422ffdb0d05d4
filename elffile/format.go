package elffile

import (
	"debug/elf"
	"encoding/binary"
)

// Format is how an ELF file writes its numbers: class and byte order (gABI,
// "ELF Identification"). Its methods decode and encode, and give the sizes of
// the structures, all in bytes.
type Format struct {
	Class elf.Class // ELFCLASS32 or ELFCLASS64
	Data  elf.Data  // ELFDATA2LSB or ELFDATA2MSB
}

// Is64 says whether addresses have 64 bits.
func (f Format) Is64() bool { return f.Class == elf.ELFCLASS64 }

// Big says whether the most significant byte comes first.
func (f Format) Big() bool { return f.Data == elf.ELFDATA2MSB }

// Order returns the byte order for encoding/binary.
func (f Format) Order() binary.ByteOrder {
	if f.Big() {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// U16 decodes a Half.
func (f Format) U16(b []byte) uint16 {
	if f.Big() {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

// U32 decodes a Word.
func (f Format) U32(b []byte) uint32 {
	if f.Big() {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// U64 decodes an Xword.
func (f Format) U64(b []byte) uint64 {
	if f.Big() {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// Addr decodes a number as wide as an address of the class.
func (f Format) Addr(b []byte) uint64 {
	if f.Is64() {
		return f.U64(b)
	}
	return uint64(f.U32(b))
}

// PutU16 encodes a Half.
func (f Format) PutU16(b []byte, v uint16) { f.Order().PutUint16(b, v) }

// PutU32 encodes a Word.
func (f Format) PutU32(b []byte, v uint32) { f.Order().PutUint32(b, v) }

// PutU64 encodes an Xword.
func (f Format) PutU64(b []byte, v uint64) { f.Order().PutUint64(b, v) }

// PutAddr encodes a number as wide as an address of the class; the upper half
// is dropped in ELFCLASS32, where the caller has checked that it is empty.
func (f Format) PutAddr(b []byte, v uint64) {
	if f.Is64() {
		f.PutU64(b, v)
		return
	}
	f.PutU32(b, uint32(v))
}

func (f Format) pick(in32, in64 int) int {
	if f.Is64() {
		return in64
	}
	return in32
}

// AddrSize is the size of an address.
func (f Format) AddrSize() int { return f.pick(4, 8) }

// MaxAddr is the highest address of the class.
func (f Format) MaxAddr() uint64 {
	if f.Is64() {
		return 1<<64 - 1
	}
	return 1<<32 - 1
}

// EhdrSize is the size of the ELF header.
func (f Format) EhdrSize() int { return f.pick(52, 64) }

// PhdrSize is the size of a program header.
func (f Format) PhdrSize() int { return f.pick(32, 56) }

// ShdrSize is the size of a section header.
func (f Format) ShdrSize() int { return f.pick(40, 64) }

// SymSize is the size of a symbol.
func (f Format) SymSize() int { return f.pick(16, 24) }

// DynSize is the size of a dynamic entry.
func (f Format) DynSize() int { return f.pick(8, 16) }

// RelSize is the size of a relocation without addend.
func (f Format) RelSize() int { return f.pick(8, 16) }

// RelaSize is the size of a relocation with addend.
func (f Format) RelaSize() int { return f.pick(12, 24) }

// ChdrSize is the size of the header of a compressed section.
func (f Format) ChdrSize() int { return f.pick(12, 24) }

// decoder walks over one structure field by field, so that a structure's code
// reads like its table in the gABI. The caller has checked the length.
type decoder struct {
	Format
	b []byte
}

func (d *decoder) u16() uint16 { v := d.U16(d.b); d.b = d.b[2:]; return v }
func (d *decoder) u32() uint32 { v := d.U32(d.b); d.b = d.b[4:]; return v }
func (d *decoder) addr() uint64 {
	v := d.Addr(d.b)
	d.b = d.b[d.AddrSize():]
	return v
}

// encoder is the decoder's mirror.
type encoder struct {
	Format
	b []byte
}

func (e *encoder) u16(v uint16)  { e.PutU16(e.b, v); e.b = e.b[2:] }
func (e *encoder) u32(v uint32)  { e.PutU32(e.b, v); e.b = e.b[4:] }
func (e *encoder) addr(v uint64) { e.PutAddr(e.b, v); e.b = e.b[e.AddrSize():] }
