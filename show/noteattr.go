package show

import (
	"strings"

	"elfwright/elffile"
)

// buildAttributes are the attributes that have a number instead of a name
// (binutils elf/common.h, GNU_BUILD_ATTRIBUTE_).
var buildAttributes = [...]string{1: "version", "stack protector", "relro", "stack size", "tool", "ABI", "PIC", "short enum"}

// isBuildAttribute says whether a note is one of the annobin compiler plugin
// (binutils, "GNU build attribute notes"): the owner is "GA", a letter for the
// kind of the value, the attribute, and the value itself.
func isBuildAttribute(n *elffile.Note) bool {
	return (n.Type == 0x100 || n.Type == 0x101) && len(n.Name) >= 4 && strings.HasPrefix(n.Name, "GA") && strings.IndexByte("*$+!", n.Name[2]) >= 0
}

// buildAttribute decodes such a note. Its descriptor is the range of addresses
// that it speaks of, or empty for that of the note before.
func (c *noteContext) buildAttribute(n *elffile.Note) (row, error) {
	kind, rest := n.Name[2], n.Name[3:]
	name, value := "", ""
	if id := int(rest[0]); id < len(buildAttributes) && id > 0 {
		name, value = buildAttributes[id], rest[1:]
	} else {
		name, value, _ = strings.Cut(rest, "\x00")
	}
	f := facts{textFact("attribute", "Attribute", name)}
	switch kind {
	case '*':
		f = append(f, attributeNumber(value))
	case '$':
		f = append(f, textFact("value", "Value", value))
	default:
		f = append(f, textFact("value", "Value", map[byte]string{'+': "true", '!': "false"}[kind]))
	}
	r := &fieldReader{Format: c.Format, b: n.Desc}
	if r.left() > 0 {
		f = append(f, hexFact("start", "Start", r.addr()))
	}
	if r.left() > 0 {
		f = append(f, hexFact("end", "End", r.addr()))
	}
	return f, r.err
}

// attributeNumber is a value with its lowest byte first, whatever the file's
// byte order.
func attributeNumber(value string) fact {
	if len(value) > 8 {
		return bytesFact("value", "Value", []byte(value))
	}
	v := uint64(0)
	for i := range len(value) {
		v |= uint64(value[i]) << (8 * i)
	}
	return hexFact("value", "Value", v)
}
