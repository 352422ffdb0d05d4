package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"elfwright/internal/term"
)

// maxHelpWidth keeps lines readable on a wide screen.
const maxHelpWidth = 100

func (p *program) helpWidth() int { return min(term.Width(p.out.to, 80), maxHelpWidth) }

func helpVerb() *verb {
	return &verb{
		name:  "help",
		short: "tell what a verb does and which flags it takes",
		usage: []string{"[VERB…]"},
		args:  args{max: -1, name: "VERB"},
		examples: []example{
			{"the verbs", "elfwright help"},
			{"one verb", "elfwright help show"},
		},
		run: func(c *call) error {
			v, path := c.prog.top(), name
			for _, arg := range c.args {
				next := child(v.children, arg)
				if next == nil {
					return c.usagef("unknown verb %q%s", arg, didYouMean(arg, visible(v.children)))
				}
				v, path = next, path+" "+arg
			}
			writeHelp(c.out, v, path, c.prog.helpWidth())
			return nil
		},
	}
}

// writeHelp prints what v does, its usage, examples and flags, and what else
// there is to know.
func writeHelp(w io.Writer, v *verb, path string, width int) {
	fmt.Fprintf(w, "%s\n\nUsage:\n", fill(path+": "+v.short, width, 2))
	for _, u := range v.usages(path) {
		fmt.Fprintf(w, "  %s\n", u)
	}
	if len(v.examples) > 0 {
		fmt.Fprintf(w, "\nExamples:\n")
		for _, e := range v.examples {
			fmt.Fprintf(w, "  # %s\n  %s\n", e.does, e.line)
		}
	}
	writeVerbs(w, v, width)
	writeFlags(w, v, width)
	if v.long != "" {
		fmt.Fprintf(w, "\n%s\n", paragraphs(v.long, width))
	}
	if v.run != nil {
		fmt.Fprintf(w, "\n%s\n", fill("Exit code: "+v.exits()+".", width, 2))
	}
}

// exits says in a line what the exit codes of v mean.
func (v *verb) exits() string {
	if v.no == "" {
		return "0 done, 2 wrong usage or an error"
	}
	return "0 done, 1 " + v.no + ", 2 wrong usage or an error"
}

func writeVerbs(w io.Writer, v *verb, width int) {
	if len(v.children) == 0 {
		return
	}
	fmt.Fprintf(w, "\nVerbs:\n")
	for _, ch := range v.children {
		if !ch.hidden {
			fmt.Fprintln(w, entry(ch.name, ch.short, 14, width))
		}
	}
}

func writeFlags(w io.Writer, v *verb, width int) {
	for _, group := range v.groups() {
		fmt.Fprintf(w, "\n%s:\n", group)
		for _, f := range v.flags {
			if !f.hidden && f.heading() == group {
				fmt.Fprintln(w, entry(f.indented(), f.help, 32, width))
			}
		}
	}
}

// indented is spell with long names one below the other.
func (f flag) indented() string {
	if f.short == "" {
		return "    " + f.spell()
	}
	return f.spell()
}

// entry prints a term and, from column at on, what it means.
func entry(what, means string, at, width int) string {
	head := "  " + what
	pad := at - utf8.RuneCountInString(head)
	if pad < 2 {
		head += "\n"
		pad = at
	}
	text := head + strings.Repeat(" ", pad)
	return text + strings.TrimLeft(fill(strings.Repeat(" ", at)+means, width, at), " ")
}

// paragraphs wraps each paragraph of text; lines that start with two spaces
// stay as they are.
func paragraphs(text string, width int) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "  ") {
			line = fill(line, width, 0)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// fill wraps text at width; lines after the first are indented. Spaces in
// front of the text stay.
func fill(text string, width, indent int) string {
	var b strings.Builder
	lead := len(text) - len(strings.TrimLeft(text, " "))
	column := lead
	b.WriteString(text[:lead])
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// ruleTable lists names with what they mean, for a verb's long text.
func ruleTable[R ~struct{ Name, Means string }](rules []R) string {
	width := 0
	for _, r := range rules {
		width = max(width, len(rule(r).Name))
	}
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, rule(r).Name, rule(r).Means)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

type rule = struct{ Name, Means string }
