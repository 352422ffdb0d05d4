package elffile

import (
	"bytes"
	"debug/elf"
)

// Header is the ELF header (gABI, "ELF Header"), each field as the file stores
// it: where a count is extended (PN_XNUM, e_shnum 0, SHN_XINDEX) the field
// holds the escape, and [File.Phnum], [File.Shnum] and [File.Shstrndx] give the
// number meant.
type Header struct {
	Ident     [elf.EI_NIDENT]byte
	Type      elf.Type
	Machine   elf.Machine
	Version   uint32
	Entry     uint64 // virtual address of the first instruction
	Phoff     uint64 // file offset of the program header table
	Shoff     uint64 // file offset of the section header table
	Flags     uint32
	Ehsize    uint16
	Phentsize uint16
	Phnum     uint16
	Shentsize uint16
	Shnum     uint16
	Shstrndx  uint16
}

// OSABI returns EI_OSABI.
func (h *Header) OSABI() elf.OSABI { return elf.OSABI(h.Ident[elf.EI_OSABI]) }

// ABIVersion returns EI_ABIVERSION.
func (h *Header) ABIVersion() uint8 { return h.Ident[elf.EI_ABIVERSION] }

// Escapes of the extended numbering (gABI, "ELF Header", e_phnum, e_shnum,
// e_shstrndx).
const (
	PnXnum       = 0xffff // e_phnum: the count is in section header 0, sh_info
	ShnXindex    = 0xffff // e_shstrndx, st_shndx: the index is elsewhere
	ShnLoReserve = 0xff00
)

func decodeHeader(f Format, b []byte) Header {
	var h Header
	copy(h.Ident[:], b)
	d := decoder{f, b[elf.EI_NIDENT:]}
	h.Type = elf.Type(d.u16())
	h.Machine = elf.Machine(d.u16())
	h.Version = d.u32()
	h.Entry = d.addr()
	h.Phoff = d.addr()
	h.Shoff = d.addr()
	h.Flags = d.u32()
	h.Ehsize = d.u16()
	h.Phentsize = d.u16()
	h.Phnum = d.u16()
	h.Shentsize = d.u16()
	h.Shnum = d.u16()
	h.Shstrndx = d.u16()
	return h
}

// Encode returns the header's bytes in format f.
func (h *Header) Encode(f Format) []byte {
	b := make([]byte, f.EhdrSize())
	copy(b, h.Ident[:])
	e := encoder{f, b[elf.EI_NIDENT:]}
	e.u16(uint16(h.Type))
	e.u16(uint16(h.Machine))
	e.u32(h.Version)
	e.addr(h.Entry)
	e.addr(h.Phoff)
	e.addr(h.Shoff)
	e.u32(h.Flags)
	e.u16(h.Ehsize)
	e.u16(h.Phentsize)
	e.u16(h.Phnum)
	e.u16(h.Shentsize)
	e.u16(h.Shnum)
	e.u16(h.Shstrndx)
	return b
}

// IsELF says whether b starts with the four magic bytes.
func IsELF(b []byte) bool { return bytes.HasPrefix(b, []byte(elf.ELFMAG)) }

// identFormat reads class and byte order. Linux does not look at either
// (load_elf_binary), and hand-made programs put code there; so where one of
// them says nothing, the rest of the header decides, and guessed is true.
func identFormat(name string, b []byte) (f Format, guessed bool, err error) {
	if len(b) < elf.EI_NIDENT {
		return f, false, &Error{File: name, Struct: "ELF header", Field: "e_ident",
			Msg: sizeMsg(len(b), elf.EI_NIDENT)}
	}
	if !IsELF(b) {
		return f, false, &Error{File: name, Struct: "ELF header", Field: "e_ident",
			Msg: "the first bytes are " + quoteBytes(b[:4]) + `, not the ELF magic "\x7fELF"`}
	}
	f = Format{elf.Class(b[elf.EI_CLASS]), elf.Data(b[elf.EI_DATA])}
	if f.Data != elf.ELFDATA2LSB && f.Data != elf.ELFDATA2MSB {
		guessed = true
		f.Data = elf.ELFDATA2LSB
		if len(b) >= 20 && b[18] == 0 && b[19] != 0 {
			f.Data = elf.ELFDATA2MSB // e_machine below 256
		}
	}
	if f.Class != elf.ELFCLASS32 && f.Class != elf.ELFCLASS64 {
		guessed = true
		if f.Class = guessClass(f, b); f.Class == elf.ELFCLASSNONE {
			return f, false, &Error{File: name, Struct: "ELF header", Field: "EI_CLASS", Off: elf.EI_CLASS,
				Msg: quoteBytes(b[elf.EI_CLASS:elf.EI_CLASS+1]) + " is neither 1 (32-bit) nor 2 (64-bit), and the rest of the header does not tell"}
		}
	}
	if len(b) < f.EhdrSize() {
		return f, false, &Error{File: name, Struct: "ELF header", Msg: sizeMsg(len(b), f.EhdrSize())}
	}
	return f, guessed, nil
}

// guessClass tells the class by e_phentsize, which Linux does check.
func guessClass(f Format, b []byte) elf.Class {
	switch {
	case len(b) >= 64 && f.U16(b[54:]) == 56:
		return elf.ELFCLASS64
	case len(b) >= 52 && f.U16(b[42:]) == 32:
		return elf.ELFCLASS32
	}
	return elf.ELFCLASSNONE
}
