package phdr

import (
	"debug/elf"
	"fmt"
	"io"
	"strings"

	"elfwright/elffile"
)

// ReportVersion is the version of the report's JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says what was done to a file, and why so.
type Report struct {
	Version   int        `json:"version"`
	File      string     `json:"file"`
	Action    string     `json:"action"`    // "add", "set", "rm", "grow"
	Technique string     `json:"technique"` // how room was made for the table; "" where none was needed
	Why       string     `json:"why"`
	Tried     []Attempt  `json:"tried"` // techniques before it, and why they do not apply
	Table     Table      `json:"table"`
	Headers   []Entry    `json:"headers"` // those that are new, changed or removed
	Moves     []Move     `json:"moves"`
	Size      Sizes      `json:"size"`
	Costs     []string   `json:"costs"`
	Warnings  []Warning  `json:"warnings"`
	Proof     Proof      `json:"proof"`
	New       []Covering `json:"sections"` // sections that were added
}

// Hex is a number that is a string in JSON.
type Hex = elffile.Hex

// Attempt is a technique that does not apply to a file.
type Attempt struct {
	Technique string `json:"technique"`
	Reason    string `json:"reason"`
}

// Table is where the program header table is, and where it was.
type Table struct {
	Offset     Hex `json:"offset"`
	Vaddr      Hex `json:"vaddr"` // 0 where it is not loaded
	Entries    int `json:"entries"`
	WasOffset  Hex `json:"was_offset"`
	WasVaddr   Hex `json:"was_vaddr"`
	WasEntries int `json:"was_entries"`
}

// Entry is a program header, as it is now.
type Entry struct {
	What   string `json:"what"` // "new", "changed", "removed"
	Index  int    `json:"index"`
	Type   Hex    `json:"type"`
	Name   string `json:"name"`
	Flags  Hex    `json:"flags"`
	Offset Hex    `json:"offset"`
	Vaddr  Hex    `json:"vaddr"`
	Paddr  Hex    `json:"paddr"`
	Filesz Hex    `json:"filesz"`
	Memsz  Hex    `json:"memsz"`
	Align  Hex    `json:"align"`
}

// Move is something that is elsewhere now: bytes (a section, a group of notes),
// memory without bytes, a pointer of the dynamic section to moved bytes, or a
// symbol in them.
type Move struct {
	Kind     string `json:"kind"` // "bytes", "memory", "dynamic", "symbol"
	Name     string `json:"name"`
	Size     uint64 `json:"size"`
	FromOff  Hex    `json:"from_offset"`
	FromAddr Hex    `json:"from_vaddr"`
	ToOff    Hex    `json:"to_offset"`
	ToAddr   Hex    `json:"to_vaddr"`
}

// Sizes are of the file.
type Sizes struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Warning is something that may surprise. Codes are stable.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Covering is a section that was added to cover new bytes.
type Covering struct {
	Name   string `json:"name"`
	Offset Hex    `json:"offset"`
	Vaddr  Hex    `json:"vaddr"`
	Size   uint64 `json:"size"`
}

// Proof says what was compared before the result was given out.
type Proof struct {
	Mappings int      `json:"mappings"` // of the old file; all are in the new one
	Bytes    uint64   `json:"bytes"`    // in them
	Changed  uint64   `json:"changed"`  // of these, on the list of what was meant to change
	Checks   []string `json:"checks"`   // rules of loaders that the new file keeps
}

// progName names a type in messages where the machine does not matter.
func progName(t elf.ProgType) string { return "PT_" + elffile.ProgTypeName(elf.EM_NONE, t) }

func (d *draft) entry(what string, index int) Entry {
	p := &d.Progs[index]
	return entryOf(what, index, d.Header.Machine, p)
}

func entryOf(what string, index int, m elf.Machine, p *elffile.Prog) Entry {
	return Entry{
		What: what, Index: index, Type: Hex(p.Type), Name: elffile.ProgTypeName(m, p.Type), Flags: Hex(p.Flags),
		Offset: Hex(p.Off), Vaddr: Hex(p.Vaddr), Paddr: Hex(p.Paddr), Filesz: Hex(p.Filesz), Memsz: Hex(p.Memsz), Align: Hex(p.Align),
	}
}

// vaddrOf is the address of a file's program header table; 0 if it is not
// loaded.
func vaddrOf(f *elffile.File) uint64 {
	d := draft{File: f}
	if i := d.tableLoad(); i >= 0 {
		return f.Header.Phoff + f.Progs[i].Vaddr - f.Progs[i].Off
	}
	return 0
}

// report tells what became of the draft.
func (d *draft) report(action, technique, why string, tried []Attempt) *Report {
	r := &Report{
		Version: ReportVersion, File: d.Name, Action: action,
		Technique: technique, Why: why, Tried: orEmpty(tried),
		Table: Table{
			Offset: Hex(d.Header.Phoff), Vaddr: Hex(vaddrOf(d.File)), Entries: len(d.Progs),
			WasOffset: Hex(d.old.Header.Phoff), WasVaddr: Hex(vaddrOf(d.old)), WasEntries: len(d.old.Progs),
		},
		Moves: orEmpty(d.moves), Costs: orEmpty(d.costs), Warnings: orEmpty(d.warnings),
		Headers: []Entry{}, New: []Covering{},
	}
	for i := range d.secs {
		if s := &d.secs[i]; s.was < 0 {
			r.New = append(r.New, Covering{s.name, Hex(s.Off), Hex(s.Addr), s.Size})
		}
	}
	return r
}

// orEmpty makes nil a list without elements, for JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer) error {
	t := &text{w: w}
	t.line("%s", r.headline())
	for _, a := range r.Tried {
		t.line("  not %s: %s", a.Technique, a.Reason)
	}
	for _, e := range r.Headers {
		t.line("  %s header %d: %s", e.What, e.Index, e.text())
	}
	t.line("  table: %s", r.Table.text())
	for _, s := range r.New {
		t.line("  new section %s: 0x%x bytes at 0x%x, file offset 0x%x", s.Name, s.Size, s.Vaddr, s.Offset)
	}
	for _, m := range r.Moves {
		t.line("  moved %s", m.text())
	}
	t.line("  file: %d bytes, was %d (%+d)", r.Size.After, r.Size.Before, r.Size.After-r.Size.Before)
	for _, c := range r.Costs {
		t.line("  cost: %s", c)
	}
	for _, x := range r.Warnings {
		t.line("  warning: %s (%s)", x.Text, x.Code)
	}
	t.line("  proved: the %d old mappings are all there, 0x%x bytes, of which 0x%x changed on purpose; %s",
		r.Proof.Mappings, r.Proof.Bytes, r.Proof.Changed, strings.Join(r.Proof.Checks, "; "))
	return t.err
}

func (r *Report) headline() string {
	if r.Technique == "" {
		return fmt.Sprintf("%s: %s: %s", r.File, r.Action, r.Why)
	}
	return fmt.Sprintf("%s: %s by %s: %s", r.File, r.Action, r.Technique, r.Why)
}

func (t Table) text() string {
	place := fmt.Sprintf("%d entries at 0x%x", t.Entries, t.Offset)
	if t.Vaddr != 0 || t.WasVaddr != 0 {
		place += fmt.Sprintf(", address 0x%x", t.Vaddr)
	}
	switch {
	case t.WasOffset != t.Offset || t.WasVaddr != t.Vaddr:
		return fmt.Sprintf("%s; were %d at 0x%x, address 0x%x", place, t.WasEntries, t.WasOffset, t.WasVaddr)
	case t.WasEntries != t.Entries:
		return fmt.Sprintf("%s; were %d", place, t.WasEntries)
	}
	return place + ", as before"
}

func (e Entry) text() string {
	return fmt.Sprintf("%s %s, address 0x%x, offset 0x%x, 0x%x bytes in the file, 0x%x in memory, alignment 0x%x",
		e.Name, FlagString(elf.ProgFlag(e.Flags)), e.Vaddr, e.Offset, e.Filesz, e.Memsz, e.Align)
}

func (m Move) text() string {
	switch m.Kind {
	case "bytes":
		return fmt.Sprintf("%s (0x%x bytes): 0x%x -> 0x%x, file offset 0x%x -> 0x%x", m.Name, m.Size, m.FromAddr, m.ToAddr, m.FromOff, m.ToOff)
	}
	return fmt.Sprintf("%s %s: 0x%x -> 0x%x", m.Kind, m.Name, m.FromAddr, m.ToAddr)
}

// text writes lines and keeps the first error.
type text struct {
	w   io.Writer
	err error
}

func (t *text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

// FlagString writes p_flags as letters: "rw-".
func FlagString(f elf.ProgFlag) string {
	b := []byte("---")
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if f&bit != 0 {
			b[i] = "rwx"[i]
		}
	}
	if rest := f &^ (elf.PF_R | elf.PF_W | elf.PF_X); rest != 0 {
		return fmt.Sprintf("%s+0x%x", b, uint32(rest))
	}
	return string(b)
}
