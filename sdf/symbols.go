package sdf

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/internal/near"
)

// A found is what a symbol table has under a name.
type found struct {
	sym   elffile.Symbol
	count int
}

// lookUp looks for all names at once, as Microkit's tool does: in the last
// SHT_SYMTAB of the file, by name alone. The dynamic symbols do not count. Of a
// name that is not there, near is one that is.
func lookUp(f *elffile.File, vars []variable) (got map[string]*found, nearest map[string]string, err error) {
	table := symtab(f)
	if table < 0 {
		if err := f.SectionErr(); err != nil {
			return nil, nil, err
		}
		return nil, nil, fmt.Errorf("%s: it has no symbol table", f.Name)
	}
	t, err := f.SymbolTable(table)
	if err != nil {
		return nil, nil, err
	}
	got = make(map[string]*found, len(vars))
	for i := range vars {
		got[vars[i].symbol] = new(found)
	}
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		if elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF {
			continue
		}
		if x := got[string(t.Name(s))]; x != nil {
			x.sym = s
			x.count++
		}
	}
	return got, suggest(t, got), nil
}

// maxNear is how long a name may be that a suggestion is looked for.
const maxNear = 64

// suggest finds for each missing name the nearest that is there.
func suggest(t *elffile.SymbolTable, got map[string]*found) map[string]string {
	out, best := map[string]string{}, map[string]int{}
	for name, x := range got {
		if x.count == 0 && len(name) <= maxNear {
			best[name] = near.Limit(name)
		}
	}
	if len(best) == 0 {
		return out
	}
	for i := 1; i < t.Len(); i++ {
		s := t.At(i)
		if typ := s.Type(); typ != elf.STT_OBJECT && typ != elf.STT_NOTYPE || elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF {
			continue
		}
		n := t.Name(s)
		for name, d := range best {
			if len(n) == 0 || len(n) > maxNear || len(n) > len(name)+d || len(name) > len(n)+d {
				continue
			}
			if now := near.Distance(name, string(n)); now < d {
				best[name], out[name] = now, strings.Clone(string(n))
			}
		}
	}
	return out
}

// fits says why a variable cannot get its value.
func (x *found) fits(v *variable, f *elffile.File, nearest string) (rule, reason string) {
	n := uint64(len(v.data))
	switch {
	case x.count == 0:
		return "symbol", fmt.Sprintf("%s has no symbol %s%s", f.Name, v.symbol, meant(nearest))
	case x.count > 1:
		return "symbol", fmt.Sprintf("%s has %d symbols %s", f.Name, x.count, v.symbol)
	case x.sym.Type() != elf.STT_OBJECT && x.sym.Type() != elf.STT_NOTYPE:
		return "symbol", fmt.Sprintf("%s of %s is no variable: its type is %s", v.symbol, f.Name, elffile.SymTypeName(f.Header.Machine, x.sym.Type()))
	case v.exact && x.sym.Size != n:
		return "width", fmt.Sprintf("%s of %s has %d bytes, and gets a value of %d", v.symbol, f.Name, x.sym.Size, n)
	case x.sym.Size < n:
		return "width", fmt.Sprintf("%s of %s has %d bytes, and its value %d", v.symbol, f.Name, x.sym.Size, n)
	}
	return "", ""
}

func meant(nearest string) string {
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", nearest)
}
