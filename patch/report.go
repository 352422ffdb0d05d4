package patch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/phdr"
)

// ReportVersion is the version of the report's JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says what was written.
type Report struct {
	Version  int            `json:"version"`
	File     string         `json:"file"`
	Output   string         `json:"output,omitempty"` // set by whoever writes it
	Writes   []Write        `json:"writes"`
	Grown    []Grown        `json:"grown"` // PT_LOADs with more bytes in the file
	Size     phdr.Sizes     `json:"size"`
	Warnings []phdr.Warning `json:"warnings"`
}

// Write is bytes that were written.
type Write struct {
	Place   string   `json:"place"`   // as it was asked for
	Symbol  string   `json:"symbol"`  // "" where it was found by a section or an address
	Section string   `json:"section"` // the same of a section
	Source  string   `json:"source"`  // the file that has the symbol or section
	Type    string   `json:"type"`    // "" if nothing needed it
	Via     string   `json:"via"`     // "in place", "saved copy", "relocation", "reset table"
	Address phdr.Hex `json:"address"`
	Offset  phdr.Hex `json:"offset"` // in the new file; 0 where zeros stay zeros without bytes there
	Size    uint64   `json:"size"`
	Old     string   `json:"old"` // hexadecimal; of more than 256 bytes the first, and "…"
	New     string   `json:"new"`
	Digest  string   `json:"sha256,omitempty"` // of new, where that is not shown whole
}

// Grown is a PT_LOAD whose zeros are in the file now.
type Grown struct {
	Index  int      `json:"index"`
	Filesz phdr.Hex `json:"filesz"`
	Was    phdr.Hex `json:"was"`
}

// shownBytes is how many bytes of a value a report has.
const shownBytes = 256

// report tells what became of the edits.
func (a *applier) report(body *elffile.Body, grown *phdr.Report) *Report {
	r := &Report{Version: ReportVersion, File: a.img.Name, Writes: []Write{}, Grown: []Grown{}, Warnings: []phdr.Warning{},
		Size: phdr.Sizes{Before: a.img.Body.Size(), After: body.Size()}}
	r.Warnings = append(r.Warnings, a.warnings...)
	for _, e := range a.mem.edits {
		r.Writes = append(r.Writes, e.report(e.addr))
	}
	for _, e := range a.bare {
		r.Writes = append(r.Writes, e.report(0))
	}
	if grown != nil {
		for _, g := range a.growths {
			r.Grown = append(r.Grown, Grown{g.Index, phdr.Hex(max(g.Filesz, a.img.Progs[g.Index].Filesz)), phdr.Hex(a.img.Progs[g.Index].Filesz)})
		}
	}
	return r
}

func (e *edit) report(addr uint64) Write {
	w := Write{Via: e.via, Address: phdr.Hex(addr), Offset: phdr.Hex(e.off), Size: uint64(e.data.Size())}
	if g := e.g; g != nil {
		w.Place, w.Section, w.Source = g.label, g.section, g.file
		if g.sym != nil {
			w.Symbol = g.sym.name
		}
		if g.t != nil {
			w.Type = g.t.name
		}
	}
	b := make([]byte, min(e.data.Size(), shownBytes))
	e.data.ReadAt(b, 0)
	old := make([]byte, len(b))
	copy(old, e.old)
	w.Old, w.New = hex.EncodeToString(old), hex.EncodeToString(b)
	if e.data.Size() > shownBytes {
		w.Old, w.New = w.Old+"…", w.New+"…"
		h := sha256.New()
		io.Copy(h, io.NewSectionReader(e.data, 0, e.data.Size()))
		w.Digest = hex.EncodeToString(h.Sum(nil))
	}
	return w
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &printer{w: w}
	name := r.File
	if r.Output != "" {
		name += " -> " + r.Output
	}
	t.line("%s: %s", name, count(len(r.Writes), "write"))
	for _, x := range r.Writes {
		t.line("  %s: %s", x.Place, x.text())
	}
	for _, g := range r.Grown {
		t.line("  program header %d has 0x%x bytes in the file, had 0x%x", g.Index, g.Filesz, g.Was)
	}
	if r.Size.Before != r.Size.After {
		t.line("  file: %d bytes, was %d (%+d)", r.Size.After, r.Size.Before, r.Size.After-r.Size.Before)
	}
	for _, x := range r.Warnings {
		t.line("  warning: %s (%s)", x.Text, x.Code)
	}
	return t.err
}

func (x Write) text() string {
	where := fmt.Sprintf("0x%x", x.Address)
	if x.Address == 0 && x.Symbol == "" && x.Section != "" {
		where = "section " + x.Section
	}
	if x.Offset != 0 {
		where += fmt.Sprintf(", file offset 0x%x", x.Offset)
	}
	if x.Via != "in place" {
		where += ", " + x.Via
	}
	return fmt.Sprintf("%s at %s: %s -> %s", count(int(x.Size), "byte"), where, shorten(x.Old), shorten(x.New))
}

// shorten cuts bytes for a line of text.
func shorten(s string) string {
	const most = 32
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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

// Reports are those of several outputs.
type Reports struct {
	Version int       `json:"version"`
	Outputs []*Report `json:"outputs"`
}

// WriteText prints one report after the other.
func (r *Reports) WriteText(w io.Writer) error {
	for _, one := range r.Outputs {
		if err := one.WriteText(w); err != nil {
			return err
		}
	}
	return nil
}
