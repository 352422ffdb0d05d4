package phdr

import (
	"debug/elf"

	"elfwright/elffile"
)

// lowestPage is how far from address 0 a program must stay: mmap_min_addr is
// 64 KiB by default.
const lowestPage = 0x10000

// front puts a page in front of the file, and lets the first PT_LOAD begin a
// page lower. Header and table go there; every address of the program stays.
// The notes are copied into it as well, because core dumps keep the first page
// only.
func (d *draft) front() error {
	if d.Header.Type != elf.ET_EXEC {
		return notHeref("the file is %v: a first PT_LOAD that begins lower would shift all addresses", d.Header.Type)
	}
	first := d.firstLoad()
	if first < 0 || d.tableLoad() != first || d.Progs[first].Off != 0 {
		return notHeref("the ELF header and the table are not in the first PT_LOAD")
	}
	p := &d.Progs[first]
	if p.Vaddr < d.page+lowestPage || p.Vaddr&(d.page-1) != 0 {
		return notHeref("the first PT_LOAD is at 0x%x: a page of 0x%x bytes below it would be nearer to 0 than 0x%x", p.Vaddr, d.page, lowestPage)
	}
	size := uint64((d.live() + d.slots()) * d.PhdrSize())
	if uint64(d.EhdrSize())+size > d.page {
		return notHeref("0x%x bytes of program headers do not fit a page", size)
	}
	oldTable := d.Header.Phoff
	if d.overlay >= 0 && d.opt.Overlay == OverlayStay {
		return notHeref("the overlay would move")
	}
	notes := d.frontNotes()
	d.shift(0, d.page)
	d.growDown(first)
	d.Header.Phoff = uint64(d.EhdrSize())
	d.copyNotes(notes, d.Header.Phoff+size)
	return d.keepOldHeader(oldTable)
}

// growDown lets the first PT_LOAD have the new page, and lowers alignments that
// no longer hold: offsets have moved by a page, addresses have not.
func (d *draft) growDown(first int) {
	p := &d.Progs[first]
	p.Off -= d.page
	p.Vaddr -= d.page
	p.Paddr = (p.Paddr - d.page) & d.MaxAddr()
	p.Filesz += d.page
	p.Memsz += d.page
	lowered := false
	for i := range d.Progs {
		p := &d.Progs[i]
		if p.Type == elf.PT_LOAD && p.Align > d.page && (p.Vaddr-p.Off)&(p.Align-1) != 0 {
			p.Align, lowered = d.page, true
		}
	}
	d.cost("a page of 0x%x bytes in front of the file and of the first PT_LOAD", d.page)
	if lowered {
		d.cost("p_align of PT_LOADs is 0x%x now; it was more", d.page)
	}
}

// frontNotes lists the notes of the first page.
func (d *draft) frontNotes() []*region {
	var notes []*region
	for _, r := range d.regions(corePage) {
		if r.kind == regionNote && r.end <= corePage {
			notes = append(notes, r)
		}
	}
	return notes
}

// copyNotes gives the notes a second place in the new page, behind the table,
// and makes headers and sections name that one. The first one stays as it is,
// because a program may have its address.
func (d *draft) copyNotes(notes []*region, from uint64) {
	for _, r := range notes {
		r.off, r.end = r.off+d.page, r.end+d.page
	}
	var small []*region
	for _, r := range notes {
		small = append(small, r)
		if _, ok := pack(small, []gap{{from, corePage}}); !ok {
			small = small[:len(small)-1]
		}
	}
	spots, _ := pack(small, []gap{{from, corePage}})
	bias := d.bias()
	for _, s := range spots {
		d.Body.Put(int64(s.to), d.window(s.off, s.size()))
		d.moved(s.region, s.to, s.to+bias)
	}
}

// keepOldHeader leaves an ELF header where it was, which programs look at
// through __ehdr_start (static glibc does on AArch64), and makes it lead to the
// new table. A section covers it, up to the first byte that another one has.
func (d *draft) keepOldHeader(oldTable uint64) error {
	b := make([]byte, d.AddrSize())
	d.PutAddr(b, d.Header.Phoff-d.page) // may be negative: modulo the address size
	phoff, phnum := int64(32), int64(56)
	if !d.Is64() {
		phoff, phnum = 28, 44
	}
	count := make([]byte, 2)
	d.PutU16(count, uint16(d.live()+d.slots()))
	at := int64(d.page)
	d.Body.Put(at+phoff, elffile.Buffer(b))
	d.Body.Put(at+phnum, elffile.Buffer(count))
	d.changesFile(d.page+uint64(phoff), uint64(len(b)))
	d.changesFile(d.page+uint64(phnum), 2)

	end := d.page + oldTable + uint64(len(d.Progs)*d.PhdrSize())
	next := d.page + corePage
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && s.Off >= d.page {
			next = min(next, s.Off)
		}
	}
	end = min(max(end, next), d.Progs[d.firstLoad()].Off+d.Progs[d.firstLoad()].Filesz)
	d.addSection(".ew.header", elffile.Section{
		Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Addr: d.page + d.bias(), Off: d.page, Size: end - d.page, Addralign: 8,
	})
	return nil
}
