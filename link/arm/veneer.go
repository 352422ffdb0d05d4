package arm

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// groupSize keeps the Thumb branches of Armv4T, which reach 4 MiB, within reach of
// their group's veneers, of which there may be 24 KB.
const groupSize = 4170000

// veneers are all that a link needs.
type veneers struct {
	grouped bool
	code    []code                   // all that may branch, in the order of the output
	moved   uint64                   // by how much any of it can have moved since the first round
	own     map[*model.Section]*pool // for branches that do not reach that one
	pools   []*pool
	used    map[*model.Section]map[use]*veneer
	a8
}

// code is a section of code and what Relax found out about it.
type code struct {
	*model.Section
	pool *pool // of its group
	// wants are branches without a veneer that they reach, spans such that suffer
	// from the erratum, in this round.
	wants, spans []branch
	found        []span4K // what may suffer from it, wherever the section is
	at           uint64   // its address in this round
	// None of its branches needs a veneer until the target's moved is beyond that.
	until uint64
}

// pool is the veneers behind a section.
type pool struct {
	t       *target
	home    *model.Section
	sec     *model.Section // nil while it is empty
	entries []*veneer
	end     uint64 // of the last
	index   map[key]*veneer
}

// key is what a veneer is for.
type key struct {
	sym  *model.Symbol
	add  int64
	form *form
	// Where the branch of a conditional one goes on that is not taken.
	back    *model.Section
	backOff uint64
}

// use is how a section needs one: branches of a type to the same end share it.
type use struct {
	sym *model.Symbol
	add int64
	typ uint32
	bx  bool // conditional BL: cannot become BLX
}

// veneer is code that goes on elsewhere.
type veneer struct {
	key
	p       *pool
	off     uint64
	toThumb bool
}

const poolAlign = 8

// isCode says whether a section may have branches.
func isCode(s *model.Section) bool {
	const flags = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	return s.Live && s.Flags&flags == flags && s.Type != elf.SHT_NOBITS
}

// Relax adds veneers for branches that do not reach, or that cannot change the
// instruction set. What is added stays.
func (t *target) Relax(e *model.Env, pass int) (changed bool) {
	t.attributes(e)
	if !t.grouped {
		t.group(e)
		if t.fixesA8(e) {
			t.lookForA8(e)
		}
	}
	t.move()
	model.Each(e.Opt.Workers(), len(t.code), func(i int) {
		c := &t.code[i]
		c.wants, c.spans = nil, t.findA8(e, c)
		if c.until <= t.moved {
			c.wants = t.wanting(e, c)
		}
	})
	for i := range t.code {
		c := &t.code[i]
		for j := range c.wants {
			changed = t.provide(e, c, &c.wants[j]) || changed
		}
		for j := range c.spans {
			changed = t.mendA8(e, c, &c.spans[j]) || changed
		}
	}
	return changed
}

// move notes where all code is in this round.
func (t *target) move() {
	most := uint64(0)
	for i := range t.code {
		c := &t.code[i]
		at := c.Out.Addr + c.Off
		most = max(most, max(at, c.at)-min(at, c.at))
		c.at = at
	}
	t.moved += most
}

// lookForA8 finds once which branches may suffer from the erratum.
func (t *target) lookForA8(e *model.Env) {
	t.fixes, t.fixed = true, map[*model.Section]map[uint64]*veneer{}
	model.Each(e.Opt.Workers(), len(t.code), func(i int) { t.code[i].found = pairsOf(e, t.code[i].Section) })
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
	t.grouped, t.own = true, map[*model.Section]*pool{}
	t.used = map[*model.Section]map[use]*veneer{}
	groups := e.CodeGroups(isCode, size, before)
	n := 0
	for i := range groups {
		n += len(groups[i].Members)
	}
	t.code = make([]code, 0, n)
	for _, g := range groups {
		p := t.newPool(g.Home)
		for _, s := range g.Members {
			t.code = append(t.code, code{Section: s, pool: p, at: s.Addr(0)})
			if e.Opt.BE8 && len(s.Relocs) == 0 && s.Synth == nil {
				s.Synth = turned{t}
			}
		}
	}
}

func (t *target) newPool(home *model.Section) *pool {
	p := &pool{t: t, home: home, index: map[key]*veneer{}}
	t.pools = append(t.pools, p)
	return p
}

// wanting lists the branches of a section that need a veneer and have none that
// they reach. If there is none it need not be asked again soon: a branch and its
// target move apart by no more than twice what either of them moves.
func (t *target) wanting(e *model.Env, c *code) (list []branch) {
	s, base := c.Section, c.at
	room := uint64(1) << 32
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if t.bxVeneer(e, s, r) {
			list = append(list, branch{typ: rV4BX, from: base + r.Off, insn: e.Order.Uint32(s.Data[r.Off:])})
			room = 0
			continue
		}
		if t.kind(e, r.Type) != kBranch {
			continue
		}
		left, ok := t.plain(s, r, base+r.Off)
		if ok {
			room = min(room, left)
			continue
		}
		b, ok := t.branchAt(e, s, r, base+r.Off)
		if !ok {
			continue // wherever it is
		}
		if t.alone(&b) {
			room = min(room, t.room(&b))
			continue
		}
		room = 0
		if v := t.used[s][b.use()]; v == nil || v.p.sec.Out != nil && !t.reaches(&b, v.addr(), v.form.isThumb()) {
			list = append(list, b)
		}
	}
	c.until = t.moved + room/2
	return list
}

func (b *branch) use() use {
	return use{b.sym, b.add, b.typ, b.typ == rCall && !b.call()}
}

// provide gives a branch a veneer: that of its group if it is in reach.
func (t *target) provide(e *model.Env, c *code, b *branch) bool {
	s, u := c.Section, b.use()
	if b.typ == rV4BX {
		u = use{add: int64(b.insn & 15), typ: rV4BX}
	}
	if t.used[s] == nil {
		t.used[s] = map[use]*veneer{}
	}
	old := t.used[s][u]
	if old != nil && old.p.sec.Out == nil {
		return false // of this round
	}
	f := t.bxForm(u)
	if f == nil {
		f = t.formFor(e, s, b)
	}
	p := c.pool
	if old != nil && old.p == p || !t.reachesPool(b, p, f) {
		if t.own[s] == nil {
			t.own[s] = t.newPool(s)
		}
		p = t.own[s]
	}
	v, fresh := p.get(e, s, b, f)
	t.used[s][u] = v
	return fresh || v != old
}

// reachesPool says whether a branch will reach a veneer that is added to a pool.
func (t *target) reachesPool(b *branch, p *pool, f *form) bool {
	const room = 4096 // for what is added before it
	at := p.home.Addr(p.home.Size)
	if p.sec != nil {
		at += p.sec.Size
	}
	return t.reaches(b, at+room, f.isThumb()) && t.reaches(b, at&^3, f.isThumb())
}

// get returns the veneer of a form to where the branch leads, made if there is
// none.
func (p *pool) get(e *model.Env, s *model.Section, b *branch, f *form) (v *veneer, fresh bool) {
	k := key{sym: b.sym, add: b.add, form: f}
	if f.end == endCond {
		k.back, k.backOff = s, b.from-s.Addr(0)+4
	}
	if v := p.index[k]; v != nil {
		return v, false
	}
	v = &veneer{key: k, p: p, toThumb: b.toThumb}
	p.index[k] = v
	if p.sec == nil {
		p.sec = &model.Section{Name: p.home.Name + ".stub", Type: elf.SHT_PROGBITS, Flags: p.home.Flags & (elf.SHF_ALLOC | elf.SHF_EXECINSTR | shfPureCode),
			Align: poolAlign, Live: true, Keep: true, Synth: p}
		e.Maker().AddSection(p.sec)
		p.home.After = append(p.home.After, p.sec)
	}
	v.off = p.end
	p.end += (f.size() + 3) &^ 3
	p.entries = append(p.entries, v)
	p.sec.Size = max(p.sec.Size+f.room(), v.off+f.size())
	if p.t.arch.thumbOnly() && s.Flags&shfPureCode != 0 && f != thumb2Pure {
		e.Report.WarnAt(s, b.from-s.Addr(0), fmt.Errorf("the veneer for %s is read as data, in a section whose code cannot be read", e.Report.Label(b.sym)))
	}
	p.name(e, v, b)
	return v, true
}

// name puts a veneer, and the marks of its code and data, into the symbol table.
func (p *pool) name(e *model.Env, v *veneer, b *branch) {
	var name string
	switch {
	case b.typ == rV4BX:
		name = fmt.Sprintf("__bx_r%d", b.insn&15)
	case p.t.fixes && (v.form.end == endBW || v.form.end == endCond || v.form == a8Arm):
		name = "__erratum_657417_" + b.sym.Label() + "_veneer"
	case b.fromThumb && !b.toThumb:
		name = "__" + b.sym.Name + "_from_thumb"
	case !b.fromThumb && b.toThumb:
		name = "__" + b.sym.Name + "_from_arm"
	default:
		name = "__" + b.sym.Name + "_veneer"
	}
	o := e.Maker()
	o.AddLocals(&model.Symbol{Name: name, Type: elf.STT_FUNC, Sec: p.sec, Value: v.off, Size: v.form.size(), Thumb: v.form.isThumb()})
	for _, m := range v.form.marks() {
		o.AddLocals(&model.Symbol{Name: "$" + string(m.what), Sec: p.sec, Value: v.off + m.off})
	}
}

func (v *veneer) addr() uint64 { return v.p.sec.Addr(v.off) }

// goal is where a veneer leads, with bit 0 for Thumb code.
func (v *veneer) goal(e *model.Env) uint64 {
	to, ok := linkage(e, v.sym)
	if !ok {
		to = e.Meant(v.sym, v.add)
	}
	if v.toThumb {
		to |= 1
	}
	return to
}

// Write fills the section.
func (p *pool) Write(e *model.Env, s *model.Section, b []byte) {
	for _, v := range p.entries {
		v.write(e, b[v.off:], s.Addr(v.off))
	}
}

// wide writes B.W.
func (v *veneer) wide(e *model.Env, b []byte, to, at uint64) {
	if err := v.p.t.wideBranch(codeOrder(e), b, int64(int32(uint32(to)-uint32(at)))); err != nil {
		e.Report.Error(fmt.Errorf("the veneer for %s at %#x: %w", e.Report.Label(v.sym), at, err))
	}
}

func (v *veneer) write(e *model.Env, b []byte, at uint64) {
	o, n := codeOrder(e), 0
	for _, h := range v.form.thumb {
		o.PutUint16(b[n:], h)
		n += 2
	}
	for _, w := range v.form.arm {
		o.PutUint32(b[n:], w)
		n += 4
	}
	if v.form.end == endNone {
		return
	}
	to := v.goal(e)
	switch v.form.end {
	case endWord:
		e.Order.PutUint32(b[n:], uint32(to))
	case endRel:
		e.Order.PutUint32(b[n:], uint32(to-at-v.form.pc))
	case endB:
		d := int64(int32(uint32(to) - uint32(at) - uint32(n) - 8))
		if d < -1<<25 || d >= 1<<25 {
			e.Report.Error(fmt.Errorf("the veneer for %s at %#x does not reach %#x", e.Report.Label(v.sym), at, to))
		}
		o.PutUint32(b[n:], 0xea000000|uint32(d)>>2&0xffffff)
	case endBW:
		v.wide(e, b, to, at)
	case endCond:
		v.wide(e, b[n:], v.back.Addr(v.backOff), at+2)
		v.wide(e, b[n+4:], to, at+6)
	case endMove:
		move16(o, b, uint32(to))
		move16(o, b[4:], uint32(to)>>16)
	}
}
