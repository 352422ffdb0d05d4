package ldcase

import (
	"fmt"
	"strings"
)

// Fact answers one question about a summary:
//
//	entry            the entry point
//	sections         names of the ALLOC sections, in order, with commas
//	sections+        names of all but the symbol and string tables
//	loads            the number of PT_LOADs
//	segments         types, with commas
//	symbol(a)        SECTION:VALUE, abs:VALUE, undefined, or none
//	addr(.s) lma(.s) size(.s) align(.s) type(.s) flags(.s) bytes(.s)
//	in(.s)           the numbers of its segments, with commas
//	seg(0)           TYPE:FLAGS[sections]
//	vaddr(0) paddr(0) filesz(0) memsz(0)
//
// The answer for what is not there is "none".
func (s *Summary) Fact(question string) string {
	switch question {
	case "entry":
		return fmt.Sprintf("%#x", s.Entry)
	case "sections", "sections+":
		return s.names(question == "sections+")
	case "loads":
		return fmt.Sprint(s.loads())
	case "segments":
		var types []string
		for _, g := range s.Segments {
			types = append(types, g.Type)
		}
		return strings.Join(types, ",")
	}
	what, name, _ := strings.Cut(strings.TrimSuffix(question, ")"), "(")
	if what == "symbol" {
		if place, ok := s.places[name]; ok {
			return place
		}
		return "none"
	}
	for i := range s.Segments {
		if fmt.Sprint(i) == name {
			return s.Segments[i].fact(what)
		}
	}
	for i := range s.Sections {
		if s.Sections[i].Name == name {
			return s.sectionFact(what, &s.Sections[i])
		}
	}
	return "none"
}

func (s *Summary) names(all bool) string {
	var names []string
	for i := range s.Sections {
		if x := &s.Sections[i]; x.alloc || all && !free(x.Name) {
			names = append(names, x.Name)
		}
	}
	return strings.Join(names, ",")
}

func (s *Summary) loads() (n int) {
	for _, g := range s.Segments {
		if g.Type == "LOAD" {
			n++
		}
	}
	return n
}

func (g *Segment) fact(what string) string {
	switch what {
	case "seg":
		return g.Type + ":" + g.Flags + "[" + strings.Join(g.Sections, ",") + "]"
	case "vaddr":
		return fmt.Sprintf("%#x", g.Vaddr)
	case "paddr":
		return fmt.Sprintf("%#x", g.Paddr)
	case "filesz":
		return fmt.Sprintf("%#x", g.Filesz)
	case "memsz":
		return fmt.Sprintf("%#x", g.Memsz)
	}
	return "no such fact"
}

func (s *Summary) sectionFact(what string, x *Section) string {
	switch what {
	case "addr":
		return fmt.Sprintf("%#x", x.Addr)
	case "lma":
		if !x.HasLMA {
			return "none"
		}
		return fmt.Sprintf("%#x", x.LMA)
	case "size":
		return fmt.Sprintf("%#x", x.Size)
	case "align":
		return fmt.Sprint(x.Align)
	case "type":
		return x.Type
	case "flags":
		return x.Flags
	case "bytes":
		return fmt.Sprintf("%x", x.bytes)
	case "in":
		return s.segmentsOf(x.Name)
	}
	return "no such fact"
}

func (s *Summary) segmentsOf(name string) string {
	var in []string
	for i, g := range s.Segments {
		for _, n := range g.Sections {
			if n == name {
				in = append(in, fmt.Sprint(i))
			}
		}
	}
	if in == nil {
		return "none"
	}
	return strings.Join(in, ",")
}
