package reset

import (
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/phdr"
	"elfwright/reset/table"
)

// slotSize is that of the memory for registers.
func (n *install) slotSize() uint64 { return slotWords * uint64(n.f.AddrSize()) }

// addHeaders is phdr.Add. Where that finds no room for so many entries of the table,
// on Linux the slot goes behind .bss, which saves one; and where nothing else makes
// room, the table goes far away from the ELF header, with a warning. So it does where
// bytes would move into a writable segment: that one is to be restored as it was.
func (n *install) addHeaders(slot, seg phdr.Header) (*phdr.Result, error) {
	opt := n.opt.Phdr
	opt.Force = false
	r, err := phdr.Add(n.now, []phdr.Header{slot, seg}, opt)
	if opt.Technique != "" || err == nil && r.Report.Technique != "extend" {
		return r, err
	}
	if _, no := errors.AsType[*phdr.Refusal](err); err != nil && !no {
		return nil, err
	}
	if now, behind := n.behindBSS(); now != nil {
		with, err := phdr.Add(now, []phdr.Header{seg}, opt)
		if err == nil && with.Report.Technique != "extend" {
			n.behind = behind
			return with, nil
		}
	}
	opt.Technique = "far"
	far, farErr := phdr.Add(n.now, []phdr.Header{slot, seg}, opt)
	if farErr == nil {
		return far, nil
	}
	if err == nil {
		return nil, refusef(n.f, "room for a longer program header table could only be made by moving bytes into a writable segment")
	}
	return nil, err
}

// behindBSS makes room for the slot behind the memory of the last PT_LOAD, if that is
// restored, and a section without bytes ends there, which becomes longer: strip and
// objcopy take p_memsz from sections. It returns nil if it is not so, and where the
// memory ended before. Without an operating system a stack or heap may be there.
func (n *install) behindBSS() (now *elffile.File, end uint64) {
	if n.os != Linux || n.opt.At != 0 {
		return nil, 0
	}
	last := -1
	for i := range n.now.Progs {
		if p := &n.now.Progs[i]; p.Type == elf.PT_LOAD && (last < 0 || p.Vaddr > n.now.Progs[last].Vaddr) {
			last = i
		}
	}
	if last < 0 || !n.deflated(&n.now.Progs[last]) { // those are the restored ones, whatever the shape is
		return nil, 0
	}
	p := n.now.Progs[last]
	end = p.Vaddr + p.Memsz
	size := up(end, table.CopyAlign) + n.slotSize() - p.Vaddr
	if at := n.endingAt(end); at < 0 && len(n.now.Sections()) > 0 {
		return nil, 0
	}
	r, err := phdr.GrowAll(n.now, []phdr.Growth{{Index: last, Filesz: p.Filesz, Memsz: size}}, n.opt.Phdr)
	if err != nil {
		return nil, 0
	}
	if now, err = elffile.ParseBody(n.f.Name, r.Body); err != nil {
		return nil, 0
	}
	if at := n.endingAt(end); at >= 0 {
		now.Sections()[at].Size += p.Vaddr + size - end
	}
	if now, err = elffile.ParseBody(n.f.Name, now.Encode()); err != nil {
		return nil, 0
	}
	return now, end
}

// endingAt is the section without bytes that ends at an address, or -1.
func (n *install) endingAt(end uint64) int {
	secs := n.now.Sections()
	for i := range secs {
		if s := &secs[i]; s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_ALLOC) && !s.Has(elf.SHF_TLS) && s.Addr+s.Size == end {
			return i
		}
	}
	return -1
}

// slot is the address of the memory for registers.
func (n *install) slot() (uint64, error) {
	if n.behind != 0 {
		return up(n.behind, table.CopyAlign), nil
	}
	for i := range n.now.Progs {
		p := &n.now.Progs[i]
		if p.Type == elf.PT_LOAD && p.Flags == elf.PF_R|elf.PF_W && p.Memsz == n.slotSize() && p.Filesz == 0 && loadWith(n.f, p.Vaddr) < 0 {
			return p.Vaddr, nil
		}
	}
	return 0, fmt.Errorf("%s: the PT_LOAD for registers is not there", n.f.Name)
}
