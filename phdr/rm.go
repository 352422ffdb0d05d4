package phdr

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// Remove takes program headers away. Their entries become PT_NULL, which are put
// last and which [Add] takes again; with Options.Compact the table is shortened.
// The bytes they named stay in the file.
func Remove(f *elffile.File, indexes []int, opt Options) (*Result, error) {
	if err := refuse(f, opt); err != nil {
		return nil, err
	}
	d, err := newDraft(f, opt)
	if err != nil {
		return nil, err
	}
	gone := slices.Compact(slices.Sorted(slices.Values(indexes)))
	var removed []Entry
	for _, i := range gone {
		if i < 0 || i >= len(d.Progs) {
			return nil, refusef(f, "there is no program header %d; there are %d", i, len(d.Progs))
		}
		if err := d.mayGo(i, gone); err != nil {
			return nil, err
		}
		removed = append(removed, d.entry("removed", i))
	}
	for _, i := range gone {
		d.forget(i)
		d.Progs[i] = elffile.Prog{Type: elf.PT_NULL}
	}
	total, why := len(d.Progs), "the entries are PT_NULL now, and last"
	if opt.Compact {
		// What the table no longer needs must not look like entries.
		d.Body.Clear(int64(d.Header.Phoff), int64(total*d.PhdrSize()))
		total, why = 0, "the table is shorter"
	}
	d.arrange(total)
	if err := d.writeSections(); err != nil {
		return nil, err
	}
	r, err := d.finish("rm", "", why, nil)
	if err == nil {
		r.Report.Headers = append(removed, r.Report.Headers...)
	}
	return r, err
}

// mayGo refuses to remove what the program would miss.
func (d *draft) mayGo(i int, gone []int) error {
	p := &d.Progs[i]
	why := ""
	switch p.Type {
	case elf.PT_NULL:
		return nil
	case elf.PT_DYNAMIC, elf.PT_INTERP:
		why = "the dynamic linker needs it"
	case elf.PT_TLS:
		why = "thread-local variables need it"
	case elf.PT_PHDR:
		if progIndex(d.Progs, elf.PT_INTERP) >= 0 && d.Header.Type == elf.ET_DYN {
			why = "glibc takes the load bias from it"
		}
	case elf.PT_GNU_EH_FRAME:
		why = "exceptions are unwound by it"
	case elf.PT_GNU_STACK:
		d.warn("stack", "without PT_GNU_STACK the stack is executable on some machines")
	case elf.PT_GNU_RELRO:
		d.warn("relro", "without PT_GNU_RELRO relocated data stays writable")
	case elf.PT_LOAD:
		why = d.neededLoad(i, gone)
	}
	if why == "" || d.opt.Force {
		return nil
	}
	return refusef(d.old, "program header %d (%s): %s; --force removes it all the same", i, progName(p.Type), why)
}

// neededLoad says why a PT_LOAD cannot go along with gone, or "".
func (d *draft) neededLoad(i int, gone []int) string {
	p := &d.Progs[i]
	switch {
	case i == d.tableLoad():
		return "it has the program header table"
	case d.Header.Entry >= p.Vaddr && d.Header.Entry-p.Vaddr < p.Memsz:
		return "the program starts in it"
	case i == d.firstLoad():
		return "it is the first one, from which kernels reckon the load address"
	}
	for j := range d.Progs {
		o := &d.Progs[j]
		inside := o.Memsz > 0 && o.Vaddr >= p.Vaddr && o.Vaddr-p.Vaddr < p.Memsz
		if inside && o.Type != elf.PT_LOAD && o.Type != elf.PT_NULL && !slices.Contains(gone, j) {
			return fmt.Sprintf("program header %d (%s) names bytes in it", j, progName(o.Type))
		}
	}
	for _, s := range d.secs {
		if s.Has(elf.SHF_ALLOC) && s.Addr >= p.Vaddr && s.Addr-p.Vaddr < p.Memsz && s.Size > 0 && !ours(s.name) {
			return "section " + s.name + " is in it"
		}
	}
	return ""
}

// ours says whether a section covers what Add has put into a file.
func ours(name string) bool {
	for _, prefix := range []string{".ew", ".note.ew"} {
		if name == prefix || len(name) > len(prefix) && name[:len(prefix)+1] == prefix+"." {
			return true
		}
	}
	return false
}

// forget makes the memory of a PT_LOAD that goes none of the program's, and its
// sections ones that are not loaded.
func (d *draft) forget(i int) {
	p := &d.Progs[i]
	if p.Type != elf.PT_LOAD {
		return
	}
	d.gives(p.Vaddr, p.Memsz)
	for k := range d.secs {
		s := &d.secs[k]
		if s.Has(elf.SHF_ALLOC) && s.Addr >= p.Vaddr && s.Addr-p.Vaddr < p.Memsz {
			s.Flags &^= uint64(elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR)
			s.Addr = 0
			if s.Type == elf.SHT_NOBITS {
				s.Type, s.Size = elf.SHT_PROGBITS, 0
			}
			d.dirty = true
		}
	}
}
