package deps

import (
	"fmt"
	"io"
	"strings"

	"elfwright/dyn/bind"
	"elfwright/internal/term"
)

// Provided is what there is to know of a name: who defines it and who is bound to
// which.
type Provided struct {
	Name        string
	Definitions []Definition   // in load order
	Unresolved  []bind.Binding // references that lead nowhere
}

// Definition is a definition of a name, with the references that are bound to it.
type Definition struct {
	bind.Provider
	Bound []bind.Binding
}

// Provides tells who defines a name, "memcpy" or "memcpy@GLIBC_2.14", and who is
// bound to it.
func (s *Subject) Provides(name string) Provided {
	base, version, _ := strings.Cut(name, "@")
	version = strings.TrimPrefix(version, "@")
	p := Provided{Name: name}
	if s.Bound == nil {
		return p
	}
	at := map[[2]uint32]int{}
	for _, d := range s.Bound.Providers(base) {
		if version != "" && d.Version != version {
			continue
		}
		at[[2]uint32{uint32(d.Object), d.Symbol}] = len(p.Definitions)
		p.Definitions = append(p.Definitions, Definition{Provider: d})
	}
	for b := range s.Bound.Named(base) {
		if b.To < 0 {
			if v, _ := s.Bound.Version(b); version == "" || v == version {
				p.Unresolved = append(p.Unresolved, b)
			}
			continue
		}
		if i, ok := at[[2]uint32{uint32(b.To), b.Def}]; ok {
			p.Definitions[i].Bound = append(p.Definitions[i].Bound, b)
		}
	}
	return p
}

// symbolOf is a definition's name as nm writes it: @@ before a default version.
func (d *Definition) symbolOf(name string) string {
	base, _, _ := strings.Cut(name, "@")
	switch {
	case d.Version == "":
		return base
	case d.Hidden:
		return base + "@" + d.Version
	}
	return base + "@@" + d.Version
}

// WriteProvided prints what is known of a name.
func (s *Subject) WriteProvided(w io.Writer, p Provided, style term.Style) {
	for i := range p.Definitions {
		d := &p.Definitions[i]
		o := s.Process.Objects[d.Object]
		sym := o.Symbols.At(int(d.Symbol))
		fmt.Fprintf(w, "%s %s %s\n", style.Bold(d.symbolOf(p.Name)), o.Path, style.Dim("["+lower(sym.Bind().String())+" "+lower(sym.Type().String())+"]"))
		for _, b := range d.Bound {
			fmt.Fprintf(w, "    bound by %s\n", s.asker(b))
		}
	}
	for _, b := range p.Unresolved {
		state := "undefined"
		if b.Rule == bind.WeakZero {
			state = "0, for the reference is weak"
		}
		fmt.Fprintf(w, "%s in %s: %s%s\n", s.symbol(b), s.names[b.From], style.Red(state), s.hint(b))
	}
}

// asker is who refers, and how.
func (s *Subject) asker(b bind.Binding) string {
	text := s.names[b.From]
	if v, _ := s.Bound.Version(b); v != "" {
		text += " as @" + v
	}
	if note := remark(b); note != "" {
		text += ", " + note
	}
	if b.Class == bind.PLT && b.Lazy {
		text += ", lazily"
	}
	return text
}

// lower turns STB_WEAK into weak.
func lower(name string) string {
	_, name, _ = strings.Cut(name, "_")
	return strings.ToLower(name)
}
