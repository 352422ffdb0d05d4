package deps

import (
	"slices"
	"strings"
)

// search looks for those who have what plugins expect.
func (r *Scanned) search(list []seen, workers int) {
	var names []string
	for i := range list {
		if v := &list[i]; len(v.open) > 0 {
			slices.Sort(v.open)
			v.open = slices.Compact(v.open)
			names = append(names, v.open...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	has := make([][]int, len(list)) // the names that each file defines, by index
	share(len(list), workers, func(i int) {
		if o := list[i].object; len(names) > 0 && o != nil && list[i].err == nil {
			_ = o.Guard(func() error { // a file that shrank has nothing
				for k, name := range names {
					if defines(o, name) {
						has[i] = append(has[i], k)
					}
				}
				return nil
			})
		}
	})
	for i := range list {
		if v := &list[i]; len(v.open)+len(v.libs) > 0 {
			r.Plugins = append(r.Plugins, v.plugin(list, names, has))
		}
	}
	slices.SortFunc(r.Plugins, func(a, b Plugin) int { return strings.Compare(a.Path, b.Path) })
}

// plugin finds who has the symbols of one: the file that has most of them, then the
// one that has most of the rest, and so on.
func (v *seen) plugin(list []seen, names []string, has [][]int) Plugin {
	o := Plugin{Path: v.path, Libraries: v.libs, Symbols: v.open, By: v.have}
	left := map[int]bool{}
	for _, s := range v.open {
		k, _ := slices.BinarySearch(names, s)
		left[k] = true
	}
	for len(left) > 0 {
		best, most := -1, 0
		for i := range list {
			n := 0
			for _, k := range has[i] {
				if left[k] {
					n++
				}
			}
			if n > 0 && v.alike(&list[i]) && (n > most || n == most && v.prefers(&list[i], &list[best])) {
				best, most = i, n
			}
		}
		if best < 0 {
			break
		}
		o.By = append(o.By, list[best].path)
		for _, k := range has[best] {
			delete(left, k)
		}
	}
	for k := range left {
		o.Nowhere = append(o.Nowhere, names[k])
	}
	slices.Sort(o.Nowhere)
	return o
}

// prefers says whether x is more likely to load v than y: it is nearer, or a
// program.
func (v *seen) prefers(x, y *seen) bool {
	if a, b := common(v.path, x.path), common(v.path, y.path); a != b {
		return a > b
	}
	return x.program && !y.program
}
