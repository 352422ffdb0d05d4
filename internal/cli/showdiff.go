package cli

import (
	"fmt"
	"strings"

	"elfwright/compare"
	"elfwright/elffile"
	"elfwright/show"
)

// diffFlags are the flags of show that compare two files.
type diffFlags struct {
	form  string // "text", "json", "html"; "": nothing is compared
	limit int
}

const diffGroup = "Comparing"

func (d *diffFlags) flags() []flag {
	return []flag{
		{name: "diff", to: &d.form, words: []string{"text", "json", "html"}, bare: "text", group: diffGroup, help: "say what changed between two files: headers, symbols, bytes by symbol, sizes; exit code 0 if they are the same, 1 if not"},
		{name: "diff-limit", to: &d.limit, group: diffGroup, help: "show so many lines of each table, 0 for all; if it is not given, 20 in text, 2000 in HTML, all in JSON"},
	}
}

// runDiff compares two files.
func runDiff(c *call, f *showFlags) error {
	if len(c.args) != 2 {
		return c.usagef("--diff compares two files, but got %d", len(c.args))
	}
	for _, name := range []string{"file-header", "program-headers", "section-headers", "symbols", "dyn-syms", "nm", "relocs", "dynamic", "notes",
		"version-info", "arch-specific", "section-groups", "histogram", "all", "hex-dump", "string-dump", "disassemble", "map", "svg", "html", "pid"} {
		if c.changed(name) {
			return c.usagef("--diff shows everything that changed; --%s shows files as they are (a page of what changed: --diff=html)", name)
		}
	}
	if f.diff.limit < 0 {
		return c.usagef("flag --diff-limit: %d is negative", f.diff.limit)
	}
	old, err := elffile.Open(c.args[0])
	if err != nil {
		return err
	}
	defer old.Close()
	new, err := elffile.Open(c.args[1])
	if err != nil {
		return err
	}
	defer new.Close()
	done := c.phase("compare")
	report, err := compare.Images(old, new)
	done()
	if err != nil {
		return err
	}
	for _, fault := range report.Faults {
		fmt.Fprintf(c.err, "%s: warning: %s\n", name, strings.ReplaceAll(fault.Error(), "\n", "\n  "))
	}
	defer c.phase("print")()
	if err := f.writeDiff(c, report); err != nil && !c.out.closed() {
		return err
	}
	if !report.Same {
		return errNo
	}
	return nil
}

func (f *showFlags) writeDiff(c *call, report *compare.Report) error {
	form := f.diff.form
	if f.json {
		form = "json"
	}
	out := compare.Output{Limit: f.diff.limit}
	if f.demangle {
		out.Demangle = show.Demangle
	}
	switch form {
	case "json":
		return report.WriteJSON(c.out, out)
	case "html":
		if !c.changed("diff-limit") {
			out.Limit = 2000
		}
		return report.WriteHTML(c.out, out)
	}
	if !c.changed("diff-limit") {
		out.Limit = 20
	}
	out.Colour = c.style(f.color).On
	return report.WriteText(c.out, out)
}
