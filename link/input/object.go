package input

import (
	"bytes"
	"debug/elf"
	"errors"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// object is an input object with what its reading leaves for the passes after it.
type object struct {
	*model.Object
	elf    *elffile.File
	heads  []elffile.Section
	names  []byte // of sections
	symtab *elffile.SymbolTable
	shndx  bool // the symbol table has extended section indices

	groups    []*group
	once      []once
	rels      []int32 // indices of relocation sections
	packed    []*model.Section
	versioned []int32 // indices of globals with "@" in their names
	warnings  []warning
	loaded    bool
	ready     bool  // see prepare
	unready   error // what that found
	stack     StackNote
	lang      bool   // has slim intermediate code
	made      []made // symbols of an object that was made of a binary file
	just      []just // symbols of --just-symbols

	faults []error
}

// group is a section group and the slot of its signature.
type group struct {
	model.Group
	slot *slot
}

// once is a .gnu.linkonce section: it has the name of what it defines.
type once struct {
	sec  *model.Section
	slot *slot
}

// warning is a section .gnu.warning.SYMBOL: its text is for those who refer to the
// symbol.
type warning struct {
	symbol string
	text   string
}

// Section types that debug/elf lacks.
const (
	shtAddrsig = elf.SectionType(0x6fff4c03) // SHT_LLVM_ADDRSIG: hints for folding
	shtRelr    = elf.SectionType(19)
	shtCrel    = elf.SectionType(0x40000014)
)

const shfExclude = elf.SectionFlag(0x80000000)

// maxUnpacked bounds one section of debugging data.
const maxUnpacked = 1 << 34

// parseObject reads an object but for its relocations and compressed bytes: its
// sections, groups and local symbols; names of globals are looked at by intern.
// It returns nil with an error where the file is no object.
func parseObject(name string, data []byte) (*object, error) {
	f, err := elffile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.HeaderErr, f.SectionErr()); err != nil {
		return nil, err
	}
	if f.Header.Type != elf.ET_REL {
		return nil, f.HeaderError("e_type", "%s is not a relocatable object (ET_REL)", elffile.TypeName(f.Header.Type))
	}
	o := &object{elf: f, heads: f.Sections(), Object: &model.Object{
		File: name, Path: name, Class: f.Class, Order: f.Order(), Machine: f.Header.Machine, Flags: f.Header.Flags, OSABI: f.Header.OSABI(),
	}}
	if o.heads == nil {
		return nil, f.HeaderError("e_shnum", "is 0: an object without sections has nothing to link")
	}
	o.readNames()
	o.readSymtab()
	o.readSections()
	o.readLinks()
	o.readLocals()
	o.readGroups()
	return o, errors.Join(o.faults...)
}

// maxFaults is how many faults of one file are kept.
const maxFaults = 20

func (o *object) fault(i int, field, format string, args ...any) {
	if len(o.faults) < maxFaults {
		o.faults = append(o.faults, o.elf.SectionError(i, field, format, args...))
	}
}

func (o *object) failed(err error) {
	if err != nil && len(o.faults) < maxFaults {
		o.faults = append(o.faults, err)
	}
}

// bytes are a section's bytes as the file has them.
func (o *object) bytes(i int) []byte {
	h := &o.heads[i]
	if h.Type == elf.SHT_NOBITS || h.Size == 0 {
		return nil
	}
	b, err := o.elf.SectionData(i)
	if err != nil {
		o.failed(err)
		return nil
	}
	return b
}

func (o *object) readNames() {
	x := o.elf.Shstrndx()
	if x == 0 || uint64(x) >= uint64(len(o.heads)) || o.heads[x].Type != elf.SHT_STRTAB {
		o.failed(o.elf.HeaderError("e_shstrndx", "%d is not the index of a string table; the file has %d section headers", x, len(o.heads)))
		return
	}
	o.names = o.bytes(int(x))
}

// name is the name of a section: a window.
func (o *object) name(i int) string {
	s, ok := stringAt(o.names, o.heads[i].Name)
	if !ok {
		o.fault(i, "sh_name", "0x%x is not in the section name string table, which has 0x%x bytes, or has no end there", o.heads[i].Name, len(o.names))
	}
	return s
}

// stringAt returns a string of a string table, if it is there and ends there.
func stringAt(table []byte, off uint32) (string, bool) {
	if uint64(off) >= uint64(len(table)) {
		return "", off == 0
	}
	n := bytes.IndexByte(table[off:], 0)
	if n < 0 {
		return "", false
	}
	return view(table[off : int(off)+n]), true
}

// readSymtab finds the symbol table. An object has at most one (gABI, "Sections").
func (o *object) readSymtab() {
	at := -1
	for i := range o.heads {
		switch o.heads[i].Type {
		case elf.SHT_SYMTAB:
			if at >= 0 {
				o.fault(i, "sh_type", "a second symbol table; section %d is one", at)
				return
			}
			at = i
		case elf.SHT_SYMTAB_SHNDX:
			o.shndx = true
		}
	}
	if at < 0 {
		return
	}
	t, err := o.elf.SymbolTable(at)
	if err != nil {
		o.failed(err)
		return
	}
	first := uint64(o.heads[at].Info)
	if first > uint64(t.Len()) || first == 0 && t.Len() > 0 {
		o.fault(at, "sh_info", "%d is not the index of the first global symbol; the table has %d", first, t.Len())
		return
	}
	o.symtab, o.Locals = t, int(first)
}

// isTable says whether a section header is of a table that is read and not
// linked.
func (o *object) isTable(i int) bool {
	h := &o.heads[i]
	switch h.Type {
	case elf.SHT_NULL, elf.SHT_SYMTAB, elf.SHT_SYMTAB_SHNDX, elf.SHT_GROUP:
		return true
	case elf.SHT_STRTAB: // there are others, such as .stabstr
		return uint32(i) == o.elf.Shstrndx() || o.symtab != nil && uint32(i) == o.heads[o.symtab.Index].Link
	case elf.SHT_REL, elf.SHT_RELA:
		return !h.Has(elf.SHF_ALLOC)
	}
	return false
}

func (o *object) readSections() {
	n := 0
	for i := range o.heads {
		if !o.isTable(i) {
			n++
		}
	}
	o.Sections = make([]*model.Section, len(o.heads), len(o.heads)+1)
	slab := make([]model.Section, n)
	for i := range o.heads {
		if o.isTable(i) {
			continue
		}
		s := &slab[0]
		slab = slab[1:]
		o.Sections[i] = s
		o.readSection(i, s)
	}
}

func (o *object) readSection(i int, s *model.Section) {
	h := &o.heads[i]
	*s = model.Section{
		Obj: o.Object, Name: o.name(i), Index: int32(i), Type: h.Type, Flags: elf.SectionFlag(h.Flags),
		Align: max(h.Addralign, 1), Entsize: h.Entsize, Info: h.Info, Size: h.Size, Live: true,
	}
	if s.Align&(s.Align-1) != 0 {
		o.fault(i, "sh_addralign", "0x%x is not a power of two", h.Addralign)
		s.Align = 1
	}
	if h.Flags>>32 != 0 {
		o.fault(i, "sh_flags", "0x%x has bits that mean nothing", h.Flags)
	}
	switch h.Type {
	case shtCrel, shtRelr:
		o.fault(i, "sh_type", "relocations of type %s are not read in objects", elffile.SectionTypeName(o.Machine, h.Type))
	case shtAddrsig:
		s.Live, s.Dropped = false, model.Excluded
	}
	if s.Type != elf.SHT_NOBITS {
		s.Data = o.bytes(i)
	}
	// What can be counted in memory fits into half of it.
	if s.Size >= 1<<62 || o.Class == elf.ELFCLASS32 && s.Size > 1<<32-1 {
		o.fault(i, "sh_size", "0x%x is more than the address space has", s.Size)
		s.Size = 0
	}
	if h.Has(elf.SHF_COMPRESSED) || strings.HasPrefix(s.Name, ".zdebug") {
		o.packed = append(o.packed, s)
	}
	if s.Name != "" && s.Name[0] == '.' {
		o.special(s)
	}
}

// special notes what a section says by its name.
func (o *object) special(s *model.Section) {
	switch {
	case s.Name == ".note.GNU-stack":
		o.stack = StackPlain
		if s.Flags&elf.SHF_EXECINSTR != 0 {
			o.stack = StackExec
		}
	case strings.HasPrefix(s.Name, ".gnu.warning."):
		o.warnings = append(o.warnings, warning{s.Name[len(".gnu.warning."):], strings.TrimRight(string(s.Data), "\x00")})
	case strings.HasPrefix(s.Name, ".gnu.linkonce."):
		o.once = append(o.once, once{sec: s})
	}
}

// readLinks follows sh_link and sh_info: what a section is ordered by, which
// relocations it has.
func (o *object) readLinks() {
	for i := range o.heads {
		h := &o.heads[i]
		if s := o.Sections[i]; s != nil {
			if s.Flags&elf.SHF_LINK_ORDER != 0 && h.Link != 0 {
				if s.LinkTo = o.section(h.Link); s.LinkTo == nil {
					o.fault(i, "sh_link", "%d is not the index of a section that is linked", h.Link)
				}
			}
			continue
		}
		if h.Type != elf.SHT_REL && h.Type != elf.SHT_RELA {
			continue
		}
		to := o.section(h.Info)
		switch {
		case h.Size == 0:
		case to == nil:
			o.fault(i, "sh_info", "%d is not the index of a section that is linked", h.Info)
		case o.symtab == nil || h.Link != uint32(o.symtab.Index):
			o.fault(i, "sh_link", "%d is not the index of the symbol table", h.Link)
		case to.RelocSection != 0:
			o.fault(i, "sh_info", "section %d has relocations already, in section %d", h.Info, to.RelocSection)
		case to.Type == elf.SHT_NOBITS:
			o.fault(i, "sh_info", "section %d (%s) has no bytes to relocate", h.Info, to.Name)
		default:
			to.RelocSection = int32(i)
			o.rels = append(o.rels, int32(i))
		}
	}
}

// section is the section of an index; nil if there is none or if it is a table.
func (o *object) section(i uint32) *model.Section {
	if uint64(i) >= uint64(len(o.heads)) {
		return nil
	}
	return o.Sections[i]
}

// readGroups reads the section groups (gABI, "Section Groups").
func (o *object) readGroups() {
	for i := range o.heads {
		if o.heads[i].Type != elf.SHT_GROUP {
			continue
		}
		g := o.readGroup(i)
		if g == nil {
			continue
		}
		o.groups = append(o.groups, g)
		for _, s := range g.Members {
			if s.Group != nil {
				o.fault(i, "", "section %d (%s) is in another group too", s.Index, s.Name)
			}
			s.Group = &g.Group
		}
	}
	for _, s := range o.Sections {
		if s != nil && s.Flags&elf.SHF_GROUP != 0 && s.Group == nil {
			o.fault(int(s.Index), "sh_flags", "SHF_GROUP is set, and no group has the section")
		}
	}
}

func (o *object) readGroup(i int) *group {
	b, f := o.bytes(i), o.elf.Format
	if len(b) < 4 || len(b)%4 != 0 {
		o.fault(i, "sh_size", "0x%x is not one or more words", o.heads[i].Size)
		return nil
	}
	flags := f.U32(b)
	g := &group{Group: model.Group{Obj: o.Object, Index: int32(i), Comdat: flags&1 != 0}}
	g.Members = make([]*model.Section, 0, len(b)/4-1)
	for b = b[4:]; len(b) > 0; b = b[4:] {
		x := f.U32(b)
		if x == 0 || uint64(x) >= uint64(len(o.heads)) {
			o.fault(i, "", "member %d does not exist; the file has %d section headers", x, len(o.heads))
			continue
		}
		if s := o.Sections[x]; s != nil { // members that are relocation sections go with theirs
			g.Members = append(g.Members, s)
		}
	}
	info := o.heads[i].Info
	if o.symtab == nil || o.heads[i].Link != uint32(o.symtab.Index) || info == 0 || uint64(info) >= uint64(o.symtab.Len()) {
		o.fault(i, "sh_info", "%d is not the index of a symbol, or sh_link %d not that of the symbol table", info, o.heads[i].Link)
		return nil
	}
	g.Signature, g.Symbol = o.signature(info), info
	return g
}

// signature is the name of the symbol that identifies a group; of a section
// symbol that of the section.
func (o *object) signature(i uint32) string {
	raw := o.symtab.At(int(i))
	if raw.Type() == elf.STT_SECTION && raw.Name == 0 {
		if s := o.section(o.symtab.Section(int(i))); s != nil {
			return s.Name
		}
	}
	name, _ := stringAt(o.symtab.Strings, raw.Name)
	return name
}
