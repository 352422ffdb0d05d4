package synth

import (
	"debug/elf"
	"sort"

	"elfwright/link/model"
)

// .ARM.exidx (Exception Handling ABI for the Arm Architecture, section 5): pairs
// of words, sorted by the address of the function that the first leads to; the
// second has unwind instructions, leads to them, or says that there are none.
// A function's entry covers what follows it, up to the next one's. So code without
// an entry must not stand behind code that has one: as GNU ld does, an entry
// EXIDX_CANTUNWIND is added there and at the end, and entries that say the same as
// the one before are taken out; with --no-merge-exidx-entries only those that say
// "cannot".

const (
	shtArmExidx    = elf.SectionType(0x70000001)
	exidxEntry     = 8
	cantUnwind     = 1
	inlineUnwind   = 1 << 31 // of the second word
	armNone        = 0
	exidxNoEntry   = -1 // kinds of what the last entry said
	exidxCannot    = 0
	exidxInline    = 1
	exidxElsewhere = 2
)

// exidx is a section that was edited.
type exidx struct {
	sec *model.Section
	// stops are the sections of code behind which unwinding ends: an entry for each
	// is behind the entries of the input.
	stops []*model.Section
	// By entry: the second word is an address; the entry is taken out.
	away, drop []bool
	dropped    bool
}

// editExidx looks at all code in the order of its addresses. It is done once:
// the order does not change afterwards.
func (s *Set) editExidx() (changed bool) {
	if s.Object.Machine != elf.EM_ARM || s.exidxDone || s.env.Opt.Relocatable {
		return false
	}
	s.exidxDone = true
	of := map[*model.Section]*exidx{}
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			if sec != nil && sec.Live && sec.Out != nil && sec.Type == shtArmExidx && sec.LinkTo != nil && len(sec.Data)%exidxEntry == 0 {
				of[sec.LinkTo] = newExidx(sec)
			}
		}
	}
	if len(of) == 0 {
		return false
	}
	s.walkCode(of)
	for _, x := range of {
		if x.dropped || len(x.stops) != 0 {
			x.rewrite()
			changed = true
		}
	}
	return changed
}

// code lists the placed sections of code by address.
func (s *Set) code() []*model.Section {
	var all []*model.Section
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			if sec != nil && sec.Live && sec.Out != nil && sec.Flags&elf.SHF_EXECINSTR != 0 && sec.Type == elf.SHT_PROGBITS && !o.Linker {
				all = append(all, sec)
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Addr(0) < all[j].Addr(0) })
	return all
}

func (s *Set) walkCode(of map[*model.Section]*exidx) {
	var last *exidx
	var lastCode *model.Section
	kind, word := exidxNoEntry, uint32(0)
	for _, code := range s.code() {
		x := of[code]
		if x == nil || x.sec.Size == 0 {
			if code.Size == 0 || kind == exidxNoEntry {
				continue
			}
			if kind != exidxCannot {
				last.stops = append(last.stops, lastCode)
			}
			kind = exidxCannot
			continue
		}
		for off := uint64(0); off < uint64(len(x.sec.Data)); off += exidxEntry {
			k, w := x.entry(off)
			if k == kind && (k == exidxCannot || k == exidxInline && w == word && !s.env.Opt.NoMergeExidx) {
				x.drop[off/exidxEntry], x.dropped = true, true
			}
			kind, word = k, w
		}
		last, lastCode = x, code
	}
	if last != nil && kind != exidxCannot {
		last.stops = append(last.stops, lastCode)
	}
}

func newExidx(sec *model.Section) *exidx {
	n := len(sec.Data) / exidxEntry
	x := &exidx{sec: sec, away: make([]bool, n), drop: make([]bool, n)}
	for i := range sec.Relocs {
		if r := &sec.Relocs[i]; r.Off%exidxEntry == 4 && r.Off < uint64(len(sec.Data)) && r.Type != armNone {
			x.away[r.Off/exidxEntry] = true
		}
	}
	return x
}

// entry says what an entry's second word means.
func (x *exidx) entry(off uint64) (kind int, word uint32) {
	word = x.sec.Obj.Order.Uint32(x.sec.Data[off+4:])
	switch {
	case x.away[off/exidxEntry]:
		return exidxElsewhere, 0
	case word == cantUnwind:
		return exidxCannot, word
	case word&inlineUnwind != 0:
		return exidxInline, word
	}
	return exidxElsewhere, word
}

// rewrite makes the new contents; the added entries are written when addresses
// are final.
func (x *exidx) rewrite() {
	sec := x.sec
	var data []byte
	var relocs []model.Reloc
	to := make([]uint64, len(x.drop))
	for i := range x.drop {
		to[i] = uint64(len(data))
		if off := i * exidxEntry; !x.drop[i] {
			data = append(data, sec.Data[off:off+exidxEntry]...)
		}
	}
	for _, r := range sec.Relocs {
		if i := r.Off / exidxEntry; i < uint64(len(to)) && !x.drop[i] {
			r.Off = to[i] + r.Off%exidxEntry
			relocs = append(relocs, r)
		}
	}
	data = append(data, make([]byte, len(x.stops)*exidxEntry)...)
	sec.Data, sec.Size, sec.Relocs, sec.Synth = data, uint64(len(data)), relocs, x
}

// Write copies and relocates what is left and adds the entries that end unwinding.
func (x *exidx) Write(e *model.Env, sec *model.Section, b []byte) {
	copy(b, sec.Data)
	e.Target.Relocate(e, sec, b)
	off := len(b) - len(x.stops)*exidxEntry
	for _, code := range x.stops {
		end := code.Addr(0) + code.Size
		at := sec.Addr(uint64(off))
		e.Order.PutUint32(b[off:], uint32(end-at)&^(1<<31))
		e.Order.PutUint32(b[off+4:], cantUnwind)
		off += exidxEntry
	}
}
