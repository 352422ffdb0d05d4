package compare

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// compareSymbol says how the bytes of a symbol differ; nil if they do not, or
// if one of the files has none of them. What differs goes to the content.
func (c *comparison) compareSymbol(i, j int32) *Bytes {
	s, t := &c.a.syms[i], &c.b.syms[j]
	// One of them has the bytes to itself: names that overlap do not multiply
	// them. Those of another owner are compared with its.
	if s.area == none || t.area == none || s.size == 0 || t.size == 0 || s.canon != i && t.canon != j {
		return nil
	}
	if c.equal[t.area] && c.areas.toOld[t.area] == s.area && s.off == t.off && s.size == t.size {
		return nil
	}
	x, y := c.a.symbolBytes(s), c.b.symbolBytes(t)
	if x == nil || y == nil || bytes.Equal(x, y) {
		return nil
	}
	u := unit{x: x, y: y, oldArea: s.area, newArea: t.area, oldOff: s.off, newOff: t.off, sym: j}
	return c.differ(&u)
}

// A unit is two runs of bytes that are compared.
type unit struct {
	x, y             []byte
	oldArea, newArea int32
	oldOff, newOff   uint64 // in the areas
	sym              int32  // new symbol, or none
	after            bool   // the bytes that follow it
}

// differ compares the bytes of a unit and adds it to the content.
func (c *comparison) differ(u *unit) *Bytes {
	var refs []span
	if len(u.x) == len(u.y) {
		refs = c.references(u)
	}
	b := differing(u.x, u.y, refs)
	if b == nil {
		return nil
	}
	if len(b.Ranges) == 0 && b.OldSize == b.NewSize {
		return b // references alone
	}
	a := &c.b.areas[u.newArea]
	r := Unit{Area: c.b.areaName(a), After: u.after, Bytes: *b}
	r.OldAddr, r.OldOff = c.a.whereIs(u.oldArea, u.oldOff)
	r.NewAddr, r.NewOff = c.b.whereIs(u.newArea, u.newOff)
	if u.sym != none {
		s := &c.b.syms[u.sym]
		r.Symbol = s.name
		if u.after {
			r.Base = Hex(u.newOff - s.off)
		}
	} else {
		r.Base = Hex(u.newOff)
	}
	c.Content = append(c.Content, r)
	return b
}

// whereIs gives the address and the file offset of a place in an area.
func (m *model) whereIs(at int32, off uint64) (addr, file *Hex) {
	a := &m.areas[at]
	if a.alloc && !m.rel {
		addr = ptr(Hex(a.addr + off))
	}
	if a.data != nil {
		file = ptr(Hex(a.off + off))
	}
	return addr, file
}

// content compares what no symbol has: the bytes between symbols, areas without
// symbols, and what no header names. The symbols were compared before.
func (c *comparison) content() {
	for j := range c.b.areas {
		i := c.areas.toOld[j]
		b := &c.b.areas[j]
		if i == none {
			c.onlyIn(c.b, int32(j))
			continue
		}
		a := &c.a.areas[i]
		if c.equal[int32(j)] || b.meta || a.data == nil || b.data == nil || !c.isContent(b) {
			continue
		}
		if b.kind != inSection && isPadding(a.data) && isPadding(b.data) {
			continue // how much there is of it, the sizes tell
		}
		if len(a.pieces) == 0 || len(b.pieces) == 0 {
			c.differ(&unit{x: a.data, y: b.data, oldArea: i, newArea: int32(j), sym: none})
			continue
		}
		for k := range b.pieces {
			if p := &b.pieces[k]; p.gap {
				c.compareGap(i, int32(j), p)
			}
		}
	}
	for i := range c.a.areas {
		if c.areas.toNew[i] == none {
			c.onlyIn(c.a, int32(i))
		}
	}
	slices.SortStableFunc(c.Content, func(x, y Unit) int {
		return cmp.Or(cmp.Compare(order(&x), order(&y)), strings.Compare(x.Area, y.Area), cmp.Compare(x.Base, y.Base))
	})
}

// order is where a unit stands in the content: by file offset.
func order(u *Unit) Hex {
	switch {
	case u.NewOff != nil:
		return *u.NewOff
	case u.OldOff != nil:
		return *u.OldOff
	}
	return 0
}

// isContent says whether an area's bytes are listed by their places: those of
// the program, and those that no section names. The others, such as debugging
// information, are one number beside their section.
func (c *comparison) isContent(a *area) bool { return a.alloc || a.kind != inSection }

// onlyIn adds bytes without a section that one file alone has: of a section
// that came or went, the section headers tell.
func (c *comparison) onlyIn(m *model, i int32) {
	a := &m.areas[i]
	if a.kind != inSegment && a.kind != unclaimed && a.kind != overlay || isPadding(a.data) {
		return
	}
	u := Unit{Area: m.areaName(a)}
	addr, off := m.whereIs(i, 0)
	if m == c.b {
		u.NewAddr, u.NewOff, u.Bytes.NewSize = addr, off, Size(a.size)
	} else {
		u.OldAddr, u.OldOff, u.Bytes.OldSize = addr, off, Size(a.size)
	}
	c.Content = append(c.Content, u)
}

// compareGap compares the bytes that follow a symbol up to the next one with
// those that followed it before. Their number changes with every function
// before them, because they are padding; so a change of that alone is not told,
// unless the symbol has no size, and they may be its own.
func (c *comparison) compareGap(i, j int32, p *piece) {
	b := &c.b.areas[j]
	if q, at := c.oldGap(i, p); q != nil {
		a := &c.a.areas[at]
		own := p.sym != none && c.b.syms[p.sym].label
		if q.size() == p.size() || own {
			x, y := cut(a.data, q), cut(b.data, p)
			if n := min(len(x), len(y)); own && isPadding(x[n:]) && isPadding(y[n:]) {
				x, y = x[:n], y[:n]
			}
			if !bytes.Equal(x, y) && (own || !isPadding(x) || !isPadding(y)) {
				c.differ(&unit{x: x, y: y, oldArea: at, newArea: j, oldOff: q.from, newOff: p.from, sym: p.sym, after: true})
			}
			return
		}
	}
	a := &c.a.areas[i]
	if a.addr != b.addr || a.size != b.size || c.a.rel {
		return
	}
	// Everything is where it was: the place is enough to compare by.
	q := a.pieceAt(p.from)
	if q == nil || !q.gap {
		return
	}
	r := piece{from: p.from, to: min(p.to, q.to)}
	if x, y := cut(a.data, &r), cut(b.data, &r); !bytes.Equal(x, y) {
		c.differ(&unit{x: x, y: y, oldArea: i, newArea: j, oldOff: r.from, newOff: r.from, sym: p.sym, after: true})
	}
}

// oldGap finds the bytes that followed a new piece's symbol before.
func (c *comparison) oldGap(i int32, p *piece) (q *piece, at int32) {
	if p.sym == none {
		if q = &c.a.areas[i].pieces[0]; q.sym != none {
			return nil, 0
		}
		return q, i
	}
	s := c.syms.toOld[p.sym]
	if s == none || c.a.gapOf[s].area == none {
		return nil, 0
	}
	at = c.a.gapOf[s].area
	return &c.a.areas[at].pieces[c.a.gapOf[s].piece], at
}

// cut is what data has of a piece.
func cut(data []byte, p *piece) []byte {
	n := uint64(len(data))
	return data[min(p.from, n):min(p.to, n)]
}

// isPadding says whether bytes are those that assemblers and linkers put
// between functions: zeros, one-byte and long no-operations and traps of x86.
// Those of other machines have one length, and so one form.
func isPadding(b []byte) bool {
	for _, c := range b {
		switch c {
		case 0, 0x90, 0xcc, 0x66, 0x2e, 0x0f, 0x1f, 0x40, 0x44, 0x80, 0x84:
		default:
			return false
		}
	}
	return true
}
