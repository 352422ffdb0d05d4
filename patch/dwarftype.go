package patch

import (
	"debug/dwarf"
	"fmt"
)

// maxDepth bounds how many types may be inside each other.
const maxDepth = 64

// ref is the entry that an attribute refers to, as an offset in what debug/dwarf
// has of .debug_info.
func (u *unit) ref(f *dwarf.Field) (dwarf.Offset, error) {
	switch f.Class {
	case dwarf.ClassReference:
		off, ok := f.Val.(dwarf.Offset)
		if ok {
			return off, nil
		}
	case dwarf.ClassReferenceSig:
		return 0, fmt.Errorf("%s: its type is in a type unit (-fdebug-types-section), which is not read; give the value a type, such as :u32", u.d.f.Name)
	case dwarf.ClassReferenceAlt:
		return 0, fmt.Errorf("%s: its type is in the file that .gnu_debugaltlink names (dwz), which is not read; give the value a type, such as :u32", u.d.f.Name)
	}
	return 0, fmt.Errorf("%s: .debug_info: %v is no reference", u.d.f.Name, f.Attr)
}

// entry reads the entry at an offset.
func (u *unit) entry(off dwarf.Offset) (*dwarf.Entry, error) {
	if at := int64(off); !u.whole && (at < u.body-u.off || at >= u.end-u.off) {
		return nil, fmt.Errorf("%s: .debug_info: a reference to 0x%x is not within the unit at 0x%x", u.d.f.Name, at+u.delta, u.off)
	}
	u.r.Seek(off)
	e, err := u.r.Next()
	if err != nil {
		return nil, fmt.Errorf("%s: .debug_info: %w", u.d.f.Name, err)
	}
	if e == nil || e.Tag == 0 {
		return nil, fmt.Errorf("%s: .debug_info: there is no entry at 0x%x", u.d.f.Name, int64(off)+u.delta)
	}
	return e, nil
}

// typ reads a type, as far as its values depend on it: the types of members are
// read when they are asked for.
func (u *unit) typ(off dwarf.Offset, depth int) (*typ, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: .debug_info: more than %d types in one another at 0x%x", u.d.f.Name, maxDepth, int64(off)+u.delta)
	}
	e, err := u.entry(off)
	if err != nil {
		return nil, err
	}
	name, _ := e.Val(dwarf.AttrName).(string)
	size, _ := e.Val(dwarf.AttrByteSize).(int64)
	t := &typ{name: name, size: uint64(max(size, 0)), off: off, unit: u}
	switch e.Tag {
	case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType, dwarf.TagRestrictType, tagAtomic, tagImmutable, dwarf.TagSubrangeType, dwarf.TagPackedType:
		return u.same(e, name, depth)
	case dwarf.TagBaseType:
		u.baseType(t, e)
	case dwarf.TagPointerType, dwarf.TagReferenceType, dwarf.TagRvalueReferenceType:
		t.class = pointer
		if t.size == 0 {
			t.size = uint64(u.d.f.AddrSize())
		}
		if t.name == "" {
			t.name = "pointer"
		}
	case dwarf.TagUnspecifiedType:
		t.class = pointer // std::nullptr_t
		t.size = uint64(u.d.f.AddrSize())
	case dwarf.TagEnumerationType:
		err = u.enumType(t, e, depth)
	case dwarf.TagStructType, dwarf.TagClassType, dwarf.TagUnionType, dwarf.TagInterfaceType:
		err = u.structType(t, e)
	case dwarf.TagArrayType:
		err = u.arrayType(t, e, depth)
	default:
		t.class, t.why = other, fmt.Sprintf("its type (%v) has no values that could be written", e.Tag)
	}
	return t, err
}

// Tags that debug/dwarf has no name for.
const (
	tagAtomic    = dwarf.Tag(0x47)
	tagImmutable = dwarf.Tag(0x4b)
)

// same is the type that another one is but in name.
func (u *unit) same(e *dwarf.Entry, name string, depth int) (*typ, error) {
	f := e.AttrField(dwarf.AttrType)
	if f == nil {
		return &typ{class: other, name: name, why: "it has type void"}, nil
	}
	off, err := u.ref(f)
	if err != nil {
		return nil, err
	}
	t, err := u.typ(off, depth+1)
	if t != nil && name != "" && t.class != structure {
		t.name = name
	}
	return t, err
}

// baseType: DWARF 5, section 7.8, table of encodings.
func (u *unit) baseType(t *typ, e *dwarf.Entry) {
	enc, _ := e.Val(dwarf.AttrEncoding).(int64)
	t.class = integer
	switch enc {
	case 0x02: // DW_ATE_boolean
		t.class = boolean
	case 0x04: // DW_ATE_float
		t.class = floating
	case 0x05, 0x0d: // DW_ATE_signed, signed_fixed
		t.signed = true
	case 0x06: // DW_ATE_signed_char
		t.signed, t.char = true, t.name == "char"
	case 0x01: // DW_ATE_address
		t.class = pointer
	case 0x07: // DW_ATE_unsigned
	case 0x08, 0x10, 0x11, 0x12: // DW_ATE_unsigned_char, UTF, UCS, ASCII
		t.char = t.name == "char"
	default:
		t.class, t.why = other, fmt.Sprintf("its type %s (encoding 0x%x) has no values that could be written; say :bytes and hex:", t.name, enc)
	}
	if t.class == integer && (t.size == 0 || t.size > 64) {
		t.class, t.why = other, fmt.Sprintf("its type %s has a size of %d bytes", t.name, t.size)
	}
}

func (u *unit) enumType(t *typ, e *dwarf.Entry, depth int) error {
	t.class = enumeration
	err := u.children(e, func(k *dwarf.Entry) error {
		if k.Tag != dwarf.TagEnumerator {
			return nil
		}
		name, _ := k.Val(dwarf.AttrName).(string)
		v, ok := k.Val(dwarf.AttrConstValue).(int64)
		if name != "" && ok {
			t.enums = append(t.enums, enumerator{name, v})
		}
		return nil
	})
	f := e.AttrField(dwarf.AttrType)
	if err != nil || f == nil {
		t.loose = true
		return err
	}
	off, err := u.ref(f)
	if err != nil {
		return err
	}
	base, err := u.typ(off, depth+1)
	if err != nil {
		return err
	}
	t.signed = base.signed
	if t.size == 0 {
		t.size = base.size
	}
	return nil
}

// children calls do with each child of an entry, which is the one last read.
func (u *unit) children(e *dwarf.Entry, do func(*dwarf.Entry) error) error {
	if !e.Children {
		return nil
	}
	for range maxEntries {
		k, err := u.r.Next()
		if err != nil {
			return fmt.Errorf("%s: .debug_info: %w", u.d.f.Name, err)
		}
		if k == nil || k.Tag == 0 {
			return nil
		}
		if k.Children {
			u.r.SkipChildren()
		}
		if err := do(k); err != nil {
			return err
		}
	}
	return nil
}

// arrayType makes of dimensions arrays in arrays.
func (u *unit) arrayType(t *typ, e *dwarf.Entry, depth int) error {
	f := e.AttrField(dwarf.AttrType)
	if f == nil {
		t.class, t.why = other, "its elements have no type"
		return nil
	}
	type dim struct {
		n  uint64
		ok bool
	}
	var dims []dim
	err := u.children(e, func(k *dwarf.Entry) error {
		switch k.Tag {
		case dwarf.TagSubrangeType, dwarf.TagEnumerationType:
			n, ok := extent(k)
			dims = append(dims, dim{n, ok})
		}
		return nil
	})
	if err != nil {
		return err
	}
	off, err := u.ref(f)
	if err != nil {
		return err
	}
	elem, err := u.typ(off, depth+1)
	if err != nil {
		return err
	}
	if e.Val(dwarf.AttrStrideSize) != nil || e.Val(dwarf.AttrStride) != nil || elem.size == 0 || len(dims) == 0 || len(dims) > maxDepth {
		t.class, t.why = other, "its elements are packed in a way that is not supported"
		return nil
	}
	for i := len(dims) - 1; i > 0; i-- {
		if dims[i].n > 1<<40/elem.size {
			t.class, t.why = other, "its size is beyond measure"
			return nil
		}
		elem = &typ{class: array, name: elem.name + "[]", size: elem.size * dims[i].n, elem: elem, count: dims[i].n, counted: dims[i].ok, unit: u}
	}
	t.class, t.elem, t.count, t.counted = array, elem, dims[0].n, dims[0].ok && dims[0].n <= 1<<40/max(elem.size, 1)
	t.size = 0
	if t.counted {
		t.size = elem.size * t.count
	}
	if t.name == "" {
		t.name = elem.name + "[]"
	}
	return nil
}

// extent is how many elements a dimension has.
func extent(k *dwarf.Entry) (uint64, bool) {
	if n, ok := k.Val(dwarf.AttrCount).(int64); ok && n >= 0 {
		return uint64(n), true
	}
	low, _ := k.Val(dwarf.AttrLowerBound).(int64)
	if up, ok := k.Val(dwarf.AttrUpperBound).(int64); ok && up >= low-1 && up-low < 1<<40 {
		return uint64(up - low + 1), true
	}
	return 0, false
}
