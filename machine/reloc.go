package machine

import (
	"encoding/binary"
	"fmt"
)

// Kind says what one relocation alone can do.
type Kind uint8

const (
	// Plain computes a formula and puts it into a field: Apply does it.
	Plain Kind = iota
	// Pair is like Plain, and Apply does it, but the values come from, or
	// belong to, a second relocation; the row's Note says which.
	Pair
	// Marker changes nothing: it only says that something depends on something.
	Marker
	// Hint lets, or makes, a linker rewrite instructions as a group: relaxation,
	// alignment, TLS descriptor sequences. There is no value to put.
	Hint
	// Runtime needs more than bytes: a copy of another object's data, a call of
	// a resolver, a pair of words that a loader chooses, a signature.
	Runtime
	// Reserved has a name and no meaning today: obsolete, private, never used.
	Reserved
)

// String gives the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Plain:
		return "plain"
	case Pair:
		return "pair"
	case Marker:
		return "marker"
	case Hint:
		return "hint"
	case Runtime:
		return "run time"
	case Reserved:
		return "reserved"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Reloc is a relocation type: a row of a psABI's table. Rows work once they are
// in a Table.
type Reloc struct {
	Type    uint32
	Name    string
	Formula Formula
	Field   *Field
	Check   Check
	Kind    Kind
	Dynamic bool   // a loader may meet it in an executable or shared object
	Alias   string // another name in use, such as that of an older edition
	Note    string // what the columns cannot say

	ready // what NewTable makes of the above, so that Apply need not
}

// ready is a row prepared for speed.
type ready struct {
	bits     uint8 // of a value: 32 where addresses wrap around
	static   bool  // Apply can do it
	held     bool  // the formula asks for what the place holds
	odd      bool  // the check has more than a range
	min, max int64
}

// prepare fills in ready.
func (r *Reloc) prepare(bits uint8) {
	r.bits = bits
	if r.Field == Word64 {
		r.bits = 64
	}
	r.static = r.Kind <= Pair && r.Field != nil && r.Formula.Static()
	r.held = r.Formula.Uses('V')
	r.odd = r.Check.Align > 1 || r.Check.Test != nil || r.Field != nil && r.Field.Refuse != nil
	r.min, r.max = r.Check.Range()
	if r.Check.Bits >= r.bits {
		r.min, r.max = Check{}.Range()
	}
}

// OverflowError tells that a relocation's value does not fit its field.
type OverflowError struct {
	Reloc  *Reloc
	X      int64  // the computed value
	Reason string // "does not fit 32 signed bits"
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("%s: %s = %s %s", e.Reloc.Name, e.Reloc.Formula, hex(e.X), e.Reason)
}

// KindError tells that a relocation type cannot be applied to bytes alone.
type KindError struct{ Reloc *Reloc }

func (e *KindError) Error() string {
	why := map[Kind]string{
		Marker:   "it changes no bytes",
		Hint:     "it has no value of its own, it guides the rewriting of instructions",
		Runtime:  "only a loader can do it in a running program",
		Reserved: "it has no meaning today",
	}[e.Reloc.Kind]
	if e.Reloc.Note != "" {
		why += " (" + e.Reloc.Note + ")"
	}
	return fmt.Sprintf("%s: cannot be applied: %s", e.Reloc.Name, why)
}

// PlaceError tells that the place has fewer bytes than the field.
type PlaceError struct {
	Reloc *Reloc
	Have  int
}

func (e *PlaceError) Error() string {
	if e.Reloc.Field.LEB128 {
		return fmt.Sprintf("%s: the uleb128 number does not end within the %d bytes of the place", e.Reloc.Name, e.Have)
	}
	return fmt.Sprintf("%s: the place has %d bytes, %s needs %d",
		e.Reloc.Name, e.Have, e.Reloc.Field.Name, e.Reloc.Field.Size)
}

func hex(x int64) string {
	if x < 0 {
		return fmt.Sprintf("-%#x", -uint64(x))
	}
	return fmt.Sprintf("%#x", x)
}

// Static reports whether Apply can carry the row out.
func (r *Reloc) Static() bool { return r.static }

// Width is the number of bytes of the place that Apply may change, 0 for a row
// that it refuses and for ULEB128.
func (r *Reloc) Width() int {
	if r.Field == nil {
		return 0
	}
	return int(r.Field.Size)
}

// Apply computes the row's formula, checks the result and writes it into the
// place, whose other bits it keeps. order is that of the file's data, or for
// code that of the code (see Machine.CodeLittle). The place starts at the
// relocation's r_offset and may be longer than the field. On an error the bytes
// are as before.
func (r *Reloc) Apply(place []byte, order binary.ByteOrder, v *Values) error {
	if !r.Static() {
		return &KindError{r}
	}
	f := r.Field
	if f.bytes(place) == 0 {
		return &PlaceError{r, len(place)}
	}
	var held uint64
	if r.held {
		held = f.get(place, order)
	}
	return r.fill(place, order, r.reduce(r.Formula.Eval(v, held)))
}

// fill checks x and writes it; the place is long enough.
func (r *Reloc) fill(place []byte, order binary.ByteOrder, x int64) error {
	if r.odd || x < r.min || x > r.max {
		if err := r.refuse(place, order, x); err != nil {
			return err
		}
	}
	r.Field.put(place, order, uint64(x))
	return nil
}

// refuse says what is wrong with x, if anything.
func (r *Reloc) refuse(place []byte, order binary.ByteOrder, x int64) error {
	why := r.Check.fault(x, r.bits)
	if why == "" && r.Field.Refuse != nil {
		why = r.Field.Refuse(r.Field.load(place, order), uint64(x))
	}
	if why == "" {
		return nil
	}
	return &OverflowError{r, x, why}
}

// Value computes the row's formula and checks it, for rows whose formula does
// not need what the place holds.
func (r *Reloc) Value(v *Values) (int64, error) {
	if !r.Static() {
		return 0, &KindError{r}
	}
	x := r.reduce(r.Formula.Eval(v, 0))
	if why := r.Check.fault(x, r.bits); why != "" {
		return x, &OverflowError{r, x, why}
	}
	return x, nil
}

// Put checks x and writes it into the row's field, as Apply does with the value
// of the formula. It is for a linker that has a value of its own making, for
// example the difference of a ULEB128 pair.
func (r *Reloc) Put(place []byte, order binary.ByteOrder, x int64) error {
	if r.Field == nil {
		return &KindError{r}
	}
	if r.Field.bytes(place) == 0 {
		return &PlaceError{r, len(place)}
	}
	return r.fill(place, order, x)
}

// Addend reads the addend that a REL relocation (SHT_REL) keeps in its place.
// It is 0 for a row without a field.
func (r *Reloc) Addend(place []byte, order binary.ByteOrder) (int64, error) {
	if r.Field == nil {
		return 0, nil
	}
	if r.Field.bytes(place) == 0 {
		return 0, &PlaceError{r, len(place)}
	}
	return r.Field.addend(place, order), nil
}

// PutAddend writes an addend into the place of a REL relocation, from where Addend
// reads it. On an error the bytes are as before.
func (r *Reloc) PutAddend(place []byte, order binary.ByteOrder, a int64) error {
	f := r.Field
	if f == nil {
		return &KindError{r}
	}
	if f.bytes(place) == 0 {
		return &PlaceError{r, len(place)}
	}
	old := f.load(place, order)
	// A field for the high half of a value has its addend unshifted.
	for _, x := range [...]int64{a, a << 16} {
		f.put(place, order, uint64(x))
		if got := f.addend(place, order); got == a || r.reduce(uint64(got)) == r.reduce(uint64(a)) {
			return nil
		}
	}
	f.save(place, order, old)
	return &OverflowError{r, a, "does not fit the place as an addend"}
}

// reduce takes a value modulo the size of the machine's address space and gives
// it a sign.
func (r *Reloc) reduce(x uint64) int64 {
	if r.bits == 32 {
		return int64(int32(x))
	}
	return int64(x)
}
