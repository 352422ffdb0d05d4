package patch

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
)

// A hit is a dynamic relocation that writes to bytes which are edited, too.
type hit struct {
	e     *edit
	table *elffile.RelocTable
	index int
	rel   elffile.Reloc
	name  string
	size  uint64
}

// relocations finds the dynamic relocations that write where an edit does: what
// the dynamic linker writes there comes after it. An address in a program that
// moves needs one, and its addend becomes that address.
func (a *applier) relocations() error {
	tables, err := a.img.DynamicRelocTables()
	if err != nil {
		return fmt.Errorf("what the dynamic linker writes is not known: %w", err)
	}
	hits, err := a.hits(tables)
	if err != nil {
		return err
	}
	based := make(map[*edit]bool)
	for _, h := range hits {
		done, err := a.rebase(&h)
		if err != nil {
			return err
		}
		if done {
			based[h.e] = true
			continue
		}
		text := fmt.Sprintf("%s: the dynamic linker writes to 0x%x (%s, relocation %d of DT_%s), after which the value is lost", h.e.g.label, h.rel.Off, h.name, h.index, h.table.Name)
		if !a.opt.Force {
			return refusef(a.img, "", "%s; --force goes on", text)
		}
		a.warn("relocated", "%s", text)
	}
	if !a.moves() {
		return nil
	}
	for _, e := range slices.Clone(a.mem.edits) {
		if !e.base || based[e] {
			continue
		}
		text := fmt.Sprintf("%s: the program is loaded at an address that is not known before, and no relocation adds it at 0x%x", e.g.label, e.addr)
		if !a.opt.Force {
			return refusef(a.img, "", "%s; --force writes the address of the file", text)
		}
		a.warn("not-relocated", "%s", text)
	}
	return nil
}

// hits looks once through all relocations.
func (a *applier) hits(tables []*elffile.RelocTable) ([]hit, error) {
	edits := slices.Clone(a.mem.edits)
	slices.SortStableFunc(edits, func(x, y *edit) int { return cmp.Compare(x.addr, y.addr) })
	low, high, longest := ^uint64(0), uint64(0), uint64(0)
	for _, e := range edits {
		low, high, longest = min(low, e.addr), max(high, e.end()), max(longest, uint64(e.data.Size()))
	}
	names := a.relocNames()
	word := uint64(a.img.AddrSize())
	var out []hit
	for _, t := range tables {
		i := -1
		for rel := range t.All() {
			i++
			if rel.Off >= high || rel.Type == 0 && t.Kind != "RELR" {
				continue
			}
			size := word
			if names.copied != 0 && rel.Type == names.copied {
				size = a.copySize(rel.Sym)
			}
			if rel.Off+size <= low {
				continue
			}
			h := hit{table: t, index: i, rel: rel, size: size, name: names.of(rel.Type)}
			first, _ := slices.BinarySearchFunc(edits, rel.Off, func(e *edit, off uint64) int { return cmp.Compare(e.addr+longest, off) })
			for _, e := range edits[first:] {
				if e.addr >= rel.Off+h.size {
					break
				}
				if rel.Off < e.end() {
					h.e = e
					out = append(out, h)
				}
			}
		}
	}
	return out, nil
}

// relocNames are the names of a machine's relocations; of a machine that is not
// known here there are none.
type relocNames struct {
	table  *machine.Table
	copied uint32 // the type that copies a variable; 0: none is known
}

func (a *applier) relocNames() relocNames {
	m := all.Lookup(a.img.Header.Machine, a.img.Class)
	if m == nil {
		return relocNames{}
	}
	n := relocNames{table: m.Relocs}
	for r := range m.Relocs.All() {
		if strings.HasSuffix(r.Name, "_COPY") {
			n.copied = r.Type
		}
	}
	return n
}

func (n relocNames) of(typ uint32) string {
	if n.table == nil {
		return fmt.Sprintf("type %d", typ)
	}
	return n.table.Name(typ)
}

// copySize is the size of the variable that a COPY relocation fills.
func (a *applier) copySize(sym uint32) uint64 {
	t, err := a.img.DynamicSymbolTable()
	if err != nil || int64(sym) >= int64(t.Len()) {
		return uint64(a.img.AddrSize())
	}
	return t.At(int(sym)).Size
}

// rebase makes the new address the one to which a relocation adds the load bias.
// It returns false where the relocation is none that does so for the whole edit.
func (a *applier) rebase(h *hit) (bool, error) {
	word := uint64(a.img.AddrSize())
	relative := h.table.Kind == "RELR" || strings.HasSuffix(h.name, "_RELATIVE") && h.rel.Sym == 0
	if !h.e.base || !relative || h.rel.Off != h.e.addr || uint64(h.e.data.Size()) != word {
		return false, nil
	}
	switch h.table.Kind {
	case "REL", "RELR": // the addend is at the place
		return true, nil
	case "RELA":
	default:
		return false, refusef(a.img, h.e.g.label, "its relocation is in a packed table (%s), which is not changed", h.table.Kind)
	}
	if h.table.Size != uint64(h.table.Len()*a.img.RelaSize()) {
		return false, refusef(a.img, h.e.g.label, "the entries of DT_%s are not of the size that they have on this machine", h.table.Name)
	}
	old, err := a.mem.read(h.e.addr, word)
	if err == nil {
		err = a.mem.readAt(old, h.e.addr)
	}
	if err != nil {
		return false, err
	}
	at := h.table.Addr + uint64((h.index+1)*a.img.RelaSize()) - word
	addend := &edit{g: h.e.g, addr: at, data: h.e.data, via: "relocation"}
	a.mem.edits = append(a.mem.edits, addend)
	if a.img.Addr(old) != uint64(h.rel.Addend)&a.img.MaxAddr() || h.rel.Addend == 0 {
		// The place is not read: linkers leave it 0, and so do we.
		h.e.data = elffile.Buffer(old)
	}
	return true, nil
}

// warnAboutPlace tells where a value may not be read.
func (a *applier) warnAboutPlace(e *edit) error {
	i, err := a.mem.load(e.addr, uint64(e.data.Size()))
	if err != nil {
		return refusef(a.img, e.g.label, "%v", err)
	}
	for k := range a.img.Progs {
		if d := &a.img.Progs[k]; d.Type == elf.PT_DYNAMIC && e.addr < d.Vaddr+d.Memsz && d.Vaddr < e.end() && !a.opt.Force {
			return refusef(a.img, e.g.label, "[0x%x, 0x%x) is within the dynamic section, by which the dynamic linker finds everything; --force goes on", e.addr, e.end())
		}
	}
	p := &a.img.Progs[i]
	switch {
	case p.Flags&elf.PF_X != 0:
		a.warn("code", "%s: 0x%x is in a segment with code (program header %d)", e.g.label, e.addr, i)
	case p.Flags&elf.PF_W == 0:
		a.warn("read-only", "%s: 0x%x is in a read-only segment (program header %d): compilers compute with the value of a constant, and code may not read this place", e.g.label, e.addr, i)
	}
	for k := range a.img.Progs {
		if e.g.thread { // .tdata is there, and is copied for each thread
			break
		}
		if r := &a.img.Progs[k]; r.Type == elf.PT_GNU_RELRO && p.Flags&elf.PF_W != 0 && e.addr >= r.Vaddr && e.addr-r.Vaddr < r.Memsz {
			a.warn("relro", "%s: 0x%x is read-only once the program is relocated (PT_GNU_RELRO): compilers compute with the value of a constant, and code may not read this place", e.g.label, e.addr)
		}
	}
	return nil
}
