package attach

import (
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"elfwright/elffile"
	"elfwright/payload"
	"elfwright/phdr"
)

// ReportVersion is the version of the report's and the listing's JSON form.
// Fields may be added to a version; none changes its meaning.
const ReportVersion = 1

// Report says what was done to a file.
type Report struct {
	Version   int            `json:"version"`
	File      string         `json:"file"`
	Action    string         `json:"action"`    // "add", "rm", "fix"
	Technique string         `json:"technique"` // how room was made in the program header table; see phdr
	Why       string         `json:"why"`
	Payloads  []Payload      `json:"payloads"` // all that the file carries now
	Size      phdr.Sizes     `json:"size"`
	Costs     []string       `json:"costs"`
	Warnings  []phdr.Warning `json:"warnings"`

	now *elffile.File
}

// Payload is a payload of a file.
type Payload struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"` // "file", "object", "tree"
	MediaType  string   `json:"media_type"`
	Mode       string   `json:"mode"` // octal: "0644"
	Size       phdr.Hex `json:"size"`
	Stored     phdr.Hex `json:"stored"`
	Compressed bool     `json:"compressed"`
	Align      phdr.Hex `json:"align"`
	Offset     phdr.Hex `json:"offset"` // in the file
	Loaded     bool     `json:"loaded"`
	Vaddr      phdr.Hex `json:"vaddr"`      // where, if it is
	Translated phdr.Hex `json:"translated"` // of an object: what was added to its file offsets
	Stale      bool     `json:"stale"`      // and this is not its offset any more
	Digest     string   `json:"sha256"`
	Bind       string   `json:"bind"`
	Self       bool     `json:"self"`
}

func newReport(action string, f *elffile.File) *Report {
	return &Report{
		Version: ReportVersion, File: f.Name, Action: action,
		Payloads: []Payload{}, Costs: []string{}, Warnings: []phdr.Warning{},
		Size: phdr.Sizes{Before: f.Body.Size()},
	}
}

// tell adds what phdr has done, and where the payloads are.
func (r *Report) tell(added *phdr.Report, now *elffile.File, list []*member) {
	r.Technique, r.Why = added.Technique, added.Why
	r.Costs = append(r.Costs, added.Costs...)
	r.Warnings = append(r.Warnings, added.Warnings...)
	r.Size.After = added.Size.After
	r.now = now
	for _, m := range list {
		if m.was != 0 && m.was != m.Off {
			r.Costs = append(r.Costs, fmt.Sprintf("payload %q moved from file offset 0x%x to 0x%x", m.Name, m.was, m.Off))
		}
		if !m.loaded {
			r.warn("unloaded", "payload %q is not loaded: tools move what is not loaded, eu-strip without the program header; it is found by section %s then", m.Name, payload.UnloadedSection)
		}
	}
	if len(now.Sections()) == 0 {
		r.warn("no-sections-payload", "the file has no section headers, and GNU strip and objcopy would not take it")
	}
}

// payloads lists what the file carries, once all is known of it.
func (r *Report) payloads(list []*member) {
	for _, m := range list {
		r.Payloads = append(r.Payloads, describe(r.now, &m.Entry))
	}
}

func (r *Report) warn(code, format string, args ...any) {
	r.Warnings = append(r.Warnings, phdr.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}

// describe tells an entry of a file.
func describe(f *elffile.File, e *payload.Entry) Payload {
	p := Payload{
		Name: e.Name, Kind: e.Kind.String(), MediaType: e.MediaType, Mode: fmt.Sprintf("0%o", payload.UnixMode(e.Mode)),
		Size: phdr.Hex(e.Size), Stored: phdr.Hex(e.Stored), Compressed: e.Zstd, Align: phdr.Hex(e.Align),
		Offset: phdr.Hex(e.Off), Translated: phdr.Hex(e.Delta), Stale: e.Kind == payload.Object && e.Delta != e.Off,
		Digest: hex.EncodeToString(e.Digest[:]), Bind: e.Bind, Self: e.Self,
	}
	for i := range f.Progs {
		l := &f.Progs[i]
		if l.Type == elf.PT_LOAD && e.Off >= l.Off && e.Off-l.Off < l.Filesz {
			p.Loaded, p.Vaddr = true, phdr.Hex(l.Vaddr+e.Off-l.Off)
		}
	}
	return p
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	head := r.File + ": " + r.Action
	if r.Technique != "" {
		head += " by " + r.Technique + ": " + r.Why
	}
	if _, err := fmt.Fprintln(w, head); err != nil {
		return err
	}
	if err := writeTable(w, r.Payloads); err != nil {
		return err
	}
	fmt.Fprintf(w, "  file: %d bytes, was %d (%+d)\n", r.Size.After, r.Size.Before, r.Size.After-r.Size.Before)
	for _, c := range r.Costs {
		fmt.Fprintf(w, "  cost: %s\n", c)
	}
	var err error
	for _, x := range r.Warnings {
		_, err = fmt.Fprintf(w, "  warning: %s (%s)\n", x.Text, x.Code)
	}
	return err
}

// writeTable prints payloads, a line each.
func writeTable(w io.Writer, list []Payload) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "  no payloads")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  name\tkind\tsize\tstored\toffset\taddress\tmedia type\tsha256\t")
	for _, p := range list {
		addr := "not loaded"
		if p.Loaded {
			addr = fmt.Sprintf("0x%x", p.Vaddr)
		}
		kind := p.Kind
		if p.Bind != "" {
			kind += " at " + p.Bind
		}
		fmt.Fprintf(t, "  %s\t%s\t%d\t%d\t0x%x\t%s\t%s\t%.16s…\t\n", p.Name, kind, p.Size, p.Stored, p.Offset, addr, p.MediaType, p.Digest)
	}
	return t.Flush()
}

// Listing is what a file carries.
type Listing struct {
	Version     int         `json:"version"`
	File        string      `json:"file"`
	Directories []Directory `json:"directories"`
	Payloads    []Payload   `json:"payloads"`
	Faults      []string    `json:"faults"`
}

// Directory is where a directory of payloads lies.
type Directory struct {
	Offset  phdr.Hex `json:"offset"`
	Size    phdr.Hex `json:"size"` // with its payloads
	Loaded  bool     `json:"loaded"`
	Vaddr   phdr.Hex `json:"vaddr"`
	Prog    int      `json:"program_header"` // -1: none leads to it
	Section string   `json:"section"`        // by which it was found; "": by the program header
	Moved   bool     `json:"moved"`          // a tool has moved it since it was written
}

// List describes what a file carries. The error tells what is damaged, and the
// listing the rest.
func List(f *elffile.File, verify bool) (*Listing, error) {
	l := &Listing{Version: ReportVersion, File: f.Name, Directories: []Directory{}, Payloads: []Payload{}, Faults: []string{}}
	dirs, err := payload.Read(f)
	for _, d := range dirs {
		l.Directories = append(l.Directories, Directory{phdr.Hex(d.Off), phdr.Hex(d.Size), d.Loaded, phdr.Hex(d.Vaddr), d.Prog, d.Section, d.Self != d.Off})
		for i := range d.Entries {
			l.Payloads = append(l.Payloads, describe(f, &d.Entries[i]))
			if verify {
				err = errors.Join(err, payload.Verify(f, &d.Entries[i]))
			}
		}
	}
	for _, e := range elffile.Leaves(err) {
		l.Faults = append(l.Faults, e.Error())
	}
	return l, err
}

// WriteText prints the listing for people.
func (l *Listing) WriteText(w io.Writer) error {
	if err := writeTable(w, l.Payloads); err != nil {
		return err
	}
	var err error
	for _, d := range l.Directories {
		how := fmt.Sprintf("program header %d", d.Prog)
		if d.Section != "" {
			how = "section " + d.Section
		}
		_, err = fmt.Fprintf(w, "  directory at 0x%x, 0x%x bytes with its payloads, found by %s\n", d.Offset, d.Size, how)
		if d.Moved {
			_, err = fmt.Fprintf(w, "  a tool has moved it: 'elfwright embed fix' makes the headers of objects right again\n")
		}
	}
	return err
}
