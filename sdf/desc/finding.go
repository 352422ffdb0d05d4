package desc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// Level says how much a finding matters.
type Level int

// A file with a Fault describes no system.
const (
	Warning Level = iota
	Fault
)

// String is "warning" or "error".
func (l Level) String() string {
	if l == Fault {
		return "error"
	}
	return "warning"
}

// Finding is something to say of a description.
type Finding struct {
	Pos   Pos
	Level Level
	Rule  string // a stable name: "element", "overlap"
	Msg   string
}

// String prints file:row:column: level: what [rule].
func (f Finding) String() string {
	return fmt.Sprintf("%v: %v: %s [%s]", f.Pos, f.Level, f.Msg, f.Rule)
}

// Findings are those of one file, in the order of the file.
type Findings []Finding

// Faulty says whether there is an error among them.
func (l Findings) Faulty() bool {
	for i := range l {
		if l[i].Level == Fault {
			return true
		}
	}
	return false
}

func (l Findings) sort() {
	sort.SliceStable(l, func(i, j int) bool { return l[i].Pos.Off < l[j].Pos.Off })
}

// WriteText prints each finding with its line and a caret.
func (l Findings) WriteText(w io.Writer) error {
	for _, f := range l {
		if _, err := fmt.Fprintf(w, "%v\n%s", f, f.Pos.Excerpt()); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes the place, the level, the rule and the message.
func (f Finding) MarshalJSON() ([]byte, error) {
	row, column := f.Pos.rowColumn()
	name := ""
	if f.Pos.Source != nil {
		name = f.Pos.Source.Name
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		File    string `json:"file"`
		Row     int    `json:"row"`
		Column  int    `json:"column"`
		Level   string `json:"level"`
		Rule    string `json:"rule"`
		Message string `json:"message"`
	}{name, row, column, f.Level.String(), f.Rule, f.Msg})
	return b.Bytes(), err
}

// Refusal is a description with errors, as the answer no.
type Refusal struct{ Findings Findings }

// Error prints the errors, each with its line.
func (r *Refusal) Error() string { return errors.Join(r.Unwrap()...).Error() }

// Unwrap returns the errors one by one.
func (r *Refusal) Unwrap() []error {
	var list []error
	for _, f := range r.Findings {
		if f.Level == Fault {
			list = append(list, fault{f})
		}
	}
	return list
}

// No says that this error is the answer no.
func (r *Refusal) No() bool { return true }

// A fault is a finding as an error.
type fault struct{ Finding }

func (f fault) Error() string { return f.String() + "\n" + strings.TrimSuffix(f.Pos.Excerpt(), "\n") }

// Rule is what a finding says that was broken.
type Rule struct{ Name, Means string }

// Rules are all of them.
var Rules = []Rule{
	{"xml", "the file is well-formed XML without a document type and without text"},
	{"element", "elements stand where they belong, as often as they may"},
	{"attribute", "an element has the attributes it needs, and no others"},
	{"value", "an attribute's value has its form and is within its limits"},
	{"name", "names are unique, not reserved, and fit where they are stored"},
	{"count", "a system has one to 63 protection domains"},
	{"reference", "what is named is there"},
	{"id", "ids are given once: to channel ends and interrupts, to children and virtual CPUs, to ports"},
	{"irq", "an interrupt goes to one protection domain"},
	{"pp", "one end of a channel may call, and has the lower priority"},
	{"self", "a channel connects two protection domains"},
	{"silent", "somebody may use a channel"},
	{"overlap", "mappings, physical addresses and ports do not overlap"},
	{"range", "addresses stay below the stack, the top of the address space, or 64 bits"},
	{"alignment", "addresses and stacks are multiples of the page size"},
	{"page-size", "a region has pages that the machine has"},
	{"size", "a region has a size, of whole pages"},
	{"prefill", "a region is filled with one thing that is there and fits"},
	{"unused", "somebody maps a region"},
	{"setvar", "a variable is set once, to a value that there is"},
	{"slot", "a slot for a capability is used once"},
	{"budget", "a budget is not above its period"},
	{"priority", "only the monitor has priority 255"},
	{"board", "the board's kernel has what is asked for"},
	{"x86-vm", "on x86_64 a protection domain with a virtual machine has no children and is not called"},
	{"io", "devices, their domains and their pages are told apart"},
	{"domain", "protection domains have a scheduling domain where there are some"},
	{"schedule", "the schedule of domains fits the kernel's"},
	{"ignored", "Microkit's own tool writes what is asked for"},
}
