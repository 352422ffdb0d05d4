package samples

import (
	"debug/elf"
	"encoding/binary"
	"errors"
)

// cutSectionHeaders removes the section header table, which must be the last
// thing in the file, and every field of the ELF header that speaks of it. What
// only sections describe (.symtab, names) stays in the file, as bytes that no
// header names.
func cutSectionHeaders(data []byte) ([]byte, error) {
	if len(data) < 64 || string(data[:4]) != elf.ELFMAG {
		return nil, errors.New("not an ELF file")
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if elf.Data(data[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	// gABI, ELF Header: the offsets of e_shoff and e_shentsize.
	var shoff uint64
	counts := data[0x3a:0x40]
	if elf.Class(data[elf.EI_CLASS]) == elf.ELFCLASS32 {
		shoff = uint64(order.Uint32(data[0x20:]))
		order.PutUint32(data[0x20:], 0)
		counts = data[0x2e:0x34]
	} else {
		shoff = order.Uint64(data[0x28:])
		order.PutUint64(data[0x28:], 0)
	}
	size := uint64(order.Uint16(counts)) * uint64(order.Uint16(counts[2:]))
	if shoff == 0 || shoff+size != uint64(len(data)) {
		return nil, errors.New("the section header table is not the end of the file")
	}
	clear(counts)
	return data[:shoff], nil
}
