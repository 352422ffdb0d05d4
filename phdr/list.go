package phdr

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"elfwright/elffile"
	"elfwright/image"
)

// Listing is a program header table, and how it could grow.
type Listing struct {
	Version int     `json:"version"`
	File    string  `json:"file"`
	Offset  Hex     `json:"offset"`
	Vaddr   Hex     `json:"vaddr"` // 0 where the table is not loaded
	Headers []Entry `json:"headers"`
	// Room is how a header that names what is there would be added; "" where it
	// would be refused, and Why says the reason.
	Room string `json:"room"`
	Why  string `json:"why"`
	// Faults are rules that the table breaks as it is, each with the file's name.
	Faults []string `json:"faults"`

	faults []error
}

// Err returns the faults.
func (l *Listing) Err() error { return errors.Join(l.faults...) }

func (l *Listing) fault(err error) {
	if err != nil {
		l.faults = append(l.faults, err)
		l.Faults = append(l.Faults, err.Error())
	}
}

// List describes a file's program headers.
func List(f *elffile.File, opt Options) *Listing {
	l := &Listing{Version: ReportVersion, File: f.Name, Offset: Hex(f.Header.Phoff), Vaddr: Hex(vaddrOf(f)), Headers: []Entry{}, Faults: []string{}}
	for i := range f.Progs {
		l.Headers = append(l.Headers, entryOf("", i, f.Header.Machine, &f.Progs[i]))
	}
	l.fault(f.ProgErr)
	l.fault(f.CheckProgs())
	if t := f.Header.Type; t == elf.ET_EXEC || t == elf.ET_DYN {
		for _, fault := range image.FromFile(f).Check(opt.PageSize) {
			l.fault(fmt.Errorf("%s: %w", f.Name, fault))
		}
	}
	l.room(f, opt)
	return l
}

// room tries to add a header that names nothing.
func (l *Listing) room(f *elffile.File, opt Options) {
	r, err := Add(f, []Header{{Type: probeType, Range: anyRange(f)}}, opt)
	if err != nil {
		l.Why = err.Error()
		return
	}
	l.Room, l.Why = r.Report.Technique, r.Report.Why
}

// probeType is a type that nobody uses, for a header that is not written.
const probeType = elf.ProgType(0x6577ffff)

// anyRange is a range that a header can name: the last byte of the last PT_LOAD,
// which no technique moves.
func anyRange(f *elffile.File) *image.Range {
	for i := len(f.Progs) - 1; i >= 0; i-- {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Memsz > 0 {
			return &image.Range{Start: image.Addr(p.Vaddr + p.Memsz - 1), Size: 1}
		}
	}
	return &image.Range{}
}

// WriteText prints the table for people.
func (l *Listing) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "#\t type\t flags\t offset\t vaddr\t paddr\t filesz\t memsz\t align\t\n")
	for _, e := range l.Headers {
		fmt.Fprintf(t, "%d\t %s\t %s\t 0x%x\t 0x%x\t 0x%x\t 0x%x\t 0x%x\t 0x%x\t\n",
			e.Index, e.Name, FlagString(elf.ProgFlag(e.Flags)), e.Offset, e.Vaddr, e.Paddr, e.Filesz, e.Memsz, e.Align)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	out := &text{w: w}
	out.line("%s", l.tableLine())
	return out.err
}

func (l *Listing) tableLine() string {
	place := fmt.Sprintf("table: %d entries at 0x%x", len(l.Headers), l.Offset)
	if l.Vaddr != 0 {
		place += fmt.Sprintf(", address 0x%x", l.Vaddr)
	}
	if l.Room == "" {
		return place + "; no room for more: " + l.Why
	}
	return place + "; one more would go in by " + l.Room + ": " + l.Why
}
