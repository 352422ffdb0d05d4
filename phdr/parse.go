package phdr

import (
	"debug/elf"
	"fmt"
	"strconv"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
)

// ParseType reads a program header type: a name that show prints, with or
// without "PT_", or a number.
func ParseType(m elf.Machine, s string) (elf.ProgType, error) {
	if n, err := strconv.ParseUint(s, 0, 32); err == nil {
		return elf.ProgType(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "PT_")
	for _, t := range elffile.ProgTypes(m) {
		if elffile.ProgTypeName(m, t) == name {
			return t, nil
		}
	}
	if base, off, ok := strings.Cut(name, "+"); ok {
		start := map[string]uint64{"LOOS": 0x60000000, "LOPROC": 0x70000000, "ELFWRIGHT": 0x65770000}[base]
		if n, err := strconv.ParseUint(off, 0, 28); err == nil && start != 0 {
			return elf.ProgType(start + n), nil
		}
	}
	return 0, fmt.Errorf("%q is no type of a program header: want LOAD, NOTE or another name that show prints, or a number such as 0x65770001", s)
}

// ParseFlags reads p_flags as letters, in any order: "rw".
func ParseFlags(s string) (elf.ProgFlag, error) {
	var f elf.ProgFlag
	for _, c := range strings.ReplaceAll(strings.ToLower(s), "-", "") {
		i := strings.IndexRune("xwr", c)
		if i < 0 {
			return 0, fmt.Errorf("%q: flags are letters of rwx", s)
		}
		f |= 1 << i
	}
	if s == "" {
		return 0, fmt.Errorf("want letters of rwx")
	}
	return f, nil
}

// FindRange reads a range of a file's memory: START..END, or the name or index
// of a section.
func FindRange(f *elffile.File, s string) (image.Range, error) {
	from, to, ok := strings.Cut(s, "..")
	if ok {
		a, err1 := strconv.ParseUint(from, 0, 64)
		b, err2 := strconv.ParseUint(to, 0, 64)
		if err1 != nil || err2 != nil || b <= a {
			return image.Range{}, fmt.Errorf("%q: want START..END, two addresses, the second one not included", s)
		}
		return image.MakeRange(image.Addr(a), image.Addr(b)), nil
	}
	i := f.SectionByName(s)
	if n, err := strconv.Atoi(s); i < 0 && err == nil && n > 0 && n < len(f.Sections()) {
		i = n
	}
	if i < 0 {
		return image.Range{}, fmt.Errorf("%s: there is no section %q", f.Name, s)
	}
	sec := &f.Sections()[i]
	if !sec.Has(elf.SHF_ALLOC) || sec.Size == 0 {
		return image.Range{}, fmt.Errorf("%s: section %q is not loaded, or empty", f.Name, s)
	}
	return image.Range{Start: image.Addr(sec.Addr), Size: sec.Size}, nil
}

// Select finds program headers of a file: by index (decimal), or all of a type.
func Select(f *elffile.File, s string) ([]int, error) {
	if i, err := strconv.Atoi(s); err == nil {
		if i < 0 || i >= len(f.Progs) {
			return nil, fmt.Errorf("%s: there is no program header %d; there are %d", f.Name, i, len(f.Progs))
		}
		return []int{i}, nil
	}
	t, err := ParseType(f.Header.Machine, s)
	if err != nil {
		return nil, fmt.Errorf("%w; or an index", err)
	}
	var found []int
	for i := range f.Progs {
		if f.Progs[i].Type == t {
			found = append(found, i)
		}
	}
	if found == nil {
		return nil, refusef(f, "there is no program header of type %s", elffile.ProgTypeName(f.Header.Machine, t))
	}
	return found, nil
}
