package phdr

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
)

// slots is how many entries the table needs for what was asked for so far: one
// for each request, and one for each PT_LOAD that is made on the way.
func (d *draft) slots() int {
	n := len(d.requests)
	for _, s := range d.segments {
		if s.request == nil || s.request.Type != elf.PT_LOAD {
			n++
		}
	}
	return n
}

// live is how many entries of the table are in use.
func (d *draft) live() int {
	n := 0
	for i := range d.Progs {
		if d.Progs[i].Type != elf.PT_NULL {
			n++
		}
	}
	return n
}

// reuse takes PT_NULL entries, which mold leaves with --spare-program-headers,
// and rm with every header that it removes.
func (d *draft) reuse() error {
	spare, need := len(d.Progs)-d.live(), d.slots()
	if spare < need {
		return notHeref("%d of %d entries are PT_NULL, and %d are needed", spare, len(d.Progs), need)
	}
	return nil
}

// slack lets the table grow over bytes that nothing names. Go leaves most of a
// page; so do linkers that put nothing but headers into the first PT_LOAD, and
// an earlier eviction that made more room than it needed.
func (d *draft) slack() error {
	from := d.Header.Phoff + uint64(len(d.Progs)*d.PhdrSize())
	end := d.Header.Phoff + uint64((d.live()+d.slots())*d.PhdrSize())
	if d.tableLoad() >= 0 {
		if _, err := d.tableEnd(d.slots()); err != nil {
			return err
		}
	}
	for _, r := range d.regions(end) {
		if r.kind == regionLoose { // Go puts the section headers there; they go to the end
			d.dirty = true
			continue
		}
		return notHeref("%v is in the way of a table up to 0x%x", r, end)
	}
	d.reach(end)
	d.changesFile(from, end-from)
	return nil
}

// arrange puts the table into its final order: what must come first does, the
// others follow as they were, new ones behind, unused entries last.
func (d *draft) arrange(total int) {
	d.Progs = slices.DeleteFunc(d.Progs, func(p elffile.Prog) bool { return p.Type == elf.PT_NULL })
	for _, q := range d.requests {
		switch {
		case q.Type == elf.PT_LOAD || q.Unloaded: // is there
		case q.Type == elf.PT_PHDR:
			d.Progs = slices.Insert(d.Progs, 0, q.prog)
		case q.Type == elf.PT_INTERP: // before every PT_LOAD (gABI)
			d.Progs = slices.Insert(d.Progs, max(d.firstLoad(), 0), q.prog)
		default:
			d.Progs = append(d.Progs, q.prog)
		}
	}
	for len(d.Progs) < total {
		d.Progs = append(d.Progs, elffile.Prog{Type: elf.PT_NULL})
	}
	d.fixPhdr()
	d.fixImages()
}

// fixPhdr makes PT_PHDR describe the table: the dynamic linker of glibc takes
// the load bias from it (rtld.c, _dl_start_final).
func (d *draft) fixPhdr() {
	i := progIndex(d.Progs, elf.PT_PHDR)
	if i < 0 {
		return
	}
	p := &d.Progs[i]
	size := uint64(len(d.Progs) * d.PhdrSize())
	p.Off, p.Filesz, p.Memsz = d.Header.Phoff, size, size
	if load := d.tableLoad(); load >= 0 {
		l := &d.Progs[load]
		p.Vaddr, p.Paddr = l.Vaddr+p.Off-l.Off, l.Paddr+p.Off-l.Off
	}
}
