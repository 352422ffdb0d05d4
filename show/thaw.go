package show

import (
	"strings"

	"elfwright/elffile"
	"elfwright/freeze/note"
	"elfwright/freeze/script"
)

// thawHead says where the script of a frozen process is.
type thawHead struct {
	pid   int
	base  uint64
	steps int
}

func (h *thawHead) text(t *text) {
	t.title("Thaw script of process "+decString(uint64(max(h.pid, 0))), "")
	t.str(" at ")
	t.zx(h.base)
	t.str(", ")
	t.count(h.steps, "step", "steps")
	t.str(":")
	t.nl()
}

func (h *thawHead) json(o *object) {
	o.int("pid", int64(h.pid))
	o.hex("addr", h.base)
	o.num("steps", uint64(h.steps))
}

// thawRow is a step.
type thawRow struct {
	number int
	wide   int
	script *script.Script
	rec    *script.Record
}

func (r *thawRow) text(t *text) {
	t.dec(uint64(r.number), r.wide)
	t.str("  ")
	t.names(r.script.Print(r.rec))
	t.nl()
}

func (r *thawRow) json(o *object) {
	o.num("step", uint64(r.number))
	o.str("operation", r.rec.Op.String())
	o.names("text", r.script.Print(r.rec))
	if m := r.script.Message(r.rec); m != "" {
		o.names("message", strings.TrimPrefix(m, "thaw: "))
	}
	if to := r.script.Target(r.rec); to >= 0 {
		o.num("target", uint64(to))
	}
}

// showThaw prints what a frozen file does before its process goes on, step by step.
func showThaw(p *printer) {
	list, err := note.Read(p.f)
	p.warn(err)
	if len(list) == 0 && err == nil {
		p.remark("There is no thaw script in this file.")
	}
	seen := make(map[uint64]bool)
	for _, n := range list {
		if seen[n.Script] { // processes of a tree may share one
			continue
		}
		seen[n.Script] = true
		s, err := p.script(n)
		if err != nil {
			p.warn(err)
			continue
		}
		p.table(&thawHead{n.PID, n.Script, len(s.Records)})
		r := &thawRow{script: s, wide: len(decString(uint64(len(s.Records))))}
		for i := range s.Records {
			r.number, r.rec = i, &s.Records[i]
			if !p.spend(script.RecordSize) {
				break
			}
			p.row(r)
		}
		p.end()
	}
}

// script finds the script of a process in the segments.
func (p *printer) script(n *note.Process) (*script.Script, error) {
	off, size, ok := p.f.OffsetOf(n.Script)
	if !ok || p.m == nil {
		return nil, &elffile.Error{File: p.f.Name, Struct: "note of a frozen process", Field: "Script", Off: -1, Msg: "0x" + hexString(n.Script) + " is in no segment of a machine that is known"}
	}
	b, err := p.f.Body.Bytes(off, size)
	if err != nil {
		return nil, err
	}
	s, err := script.Parse(p.m, n.Script, b)
	if e, ok := err.(*elffile.Error); ok {
		e.File = p.f.Name
		e.Off += int64(off)
	}
	return s, err
}
