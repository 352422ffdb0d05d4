package reset

import (
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/near"
	"elfwright/match"
	"elfwright/phdr"
)

// always are sections that are persistent without a word, as sel4-reset has it.
var always = []string{".persistent", ".persistent.*"}

// persistent returns the memory that was asked to be left alone.
func persistent(f *elffile.File, opt Options) (image.Ranges, error) {
	files, err := sources(f, opt)
	if err != nil {
		return nil, err
	}
	var rs []image.Range
	for _, pattern := range always {
		found, err := sectionsLike(files, pattern)
		if err != nil {
			return nil, err
		}
		rs = append(rs, found...)
	}
	for _, s := range opt.Persistent {
		found, err := onePersistent(f, files, s)
		if err != nil {
			return nil, err
		}
		rs = append(rs, found...)
	}
	return image.Union(rs...), nil
}

// sources are the files to look for names in, once they are known to belong to
// the image.
func sources(f *elffile.File, opt Options) ([]*elffile.File, error) {
	for _, s := range opt.Symbols {
		if err := match.Files(f, s).Err(); err != nil && !opt.NoMatch {
			return nil, fmt.Errorf("%w\n  --no-match goes on all the same", err)
		}
	}
	return append(slices.Clone(opt.Symbols), f), nil
}

func onePersistent(f *elffile.File, files []*elffile.File, s string) ([]image.Range, error) {
	var rs []image.Range
	var err error
	switch {
	case s == "":
		return nil, fmt.Errorf("persistent: there is no name")
	case s[0] == '.':
		rs, err = sectionsLike(files, s)
	case s[0] >= '0' && s[0] <= '9':
		if !strings.Contains(s, "..") {
			return nil, fmt.Errorf("persistent: %q: want START..END, two addresses, the second one not included", s)
		}
		r, err := phdr.FindRange(f, s)
		return []image.Range{r}, err
	default:
		return symbolRange(f, files, s)
	}
	if err == nil && len(rs) == 0 {
		err = refusef(f, "no writable section is called %s", s)
	}
	return rs, err
}

// sectionsLike returns the memory of writable sections whose name has a pattern,
// of the first file that has one.
func sectionsLike(files []*elffile.File, pattern string) ([]image.Range, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("persistent: %q: %w", pattern, err)
	}
	for _, f := range files {
		var rs []image.Range
		secs := f.Sections()
		for i := range secs {
			s := &secs[i]
			if !s.Has(elf.SHF_ALLOC) || !s.Has(elf.SHF_WRITE) || s.Has(elf.SHF_TLS) || s.Size == 0 {
				continue
			}
			if ok, _ := path.Match(pattern, f.SectionName(i)); ok {
				rs = append(rs, image.Range{Start: image.Addr(s.Addr), Size: s.Size})
			}
		}
		if len(rs) > 0 {
			return rs, nil
		}
	}
	return nil, nil
}

// symbolRange returns the memory of a variable: of a global one, or of the only
// local one of that name.
func symbolRange(f *elffile.File, files []*elffile.File, name string) ([]image.Range, error) {
	names := make(map[string]bool)
	for _, from := range files {
		img := image.FromFile(from)
		if err := img.ReadSymbols(from); err != nil {
			return nil, err
		}
		var found []*image.Symbol
		for i := range img.Symbols {
			s := &img.Symbols[i]
			if s.Section == elf.SHN_UNDEF || s.Type == elf.STT_TLS || s.Type == elf.STT_FUNC || s.Type == elf.STT_SECTION || s.Type == elf.STT_FILE {
				continue
			}
			names[s.Name] = true
			if s.Name == name {
				found = append(found, s)
			}
		}
		if one := best(found); one != nil {
			if one.Size == 0 {
				return nil, refusef(f, "%s: the symbol has no size: say 0x%x..END", name, uint64(one.Value))
			}
			return []image.Range{{Start: one.Value, Size: one.Size}}, nil
		}
		if len(found) > 0 {
			return nil, refusef(f, "%s: %d local symbols of %s have that name: say the range instead", name, len(found), from.Name)
		}
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	hint := ""
	if other, ok := near.Name(name, list); ok {
		hint = fmt.Sprintf("; perhaps %s", other)
	}
	return nil, refusef(f, "%s: no symbol of a variable is called so in %s%s", name, fileNames(files), hint)
}

// best is the symbol that a name means: a global one before a weak one, and a
// local one if it is alone.
func best(found []*image.Symbol) *image.Symbol {
	for _, bind := range []elf.SymBind{elf.STB_GLOBAL, elf.STB_WEAK} {
		for _, s := range found {
			if s.Bind == bind {
				return s
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return nil
}

func fileNames(files []*elffile.File) string {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
