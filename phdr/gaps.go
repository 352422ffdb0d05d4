package phdr

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
)

// gapSection covers what an eviction has left free in front of the program's own
// sections. It must not look free: patchelf (rewriteSectionsExecutable) moves
// .dynamic of a program that is not position independent to the front of the
// file if it finds room there, where the dynamic linker cannot write to it. A
// string table of nothing but NULs is a section that it moves out of the way, and
// so it makes room as in any other program; behind one of PROGBITS, which it does
// not move, there may be no room for all of a large .dynstr.
const gapSection = ".ew.gap"

// smallGap is up to how many bytes are no room for anything.
const smallGap = 64

// isGap says whether a section covers nothing.
func (s *section) isGap() bool {
	return s.name == gapSection || len(s.name) > len(gapSection) && s.name[:len(gapSection)+1] == gapSection+"."
}

// coverGaps covers what is free between the table and what follows it in its
// PT_LOAD, in place of what was before.
func (d *draft) coverGaps() {
	var gaps []gap
	load := d.tableLoad()
	if d.Header.Type == elf.ET_EXEC && progIndex(d.Progs, elf.PT_INTERP) >= 0 && load >= 0 && d.movedBytes() {
		from := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
		to := d.Progs[load].Off + d.Progs[load].Filesz
		gaps = gapsOf(d.regions(to), nil, from, to)
	}
	d.secs = slices.DeleteFunc(d.secs, func(s section) bool { return s.isGap() })
	for _, g := range gaps {
		off := up(g.off, 16)
		if off+smallGap > g.end {
			continue
		}
		d.addSection(gapSection, elffile.Section{
			Type: elf.SHT_STRTAB, Flags: uint64(elf.SHF_ALLOC), Addr: d.oldAddr(off), Off: off, Size: g.end - off, Addralign: 16,
		})
	}
}

// movedBytes says whether an eviction, this one or an earlier one, has left room.
func (d *draft) movedBytes() bool {
	return slices.ContainsFunc(d.moves, func(m Move) bool { return m.Kind == "bytes" }) ||
		slices.ContainsFunc(d.secs, func(s section) bool { return s.isGap() })
}
