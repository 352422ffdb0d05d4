package patch

import (
	"debug/dwarf"
	"encoding/binary"
	"fmt"
	"strings"
)

func (u *unit) structType(t *typ, e *dwarf.Entry) error {
	t.class = structure
	if decl, _ := e.Val(dwarf.AttrDeclaration).(bool); decl {
		def, err := u.definition(e)
		if err != nil {
			return err
		}
		if def != nil {
			t.off = def.Offset
			if n, ok := def.Val(dwarf.AttrByteSize).(int64); ok && n >= 0 {
				t.size = uint64(n)
			}
			return u.structType(t, def)
		}
		t.class, t.why = other, fmt.Sprintf("its type %s is only declared here; what it is made of is elsewhere", t.name)
		return nil
	}
	return u.children(e, func(k *dwarf.Entry) error {
		switch k.Tag {
		case dwarf.TagMember, dwarf.TagInheritance:
			return u.member(t, k)
		case dwarf.TagVariantPart:
			t.fields = append(t.fields, field{why: "it is an enum with data, whose variants are not told apart here"})
		}
		return nil
	})
}

// definition looks through a unit for the entry that completes a declaration,
// and returns nil if it has none. The reader is then behind it.
func (u *unit) definition(decl *dwarf.Entry) (*dwarf.Entry, error) {
	u.r.Seek(dwarf.Offset(u.body - u.delta))
	for range maxEntries {
		e, err := u.r.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: .debug_info: %w", u.d.f.Name, err)
		}
		if e == nil || int64(e.Offset)+u.delta >= u.end {
			break
		}
		if e.Tag != decl.Tag {
			continue
		}
		f := e.AttrField(dwarf.AttrSpecification)
		if again, _ := e.Val(dwarf.AttrDeclaration).(bool); f == nil || again {
			continue
		}
		if off, err := u.ref(f); err == nil && off == decl.Offset {
			return e, nil
		}
	}
	return nil, nil
}

// member reads a member; what is one for all objects of a class is none.
func (u *unit) member(t *typ, k *dwarf.Entry) error {
	ext, _ := k.Val(dwarf.AttrExternal).(bool)
	decl, _ := k.Val(dwarf.AttrDeclaration).(bool)
	if ext || decl {
		return nil
	}
	f := field{base: k.Tag == dwarf.TagInheritance}
	f.name, _ = k.Val(dwarf.AttrName).(string)
	if a := k.AttrField(dwarf.AttrType); a != nil {
		off, err := u.ref(a)
		if err != nil {
			return err
		}
		f.typ = off
	}
	off, ok := u.memberOffset(k)
	if !ok {
		f.why = "its offset is computed at run time (a virtual base class)"
	}
	f.off = off
	if bits, ok := k.Val(dwarf.AttrBitSize).(int64); ok && bits > 0 {
		f.bits = uint64(bits)
		u.bitField(&f, k)
	}
	t.fields = append(t.fields, f)
	return nil
}

// memberOffset reads DW_AT_data_member_location: a number, or in DWARF 2 an
// expression.
func (u *unit) memberOffset(k *dwarf.Entry) (uint64, bool) {
	switch v := k.Val(dwarf.AttrDataMemberLoc).(type) {
	case nil:
		return 0, true // a member of a union, or a bit-field of DWARF 4 and later
	case int64:
		return uint64(v), v >= 0
	case []byte:
		if len(v) > 1 && v[0] == 0x23 { // DW_OP_plus_uconst
			n, used := binary.Uvarint(v[1:])
			return n, used == len(v)-1
		}
	}
	return 0, false
}

// bitField finds a bit-field's first bit: counted from the start of the
// structure, in the order in which the machine numbers bits (DWARF 5, section
// 5.7.6), or from the other end of a storage unit (DWARF 2 and 3).
func (u *unit) bitField(f *field, k *dwarf.Entry) {
	if v, ok := k.Val(dwarf.AttrDataBitOffset).(int64); ok && v >= 0 {
		f.bitOff = 8*f.off + uint64(v)
		return
	}
	v, ok := k.Val(dwarf.AttrBitOffset).(int64)
	if !ok {
		f.bitOff = 8 * f.off
		return
	}
	if u.d.f.Big() {
		f.bitOff = 8*f.off + uint64(v)
		return
	}
	storage, ok := k.Val(dwarf.AttrByteSize).(int64)
	if !ok {
		mark := *u.r
		if t, err := u.typ(f.typ, 1); err == nil {
			storage = int64(t.size)
		}
		*u.r = mark
	}
	from := 8*int64(f.off) + 8*storage - v - int64(f.bits)
	if from < 0 {
		f.why = fmt.Sprintf("DW_AT_bit_offset %d is not within its storage of %d bytes", v, storage)
	}
	f.bitOff = uint64(from)
}

// fieldType reads the type of a member.
func (t *typ) fieldType(f *field) (*typ, error) {
	if f.typ == 0 {
		return &typ{class: other, why: "its type is not told"}, nil
	}
	return t.unit.typ(f.typ, 0)
}

// names lists the members for a message.
func (t *typ) names() string {
	var list []string
	for i := range t.fields {
		if t.fields[i].name != "" && len(list) < 30 {
			list = append(list, t.fields[i].name)
		}
	}
	return strings.Join(list, ", ")
}
