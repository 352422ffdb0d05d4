package arm

import (
	"cmp"
	"slices"

	"elfwright/link/model"
)

// mark is a mapping symbol: from here on a section has Arm code ('a'), Thumb code
// ('t') or data ('d').
type mark struct {
	off  uint64
	what byte
}

// marks are the mapping symbols of a section, in order.
func marks(s *model.Section) []mark {
	var list []mark
	for _, sym := range s.Obj.Symbols[:min(s.Obj.Locals, len(s.Obj.Symbols))] {
		if sym == nil || sym.Sec != s || len(sym.Name) < 2 || sym.Name[0] != '$' || len(sym.Name) > 2 && sym.Name[2] != '.' {
			continue
		}
		switch sym.Name[1] {
		case 'a', 't', 'd':
			list = append(list, mark{sym.Value, sym.Name[1]})
		}
	}
	slices.SortStableFunc(list, func(a, b mark) int { return cmp.Compare(a.off, b.off) })
	return list
}
