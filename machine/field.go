package machine

import (
	"encoding/binary"
)

// Field says which bits of a place take a relocation's value.
type Field struct {
	Name string
	Size uint8 // bytes of the place; 0 for LEB128, which has as many as it has
	// Halves is set for an instruction of two halfwords, each in the file's
	// byte order, the first the more significant one (Thumb).
	Halves bool
	// Little is set for instructions that are little-endian in every file.
	Little bool
	// LEB128 is set for an unsigned number in that encoding, whose length stays.
	LEB128 bool
	// ZeroAddend is set where a REL relocation's addend is not in the place
	// though its result goes there: a PLT slot holds the lazy stub's address.
	ZeroAddend bool
	// Parts say which bits of the value go where. None: all, from bit 0.
	Parts []Part
	// Encode and Decode replace Parts for instructions whose other bits depend
	// on the value. Encode puts x into the instruction, Decode reads the addend.
	Encode func(insn, x uint64) uint64
	Decode func(insn uint64) int64
	// Refuse says why this instruction cannot take x, or nothing.
	Refuse func(insn, x uint64) string

	clear uint64 // bits of the instruction that Parts cover
	top   uint8  // number of value bits that Parts can hold
}

// Part is a run of bits of a value and its place in an instruction.
type Part struct {
	From  uint8 // lowest bit of the value; Zero for bits that become 0
	Width uint8
	To    uint8 // lowest bit in the instruction
	Carry bool  // take them from the value + 0x800, since a signed low part follows
}

// Zero as Part.From clears the bits.
const Zero = 64

// The fields that are plain numbers.
var (
	Word8  = &Field{Name: "word8", Size: 1}
	Word16 = &Field{Name: "word16", Size: 2}
	Word32 = &Field{Name: "word32", Size: 4}
	Word64 = &Field{Name: "word64", Size: 8}
	// Slot32 is a PLT slot of a machine with REL relocations.
	Slot32 = &Field{Name: "word32", Size: 4, ZeroAddend: true}
	// ULEB128 is a number in unsigned LEB128 (DWARF 5, section 7.6).
	ULEB128 = &Field{Name: "uleb128", LEB128: true}
)

// Insn makes a field from parts of a little-endian instruction of size bytes.
func Insn(name string, size uint8, parts ...Part) *Field {
	f := &Field{Name: name, Size: size, Little: true, Parts: parts}
	return f.sum()
}

// Bits makes a field from parts of a number or instruction of size bytes in the
// file's byte order.
func Bits(name string, size uint8, parts ...Part) *Field {
	f := &Field{Name: name, Size: size, Parts: parts}
	return f.sum()
}

func (f *Field) sum() *Field {
	for _, p := range f.Parts {
		f.clear |= (1<<p.Width - 1) << p.To
		if p.From < Zero && p.From+p.Width > f.top {
			f.top = p.From + p.Width
		}
	}
	return f
}

// Mask gives the bits that the field occupies, as a number of Size bytes in
// which Halves count as described there.
func (f *Field) Mask() uint64 {
	if f.clear != 0 || f.Size == 0 {
		return f.clear
	}
	return 1<<(8*uint(f.Size)) - 1
}

// bytes gives the length of the field in place, or 0 if the place is too short.
func (f *Field) bytes(place []byte) int {
	if !f.LEB128 {
		if len(place) < int(f.Size) {
			return 0
		}
		return int(f.Size)
	}
	for i, b := range place {
		if b < 0x80 {
			return i + 1
		}
	}
	return 0
}

// load reads the whole instruction or number. The place is long enough.
func (f *Field) load(place []byte, order binary.ByteOrder) uint64 {
	if f.Little {
		order = binary.LittleEndian
	}
	switch {
	case f.LEB128:
		var x uint64
		for i, n := 0, f.bytes(place); i < n; i++ {
			x |= uint64(place[i]&0x7f) << (7 * uint(i))
		}
		return x
	case f.Halves:
		return uint64(order.Uint16(place))<<16 | uint64(order.Uint16(place[2:]))
	case f.Size == 8:
		return order.Uint64(place)
	case f.Size == 4:
		return uint64(order.Uint32(place))
	case f.Size == 2:
		return uint64(order.Uint16(place))
	}
	return uint64(place[0])
}

// save writes the whole instruction or number.
func (f *Field) save(place []byte, order binary.ByteOrder, insn uint64) {
	if f.Little {
		order = binary.LittleEndian
	}
	switch {
	case f.LEB128:
		n := f.bytes(place)
		for i := range place[:n] {
			place[i] = byte(insn) | 0x80
			insn >>= 7
		}
		place[n-1] &= 0x7f
	case f.Halves:
		order.PutUint16(place, uint16(insn>>16))
		order.PutUint16(place[2:], uint16(insn))
	case f.Size == 8:
		order.PutUint64(place, insn)
	case f.Size == 4:
		order.PutUint32(place, uint32(insn))
	case f.Size == 2:
		order.PutUint16(place, uint16(insn))
	default:
		place[0] = byte(insn)
	}
}

// put writes x into the field.
func (f *Field) put(place []byte, order binary.ByteOrder, x uint64) {
	switch {
	case f.Encode != nil:
		x = f.Encode(f.load(place, order), x)
	case f.Parts != nil:
		insn := f.load(place, order) &^ f.clear
		for i := range f.Parts {
			p, v := &f.Parts[i], x
			if p.Carry {
				v += 0x800
			}
			insn |= v >> p.From & (1<<p.Width - 1) << p.To
		}
		x = insn
	}
	f.save(place, order, x)
}

// get reads the number in the field without extending its sign.
func (f *Field) get(place []byte, order binary.ByteOrder) uint64 {
	insn := f.load(place, order)
	if f.Parts == nil {
		return insn
	}
	var x uint64
	for _, p := range f.Parts {
		x |= insn >> p.To & (1<<p.Width - 1) << p.From
	}
	return x
}

// addend reads the addend that a REL relocation keeps in the field.
func (f *Field) addend(place []byte, order binary.ByteOrder) int64 {
	if f.ZeroAddend {
		return 0
	}
	if f.Decode != nil {
		return f.Decode(f.load(place, order))
	}
	top := f.top
	if f.Parts == nil {
		top = 8 * f.Size
	}
	return SignExtend(f.get(place, order), top)
}

// SignExtend reads the low n bits of x as a number in two's complement.
func SignExtend(x uint64, n uint8) int64 {
	if n == 0 || n >= 64 {
		return int64(x)
	}
	return int64(x<<(64-n)) >> (64 - n)
}
