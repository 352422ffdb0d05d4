package patch

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// encode makes the bytes of a value for a place. What they do not fill of it is
// filled as the options say; addr is true if they are an address that changes
// with the load bias.
func (a *applier) encode(g *target, v *Value) (d elffile.Data, addr bool, err error) {
	if g.t != nil && g.t.class == other && v.Kind != Bytes {
		return nil, false, refusef(a.img, g.label, "%s", g.t.why)
	}
	if g.bits > 0 {
		b, err := a.bitField(g, v)
		return elffile.Buffer(b), false, err
	}
	switch v.Kind {
	case Bytes:
		d, err = v.Data, a.fits(g, uint64(v.Data.Size()), "bytes")
	case Text:
		var b []byte
		b, err = a.text(g, v.Text)
		d = elffile.Buffer(b)
	case List:
		var b []byte
		b, addr, err = a.list(g, v.List)
		d = elffile.Buffer(b)
	default:
		if g.t != nil && g.t.class == array {
			if !g.all {
				return nil, false, refusef(a.img, g.label, "it is an array (%s): say which element, as %s[0], or give all with %s[]", g.t.name, g.label, g.label)
			}
			var b []byte
			b, addr, err = a.list(g, []Value{*v})
			d = elffile.Buffer(b)
			break
		}
		var b []byte
		b, addr, err = a.scalar(g, g.t, v)
		d = elffile.Buffer(b)
	}
	if err != nil {
		return nil, false, err
	}
	return a.fill(g, d), addr, nil
}

// fits refuses more bytes than a place has.
func (a *applier) fits(g *target, n uint64, what string) error {
	if g.room > 0 && n > g.room && !a.opt.Force {
		return refusef(a.img, g.label, "0x%x %s do not fit the 0x%x there are; --force goes on beyond the end", n, what, g.room)
	}
	return nil
}

// fill appends what the value leaves over of its place.
func (a *applier) fill(g *target, d elffile.Data) elffile.Data {
	n := int64(g.room) - d.Size()
	if n <= 0 || a.opt.KeepRest {
		return d
	}
	var body elffile.Body
	body.Put(0, d)
	if a.opt.Fill == 0 {
		body.Truncate(d.Size() + n)
	} else {
		body.Put(d.Size(), elffile.Buffer(slices.Repeat([]byte{a.opt.Fill}, int(n))))
	}
	return body.Window(0, body.Size())
}

// text makes text bytes with a NUL at the end, unless the type says that there
// need not be one.
func (a *applier) text(g *target, s string) ([]byte, error) {
	if t := g.t; t != nil {
		switch {
		case t.class == text, t.class == chars, t.class == raw:
		case t.class == array && t.elem.class == integer && t.elem.size == 1:
		default:
			return nil, refusef(a.img, g.label, "text does not fit %s", t.name)
		}
		if t.class == chars || t.class == raw {
			return []byte(s), a.fits(g, uint64(len(s)), "bytes of text")
		}
	}
	return append([]byte(s), 0), a.fits(g, uint64(len(s))+1, "bytes of text, with the NUL at its end,")
}

// list makes the elements of an array.
func (a *applier) list(g *target, list []Value) (out []byte, addr bool, err error) {
	if g.t == nil || g.t.class != array {
		return nil, false, refusef(a.img, g.label, "several values, and it is no array; say the type of an element, as %s[]:u32", g.label)
	}
	if n := uint64(len(list)); g.t.counted && n > g.t.count && !a.opt.Force {
		return nil, false, refusef(a.img, g.label, "%d values for %d elements", n, g.t.count)
	}
	for i := range list {
		one := *g
		one.label = fmt.Sprintf("%s[%d]", strings.TrimSuffix(g.label, "[]"), i)
		one.t, one.room, one.all = g.t.elem, g.t.elem.size, false
		b, isAddr, err := a.encode(&one, &list[i])
		if err != nil {
			return nil, false, err
		}
		if isAddr && a.moves() {
			return nil, false, refusef(a.img, one.label, "addresses in a list need relocations, one each: set the elements one by one")
		}
		bytes, err := elffile.Bytes(b)
		if err != nil {
			return nil, false, err
		}
		out = append(out, bytes...)
	}
	return out, false, nil
}

// scalar makes the bytes of a single value.
func (a *applier) scalar(g *target, t *typ, v *Value) ([]byte, bool, error) {
	if t == nil {
		switch g.room {
		case 1, 2, 4, 8:
			t = looseInt(g.room)
		case 0:
			return nil, false, refusef(a.img, g.label, "its size is not known: say a type, such as %s:u32", g.label)
		default:
			return nil, false, refusef(a.img, g.label, "its type is not known, and it has 0x%x bytes: say a type, such as %s:u32", g.room, g.label)
		}
	}
	if t.class == floating {
		b, err := a.float(g, t, v)
		return b, false, err
	}
	n, isAddr, err := a.number(g, t, v)
	if err != nil {
		return nil, false, err
	}
	if isAddr && t.class != pointer && t.class != integer {
		return nil, false, refusef(a.img, g.label, "an address does not fit %s", t.name)
	}
	if err := a.inRange(g, t, n, 8*t.size, v); err != nil {
		return nil, false, err
	}
	return putInt(n, t.size, a.img.Big()), isAddr, nil
}

// number is the number that a value means for a type.
func (a *applier) number(g *target, t *typ, v *Value) (*big.Int, bool, error) {
	switch v.Kind {
	case Number:
		if t.class == structure || t.class == text || t.class == chars || t.class == raw {
			return nil, false, refusef(a.img, g.label, "a number does not fit %s", orUnnamed(t.name))
		}
		return v.Int, false, nil
	case Float:
		return nil, false, refusef(a.img, g.label, "%s is no whole number, and the type is %s; say :f32 or :f64 if that is not so", v.Text, t.name)
	case Word:
		return a.word(g, t, v.Text)
	case Address, Fact:
		n, isAddr, err := a.address(g, v)
		return new(big.Int).SetUint64(n), isAddr, err
	}
	return nil, false, refusef(a.img, g.label, "such a value does not fit %s", t.name)
}

// word is true, false, or an enumerator.
func (a *applier) word(g *target, t *typ, s string) (*big.Int, bool, error) {
	if t.class == boolean || t.class == integer && t.size == 1 && t.loose {
		switch s {
		case "true":
			return big.NewInt(1), false, nil
		case "false":
			return big.NewInt(0), false, nil
		}
	}
	if t.class != enumeration {
		return nil, false, refusef(a.img, g.label, "%q is no value of %s; text stands in double quotes, an address begins with &", s, t.name)
	}
	var names []string
	for _, e := range t.enums {
		if e.name == s || strings.HasSuffix(s, "::"+e.name) {
			return big.NewInt(e.value), false, nil
		}
		names = append(names, e.name)
	}
	return nil, false, &Refusal{File: a.img.Name, What: g.label, Reason: fmt.Sprintf("%s is no enumerator of %s; there are %s", s, orUnnamed(t.name), strings.Join(names[:min(len(names), 30)], ", "))}
}

// inRange refuses a number that does not fit so many bits.
func (a *applier) inRange(g *target, t *typ, n *big.Int, bits uint64, v *Value) error {
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if t.signed || t.loose || t.char {
		low.Neg(new(big.Int).Rsh(high, 1))
	}
	if t.signed && !t.loose && !t.char {
		high.Rsh(high, 1)
	}
	high.Sub(high, big.NewInt(1))
	if t.class == boolean {
		low, high = big.NewInt(0), big.NewInt(1)
	}
	if n.Cmp(low) < 0 || n.Cmp(high) > 0 {
		name := t.name
		if g.bits > 0 {
			name = fmt.Sprintf("%d bits", g.bits)
		}
		return refusef(a.img, g.label, "%s does not fit %s (%v to %v)", shown(n, v), name, low, high)
	}
	if t.class == enumeration && v.Kind == Number && !slices.ContainsFunc(t.enums, func(e enumerator) bool { return n.IsInt64() && e.value == n.Int64() }) {
		a.warn("no-enumerator", "%s: %s is none of the enumerators of %s", g.label, shown(n, v), orUnnamed(t.name))
	}
	return nil
}

// shown is a number as the user wrote it.
func shown(n *big.Int, v *Value) string {
	if v.Kind == Number && v.Text != "" {
		return v.Text
	}
	return fmt.Sprintf("%#x", n)
}

// putInt writes a number in two's complement.
func putInt(n *big.Int, size uint64, bigEndian bool) []byte {
	b := make([]byte, size)
	m := n
	if n.Sign() < 0 {
		m = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	m.FillBytes(b)
	if !bigEndian {
		slices.Reverse(b)
	}
	return b
}

// getInt reads an unsigned number.
func getInt(b []byte, bigEndian bool) *big.Int {
	b = slices.Clone(b)
	if !bigEndian {
		slices.Reverse(b)
	}
	return new(big.Int).SetBytes(b)
}

// float makes IEEE 754 numbers of 4 and 8 bytes.
func (a *applier) float(g *target, t *typ, v *Value) ([]byte, error) {
	digits := v.Text
	switch v.Kind {
	case Number:
		digits = v.Int.String()
	case Float:
	default:
		return nil, refusef(a.img, g.label, "such a value does not fit %s", t.name)
	}
	if t.size != 4 && t.size != 8 {
		return nil, refusef(a.img, g.label, "floating-point numbers of %d bytes (%s) are not written; give its bytes with hex:", t.size, t.name)
	}
	x, err := strconv.ParseFloat(digits, int(8*t.size))
	if err != nil {
		return nil, refusef(a.img, g.label, "%s does not fit %s", digits, t.name)
	}
	b := make([]byte, t.size)
	if t.size == 4 {
		a.img.PutU32(b, math.Float32bits(float32(x)))
	} else {
		a.img.PutU64(b, math.Float64bits(x))
	}
	return b, nil
}

// bitField puts a number into its bits of the bytes that are there.
func (a *applier) bitField(g *target, v *Value) ([]byte, error) {
	switch v.Kind {
	case Number, Word:
	default:
		return nil, refusef(a.img, g.label, "a bit-field takes a number or an enumerator")
	}
	if c := g.t.class; c != integer && c != boolean && c != enumeration {
		return nil, refusef(a.img, g.label, "a bit-field of type %s is not supported", g.t.name)
	}
	n, _, err := a.number(g, g.t, v)
	if err != nil {
		return nil, err
	}
	if err := a.inRange(g, g.t, n, g.bits, v); err != nil {
		return nil, err
	}
	size := (g.bitOff + g.bits + 7) / 8
	old, err := a.mem.read(g.addr, size)
	if err != nil {
		return nil, refusef(a.img, g.label, "%v", err)
	}
	shift := uint(g.bitOff) // of its lowest bit in the number that the bytes are
	if a.img.Big() {
		shift = uint(8*size - g.bitOff - g.bits)
	}
	mask := new(big.Int).Lsh(big.NewInt(1), uint(g.bits))
	mask.Sub(mask, big.NewInt(1))
	field := new(big.Int).And(n, mask) // two's complement, as big.Int has it
	whole := getInt(old, a.img.Big())
	whole.AndNot(whole, new(big.Int).Lsh(mask, shift))
	whole.Or(whole, field.Lsh(field, shift))
	return putInt(whole, size, a.img.Big()), nil
}
