package layout

import (
	"debug/elf"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// findRelro notes whether a pattern between DATA_SEGMENT_ALIGN and
// DATA_SEGMENT_RELRO_END matches anything that is loaded, be it that another
// pattern took that: for GNU ld there is something to protect then. The default
// scripts have patterns twice, as of .eh_frame, for a section that is read-only
// and for one that is not.
func (m *matcher) findRelro(ids [][][]int32, objs []*model.Object) {
	in := m.s.relroSections()
	if len(in) == 0 {
		return
	}
	for i, o := range objs {
		for k, sec := range o.Sections {
			if sec == nil || !sec.Live || o.Linker || sec.Size == 0 || sec.Flags&elf.SHF_ALLOC == 0 {
				continue
			}
			for _, id := range ids[i][k] {
				if p := m.owner[id]; in[p.sp.in] && m.takes(p, sec, i, len(objs)) {
					m.s.seg.matched = true
					return
				}
			}
		}
	}
}

// relroSections are the output sections of the script's RELRO.
func (s *Script) relroSections() map[*section]bool {
	var in, open map[*section]bool
	for _, st := range s.body {
		switch st := st.(type) {
		case *section:
			if open != nil {
				open[st] = true
			}
		case *assign:
			switch {
			case calls(st.x, "DATA_SEGMENT_RELRO_END"):
				in, open = open, nil
			case calls(st.x, "DATA_SEGMENT_ALIGN"):
				open = map[*section]bool{}
			}
		}
	}
	return in
}

// calls says whether an expression has a call of a function in it.
func calls(x ldscript.Expr, fn string) (found bool) {
	walkExpr(x, func(x ldscript.Expr) {
		c, ok := x.(*ldscript.Call)
		found = found || ok && c.Func == fn
	})
	return found
}
