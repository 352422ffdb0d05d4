package deps

import (
	"cmp"
	"io"
	"slices"

	"elfwright/dyn/bind"
)

// Symbols prints every binding, a line each, by object in load order and within it
// in the order of the relocations: who asks, for what, who answers, and what is
// remarkable about it. Definitions that lost follow. With demangle names are
// written as in the source.
func (s *Subject) Symbols(w io.Writer, demangle func(string) string) error {
	if s.Bound == nil {
		return nil
	}
	p := &lines{w: w, s: s, demangle: demangle}
	for i := range s.Process.Objects {
		for _, b := range s.Bound.Of(s.Process.Objects[i]) {
			p.binding(b)
		}
	}
	for _, x := range s.Bound.Interposed() {
		p.interposed(x)
	}
	return p.flush()
}

// lines writes lines of bindings without an allocation for each.
type lines struct {
	w        io.Writer
	s        *Subject
	demangle func(string) string // nil: names as they are
	b        []byte
	err      error
}

func (p *lines) name(name []byte) {
	if p.demangle != nil {
		p.b = append(p.b, p.demangle(string(name))...)
		return
	}
	p.b = append(p.b, name...)
}

func (p *lines) end() {
	p.b = append(p.b, '\n')
	if len(p.b) > 1<<15 {
		p.flush()
	}
}

func (p *lines) flush() error {
	if p.err == nil {
		_, p.err = p.w.Write(p.b)
	}
	p.b = p.b[:0]
	return p.err
}

func (p *lines) binding(b bind.Binding) {
	r, names := p.s.Bound, p.s.names
	p.b = append(p.b, names[b.From]...)
	p.b = append(p.b, ": "...)
	p.name(r.Name(b))
	if version, _ := r.Version(b); version != "" {
		p.b = append(p.b, '@')
		p.b = append(p.b, version...)
	}
	p.b = append(p.b, " => "...)
	switch b.Rule {
	case bind.WeakZero:
		p.b = append(p.b, "0 [weak]"...)
	case bind.Undefined:
		p.b = append(p.b, "undefined"...)
	default:
		p.b = append(p.b, names[b.To]...)
	}
	if note := remark(b); note != "" {
		p.b = append(p.b, " ["...)
		p.b = append(p.b, note...)
		p.b = append(p.b, ']')
	}
	p.end()
}

// ruleNames are the rules of bindings by name, as JSON has them.
var ruleNames = [...]string{
	bind.Scope: "scope", bind.Local: "local", bind.Symbolic: "symbolic", bind.Protected: "protected", bind.Unique: "unique",
	bind.WeakZero: "weak", bind.Undefined: "undefined", bind.LFS64: "lfs64",
}

var classNames = [...]string{bind.Plain: "plain", bind.PLT: "plt", bind.Copy: "copy"}

// remark is what is out of the ordinary about a binding.
func remark(b bind.Binding) string {
	switch {
	case b.Rule == bind.Undefined && b.Lazy:
		return "lazy: an error when it is called"
	case b.Rule == bind.Undefined, b.Rule == bind.WeakZero:
		return ""
	case b.Class == bind.Copy:
		return "copied into the program"
	}
	switch b.Rule {
	case bind.Local:
		return "local"
	case bind.Symbolic:
		return "symbolic"
	case bind.Protected:
		return "protected"
	case bind.Unique:
		return "unique"
	case bind.LFS64:
		return "the name without 64"
	}
	return ""
}

func (p *lines) interposed(x bind.Interposition) {
	o := p.s.Process.Objects[x.Object]
	p.b = append(p.b, p.s.names[x.Object]...)
	p.b = append(p.b, ": its "...)
	p.name(o.Symbols.Name(o.Symbols.At(int(x.Symbol))))
	p.b = append(p.b, " is not taken: that of "...)
	p.b = append(p.b, p.s.names[x.By]...)
	p.b = append(p.b, " comes first"...)
	p.end()
}

// uses says which objects an object's references lead to. A reference to what the
// program has a copy of leads also to where that was copied from.
func (s *Subject) uses() []set {
	n := len(s.Process.Objects)
	list := make([]set, n)
	for i := range list {
		list[i] = newSet(n)
	}
	origin := s.copies()
	for _, b := range s.Bound.Bindings {
		if b.To < 0 || b.To == b.From {
			continue
		}
		list[b.From].add(int(b.To))
		if k, ok := slices.BinarySearchFunc(origin, b, comparePlace); ok && b.Class != bind.Copy {
			if from := int(origin[k].from); from != int(b.From) {
				list[b.From].add(from)
			}
		}
	}
	return list
}

// copied is a variable that a COPY relocation puts into the program.
type copied struct{ object, symbol, from int32 }

func comparePlace(c copied, b bind.Binding) int {
	return cmp.Or(cmp.Compare(c.object, b.To), cmp.Compare(c.symbol, int32(b.Def)))
}

// copies are the variables in the program that are copied into it, sorted.
func (s *Subject) copies() []copied {
	var list []copied
	for b := range s.Bound.Copies() {
		if b.To >= 0 {
			list = append(list, copied{b.From, int32(b.Symbol), b.To})
		}
	}
	slices.SortFunc(list, func(a, b copied) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.symbol, b.symbol))
	})
	return list
}

// set is a set of objects.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
