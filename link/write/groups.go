package write

import (
	"debug/elf"
	"sort"

	"elfwright/elffile"
	"elfwright/link/model"
)

// grouped is a section group of the output of -r (gABI, "Section Groups").
type grouped struct {
	elffile.Section
	group *model.Group
	index int
}

// planGroups finds the groups of which something is in the output, in the order
// of the input.
func (f *file) planGroups() {
	if !f.env.Opt.Relocatable || f.env.Opt.ForceGroup {
		return
	}
	f.inGroup, f.signature = map[*model.Output]bool{}, map[*model.Symbol]*grouped{}
	seen := map[*model.Group]bool{}
	for _, o := range f.env.Objects {
		first := len(f.groups)
		for _, s := range o.Sections {
			if s == nil || s.Group == nil || !s.Live || s.Out == nil {
				continue
			}
			f.inGroup[s.Out] = true
			if g := s.Group; !seen[g] {
				seen[g] = true
				f.groups = append(f.groups, &grouped{group: g})
			}
		}
		of := f.groups[first:]
		sort.Slice(of, func(i, j int) bool { return of[i].group.Index < of[j].group.Index })
	}
	for _, g := range f.groups {
		if sym := g.symbol(); sym != nil && sym.Type != elf.STT_SECTION {
			sym.Want(model.NeedIndex)
			if sym.State != model.Defined && sym.Local {
				f.signature[sym] = g
			}
		}
	}
}

// symbol is the one that is a group's signature.
func (g *grouped) symbol() *model.Symbol {
	if syms := g.group.Obj.Symbols; int64(g.group.Symbol) < int64(len(syms)) {
		return syms[g.group.Symbol]
	}
	return nil
}

// members are the section indices of a group.
func (f *file) members(g *grouped) []int {
	var list []int
	for _, s := range g.group.Members {
		if !s.Live || s.Out == nil {
			continue
		}
		list = append(list, s.Out.Index)
		if r := f.relOf[s.Out]; r != nil {
			list = append(list, r.index)
		}
	}
	return list
}

// describeGroup makes a group's section header, once sections have indices.
func (f *file) describeGroup(g *grouped) {
	g.Type, g.Entsize, g.Addralign = elf.SHT_GROUP, 4, 4
	g.Size = 4 * uint64(1+len(f.members(g)))
}

// writeGroups fills the groups' sections, and names their signatures.
func (f *file) writeGroups() {
	for _, g := range f.groups {
		b := f.b[g.Off:]
		if g.group.Comdat {
			f.PutU32(b, 1) // GRP_COMDAT
		}
		for i, x := range f.members(g) {
			f.PutU32(b[4*(i+1):], uint32(x))
		}
		switch sym := g.symbol(); {
		case sym == nil:
		case sym.Type == elf.STT_SECTION && sym.Sec != nil && sym.Sec.Out != nil:
			g.Info = uint32(f.sectionSymbol(sym.Sec.Out))
		default:
			g.Info = uint32(sym.Index)
		}
	}
}
