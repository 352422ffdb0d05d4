package synth

import (
	"cmp"
	"debug/elf"
	"slices"

	"elfwright/link/model"
)

// sortLinked puts sections with SHF_LINK_ORDER into the order of the sections that
// they are for (gABI, "Section Attribute Flags"): .ARM.exidx, which must be sorted,
// __patchable_function_entries. As with GNU ld that is done within an output
// section, and where such sections follow one another.
func (s *Set) sortLinked() {
	for _, out := range s.env.Outputs {
		from := -1
		for i := range out.Items {
			linked := hasLink(&out.Items[i])
			if linked && from < 0 {
				from = i
			}
			if from >= 0 && !linked {
				s.sortRun(out.Items[from:i])
				from = -1
			}
		}
		if from >= 0 {
			s.sortRun(out.Items[from:])
		}
	}
}

func hasLink(it *model.Item) bool {
	sec := it.Section
	return sec != nil && sec.LinkTo != nil && sec.LinkTo.Out != nil && (sec.Flags&elf.SHF_LINK_ORDER != 0 || sec.Type == shtArmExidx) && !sec.Obj.Linker
}

// sortRun orders items. Their places stay taken as a whole: where sizes are no
// multiples of the alignment that could not be, and the order stays.
func (s *Set) sortRun(run []model.Item) {
	less := func(a, b model.Item) int {
		return cmp.Compare(a.Section.LinkTo.Addr(0), b.Section.LinkTo.Addr(0))
	}
	if len(run) < 2 || slices.IsSortedFunc(run, less) {
		return
	}
	align := uint64(1)
	for i := range run {
		align = max(align, run[i].Section.Align)
	}
	for i := range run {
		if run[i].Size%align != 0 || i > 0 && run[i].Off != run[i-1].Off+run[i-1].Size {
			return
		}
	}
	pos := run[0].Off
	s.linked.sort(run)
	for i := range run {
		run[i].Off, run[i].Section.Off = pos, pos
		pos += run[i].Size
	}
}

// linkSorter sorts items by what they are for: their numbers are sorted, which are
// smaller. What it works with it keeps, for that is done in each round.
type linkSorter struct {
	keys   []linkKey
	sorted []linkKey
	before []model.Item
}

type linkKey struct {
	addr uint64
	at   int
	out  *model.Output
}

func compareKeys(a, b linkKey) int {
	if a.addr != b.addr {
		return cmp.Compare(a.addr, b.addr)
	}
	return cmp.Compare(a.at, b.at)
}

func (l *linkSorter) sort(run []model.Item) {
	l.keys = l.keys[:0]
	for i := range run {
		to := run[i].Section.LinkTo
		l.keys = append(l.keys, linkKey{to.Addr(0), i, to.Out})
	}
	l.byOutput()
	if !slices.IsSortedFunc(l.keys, compareKeys) {
		slices.SortFunc(l.keys, compareKeys)
	}
	l.before = append(l.before[:0], run...)
	for i, k := range l.keys {
		run[i] = l.before[k.at]
	}
}

// byOutput puts together what is for the same output section: mostly that sorts
// the keys, for within each of them the order is that of the inputs.
func (l *linkSorter) byOutput() {
	var outs []*model.Output
	for i, k := range l.keys {
		if i == 0 || k.out != l.keys[i-1].out {
			if !slices.Contains(outs, k.out) {
				outs = append(outs, k.out)
			}
			if len(outs) > 8 {
				return // it is quicker to sort
			}
		}
	}
	slices.SortFunc(outs, func(a, b *model.Output) int { return cmp.Compare(a.Addr, b.Addr) })
	l.sorted = l.sorted[:0]
	for _, out := range outs {
		for _, k := range l.keys {
			if k.out == out {
				l.sorted = append(l.sorted, k)
			}
		}
	}
	l.keys, l.sorted = l.sorted, l.keys
}
