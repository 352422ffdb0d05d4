package patch

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/internal/near"
)

// A finder looks names up, first in the symbol files, then in the image.
type finder struct {
	img      *elffile.File
	files    []*elffile.File // symbol files; the image itself where there are none
	demangle func(string) string
	cache    map[*elffile.File][]*table
}

func newFinder(img *elffile.File, syms []*elffile.File, demangle func(string) string) *finder {
	return &finder{img: img, files: syms, demangle: demangle, cache: make(map[*elffile.File][]*table)}
}

// sources are the files to look in, those of one step together.
func (x *finder) sources() [][]*elffile.File {
	var steps [][]*elffile.File
	if len(x.files) > 0 {
		steps = append(steps, x.files)
	}
	if !slices.Contains(x.files, x.img) {
		steps = append(steps, []*elffile.File{x.img})
	}
	return steps
}

func (x *finder) tables(f *elffile.File) []*table {
	if _, ok := x.cache[f]; !ok {
		x.cache[f] = tables(f)
	}
	return x.cache[f]
}

// find returns for each name the symbols that it may mean: none, one, or several
// that are equally good.
func (x *finder) find(names []string, src string) ([][]symbol, error) {
	out := make([][]symbol, len(names))
	for _, files := range x.sources() {
		all := make([][]symbol, len(names))
		for _, f := range files {
			got, err := x.findIn(f, names, src)
			if err != nil {
				return nil, err
			}
			for i := range names {
				all[i] = append(all[i], got[i]...)
			}
		}
		for i := range names {
			if len(out[i]) == 0 {
				out[i] = choose(all[i], "")
			}
		}
	}
	return out, nil
}

// findIn looks in one file: .symtab, and for names that it does not have .dynsym.
func (x *finder) findIn(f *elffile.File, names []string, src string) ([][]symbol, error) {
	out := make([][]symbol, len(names))
	for _, t := range x.tables(f) {
		got, err := t.find(names)
		if err != nil {
			return nil, err
		}
		for i := range names {
			if len(out[i]) == 0 {
				out[i] = choose(got[i], src)
			}
		}
	}
	return out, nil
}

// mangled returns the symbols whose source spelling is one of the names; the
// result is parallel to names.
func (x *finder) mangled(names []string) ([][]symbol, error) {
	out := make([][]symbol, len(names))
	if x.demangle == nil {
		return out, nil
	}
	for i, name := range names {
		word := lastWord(name)
		if word == "" {
			continue
		}
		spelled := make(map[string]bool)
		x.allNames(func(n []byte) bool {
			if !bytes.Contains(n, []byte(word)) {
				return true
			}
			for _, tail := range mangledTails(n) {
				if spells(x.demangle(tail), name) {
					spelled[tail] = true
				}
			}
			return len(spelled) < 64
		})
		if len(spelled) == 0 {
			continue
		}
		var list []string
		for n := range spelled {
			list = append(list, n)
		}
		slices.Sort(list)
		got, err := x.find(list, "")
		if err != nil {
			return nil, err
		}
		var all []symbol
		for _, g := range got {
			all = append(all, g...)
		}
		out[i] = choose(all, "")
	}
	return out, nil
}

// mangledTails are the mangled names that a string of a string table is or ends
// with: linkers let a name that is the end of another share its bytes, as
// _ZN1a1bE does with _GLOBAL__sub_I__ZN1a1bE.
func mangledTails(n []byte) []string {
	var list []string
	for i := 0; i+2 < len(n) && len(list) < 4; i++ {
		if n[i] == '_' && (n[i+1] == 'Z' || n[i+1] == 'R') {
			list = append(list, string(n[i:]))
		}
	}
	return list
}

// spells says whether a demangled name is what the user wrote. Rust's hash at
// the end ("::h0123456789abcdef") need not be written.
func spells(demangled, name string) bool {
	if demangled == name {
		return true
	}
	rest, ok := strings.CutPrefix(demangled, name+"::h")
	return ok && len(rest) == 16 && strings.Trim(rest, "0123456789abcdef") == ""
}

// lastWord is the last identifier of a name, which its mangled form has in it as
// it is.
func lastWord(name string) string {
	isWord := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	end := len(name)
	for end > 0 && !isWord(name[end-1]) {
		end--
	}
	start := end
	for start > 0 && isWord(name[start-1]) {
		start--
	}
	return name[start:end]
}

// allNames calls yield with every string in every string table, until it has
// enough.
func (x *finder) allNames(yield func([]byte) bool) {
	for _, files := range x.sources() {
		for _, f := range files {
			for _, t := range x.tables(f) {
				t.names(yield)
			}
		}
	}
}

// nearest returns up to three names that are near the one that was not found.
func (x *finder) nearest(name string) []string {
	type hit struct {
		name string
		d    int
	}
	var hits []hit
	limit := near.Limit(name)
	seen := make(map[string]bool)
	x.allNames(func(n []byte) bool {
		if len(n) > len(name)+limit || len(n)+limit < len(name) || seen[string(n)] {
			return true
		}
		if d := near.Distance(name, string(n)); d < limit && len(seen) < 1000 {
			seen[string(n)] = true
			hits = append(hits, hit{string(n), d})
		}
		return true
	})
	slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.name, b.name)) })
	var names []string
	for _, h := range hits {
		if h.d <= hits[0].d+1 {
			names = append(names, h.name)
		}
	}
	return x.defined(names[:min(len(names), 20)])
}

// defined returns the first three names that symbols have: a string may also be
// that of an undefined symbol.
func (x *finder) defined(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	got, err := x.find(names, "")
	if err != nil {
		return nil
	}
	var out []string
	for i := range names {
		if len(got[i]) > 0 && len(out) < 3 {
			out = append(out, names[i])
		}
	}
	return out
}
