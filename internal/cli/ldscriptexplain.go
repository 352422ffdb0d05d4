package cli

import (
	"os"
	"strings"

	"elfwright/link"
	"elfwright/link/options"
)

func ldscriptExplainVerb() *verb {
	return &verb{
		name:  "explain",
		short: "tell why a script puts sections where they are",
		usage: []string{"[--section [FILE:]SECTION] [--output SECTION] [--unused] [--all] [--json] -T SCRIPT [ld options] FILE…"},
		args:  args{min: 1, max: -1, name: "FILE"},
		raw:   true,
		no:    "the link would fail; or nothing of the wanted name is there",
		long: `Lays out what 'elfwright link' with the same options would, writes nothing, and tells of each output section which rule gave its address and its load address, its memory region and its segments; which sections no pattern took, and why they are where they are; which patterns took nothing; and where the result depends on a rule in which GNU ld and lld differ: every rule is tried by itself. What would be wrong with the link, such as sections on one another, is said too.

  --section WHAT  of sections of the input: the pattern that took them, and others that would have; WHAT is a name, or FILE:NAME, with wildcards
  --output NAME   of output sections, with what is in them
  --unused        patterns that took nothing
  --all           every section of the input
  --json          one JSON document (docs/ldscript-json.md)

Several may be given. All other options are those of 'elfwright link'; an output's name is not wanted.`,
		examples: []example{
			{"the layout of the default script", "elfwright link -r --format=binary /bin/ls -o e.o && elfwright ldscript explain e.o"},
			{"why is this section here", "elfwright link -r --format=binary /bin/ls -o m.o && elfwright ldscript explain --section m.o:.data m.o"},
		},
		run: runLdscriptExplain,
	}
}

// explainWords takes what is explain's own from the arguments.
func explainWords(c *call) (sel link.Select, json bool, rest []string, err error) {
	for i := 0; i < len(c.args); i++ {
		name, value, has := strings.Cut(c.args[i], "=")
		switch name {
		case "--unused":
			sel.Unused = true
		case "--all":
			sel.All = true
		case "--json":
			json = true
		case "--section", "--output":
			if !has {
				if i++; i == len(c.args) {
					return sel, json, nil, c.usagef("flag %s needs a name", name)
				}
				value = c.args[i]
			}
			if name == "--section" {
				sel.Sections = append(sel.Sections, value)
			} else {
				sel.Outputs = append(sel.Outputs, value)
			}
		default:
			rest = append(rest, c.args[i])
		}
	}
	return sel, json, rest, nil
}

func runLdscriptExplain(c *call) error {
	sel, json, rest, err := explainWords(c)
	if err != nil {
		return err
	}
	opt, _, err := options.Parse(rest, os.ReadFile)
	if err != nil {
		return linkUsage(c, err)
	}
	if len(opt.Inputs) == 0 {
		return c.usagef("no FILE to lay out")
	}
	x, err := link.Explain(opt, link.Host{Phase: c.phase})
	if err != nil {
		return err
	}
	write := x.WriteText
	if json {
		write = x.WriteJSON
	}
	if err := write(c.out, &sel); err != nil {
		return err
	}
	secs, outs := x.Find(&sel)
	if len(x.Problems) > 0 || len(sel.Sections) > 0 && len(secs) == 0 || len(sel.Outputs) > 0 && len(outs) == 0 {
		return errNo
	}
	return nil
}
