package layout

import (
	"fmt"
	"sort"
	"strings"

	"elfwright/ldscript"
)

// region is a memory region. The default region, list[0], is the whole address
// space; a section is in it if nothing says otherwise.
type region struct {
	name     string
	decl     *ldscript.Region // nil for the default one and for those never declared
	yes, not traits           // attributes
	origin   uint64
	length   uint64

	// Of the walk.
	current uint64   // the next free address
	last    *section // the last section by whose load address the next is reckoned
	full    bool     // it has overflowed
	by      uint64   // by how much at most
	outside []string // what is not within it
}

const defaultRegion = "*default*"

type regions struct {
	list   []*region
	byName map[string]*region
	used   []usedRegion
}

type usedRegion struct {
	r   *region
	pos ldscript.Pos
}

func (rs *regions) init() {
	rs.byName = map[string]*region{}
	rs.add(defaultRegion)
}

func (rs *regions) add(name string) *region {
	r := &region{name: name, length: ^uint64(0)}
	rs.list = append(rs.list, r)
	rs.byName[name] = r
	return r
}

// get finds a region that a section names. It may be declared later.
func (rs *regions) get(name string, pos ldscript.Pos) *region {
	r := rs.byName[name]
	if r == nil {
		r = &region{name: name, length: ^uint64(0)}
		rs.byName[name] = r
	}
	if r.decl == nil && name != defaultRegion {
		rs.used = append(rs.used, usedRegion{r, pos})
	}
	return r
}

func (c *compiler) memory(n *ldscript.Memory) {
	rs := &c.s.regions
	for _, d := range n.Regions {
		r := rs.byName[d.Name]
		switch {
		case r == nil:
			r = rs.add(d.Name)
		case r.decl == nil:
			rs.list = append(rs.list, r)
		default:
			c.s.rep.Warn(fault(d.Pos, "MEMORY", "redeclaration of %q, which is declared at %s: this one counts", d.Name, r.decl.Pos))
		}
		r.decl = d
		c.attributes(r, d)
	}
}

// attributes reads "rwx!i": for sections that name no region.
func (c *compiler) attributes(r *region, d *ldscript.Region) {
	not := false
	for _, ch := range strings.ToLower(d.Attrs) {
		var t traits
		switch ch {
		case '!':
			not = !not
			continue
		case 'a':
			t = alloc
		case 'r':
			t = readonly
		case 'w':
			t = writable
		case 'x':
			t = code
		case 'l', 'i':
			t = load
		default:
			c.fail(d.Pos, "MEMORY", "%q: %q is no attribute; they are a, r, w, x, i, l and !", d.Name, string(ch))
			return
		}
		if not {
			r.not |= t
		} else {
			r.yes |= t
		}
	}
}

func (c *compiler) alias(n *ldscript.RegionAlias) {
	rs := &c.s.regions
	r := rs.byName[n.Region]
	switch old := rs.byName[n.Alias]; {
	case r == nil:
		c.fail(n.Pos, "REGION_ALIAS", "region %q is not declared", n.Region)
	case old != nil && old.decl != nil:
		c.fail(n.Pos, "REGION_ALIAS", "%q is declared already at %s", n.Alias, old.decl.Pos)
	case old != nil:
		c.fail(n.Pos, "REGION_ALIAS", "%q is used before", n.Alias)
	default:
		rs.byName[n.Alias] = r
	}
}

// declared says whether there is any region besides the default one.
func (rs *regions) declared() bool { return len(rs.byName) > 1 }

// settle gives the regions their origins and lengths, and empties them.
func (s *Script) settleRegions() {
	for _, r := range s.regions.list {
		if d := r.decl; d != nil {
			r.origin = s.number(d.Origin)
			r.length = s.number(d.Length)
		}
	}
	for _, r := range s.regions.byName {
		r.current, r.last, r.full, r.by, r.outside = r.origin, nil, false, 0, nil
	}
}

// regionFor chooses the region of a section that names none by the attributes.
func (s *Script) regionFor(t traits) *region {
	t &^= writable
	if t&(alloc|readonly|code) == alloc {
		t |= writable
	}
	for _, r := range s.regions.list {
		if r.yes&t != 0 && r.not&t == 0 {
			return r
		}
	}
	return s.regions.list[0]
}

// holds says whether the cursor is within the region, or at its end.
func (r *region) holds(base uint64) bool {
	if r.current == r.origin+r.length && base != 0 {
		return true
	}
	return r.current >= r.origin && r.current-r.origin <= r.length
}

// checkRegion notes that a region is too small for a section.
func (s *Script) checkRegion(o *section, r *region, base uint64, fixed bool) {
	if r.holds(base) {
		return
	}
	if fixed {
		r.outside = append(r.outside, fmt.Sprintf("section %s ends at %#x, which is not within region %q, [%#x, %#x)",
			o.name, r.current, r.name, r.origin, r.origin+r.length))
		return
	}
	r.full = true
	r.by = max(r.by, r.current-(r.origin+r.length))
}

// reportRegions makes the errors of regions after the last round.
func (s *Script) reportRegions() {
	for _, r := range s.regions.list {
		for _, text := range r.outside {
			s.rep.Error(fmt.Errorf("%s", text))
		}
		if r.full {
			s.rep.Error(fmt.Errorf("region %q overflows by %d bytes: %#x bytes from %#x on are too few%s",
				r.name, r.current-(r.origin+r.length), r.length, r.origin, s.contributors(r)))
		}
	}
}

// contributors names the largest things in a region.
func (s *Script) contributors(r *region) string {
	type part struct {
		name string
		size uint64
	}
	var parts []part
	for _, o := range s.order {
		if o.removed || o.region != r && o.lmaRegion != r || o.traits&alloc == 0 {
			continue
		}
		for _, it := range o.out.Items {
			if it.Section != nil {
				parts = append(parts, part{it.Section.Obj.File + "(" + it.Section.Name + ") in " + o.name, it.Size})
			}
		}
	}
	sort.SliceStable(parts, func(i, j int) bool { return parts[i].size > parts[j].size })
	var b strings.Builder
	for i, p := range parts[:min(len(parts), 5)] {
		if i == 0 {
			b.WriteString("; largest in it: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %#x", p.name, p.size)
	}
	return b.String()
}

// RegionUse is a memory region and how far it is used.
type RegionUse struct {
	Name, Attrs          string
	Origin, Length, Used uint64
}

// Regions are the memory regions of the script, in its order, after Assign.
func (s *Script) Regions() []RegionUse {
	var list []RegionUse
	for _, r := range s.regions.list[1:] {
		if r.decl == nil {
			continue
		}
		u := RegionUse{Name: r.name, Attrs: r.decl.Attrs, Origin: r.origin, Length: r.length}
		if r.current > r.origin {
			u.Used = r.current - r.origin
		}
		list = append(list, u)
	}
	return list
}
