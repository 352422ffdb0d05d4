package patch

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	resettable "elfwright/reset/table"
)

// Refresh makes a reset of a resettable program restore the memory that the file has
// now: what other programs have written to the writable segments alone goes to the
// saved copies, too. The file is not changed.
func Refresh(f *elffile.File, opt Options) (*Result, error) {
	if err := usable(f); err != nil {
		return nil, err
	}
	t, err := resettable.Find(f)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, refusef(f, "", "it is not resettable: there is no table of what a reset restores")
	case t.Flags&resettable.Deflated != 0:
		return nil, refusef(f, "", "its writable segments have no bytes of their own: what a reset restores is what patch has written")
	}
	a := newApplier(f, opt)
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W == 0 || p.Filesz == 0 {
			continue
		}
		if t.Flags&resettable.Hooked != 0 && t.Entry >= p.Vaddr && t.Entry-p.Vaddr < p.Memsz {
			return nil, refusef(f, "", "program header %d is writable and has a jump where the program starts (--hook-entry), which is not to be restored: make the program resettable anew", i)
		}
		if _, err := a.mem.load(p.Vaddr, p.Filesz); err != nil {
			return nil, refusef(f, "", "%v", err)
		}
		g := &target{label: fmt.Sprintf("program header %d", i), bare: -1}
		a.mem.edits = append(a.mem.edits, &edit{g: g, addr: p.Vaddr, data: f.Body.Window(int64(p.Off), int64(p.Filesz)), via: "in place"})
	}
	if len(a.mem.edits) == 0 {
		return nil, refusef(f, "", "its writable segments have no bytes of their own: what a reset restores is what patch has written")
	}
	if err := a.route(); err != nil {
		return nil, err
	}
	a.mem.edits = a.changed()
	return a.write()
}

// changed are the edits of copies and tables, without what is there already.
func (a *applier) changed() []*edit {
	var out []*edit
	for _, e := range a.mem.edits {
		off, have, ok := a.img.OffsetOf(e.addr)
		switch {
		case e.via == "in place":
		case !ok || have < uint64(e.data.Size()):
			out = append(out, e)
		default:
			elffile.Diff(e.data, a.img.Body.Window(int64(off), e.data.Size()), func(from, to int64) bool {
				part := saved(e, e.addr+uint64(from), uint64(to-from), e.addr+uint64(from))
				part.via = e.via
				out = append(out, part)
				return true
			})
		}
	}
	return out
}
