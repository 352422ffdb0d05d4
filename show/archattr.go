package show

import (
	"debug/elf"
	"fmt"
)

// attrReader reads the attributes of one section.
type attrReader struct {
	p       *printer
	section int
	name    string
	machine *attrVendor // of the psABI; nil where it has no attributes
	count   int
}

// maxAttrs bounds the attributes of a section: real ones have some dozens.
const maxAttrs = 1 << 16

func (p *printer) attrReader(section int) *attrReader {
	a := &attrReader{p: p, section: section, name: p.sectionName(section)}
	switch p.f.Header.Machine {
	case elf.EM_ARM:
		a.machine = &armVendor
	case elf.EM_RISCV:
		a.machine = &riscvVendor
	}
	return a
}

// attrVendor says what a vendor's tags mean.
type attrVendor struct {
	name string
	tags map[uint64]attrTag
	// form is how the value of a tag that the table does not have is stored.
	form func(tag uint64) attrForm
}

// attrTag is a tag's name, and the names of its values.
type attrTag struct {
	name   string
	values []string
	form   attrForm
	value  func(v uint64) string // where names are no list
}

type attrForm uint8

const (
	attrNumber attrForm = iota // ULEB128
	attrString                 // a string
	attrBoth                   // ULEB128, then a string
	attrNested                 // a string that holds a tag and its value
)

// oddString is the rule for tags that nobody described: a string if the tag is
// odd (Arm ABI addenda, "Coding extensibility and compatibility"; RISC-V psABI,
// "Attributes").
func oddString(tag uint64) attrForm {
	if tag&1 != 0 {
		return attrString
	}
	return attrNumber
}

// vendor finds a vendor's table.
func (a *attrReader) vendor(name string) *attrVendor {
	if a.machine != nil && name == a.machine.name {
		return a.machine
	}
	v := &attrVendor{name: name, form: oddString}
	if name == "gnu" {
		v.tags = gnuTags[a.p.f.Header.Machine]
	}
	return v
}

// sections reads a section of attributes (Arm ABI addenda, "Formal syntax of an
// ABI build attributes section"; GNU and RISC-V use the same): the letter A, then
// for each vendor its length, name, and lists for the file, for sections, for
// symbols.
func (a *attrReader) sections(b []byte) error {
	r, err := a.start(b)
	if err != nil {
		return err
	}
	for r.left() > 0 {
		vendor, sub, err := a.subsection(r)
		if err != nil {
			return err
		}
		v := a.vendor(vendor)
		for sub.left() > 0 {
			if err := a.list(v, sub); err != nil {
				return fmt.Errorf("vendor %q: %w", vendor, err)
			}
		}
	}
	return nil
}

// start checks the version.
func (a *attrReader) start(b []byte) (*fieldReader, error) {
	r := &fieldReader{Format: a.p.f.Format, b: b}
	if v := r.u8(); r.err == nil && v != 'A' {
		return nil, fmt.Errorf("the attributes have version 0x%02x, not 0x41", v)
	}
	return r, nil
}

// subsection cuts a vendor's part off.
func (a *attrReader) subsection(r *fieldReader) (vendor string, sub *fieldReader, err error) {
	start := r.pos
	size := uint64(r.u32())
	if r.err == nil && (size < 4 || size > uint64(len(r.b)-start)) {
		r.err = fmt.Errorf("a vendor's part at 0x%x has 0x%x bytes, and 0x%x are there", start, size, len(r.b)-start)
	}
	body := r.take(int(size) - 4)
	if r.err != nil {
		return "", nil, r.err
	}
	sub = &fieldReader{Format: r.Format, b: body}
	vendor = sub.str()
	return vendor, sub, sub.err
}

// list reads the attributes of the file, or of some sections or symbols.
func (a *attrReader) list(v *attrVendor, r *fieldReader) error {
	start := r.pos
	tag := r.uleb()
	size := uint64(r.u32())
	head := r.pos - start
	if r.err == nil && (size < uint64(head) || size > uint64(len(r.b)-start)) {
		return fmt.Errorf("a list of attributes at 0x%x has 0x%x bytes, and 0x%x are there", start, size, len(r.b)-start)
	}
	body := r.take(int(size) - head)
	if r.err != nil {
		return r.err
	}
	l := &fieldReader{Format: r.Format, b: body}
	h := &archHead{kind: "attributes", section: a.section, name: a.name, vendor: v.name}
	switch tag {
	case 1:
		h.scope = "file"
	case 2, 3:
		h.scope = [...]string{2: "section", 3: "symbol"}[tag]
		for n := l.uleb(); n != 0 && l.err == nil; n = l.uleb() {
			h.scopes = append(h.scopes, n)
		}
	default:
		return fmt.Errorf("a list of attributes has the tag %d, which is none of file, section and symbol", tag)
	}
	a.p.table(h)
	for l.left() > 0 {
		row, err := a.attribute(v, l)
		if err != nil {
			return err
		}
		a.p.row(row)
	}
	a.p.end()
	return l.err
}

// attribute reads one attribute.
func (a *attrReader) attribute(v *attrVendor, r *fieldReader) (*attrRow, error) {
	if a.count++; a.count > maxAttrs {
		return nil, fmt.Errorf("there are more than %d attributes", maxAttrs)
	}
	row := &attrRow{tag: r.uleb()}
	kind, known := v.tags[row.tag]
	row.name = kind.name
	if !known {
		row.name = fmt.Sprintf("Tag_unknown_%d", row.tag)
		kind.form = v.form(row.tag)
	}
	row.form = kind.form
	switch kind.form {
	case attrNumber:
		row.num = r.uleb()
		row.value = kind.valueName(row.num, known)
	case attrString:
		row.str = r.str()
	case attrBoth:
		row.num = r.uleb()
		row.str = r.str()
	case attrNested:
		row.str = r.str()
		n := &fieldReader{Format: r.Format, b: []byte(row.str)}
		if tag := n.uleb(); n.err == nil {
			value := n.uleb()
			if nested, ok := v.tags[tag]; ok && n.err == nil && nested.form == attrNumber {
				row.value = nested.valueName(value, true)
				if tag != 6 { // the usual one, the architecture, needs no name
					row.value = nested.name + ": " + row.value
				}
			}
		}
	}
	return row, r.err
}

// valueName names a value; empty where it has no name.
func (k *attrTag) valueName(v uint64, known bool) string {
	switch {
	case k.value != nil:
		return k.value(v)
	case v < uint64(len(k.values)) && k.values[v] != "":
		return k.values[v]
	case known && len(k.values) > 0:
		return fmt.Sprintf("??? (%d)", v)
	}
	return ""
}

// attrRow is one attribute.
type attrRow struct {
	tag   uint64
	name  string
	form  attrForm
	num   uint64
	str   string
	value string // the number in words
}

func (r *attrRow) text(t *text) {
	t.str("  ")
	t.str(r.name)
	t.str(": ")
	switch {
	case r.form == attrBoth:
		t.str("flag = ")
		t.dec(r.num, 0)
		t.str(", vendor = ")
		t.names(r.str)
	case r.value != "":
		t.str(r.value)
	case r.form == attrNumber:
		t.dec(r.num, 0)
	default:
		t.str(`"`)
		t.names(r.str)
		t.str(`"`)
	}
	t.nl()
}

func (r *attrRow) json(o *object) {
	o.num("tag", r.tag)
	o.str("tag_name", r.name)
	switch r.form {
	case attrNumber:
		o.num("value", r.num)
	case attrBoth:
		o.num("value", r.num)
		o.names("string", r.str)
	default:
		o.names("string", r.str)
	}
	if r.value != "" {
		o.str("value_name", r.value)
	}
}

// aarch64 reads AArch64's build attributes (Arm ABI addenda for the 64-bit
// architecture, "Build attributes"): each subsection has a name, says whether a
// linker may ignore it and of what form its values are, and holds pairs.
func (a *attrReader) aarch64(b []byte) error {
	r, err := a.start(b)
	if err != nil {
		return err
	}
	for r.left() > 0 {
		vendor, sub, err := a.subsection(r)
		if err != nil {
			return err
		}
		optional, form := sub.u8(), sub.u8()
		if sub.err != nil {
			return fmt.Errorf("subsection %q: %w", vendor, sub.err)
		}
		if form > 1 {
			return fmt.Errorf("subsection %q: its values are of the form %d, which is neither 0 (ULEB128) nor 1 (NTBS)", vendor, form)
		}
		a.p.table(&archHead{kind: "attributes", section: a.section, name: a.name, vendor: vendor, extra: facts{
			decFact("optional", "Optional", uint64(optional)), decFact("form", "Form", uint64(form)),
		}})
		v := &attrVendor{name: vendor, tags: aarch64Tags[vendor], form: func(uint64) attrForm { return attrForm(form) }}
		for sub.left() > 0 {
			row, err := a.attribute(v, sub)
			if err != nil {
				return fmt.Errorf("subsection %q: %w", vendor, err)
			}
			a.p.row(row)
		}
		a.p.end()
	}
	return nil
}

// mipsFlags reads .MIPS.abiflags (MIPS ABI for the O32 FPR modes,
// Elf_ABIFlags_v0).
func (a *attrReader) mipsFlags(b []byte) error {
	r := &fieldReader{Format: a.p.f.Format, b: b}
	f := facts{
		decFact("version", "Version", uint64(r.u16())),
		decFact("isa_level", "ISA level", uint64(r.u8())),
		decFact("isa_rev", "ISA revision", uint64(r.u8())),
		decFact("gpr_size", "GPR size", uint64(r.u8())),
		decFact("cpr1_size", "CPR1 size", uint64(r.u8())),
		decFact("cpr2_size", "CPR2 size", uint64(r.u8())),
		decFact("fp_abi", "FP ABI", uint64(r.u8())),
		hexFact("isa_ext", "ISA extension", uint64(r.u32())),
		hexFact("ases", "ASEs", uint64(r.u32())),
		hexFact("flags1", "Flags 1", uint64(r.u32())),
		hexFact("flags2", "Flags 2", uint64(r.u32())),
	}
	if r.err != nil {
		return r.err
	}
	a.p.table(&archHead{kind: "abi_flags", section: a.section, name: a.name})
	a.p.row(f)
	a.p.end()
	return nil
}
