package synth

import (
	"cmp"
	"debug/elf"
	"slices"

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
	code, objects := s.code()
	s.walkCode(code)
	for i := range objects {
		for j := range objects[i].tables {
			if x := &objects[i].tables[j]; x.dropped || len(x.stops) != 0 {
				x.rewrite()
				changed = true
			}
		}
	}
	return changed
}

// unwound is a section of code and its table, or nil.
type unwound struct {
	*model.Section
	addr  uint64
	table *exidx
}

// unwinding is what an object has for it.
type unwinding struct {
	code   []unwound
	tables []exidx
}

// code lists the placed sections of code by address, and what all objects have.
func (s *Set) code() (all []unwound, objects []unwinding) {
	objects = make([]unwinding, len(s.env.Objects))
	model.Each(s.env.Opt.Workers(), len(objects), func(i int) { objects[i] = unwindingOf(s.env.Objects[i]) })
	n := 0
	for i := range objects {
		n += len(objects[i].code)
	}
	all = make([]unwound, 0, n)
	for i := range objects {
		all = append(all, objects[i].code...)
	}
	slices.SortStableFunc(all, func(a, b unwound) int { return cmp.Compare(a.addr, b.addr) })
	return all, objects
}

func unwindingOf(o *model.Object) (u unwinding) {
	code, tables, entries := 0, 0, 0
	for _, sec := range o.Sections {
		switch {
		case isExidx(sec):
			tables++
			entries += len(sec.Data) / exidxEntry
		case isPlacedCode(sec):
			code++
		}
	}
	u.tables, u.code = make([]exidx, 0, tables), make([]unwound, 0, code)
	flags := make([]bool, 2*entries)
	of := make([]*exidx, len(o.Sections)) // by the index of the code
	for _, sec := range o.Sections {
		if isExidx(sec) {
			n := len(sec.Data) / exidxEntry
			x := exidx{sec: sec, away: flags[:n:n], drop: flags[n : 2*n : 2*n]}
			flags = flags[2*n:]
			x.findAway()
			u.tables = append(u.tables, x)
			of[sec.LinkTo.Index] = &u.tables[len(u.tables)-1]
		}
	}
	for i, sec := range o.Sections {
		if isPlacedCode(sec) {
			u.code = append(u.code, unwound{sec, sec.Addr(0), of[i]})
		}
	}
	return u
}

func isExidx(s *model.Section) bool {
	return s != nil && s.Type == shtArmExidx && s.Live && s.Out != nil && s.LinkTo != nil && s.LinkTo.Obj == s.Obj && len(s.Data)%exidxEntry == 0
}

func isPlacedCode(s *model.Section) bool {
	return s != nil && s.Live && s.Out != nil && s.Flags&elf.SHF_EXECINSTR != 0 && s.Type == elf.SHT_PROGBITS && !s.Obj.Linker
}

func (s *Set) walkCode(all []unwound) {
	var last *exidx
	var lastCode *model.Section
	kind, word := exidxNoEntry, uint32(0)
	for _, u := range all {
		code, x := u.Section, u.table
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

// findAway notes the entries whose second word a relocation fills.
func (x *exidx) findAway() {
	for i := range x.sec.Relocs {
		if r := &x.sec.Relocs[i]; r.Off%exidxEntry == 4 && r.Off < uint64(len(x.sec.Data)) && r.Type != armNone {
			x.away[r.Off/exidxEntry] = true
		}
	}
}

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
