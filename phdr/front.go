package phdr

import (
	"bytes"
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
	if d.bare != nil {
		return notHeref("the file is not for Linux: who loads it expects it where it is")
	}
	first := d.firstLoad()
	if first < 0 || d.tableLoad() != first && d.tableLoad() >= 0 {
		return notHeref("the table is not in the first PT_LOAD")
	}
	p := &d.Progs[first]
	start := p.Vaddr - p.Off // of the file, if it were all loaded from its beginning
	if p.Vaddr < p.Off || start < d.page+lowestPage || start&(d.page-1) != 0 {
		return notHeref("the first PT_LOAD is at 0x%x: a page of 0x%x bytes below it would be nearer to 0 than 0x%x", p.Vaddr, d.page, lowestPage)
	}
	size := uint64((d.live() + d.slots()) * d.PhdrSize())
	if uint64(d.EhdrSize())+size > d.page {
		return notHeref("0x%x bytes of program headers do not fit a page", size)
	}
	if d.overlay >= 0 && d.opt.Overlay == OverlayStay {
		return notHeref("the overlay would move")
	}
	notes := d.frontNotes()
	d.shift(0, d.page)
	d.growDown(first)
	d.Header.Phoff = uint64(d.EhdrSize())
	if d.tableLoad() != first {
		return notHeref("the first PT_LOAD does not reach over the table")
	}
	d.copyNotes(notes, d.Header.Phoff+size)
	d.keepOldHeader()
	return nil
}

// growDown lets the first PT_LOAD begin with the file, and so have the new page,
// and lowers alignments that no longer hold: offsets have moved by a page,
// addresses have not.
func (d *draft) growDown(first int) {
	p := &d.Progs[first]
	by := p.Off
	p.Off -= by
	p.Vaddr -= by
	p.Paddr = (p.Paddr - by) & d.MaxAddr()
	p.Filesz += by
	p.Memsz += by
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
	for _, s := range spots {
		d.Body.Put(int64(s.to), d.window(s.off, s.size()))
		d.moved(s.region, s.to, s.to+d.bias())
	}
}

// keepOldHeader leaves an ELF header where it was, which programs look at
// through __ehdr_start (static glibc does on AArch64). A section covers it, up to
// the first byte that another one has.
func (d *draft) keepOldHeader() {
	d.images = append(d.images, d.page)
	p := &d.Progs[d.firstLoad()]
	end := p.Off + p.Filesz
	for i := range d.secs {
		if s := &d.secs[i]; s.HasBytes() && s.Off >= d.page {
			end = min(end, s.Off)
		}
	}
	d.addSection(".ew.header", elffile.Section{
		Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Addr: d.page + d.bias(), Off: d.page, Size: end - d.page, Addralign: 8,
	})
}

// findImages finds ELF headers that an earlier edit has left at the start of a
// page, and that lead to the table.
func (d *draft) findImages() {
	load := d.tableLoad()
	if load < 0 {
		return
	}
	p := &d.Progs[load]
	for off := uint64(corePage); off <= 1<<16 && off+uint64(d.EhdrSize()) <= p.Off+p.Filesz; off += corePage {
		b, err := d.Body.Bytes(off, uint64(d.EhdrSize()))
		if err != nil || !bytes.HasPrefix(b, d.Header.Ident[:]) {
			continue
		}
		if to := d.Addr(b[d.phoffField():]) + off; to&d.MaxAddr() == d.Header.Phoff {
			d.images = append(d.images, off)
		}
	}
}

// phoffField and phnumField are where the ELF header has e_phoff and e_phnum.
func (d *draft) phoffField() uint64 { return 24 + uint64(d.AddrSize()) }
func (d *draft) phnumField() uint64 { return uint64(d.EhdrSize()) - 8 }

// fixImages makes every copy of the ELF header lead to the table as it is now.
func (d *draft) fixImages() {
	for _, off := range d.images {
		phoff, phnum := make([]byte, d.AddrSize()), make([]byte, 2)
		d.PutAddr(phoff, d.Header.Phoff-off) // perhaps negative: modulo the address size
		d.PutU16(phnum, uint16(len(d.Progs)))
		for at, b := range map[uint64][]byte{off + d.phoffField(): phoff, off + d.phnumField(): phnum} {
			d.Body.Put(int64(at), elffile.Buffer(b))
			d.changesFile(at, uint64(len(b)))
		}
	}
}
