package reset

import (
	"fmt"
	"io"

	"elfwright/phdr"
	"elfwright/reset/table"
)

// ReportVersion is the version of the report's JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says what was done to a program.
type Report struct {
	Version  int            `json:"version"`
	File     string         `json:"file"`
	Shape    Shape          `json:"shape"`
	OS       OS             `json:"os"`
	OSWhy    string         `json:"os_because"`
	Fresh    bool           `json:"first_start_restores_nothing"`
	Hook     phdr.Hex       `json:"hook,omitempty"` // where the old way to start is changed
	Entry    phdr.Hex       `json:"entry"`          // e_entry now
	Program  phdr.Hex       `json:"program"`
	Table    phdr.Hex       `json:"table"`
	Slot     phdr.Hex       `json:"slot"`
	Code     uint64         `json:"code_bytes"`
	Rows     uint64         `json:"table_bytes"`
	Saved    uint64         `json:"saved_bytes"`
	Memory   uint64         `json:"memory_bytes"` // of the new segments
	Entries  []Entry        `json:"entries"`
	Kept     []Kept         `json:"kept"`
	Size     phdr.Sizes     `json:"size"`
	Notes    []string       `json:"notes"`
	Warnings []phdr.Warning `json:"warnings"`
	Check    *Check         `json:"check"`
	Phdr     *phdr.Report   `json:"phdr"`
}

// Entry is a row of the table.
type Entry struct {
	When    string   `json:"when"` // "first", "each"
	Dst     phdr.Hex `json:"destination"`
	Size    uint64   `json:"size"`
	Src     phdr.Hex `json:"source"`
	SrcSize uint64   `json:"source_size"`
}

// Kept is memory that is left as it is.
type Kept struct {
	Addr phdr.Hex `json:"address"`
	Size uint64   `json:"size"`
	Why  string   `json:"why"`
}

// notes hold for every program.
var notes = []string{
	"to reset, jump to e_entry (on Linux, AT_ENTRY) with one thread and interrupts masked",
	"a reset restores the program's memory: open files, mappings, the break, signal handlers, timers, floating-point modes, devices and capabilities stay as they are",
}

// entries are the rows of a table.
func entries(t *table.Table) []Entry {
	out := []Entry{}
	for _, e := range t.Once {
		out = append(out, Entry{"first", phdr.Hex(e.Dst), e.Size, phdr.Hex(e.Src), e.SrcSize})
	}
	for _, e := range t.Each {
		out = append(out, Entry{"each", phdr.Hex(e.Dst), e.Size, phdr.Hex(e.Src), e.SrcSize})
	}
	return out
}

func (n *install) describe(before, after int64) *Report {
	t := n.t
	r := &Report{
		Version: ReportVersion, File: n.f.Name, Shape: n.opt.Shape, OS: n.os, OSWhy: n.osWhy, Fresh: t.Flags&table.Fresh != 0, Entry: phdr.Hex(n.now.Header.Entry), Program: phdr.Hex(t.Entry),
		Table: phdr.Hex(t.Addr + t.TableOff), Slot: phdr.Hex(t.Slot), Code: t.CodeSize, Rows: t.Room, Saved: uint64(n.saved.Size()),
		Entries: entries(t), Kept: []Kept{}, Size: phdr.Sizes{Before: before, After: after}, Phdr: n.phdr, Warnings: n.warnings, Notes: notes,
	}
	if n.hook != nil {
		r.Hook = phdr.Hex(n.hook.at)
	}
	r.Memory = n.copied + uint64(n.saved.Size()) + slotWords*uint64(n.f.AddrSize())
	for _, k := range t.Kept {
		r.Kept = append(r.Kept, Kept{phdr.Hex(k.Addr), k.Size, k.Why.String()})
	}
	r.Warnings = append(r.Warnings, n.phdr.Warnings...)
	return r
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s: resettable, shape %s, system %s (%s)", r.File, r.Shape, r.OS, r.OSWhy)
	p.line("  entry 0x%x, which goes on at 0x%x", uint64(r.Entry), uint64(r.Program))
	p.line("  code 0x%x bytes, table 0x%x at 0x%x, copy 0x%x, registers at 0x%x", r.Code, r.Rows, uint64(r.Table), r.Saved, uint64(r.Slot))
	if r.Fresh {
		p.line("  the first start restores nothing")
	}
	if r.Hook != 0 {
		p.line("  hook: what is at 0x%x leads to the new entry, too", uint64(r.Hook))
	}
	for i, e := range r.Entries {
		if left := len(r.Entries) - i; i == shownRows && left > 1 {
			p.line("  and %d more pieces of memory; 'elfwright show --reset' prints all", left)
			break
		}
		p.line("  %s", e.text())
	}
	for _, k := range r.Kept {
		p.line("  left as it is: [0x%x, 0x%x), %s", uint64(k.Addr), uint64(k.Addr)+k.Size, k.Why)
	}
	p.line("  memory: 0x%x bytes more", r.Memory)
	p.line("  file: %d bytes, was %d (%+d)", r.Size.After, r.Size.Before, r.Size.After-r.Size.Before)
	for _, n := range r.Notes {
		p.line("  note: %s", n)
	}
	for _, x := range r.Warnings {
		p.line("  warning: %s (%s)", x.Text, x.Code)
	}
	if c := r.Check; c != nil {
		p.line("  proved: of a memory that was all changed 0x%x bytes are as at first, 0x%x left alone", c.Restored, c.Kept)
	}
	return p.err
}

// shownRows is how many rows of the table a report has.
const shownRows = 20

func (e Entry) text() string {
	when := ""
	if e.When == "first" {
		when = ", at the first start only"
	}
	if e.SrcSize == 0 {
		return fmt.Sprintf("[0x%x, 0x%x) zeros%s", uint64(e.Dst), uint64(e.Dst)+e.Size, when)
	}
	return fmt.Sprintf("[0x%x, 0x%x) from 0x%x, 0x%x bytes, then zeros%s", uint64(e.Dst), uint64(e.Dst)+e.Size, uint64(e.Src), e.SrcSize, when)
}

// WriteText prints the check for people.
func (c *Check) WriteText(w io.Writer) error {
	p := &printer{w: w}
	against := "itself at the first start"
	if c.Against != "" {
		against = c.Against
	}
	p.line("%s: resettable by the table of %s: 0x%x bytes of writable memory are as in %s, 0x%x are left as they are", c.File, c.Table, c.Restored, against, c.Kept)
	for _, x := range c.Warnings {
		p.line("  warning: %s (%s)", x.Text, x.Code)
	}
	return p.err
}

// printer writes lines and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
