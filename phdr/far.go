package phdr

import (
	"debug/elf"

	"elfwright/elffile"
)

// far moves the table into a new PT_LOAD which has the bias of the first one, so
// that every way of finding it agrees. It is the last resort, for files without
// section headers: where there are some, GNU strip and objcopy lay the table out
// behind the ELF header again, and destroy it. Then it must be asked for.
func (d *draft) far() error {
	if len(d.secs) > 0 && d.opt.Technique != "far" {
		return notHeref("GNU strip and objcopy would destroy the program; --technique=far does it all the same")
	}
	first, table := d.firstLoad(), d.tableLoad()
	if first < 0 || table < 0 {
		return notHeref("the table is in no PT_LOAD now")
	}
	bias := d.Progs[first].Vaddr - d.Progs[first].Off
	if b := d.bias(); b != bias {
		return notHeref("the first PT_LOAD, by which old kernels find the table, has the bias 0x%x, and the one that has the table 0x%x", bias, b)
	}
	if d.overlay >= 0 && d.opt.Overlay == OverlayMove {
		return notHeref("the overlay would end up in front of the new PT_LOAD's hole")
	}
	home := d.homeSegment()
	home.bias, home.hasBias = bias, true
	size := (d.live() + d.slots()) * d.PhdrSize()
	home.parts = append(home.parts[:1:1], append([]*part{{
		data: elffile.Zeros(size), align: 8,
		placed: func(off, vaddr uint64) {
			d.Header.Phoff = off
			d.addSection(".ew.phdrs", elffile.Section{
				Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Addr: vaddr, Off: off, Size: uint64(size), Addralign: 8,
			})
		},
	}}, home.parts[1:]...)...)
	if len(d.secs) > 0 {
		d.warn("far-table", "the program header table is no longer behind the ELF header: GNU strip and objcopy would destroy the program")
	}
	return nil
}
