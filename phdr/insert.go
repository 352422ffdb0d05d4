package phdr

import "debug/elf"

// insert makes room behind a table that no PT_LOAD has, as in firmware: what
// follows it in the file moves by a multiple of every alignment, and nothing
// changes in memory.
func (d *draft) insert() error {
	from := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	need := uint64((d.live()+d.slots())*d.PhdrSize()) - uint64(len(d.Progs)*d.PhdrSize())
	unit := uint64(64)
	if d.bare == nil {
		unit = d.page
	}
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Off < from && p.Filesz > 0 {
			return notHeref("program header %d loads the file from 0x%x on, before the table's end at 0x%x", i, p.Off, from)
		}
		if p.Align&(p.Align-1) == 0 {
			unit = max(unit, min(p.Align, maxGap))
		}
	}
	if d.overlay >= 0 && d.opt.Overlay == OverlayStay {
		return notHeref("the overlay would move")
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && s.Off < from {
			return notHeref("section %s at 0x%x lies before the end of the table at 0x%x", s.name, s.Off, from)
		}
	}
	n := up(need, unit)
	d.shift(from, n)
	d.alignLoads()
	d.cost("0x%x bytes in the file behind the table", n)
	return nil
}

// alignLoads gives PT_LOADs of a program for Linux at least a page for p_align:
// strip keeps offsets congruent by p_align alone, and ld -N writes 8.
func (d *draft) alignLoads() {
	for i := range d.Progs {
		if p := &d.Progs[i]; d.bare == nil && p.Type == elf.PT_LOAD && p.Align < d.page && (p.Vaddr-p.Off)&(d.page-1) == 0 {
			p.Align = d.page
		}
	}
}
