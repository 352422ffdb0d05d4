package layout

import (
	"fmt"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// state is what the walk over the statements keeps.
type state struct {
	env     *model.Env
	machine machineFacts
	class   int
	maxPage uint64
	// commonPage is what most systems of the machine have for a page.
	commonPage uint64

	dot        uint64
	pass       int      // number of the walk
	finalPass  bool     // addresses stand
	stmtAt     int      // index in body
	inside     *section // that is being placed
	assigning  *symbol
	askedGuess bool // the expression asked for a symbol whose value is a guess
	movingDot  bool
	lldLMA     lldLMA
	unplaced   *section // whose address cannot be asked for
	lastAlloc  *section // the last one that is allocated
	counterSet bool     // "." was assigned since
	sawEnd     bool     // an assignment to end, _end or __end was passed
	seg        dataSegment
	headers    int // how many program headers SIZEOF_HEADERS counts

	moved      string  // something that this round changed
	points     []point // of snapshot
	assigns    []*assign
	datas      []*data
	hints      []error // warnings of this walk
	broken     []*ldscript.Assert
	why        *assign // the last assignment to the location counter
	faults     []error // of this round
	settling   bool    // regions get their values
	depth      int
	referenced map[string]bool
	symOrder   []*symbol
	edges      []edge
	commons    *section // where COMMON goes
	reported   map[string]bool
	segments   []*segment
	extraList  []*extra
	all        *matcher // for Explain
}

// Assign gives all output sections their addresses, sizes and load addresses,
// the input sections their places, and the script's symbols their values. It
// leaves in env.Outputs the output sections that are in the file, in the order of
// the section header table. It may be called again when sizes have changed.
func (s *Script) Assign(env *model.Env) error {
	s.env = env
	s.findEmpty()
	if err := s.settle(); err != nil {
		return err
	}
	s.outputs()
	s.publish()
	return nil
}

// walk gives everything its address once, from the start of the list to its end.
func (s *Script) walk() {
	s.pass++
	s.faults, s.hints = s.faults[:0], s.hints[:0]
	s.dot, s.why, s.lldLMA = 0, nil, lldLMA{}
	for _, a := range s.assigns {
		if a.own && a.sym.object != nil {
			a.sym.set = false // until the last walk it is the object's
		}
	}
	s.settling, s.depth = true, 0
	s.settleRegions()
	s.settling = false
	for i, st := range s.body {
		s.stmtAt = i
		switch st := st.(type) {
		case *section:
			s.place(st)
		case *assign:
			s.assignOutside(st)
		}
	}
}

// assert notes an assertion that does not hold in this walk.
func (s *Script) assert(a *assertion, in ldscript.Section) {
	e := ldscript.Eval{Env: asker{s}, Rules: s.rules, Dot: s.dot, In: in}
	if _, err := e.Value(a.Assert); err != nil {
		s.fails(err)
	}
	s.broken = append(s.broken, e.Failed...)
}

// assignOutside carries out an assignment outside of output sections.
func (s *Script) assignOutside(a *assign) {
	v, e, ok := s.evaluate(a, 0)
	if ok && a.dot() {
		s.dot, s.why = s.address(v), a
	}
	if ok && !a.dot() {
		s.give(a, &e, v)
	}
	// Even an assignment to a symbol does this, as in GNU ld: sections that
	// are not allocated, before it, then count.
	s.regions.list[0].current = s.dot
}

// isEnd says whether a symbol marks the end of the image: end, with any number of
// underscores before it.
func isEnd(name string) bool {
	for len(name) > 0 && name[0] == '_' {
		name = name[1:]
	}
	return name == "end"
}

// evaluate evaluates the right side of an assignment; ok is false if the
// assignment does not take place.
func (s *Script) evaluate(a *assign, in ldscript.Section) (v ldscript.Value, e ldscript.Eval, ok bool) {
	if a.Provide && !s.provides(a) || a.own && !s.finalPass && !s.countsUp(a) {
		return v, e, false
	}
	e = ldscript.Eval{Env: asker{s}, Rules: s.rules, Dot: s.dot, In: in}
	s.assigning, s.movingDot, s.askedGuess = a.sym, a.dot(), false
	if a.dot() {
		s.unplaced = s.inside
	}
	v, err := e.Value(a.x)
	s.assigning, s.movingDot, s.unplaced = nil, false, nil
	s.broken = append(s.broken, e.Failed...)
	if err == nil {
		return v, e, true
	}
	if a.dot() && !isUnknown(err) {
		err = &ldscript.Error{Pos: a.Pos, Context: "location counter", Msg: err.Error(), Err: err}
	}
	s.fails(err)
	// A symbol has at least some value, so that others may go on.
	if isUnknown(err) && a.sym != nil && !a.sym.set && !a.own {
		a.sym.value, a.sym.set, a.sym.guessed = ldscript.Abs(0), true, true
		s.moves("symbol " + a.Name)
	}
	return v, e, false
}

// countsUp says whether an assignment to a symbol from its own value can be made
// before the last walk: only if the value is a number that the script gave it
// before this point. Any other would grow with each walk.
func (s *Script) countsUp(a *assign) bool {
	y := a.sym
	return y.set && y.round == s.pass && y.value.Kind == ldscript.IsAbsolute
}

// place gives an output section and what is in it their addresses.
func (s *Script) place(o *section) {
	if o.off {
		return
	}
	if o.addr != nil {
		s.placeAt(o)
	}
	if o.out == nil {
		return
	}
	o.after, s.why = s.why, nil
	addr, delta := s.start(o)
	o.out.Addr = addr
	end := s.fill(o, addr)
	o.knowVMA = true
	if !o.ignored {
		o.out.Size = end - addr
		s.dot = addr
	}
	s.load(o, delta)
	if o.ignored {
		return
	}
	s.advance(o)
}

// placeAt evaluates the address that is written with a section.
func (s *Script) placeAt(o *section) {
	e := ldscript.Eval{Env: asker{s}, Rules: s.rules, Dot: s.dot}
	s.unplaced = o
	n, err := e.Address(o.addr)
	s.unplaced = nil
	if err != nil {
		s.fails(err)
		return
	}
	s.dot = n
}

// start is the address of an output section, and by how much it was aligned.
// Only one without an address of its own is aligned for what is in it.
func (s *Script) start(o *section) (addr, delta uint64) {
	al := s.alignOf(o.align)
	if o.addr != nil {
		addr = alignUp(s.dot, al)
		return addr, addr - s.dot
	}
	if o.region == nil || o.region == s.regions.list[0] && o.traits&(alloc|load) != 0 {
		o.placedIn = s.regionFor(o.traits)
	} else {
		o.placedIn = o.region
	}
	s.needsRegion(o)
	al = max(al, o.align1())
	addr = alignUp(o.placedIn.current, al)
	return addr, addr - o.placedIn.current
}

// needsRegion: once there are memory regions, what is loaded must be in one.
func (s *Script) needsRegion(o *section) {
	if o.ignored || o.removed || !o.traits.counts() || !s.regions.declared() || o.placedIn != s.regions.list[0] {
		return
	}
	if s.opt.CheckSections != nil && !*s.opt.CheckSections {
		return
	}
	s.fails(fmt.Errorf("section %s: it is loaded, there is MEMORY, and neither >region nor the attributes of a region place it", o.name))
}

// alignOf evaluates an alignment; nil is none.
func (s *Script) alignOf(x ldscript.Expr) uint64 {
	if x == nil {
		return 1
	}
	n := s.number(x)
	if n > 1<<63 {
		s.fails(fault(x.At(), "ALIGN", "%#x is too large", n))
		return 1
	}
	for n&(n-1) != 0 { // the next power of two
		n += n & -n
	}
	return max(n, 1)
}

// advance moves the location counter behind a section, and the cursors of its
// regions.
func (s *Script) advance(o *section) {
	size := o.out.Size
	if o.traits.tbss() {
		size = 0
	}
	s.dot += size
	if o.endsOverlay() {
		s.dot = o.overlay.end()
	}
	if o.traits&(alloc|load) == 0 {
		return
	}
	r := o.cursorRegion(s)
	if o.addr != nil && o.region == nil {
		return // by an option: it leaves the others where they are
	}
	r.current = s.dot
	s.checkRegion(o, r, o.out.Addr, o.addr != nil)
	if l := o.lmaRegion; l != nil && l != r && (o.traits&load != 0 || o.alignInput) {
		l.current = o.out.LMA + size
		s.checkRegion(o, l, o.out.LMA, false)
	}
}

func (o *section) endsOverlay() bool {
	return o.overlay != nil && o.overlay.sections[len(o.overlay.sections)-1] == o
}

// end is the address behind an overlay: that of its largest section.
func (ov *overlay) end() uint64 {
	first := ov.sections[0]
	if first.out == nil {
		return 0
	}
	var largest uint64
	for _, o := range ov.sections {
		if o.out != nil && !o.removed {
			largest = max(largest, o.out.Size)
		}
	}
	return first.out.Addr + largest
}

func (s *Script) outputs() {
	s.env.Outputs = s.env.Outputs[:0]
	for _, o := range s.order {
		if o.removed {
			s.moveOut(o)
			continue
		}
		s.header(o)
		o.out.Index = len(s.env.Outputs) + 1
		// An address that is less aligned than the section lowers sh_addralign.
		mask := max(o.align1(), s.alignKnown(o)) | o.out.Addr
		o.out.Align = mask & -mask
		s.env.Outputs = append(s.env.Outputs, o.out)
	}
	for _, out := range s.env.Outputs {
		o := s.byOut[out]
		if out.LinkTo = nil; o.linkOrder != nil && out.Flags&shfLinkOrder != 0 {
			out.LinkTo = o.linkOrder.Out
		}
		out.Region, out.LMARegion = "", ""
		if r := o.placedIn; r != nil && r.decl != nil {
			out.Region = r.name
		}
		if r := o.lmaRegion; r != nil && r.decl != nil {
			out.LMARegion = r.name
		}
		out.Why.Addr = s.whyAddr(o)
	}
}

// Address is where an output section lies, or would if it were not dropped.
func (s *Script) Address(name string) (addr uint64, ok bool) {
	for _, o := range s.byName[name] {
		if o.out != nil && !o.off {
			return o.out.Addr, true
		}
	}
	return 0, false
}

// alignKnown is ALIGN(…) of a section, evaluated before.
func (s *Script) alignKnown(o *section) uint64 {
	if o.align == nil {
		return 1
	}
	return s.alignOf(o.align)
}
