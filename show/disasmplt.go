package show

import (
	"debug/elf"
	"encoding/binary"
	"strings"
)

// The procedure linkage table has no symbols of its own. What an entry calls is
// told by the word of the global offset table that it loads, and the relocation
// of that word: both are read here, so that a call leads to <puts@plt>.

// pltNames adds a symbol for every entry of the procedure linkage tables.
func (c *codeSymbols) pltNames(types *relocTypes) {
	h := &c.p.f.Header
	slots := pltForms[h.Machine]
	if slots == nil || h.Type != elf.ET_EXEC && h.Type != elf.ET_DYN {
		return
	}
	names := c.gotNames(types)
	if len(names) == 0 {
		return
	}
	var got uint64 // of i386, whose entries count from it
	if d, err := c.p.f.Dynamic(); err == nil && d != nil {
		got, _ = d.Value(elf.DT_PLTGOT)
	}
	for i := range c.p.f.Sections() {
		s := &c.p.f.Sections()[i]
		if !strings.HasPrefix(c.p.sectionName(i), ".plt") || !s.HasBytes() || !s.Has(elf.SHF_EXECINSTR) {
			continue
		}
		b, err := c.p.f.SectionData(i)
		if err != nil {
			continue // told where the section's bytes are asked for
		}
		t := &pltSection{b: b, addr: s.Addr, entry: 16, got: got, order: c.p.f.Order()}
		if s.Entsize == 8 {
			t.entry = 8
		}
		slots(t, func(start, slot uint64) {
			if name := names[slot]; name != nil {
				thumb := h.Machine == elf.EM_ARM && start&1 != 0
				if thumb {
					start--
				}
				c.list = append(c.list, codeSymbol{section: -1, addr: start, name: append(name[:len(name):len(name)], "@plt"...), rank: 1, thumb: thumb})
			}
		})
	}
}

// maxSlots bounds the entries: a program that calls a million functions of
// others is none.
const maxSlots = 1 << 20

// gotNames gives the symbols whose addresses a loader puts into the global
// offset table.
func (c *codeSymbols) gotNames(types *relocTypes) map[uint64][]byte {
	names := map[uint64][]byte{}
	for _, rt := range c.p.relocTables() {
		t := &relocTable{RelocTable: rt, p: c.p, types: types, symbols: c.p.relocSymbols(rt)}
		if t.symbols == nil || !c.p.spend(rt.Size) {
			continue
		}
		for rel := range rt.All() {
			name := types.of(rel.Type).name
			if !strings.HasSuffix(name, "_JUMP_SLOT") && !strings.HasSuffix(name, "_JMP_SLOT") && !strings.HasSuffix(name, "_GLOB_DAT") {
				continue
			}
			if rel.Sym != 0 && uint64(rel.Sym) < uint64(t.symbols.Len()) && len(names) < maxSlots {
				names[rel.Off] = c.p.cstring(t.symbols.Strings, uint64(t.symbols.At(int(rel.Sym)).Name))
			}
		}
	}
	return names
}

// pltSection is the code of a procedure linkage table.
type pltSection struct {
	b     []byte
	addr  uint64
	entry uint64 // bytes of an entry, on x86
	got   uint64
	order binary.ByteOrder // of the data, and of A32 code that is not BE8
}

// start is where the x86 entry begins that has the instruction at off.
func (t *pltSection) start(off int) uint64 {
	return t.addr + uint64(off)/t.entry*t.entry
}

// word is an instruction of four bytes; those of AArch64 and RISC-V are
// little-endian always.
func (t *pltSection) word(off int) uint32 { return binary.LittleEndian.Uint32(t.b[off:]) }

// pltForms finds in the code of each machine what an entry loads: take gets the
// entry's address and that of the word.
var pltForms = map[elf.Machine]func(t *pltSection, take func(start, slot uint64)){
	elf.EM_X86_64:  pltAMD64,
	elf.EM_386:     pltI386,
	elf.EM_AARCH64: pltA64,
	elf.EM_ARM:     pltA32,
	elf.EM_RISCV:   pltRISCV,
}

// pltAMD64 looks for JMP *disp32(%rip), FF 25 (x86-64 psABI, figure "Procedure
// Linkage Table").
func pltAMD64(t *pltSection, take func(start, slot uint64)) {
	for i := 0; i+6 <= len(t.b); i++ {
		if t.b[i] == 0xff && t.b[i+1] == 0x25 {
			disp := int32(binary.LittleEndian.Uint32(t.b[i+2:]))
			take(t.start(i), t.addr+uint64(i)+6+uint64(int64(disp)))
			i += 5
		}
	}
}

// pltI386 looks for JMP *abs32, FF 25, and JMP *disp32(%ebx), FF A3, where EBX
// has the address of the global offset table (Intel386 psABI, "Procedure Linkage
// Table").
func pltI386(t *pltSection, take func(start, slot uint64)) {
	for i := 0; i+6 <= len(t.b); i++ {
		if t.b[i] != 0xff || t.b[i+1] != 0x25 && t.b[i+1] != 0xa3 {
			continue
		}
		slot := binary.LittleEndian.Uint32(t.b[i+2:])
		if t.b[i+1] == 0xa3 {
			slot += uint32(t.got)
		}
		take(t.start(i), uint64(slot))
		i += 5
	}
}

// pltA64 looks for ADRP X16 and LDR X17, [X16, #imm], behind a BTI C if there is
// one.
func pltA64(t *pltSection, take func(start, slot uint64)) {
	const adrp, ldr, btiC = 0x90000010, 0xf9400211, 0xd503245f
	for i := 0; i+8 <= len(t.b); i += 4 {
		w, l := t.word(i), t.word(i+4)
		if w&0x9f00001f != adrp || l&0xffc003ff != ldr {
			continue
		}
		pages := int64(int32(w<<8)>>13)<<2 | int64(w>>29&3) // immhi:immlo, signed
		page := (t.addr+uint64(i))&^0xfff + uint64(pages)<<12
		start := t.addr + uint64(i)
		if i >= 4 && t.word(i-4) == btiC {
			start -= 4
		}
		take(start, page+uint64(l>>10&0xfff)*8)
	}
}

// pltA32 looks for ADD IP, PC, #a; ADD IP, IP, #b, which there may be two of;
// LDR PC, [IP, #c]! In front there may be a way in from Thumb, which is told by
// bit 0 of its address.
func pltA32(t *pltSection, take func(start, slot uint64)) {
	for i := 0; i+12 <= len(t.b); i += 4 {
		w := t.a32(i)
		if w&0xfffff000 != 0xe28fc000 {
			continue
		}
		slot := uint32(t.addr) + uint32(i) + 8 + a32Imm(w)
		for j := i + 4; j+4 <= len(t.b) && j <= i+12; j += 4 {
			w := t.a32(j)
			if w&0xfffff000 == 0xe28cc000 {
				slot += a32Imm(w)
				continue
			}
			if w&0xfffff000 == 0xe5bcf000 {
				if i >= 4 && t.fromThumb(i-4) {
					take(t.addr+uint64(i)-4|1, uint64(slot+w&0xfff))
				}
				take(t.addr+uint64(i), uint64(slot+w&0xfff))
			}
			break
		}
	}
}

// fromThumb says whether there is BX PC, which leads to the A32 code two
// halfwords on, with a NOP or a branch in between that is never reached.
func (t *pltSection) fromThumb(off int) bool {
	const bxPC, nop, branch = 0x4778, 0x46c0, 0xe7fd
	first, second := uint16(t.a32(off)), uint16(t.a32(off)>>16)
	if second == bxPC { // big-endian
		first, second = second, first
	}
	return first == bxPC && (second == nop || second == branch)
}

// a32 is an instruction of A32: little-endian in BE8 files and of course in
// little-endian ones, else as the data. The first word of a table tells: its
// condition is always (0xe).
func (t *pltSection) a32(off int) uint32 {
	if len(t.b) >= 4 && t.b[3]>>4 != 0xe && t.b[0]>>4 == 0xe {
		return binary.BigEndian.Uint32(t.b[off:])
	}
	return t.word(off)
}

// a32Imm is the immediate operand of an A32 instruction: eight bits, rotated
// (Arm ARM, "Modified immediate constants in ARM instructions").
func a32Imm(w uint32) uint32 {
	v, by := w&0xff, w>>8&0xf*2
	return v>>by | v<<(32-by)
}

// pltRISCV looks for AUIPC T3 and LD T3, or LW T3, from it.
func pltRISCV(t *pltSection, take func(start, slot uint64)) {
	for i := 0; i+8 <= len(t.b); i += 4 {
		const auipc, ld, lw = 0xe17, 0xe3e03, 0xe2e03
		w, l := t.word(i), t.word(i+4)
		if w&0xfff != auipc || l&0xfffff != ld && l&0xfffff != lw {
			continue
		}
		high := uint64(int64(int32(w & 0xfffff000)))
		take(t.addr+uint64(i), t.addr+uint64(i)+high+uint64(int64(int32(l)>>20)))
	}
}
