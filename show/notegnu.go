package show

import (
	"fmt"
	"strings"

	"elfwright/elffile"
)

// Types of notes of owner "GNU" (glibc elf.h).
const (
	noteABITag   = 1
	noteHwcap    = 2
	noteBuildID  = 3
	noteGold     = 4
	noteProperty = 5
)

func (c *noteContext) gnuNote(n *elffile.Note) (row, error) {
	r := &fieldReader{Format: c.Format, b: n.Desc}
	switch n.Type {
	case noteABITag:
		return abiTag(r)
	case noteHwcap:
		return hwcap(r)
	case noteBuildID:
		return facts{bytesFact("build_id", "Build ID", n.Desc)}, nil
	case noteGold:
		return facts{textFact("version", "Version", cstring(n.Desc))}, nil
	case noteProperty:
		return c.properties(n.Desc)
	}
	return nil, nil
}

// abiTagSystems are the systems of NT_GNU_ABI_TAG (glibc elf.h, ELF_NOTE_OS_;
// the last two from binutils elf/common.h).
var abiTagSystems = [...]string{"Linux", "Hurd", "Solaris", "FreeBSD", "NetBSD", "Syllable", "NaCl"}

// abiTag is the oldest kernel that the file runs on.
func abiTag(r *fieldReader) (row, error) {
	os, major, minor, sub := r.u32(), r.u32(), r.u32(), r.u32()
	if r.err != nil {
		return nil, r.err
	}
	name := fmt.Sprintf("unknown (%d)", os)
	if uint64(os) < uint64(len(abiTagSystems)) {
		name = abiTagSystems[os]
	}
	return facts{
		decFact("os", "", uint64(os)),
		textFact("os_name", "OS", name),
		textFact("abi", "ABI", fmt.Sprintf("%d.%d.%d", major, minor, sub)),
	}, nil
}

// hwcap names bits that a vDSO adds to AT_HWCAP (glibc elf.h, NT_GNU_HWCAP):
// how many there are, which of them are set, then for each its number in a byte
// and its name.
func hwcap(r *fieldReader) (row, error) {
	count, mask := r.u32(), r.u32()
	f := facts{decFact("count", "Entries", uint64(count)), hexFact("mask", "Enabled", uint64(mask))}
	var names []string
	for r.left() > 0 && uint64(len(names)) < uint64(count) {
		bit := r.u8()
		names = append(names, fmt.Sprintf("%d %s", bit, r.str()))
	}
	if len(names) > 0 {
		f = append(f, textFact("names", "Bits", strings.Join(names, ", ")))
	}
	return f, r.err
}

// properties is the content of NT_GNU_PROPERTY_TYPE_0 (Linux Extensions to
// gABI, "Program Property"): an array of pr_type, pr_datasz and data, each
// padded to the size of an address.
type properties []property

type property struct {
	typ   uint32
	name  string // as the header that defines it
	label string
	data  []byte
	value uint64
	names []string // of the bits
	bits  bool     // data is a set of bits
	size  bool     // data is a size
}

func (c *noteContext) properties(b []byte) (properties, error) {
	r := &fieldReader{Format: c.Format, b: b}
	var list properties
	for r.left() > 0 {
		typ, size := r.u32(), r.u32()
		if r.err != nil || uint64(size) > uint64(r.left()) {
			if r.err == nil {
				r.err = fmt.Errorf("the property %s at 0x%x has 0x%x bytes of data, and 0x%x are left", hexType(typ), r.pos-8, size, r.left())
			}
			break
		}
		data := r.take(int(size))
		list = append(list, c.property(typ, data))
		// The last one may go without its padding.
		if pad := -int(size) & (c.AddrSize() - 1); pad <= r.left() {
			r.take(pad)
		} else {
			break
		}
	}
	return list, r.err
}

func hexType(v uint32) string { return fmt.Sprintf("0x%x", v) }

func (c *noteContext) property(typ uint32, data []byte) property {
	p := property{typ: typ, data: data, name: hexType(typ), label: "type " + hexType(typ)}
	if isPropBits(typ) && len(data) == 4 {
		p.bits, p.value = true, uint64(c.U32(data))
		p.names = bitNames(nil).names(p.value)
	}
	if k := c.propertyKind(typ); k != nil {
		p.name, p.label = k.name, k.label
		p.size = k.form == propSize
		p.bits = k.form == propBits
		if len(data) == 0 && k.form == propNone {
			return p
		}
		if p.size && len(data) == c.AddrSize() {
			p.value = c.Addr(data)
			return p
		}
		if p.bits && len(data) == 4 {
			p.value = uint64(c.U32(data))
			p.names = k.bits.names(p.value)
			return p
		}
		if k.form == propPauth && len(data) == 16 {
			p.names = []string{fmt.Sprintf("platform 0x%x", c.U64(data)), fmt.Sprintf("version 0x%x", c.U64(data[8:]))}
			return p
		}
		p.size, p.bits = false, false
		p.label += " <wrong size>"
	}
	return p
}

func (l properties) text(t *text) {
	for i := range l {
		l[i].text(t)
	}
}

func (l properties) json(o *object) {
	o.list("properties")
	for i := range l {
		o.open("")
		l[i].json(o)
		o.close()
	}
	o.endList()
}

func (p *property) text(t *text) {
	t.str("    ")
	t.str(p.label)
	switch {
	case p.size:
		t.str(": ")
		t.zx(p.value)
	case len(p.names) > 0:
		t.str(": ")
		t.str(strings.Join(p.names, ", "))
	case p.bits:
		t.str(": none")
	case len(p.data) > 0:
		t.str(":")
		for _, c := range p.data[:min(len(p.data), maxRaw)] {
			t.str(" ")
			t.hex(uint64(c), 2)
		}
	}
	t.nl()
}

func (p *property) json(o *object) {
	o.hex("type", uint64(p.typ))
	o.str("type_name", p.name)
	if p.size || p.bits {
		o.hex("value", p.value)
	} else {
		o.bytes("data", p.data)
	}
	if p.bits || len(p.names) > 0 {
		o.strs("value_names", p.names)
	}
}
