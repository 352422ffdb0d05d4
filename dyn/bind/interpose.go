package bind

import (
	"cmp"
	"slices"

	"elfwright/elffile"
)

// Interposition is a definition that lost: a reference that it would have served
// was bound to another one, which comes first.
type Interposition struct {
	Object int32  // whose definition lost
	Symbol uint32 // in its symbol table
	By     int32  // the object whose definition won
	Def    uint32 // in the symbol table of By
}

// Interposed lists the definitions that lost, by object and symbol, each with each
// winner once. Only what some relocation asks for is seen: two definitions of a
// name that nothing refers to do not meet.
func (r *Result) Interposed() []Interposition {
	var list []Interposition
	var steps int
	for i := range r.Bindings {
		b := &r.Bindings[i]
		if b.To < 0 || b.Rule == Local || b.Class == Copy {
			continue
		}
		ref, ok := r.scope.reference(b)
		for at := 0; ok && steps <= maxSteps; {
			h := r.scope.searchFrom(at, &ref, &steps)
			if h == none {
				break
			}
			at = int(h.object) + 1
			if (h != hit{b.To, b.Def}) && r.scope.tables[h.object].sym(h.symbol).shndx != shnUndef {
				list = append(list, Interposition{h.object, h.symbol, b.To, b.Def})
			}
		}
	}
	slices.SortFunc(list, func(a, b Interposition) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.By, b.By), cmp.Compare(a.Def, b.Def))
	})
	return slices.Compact(list)
}

// reference makes a binding's look-up again.
func (s *scope) reference(b *Binding) (ref reference, ok bool) {
	t := s.tables[b.From]
	ref.class = b.Class
	if ref.name, ref.gnu, ok = t.nameAt(t.sym(b.Symbol).name); ok && !s.musl {
		v := t.versionOf(b.Symbol)
		ref.version, ref.hidden = v.id, v.hidden
	}
	return ref, ok
}

// Provider is a definition of a name.
type Provider struct {
	Object  int32
	Symbol  uint32
	Version string // "" for none
	Hidden  bool   // not the default version
}

// Providers lists every definition of a name, in load order, whether or not
// something is bound to it.
func (r *Result) Providers(name string) []Provider {
	var list []Provider
	ref := reference{name: []byte(name), gnu: elffile.GnuHashOf(name)}
	for i, t := range r.scope.tables {
		w := t.walk(&ref)
		for {
			sym, ok := w.next()
			if !ok {
				break
			}
			if !t.defines(sym, &ref) {
				continue
			}
			p := Provider{Object: int32(i), Symbol: sym}
			var x uint16
			if x, p.Hidden = t.version(sym); t.versym != nil && int(x) < len(t.versions) {
				p.Version = r.scope.names.names[t.versions[x].id]
			}
			list = append(list, p)
		}
	}
	return list
}

// defines says whether symbol i is a definition of a name that others can see.
func (t *table) defines(i uint32, r *reference) bool {
	s := t.sym(i)
	return s.shndx != shnUndef && s.bind() != bindLocal && s.vis() != visHidden && s.vis() != visInternal &&
		1<<s.typ()&glibcTypes != 0 && t.isNamed(s.name, r.name)
}
