package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// headerRow is the ELF header with its names.
type headerRow struct {
	f                      *elffile.File
	phnum                  uint32 // with the extended numbering looked up
	shnum                  uint64
	shstrndx               uint32
	osabi, typ, kind, mach string
	flags                  []string
}

func showHeader(p *printer) {
	p.warn(p.f.HeaderErr)
	p.object(newHeaderRow(p))
}

func newHeaderRow(p *printer) *headerRow {
	f, h := p.f, &p.f.Header
	typ, kind := p.typeName()
	return &headerRow{
		f: f, phnum: f.Phnum(), shnum: f.Shnum(), shstrndx: f.Shstrndx(),
		osabi: elffile.OSABIName(h.Machine, h.OSABI()), typ: typ, kind: kind, mach: elffile.MachineName(h.Machine),
		flags: p.flagNames(),
	}
}

// className and dataName are readelf's words.
func className(c byte) string {
	switch elf.Class(c) {
	case elf.ELFCLASS32:
		return "ELF32"
	case elf.ELFCLASS64:
		return "ELF64"
	}
	return "<unknown: " + hexString(uint64(c)) + ">"
}

func dataName(d byte) string {
	switch elf.Data(d) {
	case elf.ELFDATA2LSB:
		return "2's complement, little endian"
	case elf.ELFDATA2MSB:
		return "2's complement, big endian"
	}
	return "<unknown: " + hexString(uint64(d)) + ">"
}

func (r *headerRow) text(t *text) {
	h := &r.f.Header
	label := func(s string) {
		t.str("  ")
		t.left(s, 35)
	}
	t.title("ELF Header:", "")
	t.nl()
	t.str("  Magic:   ")
	for _, c := range h.Ident {
		t.hex(uint64(c), 2)
		t.str(" ")
	}
	t.nl()
	line := func(name, value string) { label(name); t.str(value); t.nl() }
	line("Class:", className(h.Ident[elf.EI_CLASS]))
	line("Data:", dataName(h.Ident[elf.EI_DATA]))
	label("Version:")
	t.dec(uint64(h.Ident[elf.EI_VERSION]), 0)
	if h.Ident[elf.EI_VERSION] == byte(elf.EV_CURRENT) {
		t.str(" (current)")
	}
	t.nl()
	line("OS/ABI:", r.osabi)
	label("ABI Version:")
	t.dec(uint64(h.ABIVersion()), 0)
	t.nl()
	line("Type:", r.typeText())
	line("Machine:", r.mach)
	r.numbers(t, label)
}

func (r *headerRow) typeText() string {
	if r.kind != "" {
		return r.typ + " (" + r.kind + ")"
	}
	return r.typ
}

// numbers prints the second half of the header.
func (r *headerRow) numbers(t *text, label func(string)) {
	h := &r.f.Header
	hex := func(name string, v uint64) { label(name); t.zx(v); t.nl() }
	dec := func(name string, v uint64, unit string) { label(name); t.dec(v, 0); t.str(unit); t.nl() }
	hex("Version:", uint64(h.Version))
	hex("Entry point address:", h.Entry)
	dec("Start of program headers:", h.Phoff, " (bytes into file)")
	dec("Start of section headers:", h.Shoff, " (bytes into file)")
	label("Flags:")
	t.zx(uint64(h.Flags))
	for _, f := range r.flags {
		t.str(", ")
		t.str(f)
	}
	t.nl()
	dec("Size of this header:", uint64(h.Ehsize), " (bytes)")
	dec("Size of program headers:", uint64(h.Phentsize), " (bytes)")
	extended := func(name string, stored uint16, meant uint64) {
		label(name)
		t.dec(uint64(stored), 0)
		if uint64(stored) != meant {
			t.str(" (")
			t.dec(meant, 0)
			t.str(")")
		}
		t.nl()
	}
	extended("Number of program headers:", h.Phnum, uint64(r.phnum))
	dec("Size of section headers:", uint64(h.Shentsize), " (bytes)")
	extended("Number of section headers:", h.Shnum, r.shnum)
	extended("Section header string table index:", h.Shstrndx, uint64(r.shstrndx))
}

func (r *headerRow) json(o *object) {
	h := &r.f.Header
	o.bytes("ident", h.Ident[:])
	o.num("class", uint64(h.Ident[elf.EI_CLASS]))
	o.str("class_name", className(h.Ident[elf.EI_CLASS]))
	o.num("data", uint64(h.Ident[elf.EI_DATA]))
	o.str("data_name", dataName(h.Ident[elf.EI_DATA]))
	o.num("ident_version", uint64(h.Ident[elf.EI_VERSION]))
	o.num("osabi", uint64(h.OSABI()))
	o.str("osabi_name", r.osabi)
	o.num("abi_version", uint64(h.ABIVersion()))
	o.num("type", uint64(h.Type))
	o.str("type_name", r.typ)
	if r.kind != "" {
		o.str("type_kind", r.kind)
	}
	o.num("machine", uint64(h.Machine))
	o.str("machine_name", r.mach)
	o.num("version", uint64(h.Version))
	o.hex("entry", h.Entry)
	o.hex("phoff", h.Phoff)
	o.hex("shoff", h.Shoff)
	o.hex("flags", uint64(h.Flags))
	o.strs("flag_names", r.flags)
	o.num("ehsize", uint64(h.Ehsize))
	o.num("phentsize", uint64(h.Phentsize))
	o.num("phnum", uint64(h.Phnum))
	o.num("phnum_meant", uint64(r.phnum))
	o.num("shentsize", uint64(h.Shentsize))
	o.num("shnum", uint64(h.Shnum))
	o.num("shnum_meant", r.shnum)
	o.num("shstrndx", uint64(h.Shstrndx))
	o.num("shstrndx_meant", uint64(r.shstrndx))
}

// typeName names e_type and says what that is. The position-independent
// executable is told from the shared library, both ET_DYN, as readelf does: by
// DF_1_PIE.
func (p *printer) typeName() (name, kind string) {
	name, kind, _ = strings.Cut(strings.TrimSuffix(elffile.TypeName(p.f.Header.Type), ")"), " (")
	if p.f.Header.Type == elf.ET_DYN {
		if flags, ok := p.dynamic().Value(elf.DT_FLAGS_1); ok && elf.DynFlag1(flags)&elf.DF_1_PIE != 0 {
			kind = "Position-Independent Executable file"
		}
	}
	return name, kind
}

// flagNames decodes e_flags where the machine is known.
func (p *printer) flagNames() []string {
	if p.m == nil {
		return []string{}
	}
	return p.m.FlagNames(p.f.Header.Flags)
}
