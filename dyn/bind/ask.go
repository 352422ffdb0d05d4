package bind

import (
	"iter"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Of returns the bindings of an object's references.
func (r *Result) Of(o *load.Object) []Binding {
	for k, i := range r.Order {
		if r.Process.Objects[i] == o {
			return r.Bindings[r.from[k]:r.from[k+1]]
		}
	}
	return nil
}

// Unresolved yields the bindings that lead nowhere: references that nothing
// defines, and with weak also those that may be 0.
func (r *Result) Unresolved(weak bool) iter.Seq[Binding] {
	return r.where(func(b Binding) bool { return b.Rule == Undefined || weak && b.Rule == WeakZero })
}

// Copies yields the bindings of COPY relocations.
func (r *Result) Copies() iter.Seq[Binding] {
	return r.where(func(b Binding) bool { return b.Class == Copy })
}

// Named yields the bindings of a symbol's name.
func (r *Result) Named(name string) iter.Seq[Binding] {
	return r.where(func(b Binding) bool { return string(r.Name(b)) == name })
}

func (r *Result) where(want func(Binding) bool) iter.Seq[Binding] {
	return func(yield func(Binding) bool) {
		for _, b := range r.Bindings {
			if want(b) && !yield(b) {
				return
			}
		}
	}
}

// Used says for each object whether anything outside of it is bound to it.
func (r *Result) Used() []bool {
	used := make([]bool, len(r.Process.Objects))
	for _, b := range r.Bindings {
		if b.To >= 0 && b.To != b.From {
			used[b.To] = true
		}
	}
	return used
}

// Name is the name of a binding's symbol: a window; nil if it cannot be read.
func (r *Result) Name(b Binding) []byte { return r.scope.nameOf(b.From, b.Symbol) }

func (s *scope) nameOf(object int32, i uint32) []byte {
	t := s.tables[object]
	if i >= t.nsyms {
		return nil
	}
	name, _, _ := t.nameAt(t.sym(i).name)
	return name
}

// Symbol is the entry of a binding's reference, Definition that of what it is bound
// to; ok is false where it is bound to nothing.
func (r *Result) Symbol(b Binding) elffile.Symbol {
	return r.Process.Objects[b.From].Symbols.At(int(b.Symbol))
}

// Definition is the entry of what a binding leads to.
func (r *Result) Definition(b Binding) (s elffile.Symbol, ok bool) {
	if b.To < 0 {
		return s, false
	}
	return r.Process.Objects[b.To].Symbols.At(int(b.Def)), true
}

// Version is the version that a binding asks for and the library that the linker
// found it in; both empty where there is none. The library is empty for a version
// that the object defines itself. musl knows no versions.
func (r *Result) Version(b Binding) (name, file string) {
	if r.scope.musl {
		return "", ""
	}
	t := r.scope.tables[b.From]
	v := t.versionOf(b.Symbol)
	if v.id == 0 {
		return "", ""
	}
	if v.need >= 0 {
		file = string(t.obj.Versions.Needs[v.need].File)
	}
	return r.scope.names.names[v.id], file
}
