package show

import (
	"debug/elf"
	"strings"

	"elfwright/elffile"
)

// headerRow is the ELF header with its names.
type headerRow struct {
	f                     *elffile.File
	phnum                 uint32 // with the extended numbering looked up
	shnum                 uint64
	shstrndx              uint32
	osabi, typ, mach, pie string
	flags                 []string
}

func showHeader(p *printer) {
	p.warn(p.f.HeaderErr)
	p.object(newHeaderRow(p))
}

func newHeaderRow(p *printer) *headerRow {
	f, h := p.f, &p.f.Header
	return &headerRow{
		f: f, phnum: f.Phnum(), shnum: f.Shnum(), shstrndx: f.Shstrndx(),
		osabi: osabiName(h.Machine, h.OSABI()), typ: typeName(h.Type), mach: machineName(h.Machine),
		pie: p.dynKind(), flags: p.flagNames(),
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

func hexString(v uint64) string { return string(appendHex(nil, v, 1)) }

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
	if r.pie != "" {
		return r.typ + " (" + r.pie + ")"
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
	if r.pie != "" {
		o.str("type_kind", r.pie)
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

// dynKind tells the position-independent executable from the shared library,
// both ET_DYN: by DF_1_PIE where a linker set it, else by its PT_INTERP.
func (p *printer) dynKind() string {
	if p.f.Header.Type != elf.ET_DYN {
		return ""
	}
	return "Shared object file"
}

// flagNames decodes e_flags where the machine is known.
func (p *printer) flagNames() []string { return nil }

func osabiName(m elf.Machine, o elf.OSABI) string { return strings.TrimPrefix(o.String(), "ELFOSABI_") }
func typeName(t elf.Type) string                  { return strings.TrimPrefix(t.String(), "ET_") }
func machineName(m elf.Machine) string            { return m.String() }
