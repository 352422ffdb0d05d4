package deps

import (
	"fmt"
	"io"
	"slices"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/term"
)

// Missing is a request that nothing answers.
type Missing struct {
	By   *load.Object
	Need *load.Need
}

// Missing lists the requests that fail, in load order. A DT_AUXILIARY or an auditing
// library that is not there is no failure (load_audit_module of elf/rtld.c goes on
// without it), nor is a dynamic linker that nobody asked for.
func (s *Subject) Missing() []Missing {
	p := s.Process
	var list []Missing
	if n := &p.Interp; n.Name != "" && n.To == nil && s.program().Interp != "" {
		list = append(list, Missing{s.program(), n})
	}
	take := func(o *load.Object) {
		for i := range o.Needs {
			if n := &o.Needs[i]; n.To == nil && !optional(n.Kind) {
				list = append(list, Missing{o, n})
			}
		}
	}
	for _, o := range p.Objects {
		take(o)
	}
	for _, a := range p.Audits {
		for _, o := range a.Objects {
			take(o)
		}
	}
	return list
}

// optional says whether a request may fail.
func optional(k load.NeedKind) bool { return k == load.Auxiliary || k == load.Audit }

// Versions lists the versions whose lack ends a start. Those of a library that is
// missing itself are not among them.
func (s *Subject) Versions() []bind.VersionFault {
	if s.Bound == nil {
		return nil
	}
	gone := map[string]bool{}
	for _, m := range s.Missing() {
		gone[m.Need.Name] = true
	}
	var list []bind.VersionFault
	for _, f := range s.Bound.Versions {
		if !f.Weak && !f.Warning && !(f.Of == nil && gone[f.File]) {
			list = append(list, f)
		}
	}
	return list
}

// Undefined lists the references that nothing defines; with weak also those that
// are 0 then.
func (s *Subject) Undefined(weak bool) []bind.Binding {
	if s.Bound == nil {
		return nil
	}
	var list []bind.Binding
	for b := range s.Bound.Unresolved(weak) {
		list = append(list, b)
	}
	return list
}

// Directs lists the uses of protected symbols that end a start, or, with warned, also
// those of which glibc only warns.
func (s *Subject) Directs(warned bool) []bind.Direct {
	if s.Bound == nil {
		return nil
	}
	list := s.Bound.Directs()
	if !warned {
		list = slices.DeleteFunc(list, func(d bind.Direct) bool { return !d.Fatal })
	}
	return list
}

// Resolved says whether all is there, as far as it was looked at.
func (s *Subject) Resolved() bool {
	return len(s.Missing()) == 0 && len(s.Versions()) == 0 && len(s.Undefined(false)) == 0 && len(s.Directs(false)) == 0
}

// Lack says in a few words how much is missing.
func (s *Subject) Lack() string {
	return fmt.Sprintf("what is missing: %s, %s, %s", libraries(len(s.Missing())), count(len(s.Versions()), "version"), count(len(s.Undefined(false)), "symbol"))
}

func libraries(n int) string {
	if n == 1 {
		return "1 library"
	}
	return fmt.Sprintf("%d libraries", n)
}

// Faults prints what is missing: libraries with every place where they were looked
// for, versions, symbols. It prints nothing where nothing is.
func (s *Subject) Faults(w io.Writer, style term.Style) {
	for _, m := range s.Missing() {
		fmt.Fprintf(w, "%s: needs %s: %s\n", s.Name(m.By), style.Bold(m.Need.Name)+kind(m.Need.Kind), style.Red(failure(m.Need)))
		tried(w, m.Need, "    ", style)
	}
	for _, f := range s.Versions() {
		where := f.File + " is not loaded"
		if f.Of != nil {
			where = f.Of.Path + " does not define it"
		}
		fmt.Fprintf(w, "%s: needs version %s of %s: %s\n", s.Name(f.By), style.Bold(f.Version), f.File, style.Red(where))
	}
	for _, b := range s.Undefined(false) {
		fmt.Fprintf(w, "%s: needs symbol %s: %s%s\n", s.names[b.From], style.Bold(s.symbol(b)), style.Red("undefined"), s.hint(b))
	}
	for _, d := range s.Directs(true) {
		b, what, end := d.Binding, "copies", "warning: the library goes on using its own"
		if !d.Copy {
			what = "has an address of its own for function"
		}
		if d.Fatal {
			end = style.Red("an error, by GNU_PROPERTY_1_NEEDED_INDIRECT_EXTERN_ACCESS")
			if b.Lazy {
				end += " when it is called"
			}
		}
		fmt.Fprintf(w, "%s: %s %s, which is protected in %s: %s\n", s.names[b.From], what, style.Bold(s.symbol(b)), s.names[b.To], end)
	}
}

// failure says in short why a request fails.
func failure(n *load.Need) string {
	if _, ok := n.Err.(*load.NotFound); n.Err == nil || ok {
		return "not found"
	}
	return n.Err.Error()
}

// tried prints every place where a file was looked for in vain, in order.
func tried(w io.Writer, n *load.Need, indent string, style term.Style) {
	for _, x := range n.Tried {
		fmt.Fprintf(w, "%s%s: %s%s\n", indent, x.Path, x.Why, style.Dim(" ["+Why(x)+"]"))
	}
}

// symbol is a reference's name with the version that it asks for.
func (s *Subject) symbol(b bind.Binding) string {
	name := string(s.Bound.Name(b))
	if version, _ := s.Bound.Version(b); version != "" {
		name += "@" + version
	}
	return name
}

// hint says what else is known of a reference that nothing defines.
func (s *Subject) hint(b bind.Binding) string {
	text := ""
	if _, file := s.Bound.Version(b); file != "" {
		text = ", was in " + file
	}
	if b.Lazy {
		text += "; bound lazily: an error when it is called"
	}
	return text
}
