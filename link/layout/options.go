package layout

import (
	"elfwright/ldscript"
	"elfwright/link/model"
)

// sectionStart is an address that an option gives to an output section.
type sectionStart struct {
	name, option string
	segment      string // its name in SEGMENT_START: then the option is void where a script uses that
	addr         uint64
}

// options notes what options say of addresses.
func (c *compiler) options() {
	for _, o := range segmentOptions(c.s.opt) {
		if o.value != nil {
			c.s.starts[o.segment] = *o.value
			c.starts = append(c.starts, sectionStart{"." + o.segment, o.option, o.segment, *o.value})
		}
	}
	for _, o := range c.s.opt.SectionStart {
		c.starts = append(c.starts, sectionStart{name: o.Name, option: "--section-start", addr: o.Addr})
	}
}

type segmentOption struct {
	option, segment string
	value           *uint64
}

func segmentOptions(opt *model.Options) []segmentOption {
	return []segmentOption{
		{"-Ttext", "text", opt.Text},
		{"-Tdata", "data", opt.Data},
		{"-Tbss", "bss", opt.Bss},
		{"-Ttext-segment", "text-segment", opt.TextSegment},
		{"-Trodata-segment", "rodata-segment", opt.RodataSegment},
		{"-Tldata-segment", "ldata-segment", opt.LdataSegment},
	}
}

// addresses carries out the options that set the address of an output section,
// and OVERWRITE_SECTIONS. A section that no script has is placed behind those of
// the scripts.
func (c *compiler) addresses() {
	c.overwrite()
	used := map[string]bool{}
	c.s.eachExpr(func(x ldscript.Expr) {
		switch x := x.(type) {
		case *ldscript.NameCall:
			if x.Func == "SEGMENT_START" {
				used[x.Name] = true
			}
		case *ldscript.Call:
			if x.Func == "SIZEOF_HEADERS" {
				c.s.cmds.UsesSizeofHeaders = true
			}
		}
	})
	for _, st := range c.starts {
		if st.segment != "" && used[st.segment] {
			continue
		}
		o := c.s.find(st.name)
		if o == nil {
			o = &section{name: st.name}
			c.s.body = append(c.s.body, o)
			c.s.addSection(o)
		}
		o.addr = &ldscript.Number{Value: st.addr}
		o.option, o.byOption = st.option, true
		c.s.byOption = append(c.s.byOption, o)
	}
	c.s.cmds.UsesPhdrs = len(c.s.phdrs) > 0 && !c.s.layered
}

// overwrite puts the sections of OVERWRITE_SECTIONS in the place of those of
// their names; the others wait for the orphans, among which they are placed.
func (c *compiler) overwrite() {
	for _, o := range c.over {
		old := c.s.find(o.name)
		if old == nil {
			o.orphan = true
			c.s.enter(o)
			c.s.floating = append(c.s.floating, o)
			continue
		}
		c.s.dropSpecs(old)
		id := old.id
		*old = *o
		old.id = id
		for _, st := range old.body {
			switch st := st.(type) {
			case *spec:
				st.in = old
			case *assign:
				st.in = old
			case *assertion:
				st.in = old
			}
		}
	}
}

// dropSpecs takes away the patterns of a section that is overwritten.
func (s *Script) dropSpecs(o *section) {
	kept := s.specs[:0]
	for _, sp := range s.specs {
		if sp.in != o {
			kept = append(kept, sp)
		}
	}
	s.specs = kept
}

// find is the first output section statement of a name whose constraint has not
// failed.
func (s *Script) find(name string) *section {
	for _, o := range s.byName[name] {
		if !o.off {
			return o
		}
	}
	return nil
}

// eachExpr calls f for all expressions of the statements.
func (s *Script) eachExpr(f func(ldscript.Expr)) {
	var in func(list []stmt)
	in = func(list []stmt) {
		for _, st := range list {
			switch st := st.(type) {
			case *section:
				walkExpr(st.addr, f)
				walkExpr(st.at, f)
				in(st.body)
			case *assign:
				walkExpr(st.x, f)
			case *assertion:
				walkExpr(st.X, f)
			case *data:
				walkExpr(st.x, f)
			}
		}
	}
	in(s.body)
}
