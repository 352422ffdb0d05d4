package deps

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/term"
)

// Floor is the highest version of a family, such as GLIBC or GLIBCXX, that is
// asked for: an older library will not do.
type Floor struct {
	Family  string // "GLIBC"
	Version string // "2.36"
	Asked   []Asked
}

// Asked is who asks for the highest version.
type Asked struct {
	By      *load.Object
	File    string // the library that it is asked of
	Version string // as it is written: "GLIBC_2.36", "GLIBC_ABI_DT_RELR"
	Weak    bool   // VER_FLG_WEAK: it may be missing
	Symbols []string
}

// Floors are the least versions that a program, or all that is loaded for it,
// can do with.
type Floors struct {
	Program []Floor
	Closure []Floor
	// Private are objects that ask for GLIBC_PRIVATE and are no part of glibc:
	// they work with one build of it only.
	Private []*load.Object
}

// families are the version names that have a number behind them, by the library
// they are of. A version without one of these names is nobody's floor.
var families = []string{"GLIBC", "GLIBCXX", "CXXABI", "GCC"}

// relr is the version by which a program asks for a dynamic linker that knows
// DT_RELR; glibc has it since 2.36.
const (
	relr       = "GLIBC_ABI_DT_RELR"
	relrSince  = "2.36"
	private    = "GLIBC_PRIVATE"
	maxSymbols = 8 // named for one version
)

// Floors finds the highest versions asked for. The libraries of glibc, which come
// with it, ask for nothing here, nor do those that define a family for themselves.
func (s *Subject) Floors() Floors {
	var f Floors
	var all []*load.Object
	for _, o := range s.Process.Objects {
		if o.Versions == nil || ofGlibc(o) || o == s.Process.Ld {
			continue
		}
		all = append(all, o)
		if needsVersion(o, private) {
			f.Private = append(f.Private, o)
		}
	}
	f.Closure = floors(all)
	if p := s.program(); p.Versions != nil {
		f.Program = floors([]*load.Object{p})
	}
	return f
}

// ofGlibc says whether a library is a part of glibc: its versions are glibc's and
// no others. libcrypt of libxcrypt has XCRYPT_2.0 besides.
func ofGlibc(o *load.Object) bool {
	own := false
	for i := range o.Versions.Defs {
		d := &o.Versions.Defs[i]
		if d.Flags&elffile.VerFlagBase != 0 {
			continue
		}
		if !strings.HasPrefix(string(d.Name()), "GLIBC_") {
			return false
		}
		own = true
	}
	return own
}

func needsVersion(o *load.Object, name string) bool {
	for i := range o.Versions.Needs {
		for j := range o.Versions.Needs[i].Aux {
			if string(o.Versions.Needs[i].Aux[j].Name) == name {
				return true
			}
		}
	}
	return false
}

// floors finds the highest version of each family that objects ask for.
func floors(list []*load.Object) []Floor {
	var out []Floor
	for _, family := range families {
		f := Floor{Family: family}
		for _, o := range list {
			for i := range o.Versions.Needs {
				n := &o.Versions.Needs[i]
				for j := range n.Aux {
					f.take(o, string(n.File), string(n.Aux[j].Name), n.Aux[j].Flags&elffile.VerFlagWeak != 0)
				}
			}
		}
		for i := range f.Asked {
			f.Asked[i].Symbols = symbolsOf(f.Asked[i].By, f.Asked[i].File, f.Asked[i].Version)
		}
		if f.Version != "" {
			out = append(out, f)
		}
	}
	return out
}

// take counts a version, if it is of the family.
func (f *Floor) take(o *load.Object, file, version string, weak bool) {
	number, ok := strings.CutPrefix(version, f.Family+"_")
	if f.Family == "GLIBC" && version == relr {
		number = relrSince
	}
	if !ok || !isNumber(number) {
		return
	}
	switch c := compareVersions(number, f.Version); {
	case c < 0:
		return
	case c > 0:
		f.Version, f.Asked = number, nil
	}
	f.Asked = append(f.Asked, Asked{By: o, File: file, Version: version, Weak: weak})
}

// isNumber says whether a text is of the form 2.34.1.
func isNumber(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if _, err := strconv.ParseUint(part, 10, 32); err != nil {
			return false
		}
	}
	return true
}

// compareVersions compares numbers with dots, part by part. No number is less than
// any.
func compareVersions(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(a), len(b))
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, _ := strconv.ParseUint(x[i], 10, 32)
		n, _ := strconv.ParseUint(y[i], 10, 32)
		if m != n {
			return cmp.Compare(m, n)
		}
	}
	return cmp.Compare(len(x), len(y))
}

// symbolsOf are the symbols for which an object asks for a version, sorted.
func symbolsOf(o *load.Object, file, version string) []string {
	if o.Symbols == nil {
		return nil
	}
	var indices []uint16
	for i := range o.Versions.Needs {
		n := &o.Versions.Needs[i]
		for j := range n.Aux {
			if string(n.File) == file && string(n.Aux[j].Name) == version {
				indices = append(indices, n.Aux[j].Index&0x7fff)
			}
		}
	}
	var list []string
	for i := range min(o.Symbols.Len(), o.Versions.Len()) {
		if index, _ := o.Versions.Symbol(i); index > 1 && slices.Contains(indices, index) {
			list = append(list, string(o.Symbols.Name(o.Symbols.At(i))))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// WriteFloors prints them.
func (s *Subject) WriteFloors(w io.Writer, f Floors, style term.Style) {
	program := s.program().Asked
	if len(f.Closure)+len(f.Program) == 0 {
		fmt.Fprintf(w, "%s: no version of glibc or of the libraries of GCC is asked for\n", style.Bold(program))
	}
	s.writeFloors(w, program, f.Program, style)
	s.writeFloors(w, "with all that is loaded for it", f.Closure, style)
	if len(s.Missing()) > 0 {
		fmt.Fprintf(w, "%s: what it asks for is not known\n", style.Yellow("a library is missing"))
	}
	for _, o := range f.Private {
		fmt.Fprintf(w, "%s asks for %s: it works with one build of glibc only\n", s.Name(o), style.Yellow(private))
	}
}

func (s *Subject) writeFloors(w io.Writer, title string, list []Floor, style term.Style) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, title+":")
	for _, f := range list {
		fmt.Fprintf(w, "    %s\n", style.Bold(f.Family+" "+f.Version))
		for i := range f.Asked {
			a := &f.Asked[i]
			fmt.Fprintf(w, "        %s of %s, by %s%s%s\n", a.Version, a.File, s.Name(a.By), weakly(a.Weak), style.Dim(forSymbols(a.Symbols)))
		}
	}
}

func weakly(weak bool) string {
	if weak {
		return " (weak)"
	}
	return ""
}

func forSymbols(list []string) string {
	switch {
	case len(list) == 0:
		return ""
	case len(list) > maxSymbols:
		return fmt.Sprintf(": %s and %d more", strings.Join(list[:maxSymbols], ", "), len(list)-maxSymbols)
	}
	return ": " + strings.Join(list, ", ")
}
