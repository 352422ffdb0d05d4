package layout

import (
	"strings"

	"elfwright/ldscript"
)

// fill makes the bytes of a fill pattern. A number that begins with 0x and has no
// suffix has as many bytes as its digits say; anything else is a number of four
// bytes, the most significant first.
func (c *compiler) fill(f *ldscript.Fill) []byte {
	if f == nil {
		return nil
	}
	if n, ok := f.X.(*ldscript.Number); ok && !c.s.lldRules.wideFill {
		if b, ok := hexFill(n.Text); ok {
			return b
		}
	}
	e := ldscript.Eval{Env: asker{c.s}, Rules: c.s.rules}
	n, err := e.Address(f.X)
	if err != nil {
		c.fail(f.Pos, "", "a fill must be a constant: %v", err)
		return nil
	}
	return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

// fillFrom compiles FILL: what follows is filled with it. For lld all of the
// section is, unless "=" behind it says otherwise.
func (c *compiler) fillFrom(o *section, n *ldscript.FillStmt) {
	b := c.fill(&n.Fill)
	switch {
	case !c.s.lldRules.wideFill:
		o.body = append(o.body, &fillStmt{b})
	case o.stmt.Fill == nil:
		o.fill = b
	}
}

// hexFill reads 0x… digit by digit; an odd first digit is a byte of its own.
func hexFill(text string) ([]byte, bool) {
	t, ok := strings.CutPrefix(strings.ToLower(text), "0x")
	if !ok {
		return nil, false
	}
	if len(t)%2 == 1 {
		t = "0" + t
	}
	b := make([]byte, 0, len(t)/2)
	for i := 0; i < len(t); i += 2 {
		hi, ok1 := hexDigit(t[i])
		lo, ok2 := hexDigit(t[i+1])
		if !ok1 || !ok2 {
			return nil, false
		}
		b = append(b, hi<<4|lo)
	}
	return b, len(b) > 0
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// overlay compiles OVERLAY: sections at one address, loaded one behind the
// other.
func (c *compiler) overlay(n *ldscript.Overlay) {
	s := c.s
	if len(n.Sections) == 0 {
		return
	}
	ov := &overlay{}
	var members []string
	for i, m := range n.Sections {
		o := c.section(m)
		o.kind, o.overlay, o.subalign = inOverlay, ov, n.Subalign
		o.addr = n.Addr
		if i > 0 {
			o.addr = &ldscript.NameCall{Pos: m.Pos, Func: "ADDR", Name: n.Sections[0].Name}
		} else {
			o.kind, o.at = firstInOverlay, n.AtAddr
		}
		c.sectionRegions(o, m.Pos, n.Region, n.AtRegion)
		if o.fill == nil {
			o.fill = c.fill(n.Fill)
		}
		if o.phdrs == nil {
			o.phdrs = n.Phdrs
		}
		ov.sections = append(ov.sections, o)
		members = append(members, o.name)
		s.body = append(s.body, o)
		s.addSection(o)
		c.loadSymbols(m)
	}
	ov.sections[len(ov.sections)-1].symbols = true // the counter moves even behind empty ones
	if n.NoCrossRefs {
		s.cmds.NoCrossRefs = append(s.cmds.NoCrossRefs, NoCrossRefs{Sections: members, Pos: n.Pos})
	}
}

// loadSymbols provides the symbols with which an overlay's member is copied.
func (c *compiler) loadSymbols(m *ldscript.OutSection) {
	clean := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, m.Name)
	load := &ldscript.NameCall{Pos: m.Pos, Func: "LOADADDR", Name: m.Name}
	size := &ldscript.NameCall{Pos: m.Pos, Func: "SIZEOF", Name: m.Name}
	for _, a := range []*ldscript.Assign{
		{Pos: m.Pos, Name: "__load_start_" + clean, Op: "=", X: load, Provide: true},
		{Pos: m.Pos, Name: "__load_stop_" + clean, Op: "=", X: &ldscript.Binary{Pos: m.Pos, Op: "+", X: load, Y: size}, Provide: true},
	} {
		c.s.body = append(c.s.body, c.assign(a, nil))
	}
}
