package aarch64

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// groupSize keeps every branch of a group within reach of its veneers, with room
// for 1 MiB of them.
const groupSize = 127 << 20

// veneers are all that a link needs: those of branches that do not reach, and
// those of errata.
type veneers struct {
	grouped bool
	of      map[*model.Section]*pool // by section that uses it
	pools   []*pool

	mends map[*model.Section][]mended // what errata change in a section, by offset
	count [2]int                      // of veneers for errata, for their names
}

// pool is the veneers of a group of sections: a section that begins with a branch
// over it, for code that runs into it.
type pool struct {
	t       *target
	home    *model.Section
	sec     *model.Section // nil while it is empty
	entries []veneer
	index   map[dest]int // in entries
	pages   bool         // its size is a multiple of 4 KiB
}

// dest is where a branch goes.
type dest struct {
	sym *model.Symbol
	add int64
}

// veneer is code that goes on elsewhere.
type veneer struct {
	dest
	off  uint64 // in the pool
	long bool   // beyond 4 GiB
	// Of an erratum: the instruction that it holds, and then goes back behind.
	from *model.Section
	at   uint64

	name  *model.Symbol
	marks [2]*model.Symbol // $d and $x of a long one
}

const (
	poolHead  = 8
	sizePage  = 12 // ADRP, ADD, BR
	sizeLong  = 24 // LDR, ADR, ADD, BR, distance
	sizeMend  = 8  // the instruction, B
	poolAlign = 8
)

func (v *veneer) size() uint64 {
	switch {
	case v.from != nil:
		return sizeMend
	case v.long:
		return sizeLong
	}
	return sizePage
}

// isCode says whether a section may have branches.
func isCode(s *model.Section) bool {
	const flags = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	return s.Live && s.Flags&flags == flags && s.Type != elf.SHT_NOBITS
}

// Relax adds veneers for branches that do not reach, and for errata.
func (t *target) Relax(e *model.Env, _ int) bool {
	errata := e.Opt.FixCortexA53_843419 || e.Opt.FixCortexA53_835769
	if !errata && !t.anywhere.Load() && !spread(e) {
		return false
	}
	if !t.grouped {
		t.group(e)
	}
	code := t.code(e)
	found := make([][]dest, len(code))
	mends := make([][]mend, len(code))
	model.Each(e.Opt.Workers(), len(code), func(i int) {
		found[i] = t.far(e, code[i])
		mends[i] = t.findErrata(e, code[i])
	})
	changed := false
	for i, s := range code {
		p := t.of[s]
		for _, d := range found[i] {
			changed = p.add(e, d) || changed
		}
		for _, m := range mends[i] {
			changed = p.mend(e, s, m) || changed
		}
	}
	for _, p := range t.pools {
		changed = p.resize(e) || changed
	}
	return changed
}

// spread says whether the output is larger than what a branch reaches.
func spread(e *model.Env) bool {
	lo, hi := ^uint64(0), uint64(0)
	for _, out := range e.Outputs {
		if out.Flags&elf.SHF_ALLOC != 0 && out.Size != 0 {
			lo, hi = min(lo, out.Addr), max(hi, out.Addr+out.Size)
		}
	}
	return hi > lo && hi-lo >= branchReach
}

func (t *target) code(e *model.Env) []*model.Section {
	var all []*model.Section
	for _, out := range e.Outputs {
		for i := range out.Items {
			if s := out.Items[i].Section; s != nil && t.of[s] != nil {
				all = append(all, s)
			}
		}
	}
	return all
}

// group decides once which sections share veneers.
func (t *target) group(e *model.Env) {
	size, before := uint64(groupSize), false
	if n := e.Opt.StubGroupSize; n < 0 {
		before = true
		if n != -1 {
			size = uint64(-n)
		}
	} else if n > 1 {
		size = uint64(n)
	}
	t.grouped, t.of, t.mends = true, map[*model.Section]*pool{}, map[*model.Section][]mended{}
	for _, g := range e.CodeGroups(isCode, size, before) {
		p := &pool{t: t, home: g.Home, index: map[dest]int{}, pages: e.Opt.FixCortexA53_843419}
		t.pools = append(t.pools, p)
		for _, s := range g.Members {
			t.of[s] = p
		}
	}
}

// far lists where branches of a section go that do not reach.
func (t *target) far(e *model.Env, s *model.Section) (far []dest) {
	base := s.Out.Addr + s.Off
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if r.Type != rCall26 && r.Type != rJump26 {
			continue
		}
		sym := s.Symbol(r)
		if nowhere(sym) || sym != nil && sym.Gone() || i > 0 && !e.Opt.Shared && t.goesAway(e, s, i-1) {
			continue
		}
		to, add := destination(e, s, r)
		if !reaches(int64(to - base - r.Off)) {
			far = append(far, dest{sym, add})
		}
	}
	return far
}

// goesAway says whether relocation i takes the one behind it along.
func (t *target) goesAway(e *model.Env, s *model.Section, i int) bool {
	r := &s.Relocs[i]
	if calls(r.Type) == 0 {
		return false
	}
	sym := s.Symbol(r)
	return sym != nil && accessOf(e, t.kind(r.Type), r.Type, sym) != asIs
}

// destination is where a branch leads.
func destination(e *model.Env, s *model.Section, r *model.Reloc) (to uint64, add int64) {
	S, A := e.Value(s, r)
	if at, ok := linkage(e, s.Symbol(r)); ok {
		S = at
	}
	return S + uint64(A), A
}

func (d dest) addr(e *model.Env) uint64 {
	if at, ok := linkage(e, d.sym); ok {
		return at + uint64(d.add)
	}
	if d.sym == nil {
		return uint64(d.add)
	}
	return e.Meant(d.sym, d.add)
}

// find returns the address of the veneer that leads there.
func (v *veneers) find(s *model.Section, sym *model.Symbol, add int64) (uint64, bool) {
	p := v.of[s]
	if p == nil || p.sec == nil {
		return 0, false
	}
	i, ok := p.index[dest{sym, add}]
	if !ok {
		return 0, false
	}
	return p.sec.Addr(p.entries[i].off), true
}

// add makes a veneer if there is none.
func (p *pool) add(e *model.Env, d dest) bool {
	if _, ok := p.index[d]; ok {
		return false
	}
	p.index[d] = len(p.entries)
	name := "__veneer" // of a number
	if d.sym != nil {
		name = "__" + d.sym.Name + "_veneer"
	}
	p.append(e, veneer{dest: d}, name)
	return true
}

// append puts a veneer behind the others. It never moves again, unless one before
// it turns out to be a long one.
func (p *pool) append(e *model.Env, v veneer, name string) {
	o := e.Maker()
	if p.sec == nil {
		p.sec = &model.Section{Name: p.home.Name + ".stub", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR,
			Align: poolAlign, Live: true, Keep: true, Synth: p}
		o.AddSection(p.sec)
		p.home.After = append(p.home.After, p.sec)
		o.AddLocals(&model.Symbol{Name: "$x", Sec: p.sec})
	}
	v.name = &model.Symbol{Name: name, Sec: p.sec, Type: elf.STT_FUNC}
	o.AddLocals(v.name)
	p.entries = append(p.entries, v)
}

// resize lays the veneers out, by how far it is to where they lead. A long one
// stays long. The pool is as large as if all were long, as GNU ld's is: so
// addresses do not depend on which are.
func (p *pool) resize(e *model.Env) bool {
	if p.sec == nil {
		return false
	}
	o, base := e.Maker(), p.base()
	off, size := uint64(poolHead), uint64(poolHead)
	for i := range p.entries {
		v := &p.entries[i]
		if v.from == nil && !v.long && !pageReaches(pagesApart(v.addr(e), base+off)) {
			v.long = true
			v.marks[0] = &model.Symbol{Name: "$d", Sec: p.sec}
			v.marks[1] = &model.Symbol{Name: "$x", Sec: p.sec}
			o.AddLocals(v.marks[:]...)
		}
		v.place(off)
		off += (v.size() + poolAlign - 1) &^ (poolAlign - 1)
		size += sizeMend
		if v.from == nil {
			size += sizeLong - sizeMend
		}
	}
	if p.pages {
		size = (size + pageMask) &^ pageMask
	}
	if size == p.sec.Size {
		return false
	}
	p.sec.Size = size
	return true
}

func (v *veneer) place(off uint64) {
	v.off = off
	v.name.Value, v.name.Size = off, v.size()
	if v.long {
		v.marks[0].Value, v.marks[1].Value = off+sizeLong-8, off+sizeLong
	}
}

// base is where the pool is, or will about be.
func (p *pool) base() uint64 {
	if p.sec.Out == nil {
		return p.home.Addr(p.home.Size)
	}
	return p.sec.Addr(0)
}

// Write makes the veneers.
func (p *pool) Write(e *model.Env, s *model.Section, b []byte) {
	at := s.Addr(0)
	store(b, branch(uint64(len(b)))) // b over
	store(b[4:], insnNop)            // nop
	for i := range p.entries {
		v := &p.entries[i]
		switch {
		case v.from != nil:
			p.t.writeMend(e, v, b[v.off:], at+v.off)
		case v.long:
			v.writeLong(e, b[v.off:], at+v.off)
		default:
			v.writePage(e, b[v.off:], at+v.off)
		}
	}
}

func (v *veneer) writePage(e *model.Env, b []byte, at uint64) {
	to := v.addr(e)
	d := pagesApart(to, at)
	if !pageReaches(d) {
		e.Report.Error(fmt.Errorf("%s at %#x does not reach %#x", v.name.Name, at, to))
	}
	store(b, page(0x90000010, uint64(d)))            // adrp x16, to
	store(b[4:], 0x91000210|uint32(to)&pageMask<<10) // add x16, x16, #:lo12:to
	store(b[8:], 0xd61f0200)                         // br x16
}

func (v *veneer) writeLong(e *model.Env, b []byte, at uint64) {
	store(b, 0x58000090)      // ldr x16, distance
	store(b[4:], 0x10000011)  // adr x17, .
	store(b[8:], 0x8b110210)  // add x16, x16, x17
	store(b[12:], 0xd61f0200) // br x16
	e.Order.PutUint64(b[16:], v.addr(e)-(at+4))
}
