package cli

import (
	"fmt"
	"strings"
)

const generated = "generated from the table in internal/cli by 'go run ./cmd/elfwright docs docs'"

// markdownPage returns the page of a verb and of the verbs below it.
func markdownPage(v *verb, path string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- %s -->\n\n", generated)
	markdown(&b, v, path, "#")
	if v.run == nil && v.name == name {
		b.WriteString("\n## Verbs\n\n")
		for _, ch := range v.children {
			if !ch.hidden {
				fmt.Fprintf(&b, "- [%s](%s.md): %s\n", ch.name, ch.name, ch.short)
			}
		}
		return b.String()
	}
	for _, ch := range v.children {
		b.WriteString("\n")
		markdown(&b, ch, path+" "+ch.name, "##")
	}
	return b.String()
}

// markdown writes what writeHelp prints, under a heading of that depth.
func markdown(b *strings.Builder, v *verb, path, depth string) {
	fmt.Fprintf(b, "%s %s\n\n%s\n\n```\n%s\n```\n", depth, path, sentence(v.short), strings.Join(v.usages(path), "\n"))
	for _, p := range blocks(v.long) {
		if p.verbatim {
			fmt.Fprintf(b, "\n```\n%s\n```\n", p.text)
		} else {
			fmt.Fprintf(b, "\n%s\n", escapeMarkdown(p.text))
		}
	}
	if len(v.examples) > 0 {
		fmt.Fprintf(b, "\n%s# Examples\n\n```sh\n", depth)
		for _, e := range v.examples {
			fmt.Fprintf(b, "# %s\n%s\n", e.does, e.line)
		}
		b.WriteString("```\n")
	}
	for _, group := range v.groups() {
		fmt.Fprintf(b, "\n%s# %s\n\n", depth, group)
		for _, f := range v.flags {
			if !f.hidden && f.heading() == group {
				fmt.Fprintf(b, "- `%s`: %s\n", f.spell(), escapeMarkdown(f.help))
			}
		}
	}
	if v.run != nil {
		fmt.Fprintf(b, "\nExit code: %s.\n", v.exits())
	}
}

// escapeMarkdown keeps Markdown from reading marks where the table means
// plain text.
func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "|", `\|`).Replace(s)
}
