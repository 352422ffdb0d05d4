package show

import (
	"elfwright/elffile"
	"elfwright/reset/table"
)

// showReset prints the table of what a reset restores: elfwright's or sel4-reset's.
func showReset(p *printer) {
	t, err := table.Find(p.f)
	p.warn(err)
	if t == nil {
		if err == nil {
			p.remark("A reset of this program restores nothing: it has no table.")
		}
		return
	}
	p.table(&resetHead{t, p.f})
	r := &resetRow{wide: p.addrDigits()}
	for when, list := range [][]table.Entry{t.Once, t.Each} {
		for _, e := range list {
			r.Entry, r.when = e, [...]string{"first", "each"}[when]
			p.row(r)
		}
	}
	for _, k := range t.Kept {
		r.Entry, r.when = table.Entry{Dst: k.Addr, Size: k.Size}, k.Why.String()
		p.row(r)
	}
	p.end()
}

// resettable says whether a file has such a table, as far as its headers tell.
func resettable(f *elffile.File) bool {
	for i := range f.Progs {
		if t := f.Progs[i].Type; t == table.ProgType || t == table.Sel4ProgType {
			return true
		}
	}
	return false
}

// resetHead is what the rows have in common.
type resetHead struct {
	t *table.Table
	f *elffile.File
}

func (h *resetHead) format() string {
	if h.t.Sel4 {
		return "sel4-reset"
	}
	return "elfwright"
}

// flags are those of the table, as words.
func (h *resetHead) flags() []string {
	words := []string{}
	for _, f := range []struct {
		bit  uint32
		word string
	}{{table.Deflated, "deflated"}, {table.Code, "code"}, {table.Hooked, "hooked"}, {table.Linux, "linux"}, {table.Fresh, "fresh"}} {
		if h.t.Flags&f.bit != 0 {
			words = append(words, f.word)
		}
	}
	return words
}

func (h *resetHead) text(t *text) {
	t.title("Reset table of "+h.format(), "")
	t.str(" (program header ")
	t.dec(uint64(h.t.Prog), 0)
	t.str(", at ")
	t.zx(h.t.Addr)
	t.str("):")
	t.nl()
	if !h.t.Sel4 {
		t.str("  entry ")
		t.zx(h.t.Code)
		t.str(", which goes on at ")
		t.zx(h.t.Entry)
		t.str("; registers at ")
		t.zx(h.t.Slot)
		t.str("; ")
		t.count(h.t.Free(h.f.Format), "row free", "rows free")
		for _, w := range h.flags() {
			t.str("; ")
			t.str(w)
		}
		t.nl()
	}
	t.heads("  Memory and its size                  Copy and its size                    When")
}

func (h *resetHead) json(o *object) {
	o.str("format", h.format())
	o.num("program_header", uint64(h.t.Prog))
	o.hex("address", h.t.Addr)
	if h.t.Sel4 {
		return
	}
	o.hex("entry", h.t.Code)
	o.hex("program", h.t.Entry)
	o.hex("slot", h.t.Slot)
	o.num("rows_free", uint64(h.t.Free(h.f.Format)))
	o.strs("flags", h.flags())
}

// resetRow is one row: memory that is restored at the first start or at each, or
// left as it is.
type resetRow struct {
	table.Entry
	when string
	wide int
}

func (r *resetRow) text(t *text) {
	field := func(v, n uint64) {
		t.str("0x")
		t.hex(v, r.wide)
		t.str(" 0x")
		t.hex(n, 6)
	}
	t.str("  ")
	field(r.Dst, r.Size)
	t.column(39)
	switch {
	case r.SrcSize > 0:
		field(r.Src, r.SrcSize)
	case r.restored():
		t.str("zeros")
	default:
		t.str("-")
	}
	t.column(76)
	if r.restored() {
		t.str(r.when)
	} else {
		t.str("never: ")
		t.str(r.when)
	}
	t.nl()
}

func (r *resetRow) restored() bool { return r.when == "first" || r.when == "each" }

func (r *resetRow) json(o *object) {
	o.hex("destination", r.Dst)
	o.num("size", r.Size)
	o.hex("source", r.Src)
	o.num("source_size", r.SrcSize)
	if r.restored() {
		o.str("when", r.when)
		return
	}
	o.str("when", "never")
	o.str("because", r.when)
}
