package layout

import (
	"slices"
	"strings"
)

// circle finds symbols whose values come from nothing but one another, as those
// of a = b; b = a;. The value that such a symbol has is the one with which the
// first walk began. Names that lead back by way of an address, as that of _end in
// an expression before it, are no circle: there the sections say where it ends.
func (s *Script) circle() error {
	for _, a := range s.assigns {
		var way []string
		for a.sym.guessed {
			if i := slices.Index(way, a.Name); i >= 0 {
				return fault(a.Pos, a.Name, "its value depends on nothing but itself: %s", strings.Join(append(way[i:], a.Name), ", "))
			}
			way = append(way, a.Name)
			next := s.guessedIn(a)
			if next == nil {
				break
			}
			a = next
		}
	}
	return nil
}

// guessedIn is the assignment of the first symbol, in the expression of another
// one, whose value is a guess.
func (s *Script) guessedIn(a *assign) *assign {
	for _, name := range names(a.x) {
		y := s.syms[name]
		if y == nil || !y.guessed {
			continue
		}
		for _, b := range s.assigns {
			if b.sym == y {
				return b
			}
		}
	}
	return nil
}
