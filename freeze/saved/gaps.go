package saved

import (
	"cmp"
	"debug/elf"
	"slices"
	"strings"

	"elfwright/freeze/core"
	"elfwright/freeze/note"
)

// addFiles adds the mappings of files that NT_FILE tells of and that have no
// segment: gcore leaves out what coredump_filter does. Their protection is not in
// the core.
func (p *Process) addFiles(c *core.Core) (added []*note.Map) {
	maps := p.Maps
	var gaps []note.Map
	for _, f := range c.Files {
		at := f.Start
		cover := func(to uint64) {
			if to = min(to, f.End); at < to {
				m := note.Map{Range: note.Range{Start: at, Size: to - at}, Off: f.Off + at - f.Start, File: &note.File{}}
				m.Name, m.Deleted = strings.CutSuffix(f.Name, " (deleted)")
				gaps = append(gaps, m)
			}
		}
		i, _ := slices.BinarySearchFunc(maps, at, func(m note.Map, at uint64) int {
			if m.Start+m.Size <= at {
				return -1
			}
			return 1
		})
		for ; i < len(maps) && maps[i].Start < f.End; i++ {
			cover(maps[i].Start)
			at = max(at, maps[i].Start+maps[i].Size)
		}
		cover(f.End)
	}
	p.Maps = append(p.Maps, gaps...)
	slices.SortStableFunc(p.Maps, func(a, b note.Map) int { return cmp.Compare(a.Start, b.Start) })
	end := uint64(0) // entries of NT_FILE that overlap are nobody's
	p.Maps = slices.DeleteFunc(p.Maps, func(m note.Map) bool {
		over := m.Start < end
		end = max(end, m.Start+m.Size)
		return over
	})
	for i := range p.Maps {
		if m := &p.Maps[i]; m.File != nil && m.Prot == 0 && slices.ContainsFunc(gaps, func(g note.Map) bool { return g.Start == m.Start }) {
			added = append(added, m)
		}
	}
	return added
}

// protect gives mappings the protection that the program headers of their file ask
// for; others become readable, and their files are named in Guessed.
func (p *Process) protect(maps []*note.Map) {
	for _, m := range maps {
		mod := p.ModuleAt(m.Start)
		m.Prot = uint32(elf.PF_R)
		if mod == nil || !mod.flags(m) {
			if !slices.Contains(p.Guessed, m.Name) {
				p.Guessed = append(p.Guessed, m.Name)
			}
		}
	}
}

func (mod *Module) flags(m *note.Map) bool {
	for i := range mod.progs {
		q := &mod.progs[i]
		at := m.Start - mod.Bias
		if q.Type == elf.PT_LOAD && at >= q.Vaddr&^0xfff && at < q.Vaddr+q.Memsz {
			m.Prot = uint32(q.Flags) & 7
			return true
		}
	}
	return false
}
