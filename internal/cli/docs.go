package cli

import (
	"os"
	"path/filepath"
	"strings"
)

func docsVerb() *verb {
	return &verb{
		name:   "docs",
		short:  "write a Markdown page and a man page for each verb",
		usage:  []string{"DIR"},
		args:   args{min: 1, max: 1, name: "DIR"},
		hidden: true,
		examples: []example{
			{"renew the pages of this repository", "elfwright docs docs"},
			{"read one as man shows it", "elfwright docs . && man -l man/elfwright-show.1"},
		},
		run: func(c *call) error {
			dir := c.args[0]
			if err := os.MkdirAll(filepath.Join(dir, "man"), 0o777); err != nil {
				return err
			}
			for _, p := range pages(c.prog.top()) {
				if err := os.WriteFile(filepath.Join(dir, p.file), []byte(p.text), 0o666); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// A page is a generated file below docs/.
type page struct{ file, text string }

// pages returns the pages of the program and of each verb.
func pages(top *verb) []page {
	list := []page{
		{name + ".md", markdownPage(top, name)},
		{"man/" + name + ".1", manPage(top, name, top)},
	}
	for _, v := range top.children {
		if v.hidden {
			continue
		}
		path := name + " " + v.name
		list = append(list,
			page{v.name + ".md", markdownPage(v, path)},
			page{"man/" + name + "-" + v.name + ".1", manPage(v, path, top)})
	}
	return append(list, page{"link-options.md", optionsPage()})
}

// blocks parts a text into paragraphs; one whose lines start with two spaces
// is to stay as it is, and comes without them.
func blocks(text string) (out []block) {
	for p := range strings.SplitSeq(text, "\n\n") {
		if after, ok := strings.CutPrefix(p, "  "); ok {
			out = append(out, block{strings.ReplaceAll(after, "\n  ", "\n"), true})
		} else if p != "" {
			out = append(out, block{p, false})
		}
	}
	return out
}

type block struct {
	text     string
	verbatim bool
}

// sentence makes a short text a sentence.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
