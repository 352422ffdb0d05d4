package elftest

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Content is what a section or a note holds. Encode is called twice: once to
// learn the size, when all addresses are still 0, and once for the bytes. Both
// must have the same length.
type Content interface {
	Encode(e *Env) []byte
}

// ContentFunc makes a function a Content.
type ContentFunc func(e *Env) []byte

// Encode calls the function.
func (c ContentFunc) Encode(e *Env) []byte { return c(e) }

// wants is what a content prefers for its section header where the description
// says nothing.
type wants struct {
	typ     elf.SectionType
	link    string
	align   uint64
	entsize uint64
	info    uint32
	flags   elf.SectionFlag
}

// wanter is a Content with preferences for its section header.
type wanter interface {
	wants(e *Env) wants
}

// Env is the file as far as it is known while a content is encoded.
type Env struct {
	Class elf.Class
	Order binary.ByteOrder
	Type  elf.Type
	// Self and Link are the keys of the section being encoded and of the one its
	// sh_link names.
	Self, Link string

	sections []*section
	byKey    map[string]*section
}

// section is a Section with its place.
type section struct {
	Section
	index   uint32
	name    uint32 // offset in the section name table
	data    []byte
	strings *stringTable
	size    uint64
}

// Is64 says whether the file's class is ELFCLASS64.
func (e *Env) Is64() bool { return e.Class == elf.ELFCLASS64 }

// Word is the size of an address: 4 or 8.
func (e *Env) Word() uint64 {
	if e.Is64() {
		return 8
	}
	return 4
}

// Writer returns an empty writer in the file's class and order.
func (e *Env) Writer() *Writer {
	return &Writer{order: e.Order.(binary.AppendByteOrder), is64: e.Is64()}
}

func (e *Env) section(key string) *section {
	s, ok := e.byKey[key]
	if !ok {
		panic(fmt.Sprintf("elftest: no section %q (wanted by %q)", key, e.Self))
	}
	return s
}

// Addr is the address of a section.
func (e *Env) Addr(key string) uint64 { return e.section(key).Addr }

// Off is the file offset of a section.
func (e *Env) Off(key string) uint64 { return e.section(key).Off }

// Size is the size of a section.
func (e *Env) Size(key string) uint64 { return e.section(key).size }

// Index is the index of a section.
func (e *Env) Index(key string) uint32 { return e.section(key).index }

// Str puts a string into the linked string table and returns its offset.
func (e *Env) Str(s string) uint32 { return e.str(e.Link, s) }

func (e *Env) str(table, s string) uint32 {
	t := e.section(table).strings
	if t == nil {
		panic(fmt.Sprintf("elftest: %q, linked from %q, is no Strings section", table, e.Self))
	}
	return t.add(s)
}

// symbols returns the symbols of a symbol table section, the null one included.
func (e *Env) symbols(key string) []Symbol {
	syms, ok := e.section(key).Content.(Symbols)
	if !ok {
		panic(fmt.Sprintf("elftest: %q, linked from %q, has no Symbols", key, e.Self))
	}
	return append([]Symbol{{}}, syms...)
}

// symbol returns the index of a name in a symbol table.
func (e *Env) symbol(key, name string) uint32 {
	for i, s := range e.symbols(key) {
		if s.Name == name {
			return uint32(i)
		}
	}
	panic(fmt.Sprintf("elftest: no symbol %q in %q", name, key))
}

// stringTable is a string table while it grows.
type stringTable struct {
	b    []byte
	seen map[string]uint32
}

func newStringTable() *stringTable {
	return &stringTable{b: []byte{0}, seen: map[string]uint32{"": 0}}
}

func (t *stringTable) add(s string) uint32 {
	if off, ok := t.seen[s]; ok {
		return off
	}
	if strings.IndexByte(s, 0) >= 0 {
		panic(fmt.Sprintf("elftest: string %q contains NUL", s))
	}
	off := uint32(len(t.b))
	t.b = append(append(t.b, s...), 0)
	t.seen[s] = off
	return off
}

// Writer appends numbers in a file's class and byte order.
type Writer struct {
	B     []byte
	order binary.AppendByteOrder
	is64  bool
}

// U8 appends one byte.
func (w *Writer) U8(v uint8) { w.B = append(w.B, v) }

// U16 appends a half word.
func (w *Writer) U16(v uint16) { w.B = w.order.AppendUint16(w.B, v) }

// U32 appends a word.
func (w *Writer) U32(v uint32) { w.B = w.order.AppendUint32(w.B, v) }

// U64 appends eight bytes.
func (w *Writer) U64(v uint64) { w.B = w.order.AppendUint64(w.B, v) }

// Addr appends an address, offset or size: four or eight bytes by class.
func (w *Writer) Addr(v uint64) {
	if w.is64 {
		w.U64(v)
	} else {
		w.U32(uint32(v))
	}
}

// Bytes appends bytes as they are.
func (w *Writer) Bytes(b []byte) { w.B = append(w.B, b...) }

// Align appends zeros up to a multiple of n.
func (w *Writer) Align(n uint64) { w.B = grow(w.B, alignUp(uint64(len(w.B)), n), 0) }
