package match

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText prints the report for people: a line for each check.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Name, c.Verdict, c.text())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	word := "belong together"
	if !r.Match {
		word = "do not belong together"
	}
	_, err := fmt.Fprintf(w, "%s and %s %s\n", r.Image, r.Symbols, word)
	return err
}

func (c *Check) text() string {
	switch {
	case c.Why == "":
		return c.Image
	case c.Image == "" || c.Verdict == No:
		return c.Why
	}
	return c.Image + ": " + c.Why
}
