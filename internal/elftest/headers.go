package elftest

import "debug/elf"

// Limits above which a count moves to section 0 (gABI, ELF Header).
const (
	pnXNum       = 0xffff
	shnLoReserve = 0xff00
	shnXIndex    = 0xffff
)

// numbers returns e_phnum, e_shnum and e_shstrndx as stored in the ELF header,
// and the values that section 0 keeps for them (0 if it keeps none).
func (b *builder) numbers() (head [3]uint16, zero [3]uint64) {
	var names uint64
	var shnum uint64
	if b.shoff != 0 {
		names, shnum = uint64(b.Index(shstrtab)), uint64(len(b.sections))
	}
	phnum := uint64(len(b.segments))
	head = [3]uint16{uint16(phnum), uint16(shnum), uint16(names)}
	if b.f.Extended.Phnum || phnum >= pnXNum {
		head[0], zero[0] = pnXNum, phnum
	}
	if b.f.Extended.Shnum || shnum >= shnLoReserve {
		head[1], zero[1] = 0, shnum
	}
	if b.f.Extended.Shstrndx || names >= shnLoReserve {
		head[2], zero[2] = shnXIndex, names
	}
	return head, zero
}

// header encodes the ELF header.
func (b *builder) header() []byte {
	f := &b.f
	w := b.Writer()
	w.Bytes([]byte(elf.ELFMAG))
	w.U8(uint8(f.Class))
	w.U8(uint8(dataOf(f.Order)))
	w.U8(uint8(elf.EV_CURRENT))
	w.U8(uint8(f.OSABI))
	w.U8(f.ABIVersion)
	w.Align(elf.EI_NIDENT)
	entry := f.Entry
	if f.EntryIn != "" {
		entry += b.Addr(f.EntryIn)
	}
	num, _ := b.numbers()
	phent, shent := b.phent, b.shent
	if len(b.segments) == 0 {
		phent = 0
	}
	if b.shoff == 0 {
		shent = 0
	}
	w.U16(uint16(f.Type))
	w.U16(uint16(f.Machine))
	w.U32(uint32(elf.EV_CURRENT))
	w.Addr(entry)
	w.Addr(b.phoff)
	w.Addr(b.shoff)
	w.U32(f.Flags)
	w.U16(uint16(b.ehsize))
	w.U16(uint16(phent))
	w.U16(num[0])
	w.U16(uint16(shent))
	w.U16(num[1])
	w.U16(num[2])
	return w.B
}

func (b *builder) programHeaders() []byte {
	w := b.Writer()
	for _, s := range b.segments {
		w.U32(uint32(s.Type))
		if b.Is64() {
			w.U32(uint32(s.Flags))
		}
		w.Addr(s.Off)
		w.Addr(s.Vaddr)
		w.Addr(s.Paddr)
		w.Addr(s.Filesz)
		w.Addr(s.Memsz)
		if !b.Is64() {
			w.U32(uint32(s.Flags))
		}
		w.Addr(s.Align)
	}
	return w.B
}

func (b *builder) sectionHeaders() []byte {
	w := b.Writer()
	_, zero := b.numbers()
	for _, s := range b.sections {
		var link, info uint32
		size := s.size
		if s.index == 0 {
			size, link, info = zero[1], uint32(zero[2]), uint32(zero[0])
		} else {
			link, info = b.linkInfo(s)
		}
		w.U32(s.name)
		w.U32(uint32(s.Type))
		w.Addr(uint64(s.Flags))
		w.Addr(s.Addr)
		w.Addr(s.Off)
		w.Addr(size)
		w.U32(link)
		w.U32(info)
		w.Addr(s.Align)
		w.Addr(s.Entsize)
	}
	return w.B
}

func (b *builder) linkInfo(s *section) (link, info uint32) {
	if s.Link != "" {
		b.Self = s.key()
		link = b.Index(s.Link)
	}
	info = s.InfoValue
	if s.Info != "" {
		info = b.Index(s.Info)
	}
	if g, ok := s.Content.(Group); ok && g.Signature != "" {
		info = b.symbol(s.Link, g.Signature)
	}
	return link, info
}
