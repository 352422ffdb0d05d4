package synth

import (
	"debug/elf"
	"fmt"
	"sort"

	"elfwright/link/model"
)

// .note.gnu.property (Linux gABI extensions, "Program Property"): what all the
// code of a program is able to, or what some of it needs. The objects' notes
// become one; a property's type says how its values are joined.

const noteGNUProperty = 5 // NT_GNU_PROPERTY_TYPE_0

// property types and the ranges of processor-specific ones.
const (
	propStackSize  = 1
	propNoCopy     = 2
	propAndLo      = 0xb0000000
	propAndHi      = 0xb0007fff
	propOrLo       = 0xb0008000
	propOrHi       = 0xb000ffff
	propAArch64And = 0xc0000000
	propX86And     = 0xc0000002
	propX86AndHi   = 0xc0007fff
	propX86OrLo    = 0xc0008000
	propX86OrHi    = 0xc000ffff
	propX86OrAndLo = 0xc0010000
	propX86OrAndHi = 0xc0017fff
)

// joining is how the values of two objects become one.
type joining uint8

const (
	unknown joining = iota
	and             // bits that all have; none where an object has no such property
	or              // bits that any has
	orAnd           // bits that any has; none where an object has no such property
	largest         // a number of the size of a word
	present         // no value
)

func (s *Set) joins(t uint32) joining {
	x86 := s.Object.Machine == elf.EM_X86_64 || s.Object.Machine == elf.EM_386
	switch {
	case t == propStackSize:
		return largest
	case t == propNoCopy:
		return present
	case t >= propAndLo && t <= propAndHi, x86 && t >= propX86And && t <= propX86AndHi, s.Object.Machine == elf.EM_AARCH64 && t == propAArch64And:
		return and
	case t >= propOrLo && t <= propOrHi, x86 && t >= propX86OrLo && t <= propX86OrHi:
		return or
	case x86 && t >= propX86OrAndLo && t <= propX86OrAndHi:
		return orAnd
	}
	return unknown
}

// createProperty joins the notes of all objects, whose own are not in the output.
func (s *Set) createProperty() {
	joined, first := map[uint32]uint64{}, true
	for _, o := range s.env.Objects {
		if o.Linker || o.JustSymbols || len(o.Sections) == 0 {
			continue
		}
		own := s.properties(o)
		s.warnForced(o, own)
		s.join(joined, own, first)
		first = false
	}
	s.forced(joined)
	var types []uint32
	for t, v := range joined {
		if v != 0 || s.joins(t) == present {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return
	}
	sort.Slice(types, func(i, j int) bool { return types[i] < types[j] })
	b := s.encodeProperties(types, joined)
	s.property = s.add(".note.gnu.property", elf.SHT_NOTE, allocRead, s.word, 0, writer(func(out []byte) { copy(out, b) }))
	s.property.Size = uint64(len(b))
}

// properties reads the note of an object and leaves it out of the output.
func (s *Set) properties(o *model.Object) map[uint32]uint64 {
	all := map[uint32]uint64{}
	for _, sec := range o.Sections {
		if sec == nil || sec.Name != ".note.gnu.property" || sec.Type != elf.SHT_NOTE {
			continue
		}
		sec.Live, sec.Dropped = false, model.Excluded
		s.readProperties(sec.Data, all)
	}
	return all
}

func (s *Set) readProperties(b []byte, all map[uint32]uint64) {
	o := s.env.Order
	for len(b) >= 16 {
		namesz, descsz, typ := uint64(o.Uint32(b)), uint64(o.Uint32(b[4:])), o.Uint32(b[8:])
		if namesz != 4 || descsz > uint64(len(b)-16) {
			return
		}
		desc := b[16 : 16+descsz]
		for typ == noteGNUProperty && string(b[12:16]) == "GNU\x00" && len(desc) >= 8 {
			t, n := o.Uint32(desc), uint64(o.Uint32(desc[4:]))
			if n > uint64(len(desc)-8) {
				return
			}
			var v uint64
			switch {
			case n == 4:
				v = uint64(o.Uint32(desc[8:]))
			case n == 8:
				v = o.Uint64(desc[8:])
			}
			all[t] |= v
			desc = desc[min(8+(n+s.word-1)&^(s.word-1), uint64(len(desc))):]
		}
		b = b[min((16+descsz+s.word-1)&^(s.word-1), uint64(len(b))):]
	}
}

// join takes the properties of one more object into those of all before it.
func (s *Set) join(all, more map[uint32]uint64, first bool) {
	for t, v := range more {
		have, known := all[t]
		switch s.joins(t) {
		case and:
			if first {
				all[t] = v
			} else if known {
				all[t] = have & v
			}
		case or:
			all[t] = have | v
		case orAnd:
			if first || known {
				all[t] = have | v
			}
		case largest:
			all[t] = max(have, v)
		case present:
			all[t] = 0
		}
	}
	for t := range all {
		if j := s.joins(t); j == and || j == orAnd {
			if _, ok := more[t]; !ok {
				delete(all, t)
			}
		}
	}
}

// forced adds what options ask for: -z ibt, shstk, force-bti, pac-plt.
func (s *Set) forced(all map[uint32]uint64) {
	o := s.env.Opt
	switch s.Object.Machine {
	case elf.EM_X86_64, elf.EM_386:
		if o.IBT {
			all[propX86And] |= 1
		}
		if o.Shstk {
			all[propX86And] |= 2
		}
	case elf.EM_AARCH64:
		if o.BTI != "" && o.BTI != "none" {
			all[propAArch64And] |= 1
		}
	}
}

// warnForced tells of an object whose code may have no landing pads where the
// option promises them.
func (s *Set) warnForced(o *model.Object, own map[uint32]uint64) {
	if s.Object.Machine == elf.EM_AARCH64 && s.env.Opt.BTI != "" && own[propAArch64And]&1 == 0 {
		s.env.Report.Warn(fmt.Errorf("%s: -z force-bti promises landing pads for all code, but this object does not say that it has them (no BTI in .note.gnu.property)", o.File))
	}
}

func (s *Set) encodeProperties(types []uint32, all map[uint32]uint64) []byte {
	var b []byte
	put := func(v uint32) { b = append(b, 0, 0, 0, 0); s.env.Order.PutUint32(b[len(b)-4:], v) }
	put(4)
	put(0) // the length, known at the end
	put(noteGNUProperty)
	b = append(b, "GNU\x00"...)
	for _, t := range types {
		put(t)
		switch s.joins(t) {
		case present:
			put(0)
		case largest:
			put(uint32(s.word))
			b = append(b, make([]byte, s.word)...)
			s.putWord(b[len(b)-int(s.word):], all[t])
		default:
			put(4)
			put(uint32(all[t]))
		}
		for uint64(len(b))%s.word != 0 {
			b = append(b, 0)
		}
	}
	s.env.Order.PutUint32(b[4:], uint32(len(b)-16))
	return b
}
