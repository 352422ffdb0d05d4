package input

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// shnLargeCommon is SHN_X86_64_LCOMMON: common, in the large model's section.
const shnLargeCommon = 0xff02

// place is where st_shndx puts a symbol.
type place struct {
	sec    *model.Section
	shndx  elf.SectionIndex // one of SHN_UNDEF, SHN_ABS, SHN_COMMON, or 0 with sec set
	large  bool             // common of the large model
	absent bool             // a section that is not linked: a group, a table
}

func (p place) undefined() bool { return p.sec == nil && !p.absent && p.shndx == elf.SHN_UNDEF }

// place finds the section of symbol i; false if there is none.
func (o *object) place(i int, raw *elffile.Symbol) (p place, ok bool) {
	x := uint32(raw.Shndx)
	switch {
	case raw.Shndx == uint16(elf.SHN_UNDEF), raw.Shndx == uint16(elf.SHN_ABS), raw.Shndx == uint16(elf.SHN_COMMON):
		return place{shndx: elf.SectionIndex(raw.Shndx)}, true
	case raw.Shndx == shnLargeCommon && o.Machine == elf.EM_X86_64:
		return place{shndx: elf.SHN_COMMON, large: true}, true
	case raw.Shndx == elffile.ShnXindex:
		if x = o.symtab.Section(i); !o.shndx {
			return p, false
		}
	case raw.Shndx >= elffile.ShnLoReserve:
		return p, false
	}
	if uint64(x) >= uint64(len(o.heads)) {
		return p, false
	}
	p.sec = o.Sections[x]
	p.absent = p.sec == nil
	return p, true
}

func (o *object) symbolFault(i int, field string, format string, args ...any) {
	if len(o.faults) >= maxFaults {
		return
	}
	e := o.elf.SectionError(o.symtab.Index, "", format, args...)
	at, size := int64(0), int64(o.elf.SymSize())
	switch field { // Elf64_Sym, Elf32_Sym
	case "st_info":
		at = int64(pick(o, 4, 12))
	case "st_shndx":
		at = int64(pick(o, 6, 14))
	case "st_value":
		at = int64(pick(o, 8, 4))
	}
	e.Struct, e.Field, e.Off = fmt.Sprintf("symbol %d", i), field, o.symtab.Offset+int64(i)*size+at
	o.faults = append(o.faults, e)
}

func pick(o *object, in64, in32 int) int {
	if o.Class == elf.ELFCLASS64 {
		return in64
	}
	return in32
}

// readLocals makes the local symbols.
func (o *object) readLocals() {
	if o.symtab == nil || o.symtab.Len() == 0 {
		return
	}
	o.Symbols = make([]*model.Symbol, o.symtab.Len())
	slab := make([]model.Symbol, max(o.Locals-1, 0))
	for i := 1; i < o.Locals; i++ {
		raw, s := o.symtab.At(i), &slab[i-1]
		o.Symbols[i] = s
		name, ok := stringAt(o.symtab.Strings, raw.Name)
		if !ok {
			o.symbolFault(i, "st_name", "0x%x is not in the string table, which has 0x%x bytes, or has no end there", raw.Name, len(o.symtab.Strings))
		}
		s.Name, s.Bind, s.Type, s.Vis, s.Other = name, elf.STB_LOCAL, raw.Type(), raw.Visibility(), raw.Other&^3
		s.Local, s.Obj, s.Value, s.Size = true, o.Object, raw.Value, raw.Size
		p, ok := o.place(i, &raw)
		switch {
		case !ok:
			o.symbolFault(i, "st_shndx", "0x%x is not the index of a section; the file has %d section headers", raw.Shndx, len(o.heads))
		case p.shndx == elf.SHN_COMMON:
			o.symbolFault(i, "st_shndx", "a local symbol can not be common")
		case p.undefined(), p.absent:
			s.State = model.Undefined
			continue
		}
		s.State, s.Sec = model.Defined, p.sec
		o.thumb(s)
		if s.Type == elf.STT_SECTION && s.Name == "" && s.Sec != nil {
			s.Name = s.Sec.Name
		}
	}
}

// thumb takes bit 0 from the value of an Arm function, where it means Thumb code.
func (o *object) thumb(s *model.Symbol) {
	if o.Machine != elf.EM_ARM || s.Sec == nil {
		return
	}
	const sttArmTfunc = 13
	switch {
	case (s.Type == elf.STT_FUNC || s.Type == elf.STT_GNU_IFUNC) && s.Value&1 != 0:
		s.Value, s.Thumb = s.Value&^1, true
	case s.Type == sttArmTfunc:
		s.Type, s.Thumb = elf.STT_FUNC, true
	}
}

// reader is what reading objects needs of the link.
type reader struct {
	table *model.Table
	slots *slots
	wrap  map[string]string // undefined names: what they stand for
}

// intern finds the global symbols in the table of the link, and the slots of
// groups.
func (r *reader) intern(o *object) {
	for _, g := range o.groups {
		if g.Comdat {
			g.slot = r.slots.get(g.Signature)
		}
	}
	for i := range o.once {
		o.once[i].slot = r.slots.get(onceKey(o.once[i].sec.Name))
	}
	if o.symtab == nil {
		return
	}
	for i := max(o.Locals, 1); i < o.symtab.Len(); i++ {
		raw := o.symtab.At(i)
		name, ok := o.globalName(i, &raw)
		if !ok {
			continue
		}
		if raw.Shndx == uint16(elf.SHN_UNDEF) && r.wrap != nil {
			if to, ok := r.wrap[name]; ok {
				name = to
			}
		}
		if strings.IndexByte(name, '@') > 0 {
			o.versioned = append(o.versioned, int32(i))
			name = versionKey(name)
		}
		o.Symbols[i] = r.table.Intern(name)
	}
}

// globalName checks a global symbol as far as it can be checked by itself.
func (o *object) globalName(i int, raw *elffile.Symbol) (string, bool) {
	name, ok := stringAt(o.symtab.Strings, raw.Name)
	switch {
	case !ok:
		o.symbolFault(i, "st_name", "0x%x is not in the string table, which has 0x%x bytes, or has no end there", raw.Name, len(o.symtab.Strings))
		return "", false
	case name == "":
		o.symbolFault(i, "st_name", "a global symbol without a name")
		return "", false
	case raw.Bind() == elf.STB_LOCAL:
		o.symbolFault(i, "st_info", "%s is local, and stands behind the first global symbol (%d)", name, o.Locals)
		return "", false
	}
	if raw.Shndx >= elffile.ShnLoReserve || int(raw.Shndx) >= len(o.heads) || o.Sections[raw.Shndx] == nil {
		if p, ok := o.place(i, raw); !ok || p.absent {
			o.symbolFault(i, "st_shndx", "%s: 0x%x is not the index of a section that is linked; the file has %d section headers", name, raw.Shndx, len(o.heads))
			return "", false
		}
	}
	if name == "__gnu_lto_slim" {
		o.lang = true
	}
	return name, true
}

// definedNames are the names that an object defines, common symbols aside, for
// want of an archive's symbol table; without weak ones if asked.
func (o *object) definedNames(weak bool) (names []string) {
	if o.symtab == nil {
		return nil
	}
	for i := max(o.Locals, 1); i < o.symtab.Len(); i++ {
		raw := o.symtab.At(i)
		if raw.Shndx == uint16(elf.SHN_UNDEF) || raw.Shndx == uint16(elf.SHN_COMMON) || !weak && raw.Bind() == elf.STB_WEAK {
			continue
		}
		if name, ok := stringAt(o.symtab.Strings, raw.Name); ok && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// versionKey is the name under which the table has a symbol "foo@V" or "foo@@V":
// the default version is what references without one find.
func versionKey(name string) string {
	if base, _, ok := strings.Cut(name, "@@"); ok {
		return base
	}
	return name
}
