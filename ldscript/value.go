package ldscript

// Section stands for an output section in a value; what it is, is known to the
// Env. The zero Section is none.
type Section int32

// Kind is what a value is relative to.
type Kind uint8

// The kinds. A number becomes an address by where it is used: outside of output
// sections it is one, inside it is an offset in the section.
const (
	IsNumber Kind = iota
	IsAbsolute
	IsRelative
)

// Value is what an expression comes to: a number, an absolute address, or an
// offset in an output section.
type Value struct {
	N    uint64
	Kind Kind
	Sec  Section // of a relative value
}

// Num makes a number.
func Num(n uint64) Value { return Value{N: n} }

// Abs makes an absolute address.
func Abs(n uint64) Value { return Value{N: n, Kind: IsAbsolute} }

// Rel makes an offset in an output section.
func Rel(s Section, off uint64) Value { return Value{N: off, Kind: IsRelative, Sec: s} }

// sameBase says whether two values are offsets from the same point.
func (v Value) sameBase(w Value) bool { return v.Kind == w.Kind && v.Sec == w.Sec }

// Env is what an expression can ask. A question whose answer is not known yet
// is answered with an error of type *Unknown: it is asked again on a later pass.
type Env interface {
	// Symbol is the value of a symbol.
	Symbol(name string, at Pos) (Value, error)
	// Defined is DEFINED(name): by an object, or by the script before this point.
	Defined(name string) bool
	// Address is the address of an output section.
	Address(s Section) uint64
	// SectionValue answers ADDR, LOADADDR, SIZEOF and ALIGNOF.
	SectionValue(fn, name string, at Pos) (Value, error)
	// RegionValue answers ORIGIN and LENGTH.
	RegionValue(fn, name string, at Pos) (uint64, error)
	// Constant answers CONSTANT.
	Constant(name string) (uint64, bool)
	// SegmentStart is what an option says in place of SEGMENT_START's default.
	SegmentStart(name string) (uint64, bool)
	// HeadersSize is SIZEOF_HEADERS.
	HeadersSize() (uint64, error)
	// DataSegment answers DATA_SEGMENT_ALIGN (maxpage, commonpage),
	// DATA_SEGMENT_RELRO_END (offset, address) and DATA_SEGMENT_END (address).
	DataSegment(fn string, dot uint64, args []uint64) (uint64, error)
}

// Unknown is the error of something that a later pass may know.
type Unknown struct {
	Pos  Pos
	What string // "symbol \"foo\""
}

func (e *Unknown) Error() string { return e.Pos.String() + ": " + e.What + " is not known here" }

// Rules are where GNU ld and lld read the same expression differently
// (docs/ldscript-support.md has a row for each).
type Rules struct {
	// NumberInSection: a number assigned inside an output section is an offset
	// in it (GNU), not an absolute value (lld).
	NumberInSection bool
	// AlignInSection: ALIGN inside an output section is relative to it (GNU),
	// not absolute (lld).
	AlignInSection bool
	// AbsoluteDot: ". = address" with an absolute address is taken as that
	// address inside an output section (lld); GNU takes it as an offset.
	AbsoluteDot bool
	// NumbersOutside: a constant outside of output sections stays a number
	// (LD_FEATURE("SANE_EXPR")), and so does an absolute symbol.
	NumbersOutside bool
	// PlainDataSegment: DATA_SEGMENT_ALIGN and its fellows only align to the
	// largest page (lld).
	PlainDataSegment bool
}

// RulesOf gives the rules of a dialect, "lld" or any other word for GNU ld.
func RulesOf(dialect string) Rules {
	if dialect == "lld" {
		return Rules{AbsoluteDot: true, PlainDataSegment: true}
	}
	return Rules{NumberInSection: true, AlignInSection: true}
}
