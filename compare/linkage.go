package compare

import (
	"debug/elf"
	"encoding/binary"
	"math/bits"
	"strings"

	"elfwright/elffile"
)

// addLinkage gives names to what a linker made for dynamic linking: a slot of
// the global offset table that holds the address of puts is puts@got, and the
// entry of the procedure linkage table that jumps through it is puts@plt. So a
// call through them leads to the same place though the tables were ordered
// anew. These names are nobody's symbols and are not compared as such.
func (m *model) addLinkage() {
	if m.rel {
		return
	}
	slots := m.gotSlots()
	if len(slots) == 0 {
		return
	}
	for i := range m.areas {
		a := &m.areas[i]
		if a.kind == inSection && !a.ptr && a.data != nil && strings.HasPrefix(m.areaName(a), ".plt") {
			m.pltEntries(int32(i), slots)
		}
	}
}

func (m *model) addName(at int32, off, size uint64, name string) {
	m.syms = append(m.syms, symbol{name: name, area: at, off: off, size: size, canon: none, made: true,
		info: uint8(elf.STB_LOCAL)<<4 | uint8(elf.STT_OBJECT), shndx: uint16(elf.SHN_XINDEX)})
}

// gotSlots names the slots of the global offset table that dynamic relocations
// fill, and returns the names by address.
func (m *model) gotSlots() map[uint64]string {
	tables, _ := m.f.DynamicRelocTables() // the faults are told with the counts
	syms, _ := m.f.DynamicSymbolTable()
	slots := make(map[uint64]string)
	strs, total := string(syms.Strings), 0
	for _, t := range tables {
		if t.Kind != "RELA" && t.Kind != "REL" {
			continue
		}
		for r := range t.All() {
			if len(m.lazy) < maxSlots && t.Name == "JMPREL" {
				m.lazy = append(m.lazy, symbolName(syms, strs, r.Sym))
			}
			if r.Sym == 0 || len(slots) > maxSlots || total > maxNames {
				continue
			}
			at, off, ok := m.locate(r.Off)
			if !ok || m.areas[at].kind != inSection || !strings.HasPrefix(m.areaName(&m.areas[at]), ".got") {
				continue
			}
			s := symbolName(syms, strs, r.Sym)
			total += len(s)
			if s == "" || slots[r.Off] != "" {
				continue
			}
			slots[r.Off] = s
			m.addName(at, off, uint64(m.f.AddrSize()), s+"@got")
		}
	}
	return slots
}

// maxSlots bounds the slots that get names.
const maxSlots = 1 << 20

// symbolName is the name of a symbol, a part of strs.
func symbolName(t *elffile.SymbolTable, strs string, i uint32) string {
	if uint64(i) >= uint64(t.Len()) {
		return ""
	}
	return nameIn(strs, t.At(int(i)).Name)
}

// pltEntries names the entries of a procedure linkage table by the slot that
// they jump through.
func (m *model) pltEntries(at int32, slots map[uint64]string) {
	a := &m.areas[at]
	size := m.f.Sections()[a.index].Entsize
	switch m.f.Header.Machine {
	case elf.EM_X86_64, elf.EM_386:
		if size != 8 && size != 16 {
			size = 16
		}
		for off := uint64(0); off+size <= uint64(len(a.data)); off += size {
			m.namePLT(at, off, size, slots[m.x86Slot(a.data[off:off+size], a.addr+off)])
		}
	case elf.EM_AARCH64:
		for off := uint64(0); off+8 <= uint64(len(a.data)); off += 4 {
			adrp, ldr := binary.LittleEndian.Uint32(a.data[off:]), binary.LittleEndian.Uint32(a.data[off+4:])
			if adrp&0x9f00001f != 0x90000010 || ldr&0xffc003ff != 0xf9400211 { // adrp x16; ldr x17, [x16, #…]
				continue
			}
			page := (a.addr+off)&^0xfff + signed(uint64(adrp>>5&0x7ffff)<<2|uint64(adrp>>29&3), 21)<<12
			m.namePLT(at, off, 16, slots[page+uint64(ldr>>10&0xfff)<<3])
		}
	case elf.EM_ARM:
		for off := uint64(0); off+12 <= uint64(len(a.data)); off += 4 {
			if slot, ok := armSlot(m.f.Order(), a.data[off:], a.addr+off); ok {
				m.namePLT(at, off, 12, slots[slot])
			}
		}
	case elf.EM_RISCV:
		for off := uint64(0); off+16 <= uint64(len(a.data)); off += 16 {
			auipc, load := binary.LittleEndian.Uint32(a.data[off:]), binary.LittleEndian.Uint32(a.data[off+4:])
			if auipc&0xfff != 0xe17 || load&0xf8fff != 0xe0e03&0xf8fff { // auipc t3, …; l[wd] t3, …(t3)
				continue
			}
			slot := a.addr + off + signed(uint64(auipc&0xfffff000), 32) + signed(uint64(load>>20), 12)
			m.namePLT(at, off, 16, slots[slot])
		}
	}
}

func (m *model) namePLT(at int32, off, size uint64, name string) {
	if a := &m.areas[at]; name != "" {
		m.addName(at, off, min(size, a.size-off), name+"@plt")
	}
}

// x86Slot is the address that an entry jumps through: "jmp *slot(%rip)", on i386
// "jmp *slot" or "jmp *slot@GOT(%ebx)".
func (m *model) x86Slot(entry []byte, addr uint64) uint64 {
	for i := 0; i+6 <= len(entry); i++ {
		if entry[i] != 0xff {
			continue
		}
		v := uint64(int64(int32(binary.LittleEndian.Uint32(entry[i+2:]))))
		switch {
		case entry[i+1] == 0x25 && m.f.Class == elf.ELFCLASS64:
			return addr + uint64(i) + 6 + v
		case entry[i+1] == 0x25:
			return v & 0xffffffff
		case entry[i+1] == 0xa3:
			return (m.got + v) & 0xffffffff
		}
	}
	return 0
}

// armSlot is the address that an entry jumps through: "add ip, pc, #a; add ip,
// ip, #b; ldr pc, [ip, #c]!" (ELF for the Arm Architecture, "Procedure linkage
// table"; GNU ld's short form).
func armSlot(o binary.ByteOrder, b []byte, addr uint64) (uint64, bool) {
	i, j, k := o.Uint32(b), o.Uint32(b[4:]), o.Uint32(b[8:])
	if i&0xfffff000 != 0xe28fc000 || j&0xfffff000 != 0xe28cc000 || k&0xfffff000 != 0xe5bcf000 {
		return 0, false
	}
	imm := func(w uint32) uint32 { return bits.RotateLeft32(w&0xff, -2*int(w>>8&15)) }
	return uint64(uint32(addr) + 8 + imm(i) + imm(j) + k&0xfff), true
}
