package compare

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// dynEntry is a dynamic entry with the meaning of its value.
type dynEntry struct {
	tag  elf.DynTag
	name string
	val  Value
}

// many: tags of which a file may have several, each with a meaning of its own,
// whose order counts.
func (e *dynEntry) many() bool {
	return e.tag == elf.DT_NEEDED || e.tag == elf.DT_AUXILIARY || e.tag == elf.DT_FILTER
}

// dynamic compares the interpreter and the dynamic section.
func (c *comparison) dynamic() {
	x, y := interpreter(c.a.f), interpreter(c.b.f)
	if x != y {
		e := Entry{Change: Changed, Name: "interpreter", Fields: []Field{{"path", word(x).ptr(), word(y).ptr()}}}
		switch {
		case x == "":
			e.Change, e.Fields[0].Old = Added, nil
		case y == "":
			e.Change, e.Fields[0].New = Removed, nil
		}
		c.Dynamic = append(c.Dynamic, e)
	}
	old, new := c.readDynamic(c.a.f), c.readDynamic(c.b.f)
	p := newPairing(len(old), len(new))
	passOf(p, old, new, func(e *dynEntry) (dynEntry, bool) { return *e, true })
	passOf(p, old, new, func(e *dynEntry) (elf.DynTag, bool) { return e.tag, !e.many() })
	list := c.entries(p, []string{"value"},
		func(i int) (string, []Value) { return old[i].name, []Value{old[i].val} },
		func(i int) (string, []Value) { return new[i].name, []Value{new[i].val} }, true)
	for _, e := range list {
		if e.Change != Moved || new[*e.New].many() { // the order of the others says nothing
			if e.Change == Moved {
				e.Fields = []Field{{"value", new[*e.New].val.ptr(), new[*e.New].val.ptr()}}
			}
			c.Dynamic = append(c.Dynamic, e)
		}
	}
}

// interpreter is what PT_INTERP names.
func interpreter(f *elffile.File) string {
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_INTERP {
			b, _ := f.ProgData(i)
			s, _, _ := strings.Cut(string(b[:min(len(b), maxName)]), "\x00")
			return s
		}
	}
	return ""
}

func (c *comparison) readDynamic(f *elffile.File) []dynEntry {
	d, err := f.Dynamic()
	c.warn(f, err)
	strs := string(d.Strings)
	var list []dynEntry
	for _, e := range d.Entries {
		if e.Tag == elf.DT_NULL {
			break
		}
		x := dynEntry{e.Tag, elffile.DynTagName(f.Header.Machine, e.Tag), hex(e.Val)}
		switch e.Tag {
		case elf.DT_NEEDED, elf.DT_SONAME, elf.DT_RPATH, elf.DT_RUNPATH, elf.DT_AUXILIARY, elf.DT_FILTER:
			x.val = word("")
			if e.Val < uint64(len(strs)) {
				x.val = word(nameIn(strs, uint32(e.Val)))
			}
		case elf.DT_FLAGS, elf.DT_FLAGS_1:
			x.val = word(flagWords(e.Tag, e.Val))
		}
		list = append(list, x)
	}
	return list
}

// flagWords spells DT_FLAGS and DT_FLAGS_1 (gABI, "Dynamic Section"; glibc,
// elf/elf.h).
func flagWords(tag elf.DynTag, v uint64) string {
	var names []string
	for i := range 32 {
		bit := uint64(1) << i
		if v&bit == 0 {
			continue
		}
		var s string
		if tag == elf.DT_FLAGS {
			s = elf.DynFlag(bit).String()
		} else {
			s = elf.DynFlag1(bit).String()
		}
		s = strings.TrimPrefix(strings.TrimPrefix(s, "DF_1_"), "DF_")
		if strings.ContainsAny(s, "+") || s != "" && s[0] >= '0' && s[0] <= '9' {
			s = hex(bit).String()
		}
		names = append(names, s)
	}
	if v>>32 != 0 {
		names = append(names, hex(v>>32<<32).String())
	}
	if len(names) == 0 {
		return "0"
	}
	return strings.Join(names, " ")
}

// versions compares the symbol versions that are needed and defined.
func (c *comparison) versions() {
	old, new := c.readVersions(c.a.f), c.readVersions(c.b.f)
	p := newPairing(len(old), len(new))
	passOf(p, old, new, func(s *string) (string, bool) { return *s, true })
	c.Versions = c.entries(p, nil,
		func(i int) (string, []Value) { return old[i], nil },
		func(i int) (string, []Value) { return new[i], nil }, false)
	for i := range c.Versions {
		c.Versions[i].Old, c.Versions[i].New = nil, nil
	}
}

func (c *comparison) readVersions(f *elffile.File) []string {
	v, err := f.Versions()
	c.warn(f, err)
	var list []string
	for i := range v.Needs {
		for _, a := range v.Needs[i].Aux {
			s := "needs " + shortName(a.Name) + " of " + shortName(v.Needs[i].File)
			if a.Flags&elffile.VerFlagWeak != 0 {
				s += ", weakly"
			}
			if list = append(list, s); len(list) == maxVersions {
				return list
			}
		}
	}
	for i := range v.Defs {
		s := "defines " + shortName(v.Defs[i].Name())
		if n := v.Defs[i].Names; len(n) > 1 {
			s += ", after " + shortName(n[1])
		}
		if list = append(list, s); len(list) == maxVersions {
			break
		}
	}
	return list
}

// maxVersions is how many versions have an index.
const maxVersions = 1 << 16

// shortName is the name of a version or of a library, cut where no true one
// reaches.
func shortName(b []byte) string { return string(b[:min(len(b), 256)]) }
