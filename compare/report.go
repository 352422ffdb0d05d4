package compare

import (
	"encoding/json"
	"strconv"
)

// Version is the version of the JSON document: it grows when a field changes
// its meaning or goes away, which they do not do without need.
const Version = 1

// Report is what changed between an old and a new file. Lists that are empty
// say that nothing changed there.
type Report struct {
	Version int  `json:"version"`
	Same    bool `json:"same"` // byte for byte
	Old     File `json:"old"`
	New     File `json:"new"`

	Header   []Field `json:"header"`
	Segments []Entry `json:"segments"`
	Sections []Entry `json:"sections"`
	Dynamic  []Entry `json:"dynamic"` // and the interpreter
	Notes    []Entry `json:"notes"`
	Versions []Entry `json:"versions"` // symbol versions needed and defined
	Relocs   []Count `json:"relocations"`
	Exports  []Entry `json:"dynamic_symbols"` // what other files see, where Symbols are others

	Symbols Symbols `json:"symbols"`
	Content []Unit  `json:"content"`
	Sizes   Sizes   `json:"sizes"`

	Faults []error `json:"-"` // what was wrong with either file
}

// File is one of the two files.
type File struct {
	Name string `json:"file"`
	Size Size   `json:"size"`
	Kind string `json:"kind"` // "64-bit little-endian DYN, Advanced Micro Devices X86-64"
}

// Change says in a word what happened to something.
type Change string

// The changes. A symbol to which several happened has the first of them in this
// order, and the others in its fields.
const (
	Added      Change = "added"
	Removed    Change = "removed"
	Resized    Change = "resized"
	Changed    Change = "changed"    // its bytes, or its fields
	Relocated  Change = "relocated"  // the same bytes, other relocations
	Attributes Change = "attributes" // a symbol's type, binding, visibility, section
	Renamed    Change = "renamed"
	References Change = "references" // bytes that lead to the same place as before
	Moved      Change = "moved"      // to another address, or in a list's order
)

// Entry is a segment, section, dynamic entry or note that changed.
type Entry struct {
	Change Change  `json:"change"`
	Name   string  `json:"name"`
	Old    *int    `json:"old_index,omitempty"`
	New    *int    `json:"new_index,omitempty"`
	Fields []Field `json:"fields,omitempty"` // of what was added or removed: all that say something
	Bytes  *Bytes  `json:"bytes,omitempty"`  // how what it holds differs
}

// Field is a field that differs. Of something added only New says something, of
// something removed only Old.
type Field struct {
	Name string `json:"field"`
	Old  *Value `json:"old,omitempty"`
	New  *Value `json:"new,omitempty"`
}

// Value is the value of a field: a size or count, an address or pattern of bits,
// or a word.
type Value struct {
	n    uint64
	word string
	kind valueKind
}

type valueKind uint8

const (
	isNum valueKind = iota
	isHex
	isWord
)

func num(v uint64) Value    { return Value{n: v} }
func hex(v uint64) Value    { return Value{n: v, kind: isHex} }
func word(s string) Value   { return Value{word: s, kind: isWord} }
func (v Value) ptr() *Value { return &v }

// String is the value as text prints it.
func (v Value) String() string {
	switch v.kind {
	case isNum:
		return strconv.FormatUint(v.n, 10)
	case isHex:
		return "0x" + strconv.FormatUint(v.n, 16)
	}
	return v.word
}

// MarshalJSON writes sizes and counts as numbers, the rest as strings.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.kind == isNum {
		return Size(v.n).MarshalJSON()
	}
	return json.Marshal(v.String())
}

// Size counts bytes or things.
type Size uint64

// maxExact is the highest number that readers of JSON keep which compute with
// doubles.
const maxExact = 1<<53 - 1

// MarshalJSON writes a number; one that readers would round, which only a
// damaged file has, becomes a hexadecimal string.
func (s Size) MarshalJSON() ([]byte, error) {
	if s > maxExact {
		return Hex(s).MarshalJSON()
	}
	return strconv.AppendUint(nil, uint64(s), 10), nil
}

// Hex is an address or offset; in JSON a string such as "0x1000".
type Hex uint64

// String prints 0x1000.
func (h Hex) String() string { return "0x" + strconv.FormatUint(uint64(h), 16) }

// MarshalJSON writes a string.
func (h Hex) MarshalJSON() ([]byte, error) { return []byte(`"` + h.String() + `"`), nil }

// Count is how many there were and are of something.
type Count struct {
	Name string `json:"name"`
	Old  Size   `json:"old"`
	New  Size   `json:"new"`
}

// Symbols says what happened to the symbols of one table.
type Symbols struct {
	Table   string         `json:"table"` // whose names are compared: ".symtab", ".dynsym", or ""
	Old     Size           `json:"old"`   // how many that table names
	New     Size           `json:"new"`
	Counts  map[Change]int `json:"counts"`
	Changes []Symbol       `json:"changes"` // without those that only moved, or only lead elsewhere
	// Tables are symbol tables that only one of the files has.
	Tables []Entry `json:"tables"`
	// Sources are the names of source files (STT_FILE) that came or went.
	Sources []Entry `json:"sources"`
}

// Symbol is a symbol that changed.
type Symbol struct {
	Change  Change  `json:"change"`
	Name    string  `json:"name"`
	OldName string  `json:"old_name,omitempty"` // where it was another
	Section string  `json:"section,omitempty"`
	Source  string  `json:"source,omitempty"` // the file a local symbol came from, by STT_FILE
	OldAddr *Hex    `json:"old_address,omitempty"`
	NewAddr *Hex    `json:"new_address,omitempty"`
	OldSize Size    `json:"old_size"`
	NewSize Size    `json:"new_size"`
	Fields  []Field `json:"fields,omitempty"`
	Bytes   *Bytes  `json:"bytes,omitempty"`
}

// Delta is the change of its size.
func (s *Symbol) Delta() int64 { return int64(s.NewSize - s.OldSize) }

// Bytes says how two runs of bytes differ.
type Bytes struct {
	// Differing is the number of bytes that differ at their place. It is not
	// said where the runs have different lengths and what is common to them
	// agrees in less than half of its bytes: something was put in between.
	Differing  Size `json:"differing,omitempty"`
	First      Hex  `json:"first"` // offset of the first difference
	OldSize    Size `json:"old_size"`
	NewSize    Size `json:"new_size"`
	References Size `json:"references,omitempty"` // fields that differ and lead to the same place
	// Ranges are the runs that differ, without references: the first ones.
	Ranges   []Range `json:"ranges,omitempty"`
	NoRanges Size    `json:"ranges_left_out,omitempty"`
}

// Range is a run of differing bytes.
type Range struct {
	Off  Hex    `json:"offset"` // in the symbol, or whatever the bytes belong to
	Size Size   `json:"size"`
	Old  string `json:"old"` // the bytes in hexadecimal, the first ones of many
	New  string `json:"new"`
}

// Unit is a part of the content that differs: a symbol, what follows one, a
// section without symbols, what no header names.
type Unit struct {
	Area    string `json:"area"`             // "[overlay]", ".text"
	Symbol  string `json:"symbol,omitempty"` // whose bytes they are
	After   bool   `json:"after,omitempty"`  // not the symbol's own bytes, but those up to the next
	Aliases int    `json:"aliases,omitempty"`
	Base    Hex    `json:"base"` // offset of the unit from the symbol or the area
	OldAddr *Hex   `json:"old_address,omitempty"`
	NewAddr *Hex   `json:"new_address,omitempty"`
	OldOff  *Hex   `json:"old_offset,omitempty"` // in the file
	NewOff  *Hex   `json:"new_offset,omitempty"`
	Bytes   Bytes  `json:"bytes"`
}

// Sizes says where the size went. The deltas of each list add up to those of
// the total.
type Sizes struct {
	Total    SizeRow      `json:"total"`
	Sections []SizeRow    `json:"sections"`
	Symbols  []SizeRow    `json:"symbols"`
	Segments []SegmentRow `json:"segments"` // PT_LOADs, changed or not, if any changed
	Flash    SizePair     `json:"flash"`    // file bytes of all PT_LOADs
	Memory   SizePair     `json:"memory"`   // memory of all PT_LOADs
	Writable SizePair     `json:"writable"` // memory of those that are writable
}

// SizePair is a size in both files.
type SizePair struct {
	Old Size `json:"old"`
	New Size `json:"new"`
}

// Delta is the change.
func (p SizePair) Delta() int64 { return int64(p.New - p.Old) }

// SizeRow is a line of a size table: what something takes in memory and in the
// file. Each byte is counted once, for one name.
type SizeRow struct {
	Name    string   `json:"name"` // in brackets: of no symbol, or of no section
	Section string   `json:"section,omitempty"`
	Source  string   `json:"source,omitempty"`
	Change  Change   `json:"change"`
	Memory  SizePair `json:"memory"`
	File    SizePair `json:"file"`
}

// SegmentRow is a PT_LOAD in the size table.
type SegmentRow struct {
	Change Change   `json:"change,omitempty"`
	Old    *int     `json:"old_index,omitempty"`
	New    *int     `json:"new_index,omitempty"`
	Flags  string   `json:"flags"`
	Vaddr  Hex      `json:"vaddr"` // of the new one, if there is one
	Paddr  Hex      `json:"paddr"`
	File   SizePair `json:"file"`
	Memory SizePair `json:"memory"`
}

// Empty says that nothing changed.
func (r *Report) Empty() bool {
	return len(r.Header)+len(r.Segments)+len(r.Sections)+len(r.Dynamic)+len(r.Notes)+len(r.Versions)+len(r.Relocs)+
		len(r.Exports)+len(r.Symbols.Counts)+len(r.Symbols.Tables)+len(r.Symbols.Sources)+len(r.Content) == 0
}
