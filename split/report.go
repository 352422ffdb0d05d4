package split

import (
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"elfwright/match"
)

// ReportVersion is the version of the reports' JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says what went where.
type Report struct {
	Version  int       `json:"version"`
	File     string    `json:"file"`
	Bytes    int64     `json:"bytes"`    // of the program
	BuildID  string    `json:"build_id"` // in hexadecimal; "" if there is none
	Image    Output    `json:"image"`
	Symbols  Output    `json:"symbols"`
	Link     *Link     `json:"debuglink"` // null if the image names no file
	Parts    []Part    `json:"parts"`
	Warnings []Warning `json:"warnings"`
}

// Output is one of the two files.
type Output struct {
	Bytes    int64 `json:"bytes"`
	Sections int   `json:"sections"` // section headers, that of index 0 included
}

// Link is what the image's .gnu_debuglink says.
type Link struct {
	Name string `json:"name"`
	CRC  string `json:"crc"` // "0x1a2b3c4d"
}

// Part is bytes of the program of one kind.
type Part struct {
	Kind  string `json:"kind"`  // "program", "notes", "symbols", "debug", "other", "rest", "zeros"
	Where string `json:"where"` // "image", "symbols", "both", "neither"
	Bytes uint64 `json:"bytes"`
	What  string `json:"what"` // in words
}

// Warning is something that may surprise. Codes are stable.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// The kinds of parts.
const (
	partProgram = iota
	partNotes
	partSymbols
	partDebug
	partOther
	partRest
	partZeros
	partCount
)

var partKinds = [partCount]Part{
	partProgram: {Kind: "program", Where: "image", What: "headers, and what program headers name"},
	partNotes:   {Kind: "notes", Where: "both", What: "copied, so that the build-id is in both"},
	partSymbols: {Kind: "symbols", Where: "symbols", What: "symbol tables and their strings"},
	partDebug:   {Kind: "debug", Where: "symbols", What: "debug information"},
	partOther:   {Kind: "other", Where: "symbols", What: "other sections that are not loaded"},
	partRest:    {Kind: "rest", Where: "symbols", What: "bytes that no header names, in .elfwright.split"},
	partZeros:   {Kind: "zeros", Where: "neither", What: "padding; join restores it"},
}

// part counts bytes of a kind.
func (s *splitter) part(kind int, n uint64) { s.parts[kind].Bytes += n }

// kindOf says what a section that is not loaded is for.
func (s *splitter) kindOf(i int) int {
	sec := &s.secs[i]
	name := s.SectionName(i)
	switch {
	case sec.Type == elf.SHT_SYMTAB || sec.Type == elf.SHT_SYMTAB_SHNDX || sec.Type == elf.SHT_STRTAB && s.strings[uint32(i)]:
		return partSymbols
	case sec.Has(elf.SHF_ALLOC):
		return partOther
	}
	for _, prefix := range []string{".debug", ".zdebug", ".gdb_index", ".gnu_debug", ".stab", ".line"} {
		if strings.HasPrefix(name, prefix) && name != match.LinkSection {
			return partDebug
		}
	}
	return partOther
}

// findStrings notes which sections have the names of a symbol table.
func (s *splitter) findStrings() {
	s.strings = make(map[uint32]bool)
	for i := range s.secs {
		if s.secs[i].Type == elf.SHT_SYMTAB {
			s.strings[s.secs[i].Link] = true
		}
	}
}

func (s *splitter) report() *Report {
	r := &Report{
		Version: ReportVersion, File: s.Name, Bytes: s.Body.Size(), BuildID: hex.EncodeToString(match.BuildID(s.File)),
		Parts: []Part{}, Warnings: []Warning{},
	}
	r.Image = Output{Bytes: s.image.Size()}
	r.Image.Sections = s.imageSections
	if s.linked && s.imageSections > 0 {
		r.Link = &Link{s.opt.Link, fmt.Sprintf("0x%08x", s.sum)}
	}
	r.Symbols = Output{Bytes: s.symbols.Size(), Sections: max(len(s.secs), 1) + 1}
	s.part(partProgram, s.program.size())
	for kind, p := range partKinds {
		p.Bytes = s.parts[kind].Bytes
		r.Parts = append(r.Parts, p)
	}
	s.warnings = append(s.warnings, s.finding(r.BuildID != "")...)
	r.Warnings = append(r.Warnings, s.warnings...)
	return r
}

// finding says what is in the way of a debugger that looks for the file with
// symbols by itself.
func (s *splitter) finding(id bool) []Warning {
	switch {
	case s.parts[partSymbols].Bytes+s.parts[partDebug].Bytes == 0:
		return []Warning{{"no-symbols", "the program has neither symbols nor debug information that is not loaded"}}
	case s.opt.Sections == None && id:
		return []Warning{{"not-found", "gdb does not look for the symbols of a file without section headers: say symbol-file there; eu-addr2line and others find them by the build-id"}}
	case s.opt.Sections == None:
		return []Warning{{"not-found", "the program has no build-id, and the image no section headers: nothing leads from one file to the other. A build-id would take a program header and loaded bytes, so none is made; link with --build-id"}}
	case !id:
		return []Warning{{"no-build-id", "the program has no build-id: .gnu_debuglink alone leads to the symbols. A build-id would take a program header and loaded bytes, so none is made; link with --build-id"}}
	}
	return nil
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s: %d bytes\n", r.File, r.Bytes); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range r.Parts {
		if p.Bytes > 0 {
			fmt.Fprintf(t, "  %s\t%d\tto %s: %s\n", p.Kind, p.Bytes, p.where(), p.What)
		}
	}
	fmt.Fprintf(t, "image\t%d\tbytes, %s\n", r.Image.Bytes, r.Image.sections())
	fmt.Fprintf(t, "symbols\t%d\tbytes, %s\n", r.Symbols.Bytes, r.Symbols.sections())
	if err := t.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	if r.Link != nil {
		fmt.Fprintf(&b, "debuglink: %s, CRC %s\n", r.Link.Name, r.Link.CRC)
	}
	if r.BuildID != "" {
		fmt.Fprintf(&b, "build-id: %s\n", r.BuildID)
	}
	for _, x := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s (%s)\n", x.Text, x.Code)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Part) where() string {
	if p.Where == "symbols" || p.Where == "image" {
		return "the " + p.Where
	}
	return p.Where
}

func (o Output) sections() string {
	if o.Sections == 0 {
		return "no section headers"
	}
	return strconv.Itoa(o.Sections) + " section headers"
}
