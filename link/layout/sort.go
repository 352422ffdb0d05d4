package layout

import (
	"math/bits"
	"sort"
	"strconv"
	"strings"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// order is how the sections of a pattern are sorted; the zero order is that of
// the input.
type order uint8

const (
	asGiven order = iota
	byItsName
	byAlignment
	byNameAlignment
	byAlignmentName
	byPriority
	byNone
)

// reversed is set in an order that REVERSE turns around; sections that are equal
// by it stay as they are.
const reversed order = 0x80

// orderOf is that of a pattern with what --sort-section adds to it: it is the
// order where the pattern has none, and the inner one where it has one.
func (s *Script) orderOf(p *ldscript.SectionPattern) order {
	o := s.plainOrder(p)
	switch {
	case !p.Reverse:
	case o == asGiven:
		return byItsName | reversed
	default:
		o |= reversed
	}
	return o
}

func (s *Script) plainOrder(p *ldscript.SectionPattern) order {
	o := asGiven
	switch {
	case len(p.Sorts) == 0:
	case p.Sorts[0] == ldscript.SortNone:
		return byNone
	case p.Sorts[0] == ldscript.SortByInitPriority:
		return byPriority
	case p.Sorts[0] == ldscript.SortByName:
		o = byItsName
		if len(p.Sorts) > 1 && p.Sorts[1] == ldscript.SortByAlignment {
			return byNameAlignment
		}
	case p.Sorts[0] == ldscript.SortByAlignment:
		o = byAlignment
		if len(p.Sorts) > 1 && p.Sorts[1] == ldscript.SortByName {
			return byAlignmentName
		}
	}
	switch opt := s.opt.SortSection; {
	case opt == "name" && o == asGiven:
		return byItsName
	case opt == "alignment" && o == asGiven:
		return byAlignment
	case opt == "alignment" && o == byItsName:
		return byNameAlignment
	case opt == "name" && o == byAlignment:
		return byAlignmentName
	}
	return o
}

// compare says where a section goes relative to another one; 0: behind it.
func (o order) compare(a, b *model.Section) int {
	if o&reversed != 0 {
		o, a, b = o&^reversed, b, a
	}
	switch o {
	case byItsName:
		return strings.Compare(a.Name, b.Name)
	case byAlignment:
		return compareAlign(a, b)
	case byNameAlignment:
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return compareAlign(a, b)
	case byAlignmentName:
		if c := compareAlign(a, b); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	case byPriority:
		x, y := priority(a.Name), priority(b.Name)
		if x >= 0 && y >= 0 && x != y {
			return x - y
		}
		return strings.Compare(a.Name, b.Name)
	}
	return 0
}

// compareAlign puts the larger alignment first.
func compareAlign(a, b *model.Section) int { return bits.Len64(b.Align) - bits.Len64(a.Align) }

// priority is the number behind the last dot: of .init_array.N; that of
// .ctors.N and .dtors.N is 65535 - N. -1: there is none.
func priority(name string) int {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return -1
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 31)
	if err != nil {
		return -1
	}
	if i == len(".ctors") && (strings.HasPrefix(name, ".ctors") || strings.HasPrefix(name, ".dtors")) {
		n = 65535 - n
		if int64(n) < 0 {
			return -1
		}
	}
	return int(n)
}

// sortSpec sorts the sections of a statement, which are in the order of the
// input.
func (s *Script) sortSpec(sp *spec) {
	orders := make([]order, max(len(sp.Patterns), 1))
	uniform := true
	for i := range sp.Patterns {
		orders[i] = s.orderOf(&sp.Patterns[i])
		uniform = uniform && orders[i] == orders[0]
	}
	files := sp.File.Reverse || sp.File.Sort != ldscript.Unsorted && sp.File.Sort != ldscript.SortNone
	switch {
	case uniform && !files:
		sp.sortUniform(orders[0])
	case uniform:
		sort.SliceStable(sp.sections, func(i, j int) bool {
			a, b := sp.sections[i], sp.sections[j]
			return sp.before(orders[0], true, a, b)
		})
	default:
		sp.treeSort(orders, files)
	}
}

func (sp *spec) sortUniform(o order) {
	if o == asGiven || o == byNone || len(sp.sections) < 2 {
		return
	}
	sort.SliceStable(sp.sections, func(i, j int) bool { return o.compare(sp.sections[i], sp.sections[j]) < 0 })
}

// node is one of a tree of sections whose order is from left to right.
type node struct {
	sec         *model.Section
	left, right *node
}

// treeSort is for a list of patterns with different orders: each section goes
// down a tree by the order of its own pattern, one without an order to the right
// end. So GNU ld does.
func (sp *spec) treeSort(orders []order, files bool) {
	var root *node
	end := &root
	for _, sec := range sp.sections {
		o := orders[max(sec.Place.Pattern, 0)]
		at := end
		if files || o != asGiven && o != byNone {
			at = &root
			for *at != nil {
				if sp.before(o, files, sec, (*at).sec) {
					at = &(*at).left
				} else {
					at = &(*at).right
				}
			}
		}
		*at = &node{sec: sec}
		if at == end {
			end = &(*at).right
		}
	}
	sp.sections = root.flatten(sp.sections[:0])
}

func (n *node) flatten(list []*model.Section) []*model.Section {
	for ; n != nil; n = n.right {
		list = append(n.left.flatten(list), n.sec)
	}
	return list
}

// before says whether a section goes before another one: by files first, if they
// are sorted.
func (sp *spec) before(o order, files bool, a, b *model.Section) bool {
	if files {
		if c := compareFiles(a.Obj, b.Obj); c != 0 {
			return c < 0 != sp.File.Reverse
		}
	}
	return o.compare(a, b) < 0
}

// compareFiles orders by the archive's name, then by that of the member.
func compareFiles(a, b *model.Object) int {
	outer := func(o *model.Object) string {
		if o.Archive != "" {
			return o.Archive
		}
		return o.Path
	}
	if c := strings.Compare(outer(a), outer(b)); c != 0 {
		return c
	}
	if a.Archive == "" && b.Archive == "" {
		return 0
	}
	return strings.Compare(fileName(a), fileName(b))
}
