package cli

import (
	"fmt"
	"strings"
)

// manPage returns the man page of a verb and of the verbs below it, in the
// macros of man(7).
func manPage(v *verb, path string, top *verb) string {
	var b strings.Builder
	title := strings.ReplaceAll(path, " ", "-")
	fmt.Fprintf(&b, ".\\\" %s\n", generated)
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s \"%s manual\"\n", roff(strings.ToUpper(title)), name, name)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", roff(title), roff(v.short))
	manUsage(&b, v, path)
	if v.long != "" {
		b.WriteString(".SH DESCRIPTION\n")
		manText(&b, v.long)
	}
	manFlags(&b, v, ".SH")
	b.WriteString(manVerbs(v, path, top))
	if len(v.examples) > 0 {
		b.WriteString(".SH EXAMPLES\n")
		manExamples(&b, v)
	}
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%s\n", roff(sentence(v.exits())))
	b.WriteString(".SH SEE ALSO\n" + seeAlso(v, top) + "\n")
	return b.String()
}

// manVerbs tells of the verbs below v: in a list for the program itself, whose
// verbs have pages of their own, else in full.
func manVerbs(v *verb, path string, top *verb) string {
	if len(v.children) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(".SH VERBS\n")
	for _, ch := range v.children {
		switch {
		case ch.hidden:
		case v == top:
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", roff(ch.name), roff(sentence(ch.short)))
		default:
			sub := path + " " + ch.name
			fmt.Fprintf(&b, ".SS %s\n%s\n.PP\n", roff(sub), roff(sentence(ch.short)))
			manUsage(&b, ch, sub)
			if ch.long != "" {
				b.WriteString(".PP\n")
				manText(&b, ch.long)
			}
			manFlags(&b, ch, "")
			b.WriteString(".PP\n")
			manExamples(&b, ch)
			fmt.Fprintf(&b, ".PP\nExit code: %s.\n", roff(ch.exits()))
		}
	}
	return b.String()
}

func manUsage(b *strings.Builder, v *verb, path string) {
	b.WriteString(".nf\n")
	for _, u := range v.usages(path) {
		fmt.Fprintf(b, "%s\n", roff(u))
	}
	b.WriteString(".fi\n")
}

// manFlags writes the flags, each group under a heading if heading is a macro.
func manFlags(b *strings.Builder, v *verb, heading string) {
	for _, group := range v.groups() {
		if heading != "" {
			fmt.Fprintf(b, "%s %s\n", heading, roff(strings.ToUpper(group)))
		}
		for _, f := range v.flags {
			if !f.hidden && f.heading() == group {
				fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", roff(f.spell()), roff(f.help))
			}
		}
	}
}

func manExamples(b *strings.Builder, v *verb) {
	for _, e := range v.examples {
		fmt.Fprintf(b, ".TP\n%s\n.nf\n%s\n.fi\n", roff(sentence(e.does)), roff(e.line))
	}
}

func manText(b *strings.Builder, text string) {
	for i, p := range blocks(text) {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if p.verbatim {
			fmt.Fprintf(b, ".nf\n%s\n.fi\n", roff(p.text))
		} else {
			fmt.Fprintf(b, "%s\n", roff(p.text))
		}
	}
}

func seeAlso(v *verb, top *verb) string {
	var out []string
	if v != top {
		out = append(out, name+"(1)")
	}
	for _, other := range top.children {
		if other != v && !other.hidden {
			out = append(out, name+"-"+other.name+"(1)")
		}
	}
	return roff(strings.Join(append(out, "readelf(1)", "elf(5)"), ", "))
}

// roff escapes plain text: the backslash, the hyphen that must stay one when
// copied, and what would be a request at the start of a line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "'", `\(aq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
