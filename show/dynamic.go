package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// dynamic returns the dynamic section; it is read once.
func (p *printer) dynamic() *elffile.Dynamic {
	if p.dyn == nil {
		d, err := p.f.Dynamic()
		p.warn(err)
		p.dyn = d
	}
	return p.dyn
}

// showDynamic prints the dynamic section.
func showDynamic(p *printer) {
	d := p.dynamic()
	if len(d.Entries) == 0 {
		p.remark("There is no dynamic section in this file.")
		return
	}
	p.table(&dynamicHead{p, d})
	r := &dynRow{p: p, d: d, m: p.f.Header.Machine, wide: p.addrDigits()}
	for i := range d.Entries {
		r.read(&d.Entries[i])
		p.row(r)
		if r.kind == dynString && r.str == nil {
			p.warnf("dynamic entry "+r.name, "d_val", r.Off+int64(p.f.AddrSize()), "0x%x is past the end of the string table (0x%x)", r.Val, len(d.Strings))
		}
	}
	p.end()
}

type dynamicHead struct {
	p *printer
	d *elffile.Dynamic
}

func (h *dynamicHead) text(t *text) {
	t.title("Dynamic section at offset ", "")
	t.zx(uint64(h.d.Entries[0].Off))
	t.str(" contains ")
	t.count(len(h.d.Entries), "entry", "entries")
	t.str(":")
	t.nl()
	if h.p.f.Is64() {
		t.heads("  Tag        Type                         Name/Value")
	} else {
		t.heads("  Tag        Type                 Name/Value")
	}
}

func (h *dynamicHead) json(o *object) {
	o.hex("offset", uint64(h.d.Entries[0].Off))
	if h.d.Prog >= 0 {
		o.num("segment", uint64(h.d.Prog))
	}
	if h.d.Section >= 0 {
		o.num("section_index", uint64(h.d.Section))
	}
	o.num("count", uint64(len(h.d.Entries)))
}

// dynKind is what the value of a dynamic entry is.
type dynKind uint8

const (
	dynAddr   dynKind = iota // an address, or what is not known
	dynString                // an offset in the string table
	dynSize                  // bytes
	dynCount                 // a number of things
	dynTag                   // another tag
	dynFlags                 // DF_*
	dynFlags1                // DF_1_*
)

// dynRow is one entry of the dynamic section.
type dynRow struct {
	*elffile.Dyn
	p     *printer
	d     *elffile.Dynamic
	m     elf.Machine
	wide  int
	name  string
	kind  dynKind
	words string // readelf's, in front of a string
	str   []byte
	flags []string
}

func (r *dynRow) read(e *elffile.Dyn) {
	r.Dyn, r.name = e, elffile.DynTagName(r.m, e.Tag)
	r.kind, r.words = dynKindOf(e.Tag)
	r.str, r.flags = nil, nil
	switch r.kind {
	case dynString:
		if e.Val < uint64(len(r.d.Strings)) {
			r.str = r.p.cstring(r.d.Strings, e.Val)
			if r.str == nil {
				r.str = []byte{}
			}
		}
	case dynFlags:
		r.flags = flagList(e.Val, dfNames)
	case dynFlags1:
		r.flags = flagList(e.Val, df1Names)
	}
}

// Tags that debug/elf does not have.
const (
	dtRelrsz  = elf.DynTag(35)
	dtRelrent = elf.DynTag(37)
)

// dynKindOf says what the value of a tag is, and what readelf calls a string.
func dynKindOf(tag elf.DynTag) (dynKind, string) {
	switch tag {
	case elf.DT_NEEDED:
		return dynString, "Shared library"
	case elf.DT_SONAME:
		return dynString, "Library soname"
	case elf.DT_RPATH:
		return dynString, "Library rpath"
	case elf.DT_RUNPATH:
		return dynString, "Library runpath"
	case elf.DT_CONFIG:
		return dynString, "Configuration file"
	case elf.DT_DEPAUDIT:
		return dynString, "Dependency audit library"
	case elf.DT_AUDIT:
		return dynString, "Audit library"
	case elf.DT_AUXILIARY:
		return dynString, "Auxiliary library"
	case elf.DT_FILTER:
		return dynString, "Filter library"
	case elf.DT_PLTRELSZ, elf.DT_RELASZ, elf.DT_RELAENT, elf.DT_STRSZ, elf.DT_SYMENT, elf.DT_RELSZ, elf.DT_RELENT,
		elf.DT_INIT_ARRAYSZ, elf.DT_FINI_ARRAYSZ, elf.DT_PREINIT_ARRAYSZ, dtRelrsz, dtRelrent,
		elf.DT_GNU_CONFLICTSZ, elf.DT_GNU_LIBLISTSZ, elf.DT_PLTPADSZ, elf.DT_MOVEENT, elf.DT_MOVESZ, elf.DT_SYMINSZ, elf.DT_SYMINENT:
		return dynSize, ""
	case elf.DT_VERDEFNUM, elf.DT_VERNEEDNUM, elf.DT_RELACOUNT, elf.DT_RELCOUNT:
		return dynCount, ""
	case elf.DT_PLTREL:
		return dynTag, ""
	case elf.DT_FLAGS:
		return dynFlags, ""
	case elf.DT_FLAGS_1:
		return dynFlags1, "Flags:"
	}
	return dynAddr, ""
}

// A bit of a word of flags, and its name.
type flagName struct {
	bit  uint64
	name string
}

var dfNames = []flagName{{1, "ORIGIN"}, {2, "SYMBOLIC"}, {4, "TEXTREL"}, {8, "BIND_NOW"}, {16, "STATIC_TLS"}}

// df1Names are DF_1_* (Solaris Linker and Libraries Guide; glibc, elf/elf.h).
var df1Names = []flagName{
	{0x1, "NOW"}, {0x2, "GLOBAL"}, {0x4, "GROUP"}, {0x8, "NODELETE"}, {0x10, "LOADFLTR"}, {0x20, "INITFIRST"},
	{0x40, "NOOPEN"}, {0x80, "ORIGIN"}, {0x100, "DIRECT"}, {0x200, "TRANS"}, {0x400, "INTERPOSE"}, {0x800, "NODEFLIB"},
	{0x1000, "NODUMP"}, {0x2000, "CONFALT"}, {0x4000, "ENDFILTEE"}, {0x8000, "DISPRELDNE"}, {0x10000, "DISPRELPND"},
	{0x20000, "NODIRECT"}, {0x40000, "IGNMULDEF"}, {0x80000, "NOKSYMS"}, {0x100000, "NOHDR"}, {0x200000, "EDITED"},
	{0x400000, "NORELOC"}, {0x800000, "SYMINTPOSE"}, {0x1000000, "GLOBAUDIT"}, {0x2000000, "SINGLETON"},
	{0x4000000, "STUB"}, {0x8000000, "PIE"}, {0x10000000, "KMOD"}, {0x20000000, "WEAKFILTER"}, {0x40000000, "NOCOMMON"},
}

// flagList names the bits of v, with what has no name in hexadecimal at the end.
func flagList(v uint64, names []flagName) []string {
	list := []string{}
	for _, e := range names {
		if v&e.bit != 0 {
			list = append(list, e.name)
			v &^= e.bit
		}
	}
	if v != 0 {
		list = append(list, "0x"+hexString(v))
	}
	return list
}

func (r *dynRow) text(t *text) {
	t.str(" 0x")
	t.hex(uint64(r.Tag)&(1<<(4*r.wide-1)<<1-1), r.wide)
	t.str(" (")
	t.str(r.name)
	t.str(")")
	// readelf's columns: the value begins where the name's ends in 64-bit files.
	width := 19
	if r.wide == 8 {
		width = 20
	}
	t.space(max(1, width-len(r.name)))
	switch r.kind {
	case dynString:
		if r.str == nil {
			t.zx(r.Val)
			break
		}
		t.str(r.words)
		t.str(": [")
		t.name(r.str)
		t.str("]")
	case dynSize:
		t.dec(r.Val, 0)
		t.str(" (bytes)")
	case dynCount:
		t.dec(r.Val, 0)
	case dynTag:
		t.str(elffile.DynTagName(r.m, elf.DynTag(r.Val)))
	case dynFlags, dynFlags1:
		if r.words != "" {
			t.str(r.words)
			t.str(" ")
		}
		t.str(strings.Join(r.flags, " "))
	default:
		if r.Tag != elf.DT_BIND_NOW || r.Val != 0 { // its value is ignored (gABI)
			t.zx(r.Val)
		}
	}
	t.nl()
}

func (r *dynRow) json(o *object) {
	o.hex("tag", uint64(r.Tag)&(1<<(4*r.wide-1)<<1-1))
	o.str("tag_name", r.name)
	o.hex("value", r.Val)
	switch r.kind {
	case dynString:
		if r.str != nil {
			o.name("string", r.str)
		}
	case dynSize:
		o.num("bytes", r.Val)
	case dynCount:
		o.num("count", r.Val)
	case dynTag:
		o.str("value_name", elffile.DynTagName(r.m, elf.DynTag(r.Val)))
	case dynFlags, dynFlags1:
		o.strs("flags", r.flags)
	}
}
