package compare

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
	"elfwright/machine/all"
)

// A list of fields that differ.
type fields []Field

// differ adds a field if it differs.
func (l *fields) differ(name string, old, new Value) {
	if old != new {
		*l = append(*l, Field{name, old.ptr(), new.ptr()})
	}
}

func (c *comparison) header() {
	x, y := &c.a.f.Header, &c.b.f.Header
	var l fields
	for i, name := range []string{"EI_MAG0", "EI_MAG1", "EI_MAG2", "EI_MAG3", "EI_CLASS", "EI_DATA", "EI_VERSION", "EI_OSABI", "EI_ABIVERSION"} {
		if i == elf.EI_OSABI {
			l.differ(name, word(elffile.OSABIName(x.Machine, x.OSABI())), word(elffile.OSABIName(y.Machine, y.OSABI())))
			continue
		}
		l.differ(name, num(uint64(x.Ident[i])), num(uint64(y.Ident[i])))
	}
	l.differ("EI_PAD", word(fmt.Sprintf("%x", x.Ident[elf.EI_PAD:])), word(fmt.Sprintf("%x", y.Ident[elf.EI_PAD:])))
	l.differ("e_type", word(elffile.TypeName(x.Type)), word(elffile.TypeName(y.Type)))
	l.differ("e_machine", word(elffile.MachineName(x.Machine)), word(elffile.MachineName(y.Machine)))
	l.differ("e_version", num(uint64(x.Version)), num(uint64(y.Version)))
	l.differ("e_entry", hex(x.Entry), hex(y.Entry))
	l.differ("e_phoff", hex(x.Phoff), hex(y.Phoff))
	l.differ("e_shoff", hex(x.Shoff), hex(y.Shoff))
	l.differ("e_flags", word(headerFlags(c.a.f)), word(headerFlags(c.b.f)))
	l.differ("e_ehsize", num(uint64(x.Ehsize)), num(uint64(y.Ehsize)))
	l.differ("e_phentsize", num(uint64(x.Phentsize)), num(uint64(y.Phentsize)))
	l.differ("e_phnum", num(uint64(c.a.f.Phnum())), num(uint64(c.b.f.Phnum())))
	l.differ("e_shentsize", num(uint64(x.Shentsize)), num(uint64(y.Shentsize)))
	l.differ("e_shnum", num(c.a.f.Shnum()), num(c.b.f.Shnum()))
	l.differ("e_shstrndx", num(uint64(c.a.f.Shstrndx())), num(uint64(c.b.f.Shstrndx())))
	c.Header = l
}

// headerFlags is e_flags with what the psABI calls its bits.
func headerFlags(f *elffile.File) string {
	s := hex(uint64(f.Header.Flags)).String()
	if m := all.Lookup(f.Header.Machine, f.Class); m != nil {
		if names := m.FlagNames(f.Header.Flags); len(names) > 0 {
			s += " (" + strings.Join(names, ", ") + ")"
		}
	}
	return s
}
