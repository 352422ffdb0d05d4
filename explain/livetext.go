package explain

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"strings"

	"elfwright/image"
	"elfwright/internal/term"
	"elfwright/plan"
)

// Text prints the process.
func (p *Process) Text(w io.Writer, style term.Style) {
	t := &text{w: w, Style: style}
	t.printf("%s\n\n", t.Bold(fmt.Sprintf("Process %d, %s: heap from %v", p.PID, p.Exe, p.StartBrk)))
	for i := range p.Regions {
		r := &p.Regions[i]
		t.line(fmt.Sprintf("%012x-%012x %s %s", uint64(r.Start), uint64(r.End()), plan.Prot(r.Prot), r.What), r.Rule)
		if r.ChangedBytes > 0 {
			t.line("  "+r.changes(), "")
		}
		if r.Alarm != "" {
			t.line(t.Red("  "+r.Alarm+" "+ranges(r.Changed)), "")
		}
		if r.Err != nil {
			t.line(t.Yellow("  not compared: "+r.Err.Error()), "")
		}
	}
}

func (r *Region) changes() string {
	s := fmt.Sprintf("%d bytes differ from the file: %d of them in places that relocations name", r.ChangedBytes, r.Relocated)
	if rest := r.ChangedBytes - r.Relocated; rest > 0 && r.Prot&elf.PF_W != 0 {
		s += ", the others written by the program"
	}
	return s
}

func ranges(list []image.Range) string {
	var b bytes.Buffer
	for i, r := range list {
		if i == 8 {
			fmt.Fprintf(&b, " and %d more", len(list)-i)
			break
		}
		fmt.Fprintf(&b, " %v", r)
	}
	return strings.TrimSpace(b.String())
}

type jsonRegion struct {
	Start     hexNumber      `json:"start"`
	End       hexNumber      `json:"end"`
	Prot      string         `json:"protection"`
	Shared    bool           `json:"shared"`
	File      string         `json:"name,omitempty"`
	Offset    hexNumber      `json:"file_offset"`
	Header    int            `json:"header"`
	What      string         `json:"what"`
	Rule      string         `json:"rule"`
	Changed   uint64         `json:"changed_bytes"`
	Relocated uint64         `json:"relocated_bytes"`
	Ranges    [][2]hexNumber `json:"changed_ranges,omitempty"`
	Alarm     string         `json:"alarm,omitempty"`
	Err       string         `json:"not_compared,omitempty"`
}

// JSON writes one document.
func (p *Process) JSON(w io.Writer) error {
	list := []jsonRegion{}
	for i := range p.Regions {
		r := &p.Regions[i]
		j := jsonRegion{
			Start: hexNumber(r.Start), End: hexNumber(r.End()), Prot: plan.Prot(r.Prot), Shared: r.Shared, File: r.Name, Offset: hexNumber(r.Off),
			Header: r.Header, What: r.What, Rule: r.Rule, Changed: r.ChangedBytes, Relocated: r.Relocated, Alarm: r.Alarm,
		}
		for _, c := range r.Changed {
			j.Ranges = append(j.Ranges, [2]hexNumber{hexNumber(c.Start), hexNumber(c.End())})
		}
		if r.Err != nil {
			j.Err = r.Err.Error()
		}
		list = append(list, j)
	}
	return writeJSON(w, map[string]any{
		"version": Version, "kind": "process", "pid": p.PID, "exe": p.Exe, "start_brk": hexNumber(p.StartBrk), "mappings": list,
	})
}
