package input

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"elfwright/link/model"
)

// Build attributes say what code expects of a processor and of other code (Addenda
// to the Arm ABI, "Build attributes"; RISC-V psABI, "Attributes"). An object has a
// section of them; the output has one for all.

// attribute is a tag with its value: a number, a text, or, of
// Tag_compatibility, both.
type attribute struct {
	n    uint64
	text string
	both bool
}

// attributes are those of a whole file that a vendor defines.
type attributes map[uint64]attribute

func (a attributes) num(tag uint64) uint64 { return a[tag].n }

func (a attributes) set(tag, n uint64) { a[tag] = attribute{n: n} }

// attrDialect is what differs between machines.
type attrDialect struct {
	vendor  string
	section string
	isText  func(tag uint64) bool
	first   []uint64 // tags that are written before the others
	merge   func(m *merger, out, in attributes)
}

const (
	tagFile          = 1
	tagCompatibility = 32
)

// parseAttributes reads a section of attributes. Those of other vendors and those
// of single sections or symbols are left out: GNU tools make neither.
func parseAttributes(b []byte, order binary.ByteOrder, d *attrDialect) (attributes, error) {
	out := attributes{}
	if len(b) == 0 {
		return out, nil
	}
	if b[0] != 'A' {
		return nil, fmt.Errorf("attributes of format version %q, not 'A'", b[0])
	}
	for b = b[1:]; len(b) > 0; {
		if len(b) < 4 {
			return nil, fmt.Errorf("0x%x bytes are left, a vendor's attributes begin with a length of 4", len(b))
		}
		n := order.Uint32(b)
		if n < 5 || uint64(n) > uint64(len(b)) {
			return nil, fmt.Errorf("length 0x%x of a vendor's attributes, where 0x%x bytes are left", n, len(b))
		}
		vendor, rest, ok := bytes.Cut(b[4:n], []byte{0})
		if !ok {
			return nil, fmt.Errorf("the name of a vendor has no end")
		}
		if string(vendor) == d.vendor {
			if err := parseVendor(out, rest, order, d); err != nil {
				return nil, err
			}
		}
		b = b[n:]
	}
	return out, nil
}

// tags are the tags of several lists, ascending.
func tags(lists ...attributes) []uint64 {
	var all []uint64
	for _, a := range lists {
		for t := range a {
			all = append(all, t)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func parseVendor(out attributes, b []byte, order binary.ByteOrder, d *attrDialect) error {
	for len(b) > 0 {
		tag, k := binary.Uvarint(b)
		if k <= 0 || len(b) < k+4 {
			return fmt.Errorf("0x%x bytes are no list of attributes", len(b))
		}
		n := order.Uint32(b[k:])
		if uint64(n) > uint64(len(b)) || n < uint32(k)+4 {
			return fmt.Errorf("length 0x%x of a list of attributes, where 0x%x bytes are left", n, len(b))
		}
		if tag == tagFile {
			if err := parseList(out, b[k+4:n], d); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

func parseList(out attributes, b []byte, d *attrDialect) error {
	for len(b) > 0 {
		tag, k := binary.Uvarint(b)
		if k <= 0 {
			return fmt.Errorf("a tag has no end")
		}
		b = b[k:]
		var a attribute
		if tag == tagCompatibility || !d.isText(tag) {
			if a.n, k = binary.Uvarint(b); k <= 0 {
				return fmt.Errorf("the value of tag %d has no end", tag)
			}
			b = b[k:]
		}
		if a.both = tag == tagCompatibility; a.both || d.isText(tag) {
			text, rest, ok := bytes.Cut(b, []byte{0})
			if !ok {
				return fmt.Errorf("the text of tag %d has no end", tag)
			}
			a.text, b = string(text), rest
		}
		out[tag] = a
	}
	return nil
}

// encode writes attributes as the section that has them. Values that mean nothing
// are left out.
func (a attributes) encode(order binary.ByteOrder, d *attrDialect) []byte {
	var list []byte
	put := func(tag uint64) {
		x, ok := a[tag]
		if !ok || x.n == 0 && x.text == "" {
			return
		}
		list = binary.AppendUvarint(list, tag)
		if x.both || !d.isText(tag) {
			list = binary.AppendUvarint(list, x.n)
		}
		if x.both || d.isText(tag) {
			list = append(append(list, x.text...), 0)
		}
	}
	for _, t := range d.first {
		put(t)
	}
	for _, t := range tags(a) {
		if !slices.Contains(d.first, t) {
			put(t)
		}
	}
	if list == nil {
		return nil
	}
	inner := 1 + 4 + len(list)
	outer := 4 + len(d.vendor) + 1 + inner
	b := make([]byte, 1+outer)
	b[0] = 'A'
	order.PutUint32(b[1:], uint32(outer))
	at := 5 + copy(b[5:], d.vendor) + 1
	b[at] = tagFile
	order.PutUint32(b[at+1:], uint32(inner))
	copy(b[at+5:], list)
	return b
}

// merger merges the attributes of all objects.
type merger struct {
	rep   *model.Report
	first *object // that had attributes first
	obj   *object // whose are merged
	said  bool    // an error or a warning
}

// idle merges in into out, and says whether that changed nothing and gave no
// reason to complain.
func (m *merger) idle(d *attrDialect, out, in attributes) bool {
	before := maps.Clone(out)
	m.said = false
	d.merge(m, out, in)
	return !m.said && maps.Equal(before, out)
}

func (m *merger) error(err error) {
	m.said = true
	m.rep.Error(err)
}

func (m *merger) fault(format string, args ...any) {
	m.error(fmt.Errorf("%s: "+format, append([]any{m.obj.File}, args...)...))
}

func (m *merger) warn(format string, args ...any) {
	m.said = true
	m.rep.Warn(fmt.Errorf("%s: "+format, append([]any{m.obj.File}, args...)...))
}

// mergeAttributes merges the attributes of all objects into the section of the
// first that has one; the other sections are not in the output. It returns what
// was merged, nil if no object has any.
func (l *loader) mergeAttributes(d *attrDialect) attributes {
	m := &merger{rep: l.rep}
	var out attributes
	var to *model.Section
	var last []byte // merging these changed nothing: nor does it again
	for _, o := range l.objects {
		s := o.named(d.section)
		if s == nil || !s.Live {
			continue
		}
		if last != nil && bytes.Equal(last, s.Data) && o.Order == m.obj.Order {
			s.Live, s.Dropped = false, model.Excluded
			continue
		}
		in, err := parseAttributes(s.Data, o.Order, d)
		if err != nil {
			l.rep.Error(fmt.Errorf("%s(%s): %w", o.File, s.Name, err))
			continue
		}
		m.obj = o
		if out == nil {
			out, to, m.first = in, s, o
			s.Keep = true // whatever becomes of the object's code
			d.merge(m, out, nil)
			continue
		}
		if last = nil; m.idle(d, out, in) {
			last = s.Data
		}
		s.Live, s.Dropped = false, model.Excluded
	}
	if to != nil {
		to.Data = out.encode(to.Obj.Order, d)
		to.Size = uint64(len(to.Data))
	}
	return out
}

// named is the first section of a name.
func (o *object) named(name string) *model.Section {
	for _, s := range o.Sections {
		if s != nil && s.Name == name {
			return s
		}
	}
	return nil
}
