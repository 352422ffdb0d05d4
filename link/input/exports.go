package input

import (
	"debug/elf"
	"path/filepath"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// Exports decides which symbols other objects see, and which of them may be bound
// elsewhere: in a shared object all that are not hidden and that no version script
// makes local; in an executable what -E and the lists of exported symbols say.
func (s *Set) Exports(opt *model.Options, table *model.Table, versions *ldscript.VersionSet, nodes *ldscript.Version, dynamic ExportList) {
	if !exports(opt) {
		return
	}
	for _, x := range table.Some(func(x *model.Symbol) bool { return x.Order != 0 }) {
		exportSymbol(opt, x, versions, nodes, dynamic)
	}
}

// exports says whether any symbol may be seen by other objects.
func exports(opt *model.Options) bool {
	return opt.Shared || opt.PIE || opt.ExportDynamic || len(opt.ExportSymbols) != 0
}

func exportSymbol(opt *model.Options, x *model.Symbol, versions *ldscript.VersionSet, nodes *ldscript.Version, dynamic ExportList) {
	if x.Vis == elf.STV_HIDDEN || x.Vis == elf.STV_INTERNAL || excludedLib(opt, x) {
		if x.Vis == elf.STV_DEFAULT {
			x.Vis = elf.STV_HIDDEN
		}
		return
	}
	if x.State == model.Undefined {
		x.Preempt = opt.Shared
		return
	}
	if versions != nil {
		if m, ok := versions.Match(x.Name); ok {
			if m.Local {
				x.Hidden = true
				return
			}
			if x.Version == "" && nodes != nil && m.Node < len(nodes.Nodes) {
				x.Version, x.Default, x.Noded = nodes.Nodes[m.Node].Name, true, true
			}
		}
	}
	listed := dynamic.has(x.Name)
	x.Exported = opt.Shared || opt.ExportDynamic || listed
	if !x.Exported {
		return
	}
	x.Preempt = opt.Shared && x.Vis == elf.STV_DEFAULT && !x.Absolute() &&
		!opt.Symbolic && !(opt.SymbolicFunctions && x.Type == elf.STT_FUNC)
	if opt.Shared && len(opt.DynamicLists) > 0 {
		x.Preempt = x.Vis == elf.STV_DEFAULT && listed
	}
}

// ExportList are the symbols of --dynamic-list and the options beside it.
type ExportList struct {
	Patterns []ldscript.VersionPattern
	Demangle func(string) string // for patterns of extern "C++"; may be nil
}

func (l ExportList) has(name string) bool {
	_, ok := ldscript.MatchList(l.Patterns, name, l.Demangle)
	return ok
}

// excludedLib says whether --exclude-libs names the archive that a symbol is
// from.
func excludedLib(opt *model.Options, x *model.Symbol) bool {
	if x.Obj == nil || x.Obj.Archive == "" {
		return false
	}
	for _, n := range opt.ExcludeLibs {
		if n == "ALL" || n == filepath.Base(x.Obj.Archive) {
			return true
		}
	}
	return false
}
