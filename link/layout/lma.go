package layout

import (
	"fmt"
)

// load gives an output section its load address. delta is by how much its
// address was aligned. The rules are those of GNU ld, the first that applies:
//
//	AT(e)         e
//	AT>region     the region's cursor, aligned as written, or with
//	              ALIGN_WITH_INPUT as the address was
//	else          as far from the address as with the section before in the
//	              same region of addresses; not if the counter moved back
//	              below that one
func (s *Script) load(o *section, delta uint64) {
	if s.lldRules.ownLMA {
		o.out.LMA = s.lldLoadAddress(o, delta)
	} else {
		o.out.LMA = s.loadAddress(o, delta)
	}
	o.knowLMA = true
	s.follow(o)
}

func (s *Script) loadAddress(o *section, delta uint64) uint64 {
	addr := o.out.Addr
	why := &o.out.Why.LMA
	switch {
	case o.at != nil:
		*why = "AT(…)"
		return s.number(o.at)
	case o.lmaRegion != nil:
		*why = "AT>" + o.lmaRegion.name
		if o.inherited != "" {
			*why = "inherits AT>" + o.lmaRegion.name + " of " + o.inherited
		}
		return s.inRegion(o, delta)
	}
	last := o.cursorRegion(s).last
	if last == nil || o.traits&alloc == 0 {
		*why = "its address: nothing says otherwise"
		return addr
	}
	lo := last.out
	if addr < lo.Addr && o.out.Size != 0 && addr+o.out.Size <= lo.Addr {
		*why = "its address: it lies below " + last.name
		if lo.Addr != lo.LMA {
			s.tell(fmt.Errorf("section %s: the location counter moved back below %s, so its load address is its address, %#x, not %#x as the difference of %s would have it",
				o.name, last.name, addr, addr+lo.LMA-lo.Addr, last.name))
		}
		return addr
	}
	lma := addr + lo.LMA - lo.Addr
	*why = "as far from its address as " + last.name
	if o.kind == inOverlay {
		*why = "behind " + last.name + " of the overlay"
		lma = lo.LMA + lo.Size
	}
	return alignUp(lma, s.writtenAlign(o))
}

// inRegion is the cursor of the region of AT>. If that is also the region of the
// addresses, everything that aligned the address aligns it.
func (s *Script) inRegion(o *section, delta uint64) uint64 {
	at := o.lmaRegion.current
	switch {
	case o.alignInput:
		return at + delta
	case o.lmaRegion == o.cursorRegion(s):
		return alignUp(at, s.writtenAlign(o))
	}
	return alignUp(at, s.alignOf(o.align))
}

// writtenAlign is by what the address was aligned.
func (s *Script) writtenAlign(o *section) uint64 {
	al := s.alignOf(o.align)
	if o.addr == nil {
		al = max(al, o.align1())
	}
	return al
}

// cursorRegion is the region of the section's addresses.
func (o *section) cursorRegion(s *Script) *region {
	if o.addr == nil && o.placedIn != nil {
		return o.placedIn
	}
	if o.region == nil {
		return s.regions.list[0]
	}
	return o.region
}

// follow notes a section as the one from which the next in its region reckons its
// load address. One without size counts if its load address says something new.
func (s *Script) follow(o *section) {
	if o.lmaRegion != nil || s.unmade(o) {
		return
	}
	r := o.cursorRegion(s)
	if o.kind == firstInOverlay {
		r.last = o
		return
	}
	if !o.traits.counts() || o.removed && o.traits&alloc == 0 {
		return
	}
	if o.out.Size != 0 || r.last == nil && o.out.Addr != o.out.LMA || r.last != nil && o.out.Addr >= r.last.out.Addr {
		r.last = o
	}
}

// unmade says whether GNU ld would not have an output section at all: one of the
// linker's own that is empty.
func (s *Script) unmade(o *section) bool {
	return o.removed && o.orphan && !o.hasFile && !s.machine.makesEmpty()
}

// inheritRegions lets a section without AT and AT> take the AT> of the section
// before it, if they are in the same region of addresses.
func (s *Script) inheritRegions() {
	if s.lldRules.ownLMA {
		return
	}
	for i, o := range s.outs {
		if i == 0 || o.lmaRegion != nil || o.at != nil || o.addr != nil {
			continue
		}
		if prev := s.outs[i-1]; prev.region == o.region && prev.lmaRegion != nil {
			o.lmaRegion, o.inherited = prev.lmaRegion, prev.origin()
		}
	}
}

// origin names the section that says AT>, which o has or inherits.
func (o *section) origin() string {
	if o.inherited != "" {
		return o.inherited
	}
	return o.name
}

// tell warns once for each text.
func (s *Script) tell(err error) {
	s.hints = append(s.hints, err)
}
