package arm

import (
	"debug/elf"
	"math"

	"elfwright/link/model"
)

// veneer is code that jumps to a symbol from where a branch reaches.
type veneer struct {
	key
	form  *form
	sec   *model.Section // that it is in
	off   uint64
	fresh bool // without an address yet
}

// key is what a veneer is for.
type key struct {
	sym    *model.Symbol
	addend int64 // beyond the branch's own bias
	thumb  bool  // it is entered in Thumb state
}

// veneers has the veneers of a link.
type veneers struct {
	obj  *model.Object
	by   map[key][]*veneer
	used map[*model.Section]map[int]*veneer // by the section and index of the branch
	at   map[*model.Section]*model.Section  // the section of veneers behind a section
}

// find is the veneer of relocation i of a section: its address and instruction
// set.
func (v *veneers) find(s *model.Section, i int) (addr, thumb uint64, ok bool) {
	x := v.used[s][i]
	if x == nil {
		return 0, 0, false
	}
	if x.thumb {
		thumb = 1
	}
	return x.addr(), thumb, true
}

func (x *veneer) addr() uint64 { return x.sec.Addr(x.off) }

// Relax makes the veneers that branches need. One that is made stays, so that the
// rounds end.
func (t *target) Relax(e *model.Env, pass int) (changed bool) {
	if pass == 0 {
		t.arch = readArch(e.Objects)
	}
	for _, list := range t.veneers.by {
		for _, x := range list {
			x.fresh = false
		}
	}
	var todo []*model.Section
	for _, o := range e.Objects {
		for _, s := range o.Sections {
			if s != nil && s.Live && s.Out != nil && s.Flags&elf.SHF_EXECINSTR != 0 && len(s.Relocs) > 0 {
				todo = append(todo, s)
			}
		}
	}
	// Few sections need any: to find out which is work for all, and what they get
	// depends on the order.
	needs := make([]bool, len(todo))
	model.Each(e.Opt.Workers(), len(todo), func(i int) {
		needs[i] = t.lacking(e, todo[i], func(int, branch) bool { return false })
	})
	for i, s := range todo {
		if needs[i] {
			t.lacking(e, s, func(i int, b branch) bool { t.use(e, s, i, b); return true })
			changed = true
		}
	}
	return changed
}

// lacking calls do with the branches of a section that need a veneer and have none
// in reach, as long as it returns true; the result says whether there is one.
func (t *target) lacking(e *model.Env, s *model.Section, do func(i int, b branch) bool) (some bool) {
	base, used := s.Out.Addr+s.Off, t.veneers.used[s]
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if t.kind(e, r.Type) != kBranch {
			continue
		}
		b, ok := t.branch(e, s, r, base+r.Off)
		if !ok || !b.needsVeneer() {
			continue
		}
		if old := used[i]; old != nil && (old.fresh || b.reaches(old.addr())) {
			continue
		}
		if some = true; !do(i, b) {
			break
		}
	}
	return some
}

// branch is a branch and where it leads.
type branch struct {
	t     *target
	typ   uint32
	insn  uint32 // Arm: the instruction
	sym   *model.Symbol
	to    uint64 // where it leads, without bit 0
	thumb bool   // to Thumb code
	extra int64  // addend beyond the bias
	P     uint64
}

// branchBias is the addend of a branch to the very symbol: the pc is ahead.
func branchBias(typ uint32) int64 {
	if isThumb(typ) {
		return -4
	}
	return -8
}

func isThumb(typ uint32) bool {
	switch typ {
	case rThmCall, rThmJump24, rThmJump19, rThmJump11, rThmJump8, 136, 137, 138:
		return true
	}
	return false
}

func (t *target) branch(e *model.Env, s *model.Section, r *model.Reloc, P uint64) (branch, bool) {
	sym := s.Symbol(r)
	if sym == nil || sym.Gone() {
		return branch{}, false
	}
	b := branch{t: t, typ: r.Type, sym: sym, P: P, extra: r.Addend - branchBias(r.Type)}
	if at, ok := e.Linkage(sym); ok && (sym.Preempt || sym.IFunc()) {
		b.to = at
	} else if sym.State != model.Defined {
		return branch{}, false // it goes on with the next instruction
	} else {
		S, A := e.Value(s, r)
		b.to, b.thumb = uint64(int64(S&^1)+A-branchBias(r.Type)), sym.Thumb
	}
	if !isThumb(r.Type) && r.Off+4 <= uint64(len(s.Data)) {
		b.insn = e.Order.Uint32(s.Data[r.Off:])
	}
	return b, true
}

// needsVeneer says whether the branch cannot do it alone: it is too far, or would
// have to change the instruction set and cannot.
func (b *branch) needsVeneer() bool {
	switch b.typ {
	case rThmJump11, rThmJump8, 136, 137, 138:
		return false // in reach, or an error
	}
	return !b.switches() || !b.reaches(b.to)
}

// switches says whether the branch gets into the right instruction set: BL becomes
// BLX where the processor has it, other branches cannot.
func (b *branch) switches() bool {
	if isThumb(b.typ) {
		return b.thumb || b.typ == rThmCall && b.t.arch.blx()
	}
	if !b.thumb {
		return true
	}
	return b.typ == rCall && b.insn>>28 >= 0xe && b.t.arch.blx()
}

// reaches says whether an address is in the range of the branch.
func (b *branch) reaches(to uint64) bool {
	bits := 26 // of the byte offset, with its sign
	switch b.typ {
	case rThmCall, rThmJump24:
		bits = 25
		if !b.t.arch.far() {
			bits = 23
		}
	case rThmJump19:
		bits = 21
	}
	// A word less on either side: BLX counts from the pc rounded down.
	x := int64(int32(uint32(to) - uint32(b.P) + uint32(branchBias(b.typ))))
	limit := int64(1) << (bits - 1)
	return x >= -limit+4 && x < limit-4
}

// use gives relocation i of a section a veneer: one that is in reach, or a new one
// behind the section.
func (t *target) use(e *model.Env, s *model.Section, i int, b branch) {
	v := &t.veneers
	if v.obj == nil {
		v.obj = &model.Object{File: "veneers", Linker: true, Rank: math.MaxInt32, Order: e.Order, Machine: elf.EM_ARM, Class: elf.ELFCLASS32,
			Symbols: []*model.Symbol{nil}, Locals: 1}
		v.by, v.used, v.at = map[key][]*veneer{}, map[*model.Section]map[int]*veneer{}, map[*model.Section]*model.Section{}
		e.Objects = append(e.Objects, v.obj)
	}
	k := key{b.sym, b.extra, isThumb(b.typ)}
	x := v.reachable(k, s, b)
	if x == nil {
		x = t.newVeneer(e, s, k, b)
	}
	if v.used[s] == nil {
		v.used[s] = map[int]*veneer{}
	}
	v.used[s][i] = x
}

func (v *veneers) reachable(k key, s *model.Section, b branch) *veneer {
	for _, x := range v.by[k] {
		if x.fresh && v.at[s] == x.sec || !x.fresh && b.reaches(x.addr()) {
			return x
		}
	}
	return nil
}

func (t *target) newVeneer(e *model.Env, s *model.Section, k key, b branch) *veneer {
	v := &t.veneers
	sec := v.at[s]
	if sec == nil {
		sec = &model.Section{Obj: v.obj, Name: s.Name + ".veneers", Index: int32(len(v.obj.Sections)), Type: elf.SHT_PROGBITS,
			Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Align: 4, Live: true, Out: s.Out, Synth: &stubs{t: t}}
		v.obj.Sections = append(v.obj.Sections, sec)
		v.at[s] = sec
		s.After = append(s.After, sec)
	}
	x := &veneer{key: k, form: t.formOf(e, k.thumb, b.thumb), sec: sec, off: sec.Size, fresh: true}
	sec.Size += uint64(x.form.size())
	st := sec.Synth.(*stubs)
	st.list = append(st.list, x)
	v.by[k] = append(v.by[k], x)
	v.symbols(x)
	return x
}

// symbols names a veneer, and marks its code and data.
func (v *veneers) symbols(x *veneer) {
	add := func(name string, typ elf.SymType, off, size uint64, thumb bool) {
		v.obj.Symbols = append(v.obj.Symbols, &model.Symbol{Name: name, Type: typ, State: model.Defined, Local: true,
			Obj: v.obj, Sec: x.sec, Value: x.off + off, Size: size, Thumb: thumb})
		v.obj.Locals = len(v.obj.Symbols)
	}
	add("__"+x.sym.Name+"_veneer", elf.STT_FUNC, 0, uint64(x.form.size()), x.thumb)
	for _, m := range x.form.marks() {
		add("$"+string(m.what), elf.STT_NOTYPE, m.off, 0, false)
	}
}
