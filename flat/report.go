package flat

import (
	"debug/elf"
	"fmt"
	"io"
	"strconv"
	"strings"

	"elfwright/elffile"
)

// ReportVersion is the version of the reports' JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Hex is a number that may need more than 53 bits, as addresses do: in JSON it is
// a string, "0x1000", so that no reader rounds it.
type Hex uint64

// MarshalText gives JSON its string.
func (h Hex) MarshalText() ([]byte, error) {
	return strconv.AppendUint([]byte("0x"), uint64(h), 16), nil
}

// UnmarshalText reads what MarshalText writes.
func (h *Hex) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 0, 64)
	*h = Hex(v)
	return err
}

// Report says where the bytes of a program went.
type Report struct {
	Version  int       `json:"version"`
	File     string    `json:"file"`
	Format   Format    `json:"format"`
	Mode     string    `json:"mode"`  // "sections", "segments"
	By       string    `json:"by"`    // "physical", "virtual"
	Base     Hex       `json:"base"`  // address of the first byte
	End      Hex       `json:"end"`   // behind the last one
	Size     int64     `json:"size"`  // of the output
	Entry    *Hex      `json:"entry"` // of the start record; null: there is none
	Pieces   []Place   `json:"pieces"`
	Gaps     []Gap     `json:"gaps"`
	Warnings []Warning `json:"warnings"`

	Map bool `json:"-"` // the text has a line for each piece

	dropped int
}

// Place is where a piece came from and where it went.
type Place struct {
	Source  string `json:"source"` // "section", "segment", "fill"
	Index   int    `json:"index"`  // of its header; -1 for a fill
	Name    string `json:"name"`
	Offset  Hex    `json:"offset"` // in the ELF file
	Address Hex    `json:"address"`
	Size    uint64 `json:"size"`
	At      int64  `json:"output_offset"`
	Length  int64  `json:"output_size"`
}

// Gap is a range between the pieces that the output has no bytes for, or holes.
type Gap struct {
	Address Hex    `json:"address"`
	Size    uint64 `json:"size"`
}

// Warning is something that may surprise. Codes are stable.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func newReport(f *elffile.File, opt Options) *Report {
	return &Report{Version: ReportVersion, File: f.Name, Format: opt.Format, Pieces: []Place{}, Gaps: []Gap{}, Warnings: []Warning{}}
}

// maxWarnings bounds what a report says; a file with a million oddities has one.
const maxWarnings = 20

func (r *Report) warn(code, format string, args ...any) {
	if len(r.Warnings) < maxWarnings {
		r.Warnings = append(r.Warnings, Warning{code, fmt.Sprintf(format, args...)})
	} else if r.dropped++; r.dropped > 0 {
		r.Warnings[maxWarnings-1] = Warning{"more", fmt.Sprintf("and %d more", r.dropped+1)}
	}
}

// place notes where a piece went in the output.
func (r *Report) place(p *piece, at, n int64) {
	if k := len(r.Pieces); p.kind == "fill" && k > 0 {
		// Fills that were cut for the format's sake are one to the reader.
		if l := &r.Pieces[k-1]; l.Source == "fill" && uint64(l.Address)+l.Size == p.at && l.At+l.Length == at {
			l.Size += p.size()
			l.Length += n
			return
		}
	}
	r.Pieces = append(r.Pieces, Place{p.kind, p.index, p.name, Hex(p.off), Hex(p.at), p.size(), at, n})
}

// noteGaps lists what lies between the pieces, and warns where memory that a
// segment wants to be zero is filled with something else.
func (fl *flattening) noteGaps() {
	fl.tops(func(below, above *piece) bool {
		from := below.last() + 1
		fl.report.Gaps = append(fl.report.Gaps, Gap{Hex(from), above.at - from})
		return true
	})
	if fl.opt.Fill == nil || *fl.opt.Fill == 0 {
		return
	}
	for i := range fl.Progs {
		p := &fl.Progs[i]
		at := p.Paddr
		if fl.report.By == "virtual" {
			at = p.Vaddr
		}
		if p.Type == elf.PT_LOAD && p.Memsz > p.Filesz && at+p.Filesz < fl.end && at+p.Filesz >= fl.base {
			fl.report.warn("filled-zeros", "program header %d wants zeros at [0x%x, 0x%x), and what is in the output there is filled with 0x%x", i, at+p.Filesz, at+p.Memsz, *fl.opt.Fill)
		}
	}
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &lines{w: w}
	t.line("%s: %s by %s at their %s addresses: [0x%x, 0x%x), %d bytes of output", r.File, r.Format, r.Mode, r.By, uint64(r.Base), uint64(r.End), r.Size)
	if r.Entry != nil {
		t.line("  start address 0x%x", uint64(*r.Entry))
	}
	for _, g := range r.Gaps {
		if r.Map || len(r.Gaps) <= 8 {
			t.line("  gap [0x%x, 0x%x), 0x%x bytes", uint64(g.Address), uint64(g.Address)+g.Size, g.Size)
		}
	}
	if !r.Map && len(r.Gaps) > 8 {
		t.line("  %d gaps; --map lists them", len(r.Gaps))
	}
	if r.Map {
		r.writeMap(t)
	}
	for _, x := range r.Warnings {
		t.line("  warning: %s (%s)", x.Text, x.Code)
	}
	return t.err
}

// writeMap prints a line for each piece.
func (r *Report) writeMap(t *lines) {
	t.line("  %-26s %18s %18s %12s    %s", "what", "file offset", "address", "size", "in the output")
	for _, p := range r.Pieces {
		what := strings.TrimSpace(fmt.Sprintf("%s %d %s", p.Source, p.Index, p.Name))
		off := fmt.Sprintf("0x%x", uint64(p.Offset))
		if p.Source == "fill" {
			what, off = "fill", ""
		}
		t.line("  %-26s %18s %18s %12s    [0x%x, 0x%x)", what, off, fmt.Sprintf("0x%x", uint64(p.Address)), fmt.Sprintf("0x%x", p.Size), p.At, p.At+p.Length)
	}
}

// lines writes lines and keeps the first error.
type lines struct {
	w   io.Writer
	err error
}

func (t *lines) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}
