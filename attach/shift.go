package attach

import (
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/phdr"
)

// Shifted is a file whose offsets are translated, and what was done.
type Shifted struct {
	Body   *elffile.Body
	Report *ShiftReport
}

// ShiftReport says how a file's offsets were translated.
type ShiftReport struct {
	Version  int      `json:"version"`
	File     string   `json:"file"`
	By       int64    `json:"by"`       // what was added to each
	From     int64    `json:"from"`     // by how much they were translated before
	To       int64    `json:"to"`       // and are now: where the file has to begin in the outer one
	Align    phdr.Hex `json:"align"`    // what To must be a multiple of, so that its PT_LOADs can be mapped
	Programs int      `json:"programs"` // program headers
	Sections int      `json:"sections"` // section headers
	Warnings []string `json:"warnings"`
}

// Shift adds n to every file offset in the headers of an ELF file, so that they
// are right where the file is a part of another one. It finds out by itself what
// was added before. Unless force is set it refuses a translation with which the
// PT_LOADs could not be mapped.
func Shift(f *elffile.File, n int64, force bool) (*Shifted, error) {
	from, err := elffile.Translation(f, -n)
	if err != nil {
		return nil, err
	}
	to := from + n
	if (n >= 0) != (to >= from) {
		return nil, fmt.Errorf("%s: file offsets are translated by %d, and %d more are beyond 64 bits", f.Name, from, n)
	}
	body, err := elffile.Translate(f, from, to)
	if err != nil {
		return nil, err
	}
	plain, err := elffile.Translate(f, from, 0)
	if err != nil {
		return nil, err
	}
	g, err := elffile.ParseBody(f.Name, plain)
	if err != nil {
		return nil, err
	}
	align, err := objectAlign(g)
	if err != nil {
		return nil, err
	}
	r := &ShiftReport{
		Version: ReportVersion, File: f.Name, By: n, From: from, To: to, Align: phdr.Hex(align),
		Programs: len(g.Progs), Sections: len(g.Sections()), Warnings: []string{},
	}
	if to&int64(align-1) != 0 {
		why := fmt.Sprintf("offset %d is not a multiple of 0x%x: the PT_LOADs could not be mapped from there", to, align)
		if !force {
			return nil, &Refusal{f.Name, why + "; --force does it all the same"}
		}
		r.Warnings = append(r.Warnings, why)
	}
	return &Shifted{body, r}, nil
}

// WriteText prints the report for people.
func (r *ShiftReport) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: the offsets of %d program headers and %d section headers were right for a file that begins at %d, and are for one that begins at %d (%+d)\n",
		r.File, r.Programs, r.Sections, r.From, r.To, r.By)
	for _, x := range r.Warnings {
		_, err = fmt.Fprintf(w, "  warning: %s\n", x)
	}
	return err
}
