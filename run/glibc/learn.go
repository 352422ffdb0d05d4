package glibc

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"strings"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/run/debugfile"
)

// Learn makes the row of a build of glibc from its ld.so and the file that has the
// debugging information of that, which is ld.so itself or what the distribution
// keeps beside it (/usr/lib/debug/.build-id/…; Debian: libc6-dbg). The two must have
// the same build-id. libc is asked for the version where ld.so, before 2.33, does not
// tell; it may be nil.
func Learn(ld, debug, libc *elffile.File) (*Row, error) {
	id := ld.BuildID()
	if len(id) == 0 {
		return nil, &elffile.Error{File: ld.Name, Off: -1, Msg: "it has no build-id to know it by"}
	}
	if other := debug.BuildID(); !bytes.Equal(id, other) {
		return nil, &elffile.Error{File: debug.Name, Off: -1, Msg: fmt.Sprintf("its build-id %x is not that of %s, %x", other, ld.Name, id)}
	}
	r := &Row{BuildID: hex.EncodeToString(id), Machine: ld.Header.Machine.String(), Structs: make(map[string]Struct), Symbols: make(map[string]uint64)}
	if err := r.learnSymbols(debug); err != nil {
		return nil, err
	}
	d, err := debugfile.DWARF(debug)
	if err != nil {
		return nil, err
	}
	if r.Version, err = versionOf(ld, libc); err != nil {
		return nil, err
	}
	if err := r.learnStructs(d); err != nil {
		return nil, &elffile.Error{File: debug.Name, Struct: ".debug_info", Off: -1, Err: err}
	}
	if err := r.check(); err != nil {
		return nil, &elffile.Error{File: debug.Name, Off: -1, Err: err}
	}
	return r, nil
}

// versionOf is the release that one of the files tells: ld.so since 2.33, libc.so.6
// always.
func versionOf(files ...*elffile.File) (string, error) {
	for _, f := range files {
		if f == nil {
			continue
		}
		if v, ok := load.ReleaseOf(f); ok {
			return v.String(), nil
		}
	}
	return "", &elffile.Error{File: files[0].Name, Off: -1, Msg: "it does not tell its version of glibc; its libc.so.6 does"}
}

// learnSymbols takes the symbols from .symtab, where hidden ones are.
func (r *Row) learnSymbols(debug *elffile.File) error {
	i := debug.SectionByType(elf.SHT_SYMTAB)
	if i < 0 {
		return &elffile.Error{File: debug.Name, Off: -1, Msg: "there is no symbol table (SHT_SYMTAB)"}
	}
	t, err := debug.SymbolTable(i)
	if err != nil {
		return err
	}
	want := make(map[string]bool)
	for _, s := range neededSymbols {
		want[s] = true
	}
	for _, s := range moreSymbols {
		want[s] = true
	}
	for i := range t.Len() {
		s := t.At(i)
		name := string(t.Name(s))
		// A name that begins so is the library's own way to say the same.
		name = strings.TrimPrefix(name, "__GI_")
		if want[name] && s.Value != 0 && s.Shndx != uint16(elf.SHN_UNDEF) && s.Type() != elf.STT_FILE && s.Type() != elf.STT_TLS {
			r.Symbols[name] = s.Value
		}
	}
	return nil
}

// learnStructs finds the definitions of the structs that are wanted: the first of
// each, for all units of ld.so are compiled with the same headers.
func (r *Row) learnStructs(d *dwarf.Data) error {
	left := make(map[string]want)
	for _, w := range wanted {
		left[w.name] = w
	}
	for rd := d.Reader(); len(left) > 0; {
		e, err := rd.Next()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		switch e.Tag {
		case dwarf.TagCompileUnit:
			continue
		case dwarf.TagStructType:
		default:
			rd.SkipChildren()
			continue
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		w, ok := left[name]
		if size, has := e.Val(dwarf.AttrByteSize).(int64); ok && has && size > 0 {
			t, err := d.Type(e.Offset)
			if err != nil {
				return fmt.Errorf("struct %s: %w", name, err)
			}
			if st, ok := t.(*dwarf.StructType); ok {
				delete(left, name)
				r.Structs[name] = structOf(st, w)
			}
		}
		rd.SkipChildren()
	}
	return nil
}

// structOf is what is wanted of a struct.
func structOf(t *dwarf.StructType, w want) Struct {
	s := Struct{Size: uint64(t.ByteSize), Members: make(map[string]Field)}
	keep := make(map[string]bool)
	for _, m := range w.members {
		keep[m] = true
	}
	for _, m := range w.optional {
		keep[m] = true
	}
	collect(t, "", 0, 0, func(path string, f Field) {
		if keep[path] {
			s.Members[path] = f
		}
	})
	return s
}

// collect gives the members of a struct, and those of its members. What has no name
// adds nothing to the path.
func collect(t *dwarf.StructType, prefix string, bit uint64, depth int, yield func(string, Field)) {
	if depth > 4 {
		return
	}
	for _, m := range t.Field {
		at := bit + 8*uint64(m.ByteOffset)
		width := 8 * uint64(max(m.Type.Size(), 0))
		count := uint64(0)
		switch {
		case m.BitSize > 0 && m.DataBitOffset > 0 || m.BitSize > 0 && m.BitOffset == 0:
			at, width = bit+8*uint64(m.ByteOffset)+uint64(m.DataBitOffset), uint64(m.BitSize)
		case m.BitSize > 0: // DWARF 2 counts from the most significant bit
			at, width = at+8*uint64(m.ByteSize)-uint64(m.BitOffset)-uint64(m.BitSize), uint64(m.BitSize)
		}
		if a, ok := m.Type.(*dwarf.ArrayType); ok && a.Count > 0 {
			count = uint64(a.Count)
		}
		path := prefix + m.Name
		if m.Name != "" {
			yield(path, Field{at, width, count})
			path += "."
		}
		if inner, ok := under(m.Type).(*dwarf.StructType); ok {
			collect(inner, path, at, depth+1, yield)
		}
	}
}

// under is a type without its names and qualifiers.
func under(t dwarf.Type) dwarf.Type {
	for range 16 {
		switch x := t.(type) {
		case *dwarf.TypedefType:
			t = x.Type
		case *dwarf.QualType:
			t = x.Type
		default:
			return t
		}
	}
	return t
}
