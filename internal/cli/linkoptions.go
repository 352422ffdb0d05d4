package cli

import (
	"fmt"
	"io"
	"strings"

	"elfwright/link/options"
)

// spellOption writes an option as help does: "-o FILE, --output=FILE".
func spellOption(o options.Option) string {
	var names []string
	for _, n := range o.Names {
		switch {
		case o.Arg == options.Required && len(n) > 2 && !strings.HasPrefix(n, "-z "):
			n += "=" + o.Holder
		case o.Arg == options.Required && !strings.HasPrefix(n, "-z "):
			n += " " + o.Holder
		case o.Arg == options.Optional && len(n) > 2:
			n += "[=" + o.Holder + "]"
		case o.Arg == options.Optional:
			n += "[" + o.Holder + "]"
		}
		names = append(names, n)
	}
	return strings.Join(names, ", ")
}

// writeOptions lists the options that are carried out. Tools look for single
// ones in what ld --help prints.
func writeOptions(w io.Writer) {
	for _, g := range options.Groups() {
		fmt.Fprintf(w, "\n%s:\n", g.Title)
		for _, o := range g.Options {
			if o.Fate == options.Done {
				fmt.Fprintf(w, "  %s\n        %s\n", spellOption(o), o.What)
			}
		}
	}
}

// optionsPage is docs/link-options.md.
func optionsPage() string {
	var b strings.Builder
	b.WriteString(`# Options of elfwright link

All options of GNU ld 2.40, and what becomes of them: *done* is carried out;
*ignored* is accepted, for the reason given; *refused* is an error that says so.
A long option may have one dash or two (one that begins with "o" has two) and
its value after "=" or as the next argument; after two dashes it may be cut
short. @FILE stands for the words in FILE. An option that is not here is an
error.
`)
	for _, g := range options.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| option | | |\n|---|---|---|\n", g.Title)
		for _, o := range g.Options {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(spellOption(o), "|", "\\|"), o.Fate, strings.ReplaceAll(o.What, "|", "\\|"))
		}
	}
	return b.String()
}
