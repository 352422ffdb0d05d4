package patch

import (
	"fmt"
	"strings"

	"elfwright/elffile"
)

// Refusal is the answer no: what was asked for is well formed, and these files
// do not allow it.
type Refusal struct {
	File   string
	What   string // the place that was asked for, or ""
	Reason string
	List   []string // candidates, one a line
}

// Error prints the reason, and below it the candidates.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.File + ": ")
	if r.What != "" {
		b.WriteString(r.What + ": ")
	}
	b.WriteString(r.Reason)
	for _, c := range r.List {
		b.WriteString("\n" + c)
	}
	return b.String()
}

// No says that this error is the answer no.
func (r *Refusal) No() bool { return true }

func refusef(f *elffile.File, what, format string, args ...any) *Refusal {
	return &Refusal{File: f.Name, What: what, Reason: fmt.Sprintf(format, args...)}
}
