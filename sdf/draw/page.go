package draw

import (
	"fmt"
	"io"
	"strings"

	"elfwright/sdf/desc"
)

const pageStyle = `body{font:14px system-ui,sans-serif;margin:1.5rem;background:#fff;color:#1d2433}
table{border-collapse:collapse;margin:1rem 0}td,th{text-align:left;padding:.2rem .9rem .2rem 0;border-bottom:1px solid #8884;vertical-align:top}
caption{text-align:left;font-weight:600}.wide{overflow:auto}
@media (prefers-color-scheme:dark){body{background:#14181f;color:#e4e8f0}}`

// HTML writes a page with the figure, and tables of what is in it. It needs no
// other file and no network.
func HTML(w io.Writer, s *desc.System) error {
	var b strings.Builder
	name := escape(s.Source.Name)
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title><style>%s</style></head><body>\n<div class=\"wide\">\n", name, pageStyle)
	if err := SVG(&b, s); err != nil {
		return err
	}
	b.WriteString("</div>\n")
	table(&b, "Protection domains", "name|facts|image|stack", func(row func(...string)) {
		for _, p := range s.PDs {
			row(p.Name, facts(p), p.Path, fmt.Sprintf("%#x", p.StackSize))
		}
	})
	table(&b, "Channels", "protection domain|end|protection domain|end", func(row func(...string)) {
		for _, ch := range s.Channels {
			if len(ch.Ends) == 2 {
				a, z := ch.Ends[0], ch.Ends[1]
				row(a.Name, endRow(a, z), z.Name, endRow(z, a))
			}
		}
	})
	table(&b, "Memory", "region|size|who|where and how", func(row func(...string)) {
		for _, r := range s.Regions {
			list := users(s, r)
			if len(list) == 0 {
				row(r.Name, regionFacts(r), "no one", "")
			}
			for _, u := range list {
				row(r.Name, regionFacts(r), u.who, mapRow(u.m))
			}
		}
	})
	table(&b, "Interrupts and ports", "protection domain|what", func(row func(...string)) {
		for _, p := range s.PDs {
			for _, i := range p.IRQs {
				row(p.Name, irqRow(i))
			}
			for _, i := range p.Ports {
				row(p.Name, portRow(i))
			}
		}
	})
	b.WriteString("</body></html>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a table if it has rows.
func table(b *strings.Builder, caption, heads string, fill func(row func(...string))) {
	rows := 0
	fill(func(cells ...string) {
		if rows++; rows == 1 {
			fmt.Fprintf(b, "<table><caption>%s</caption>\n<tr><th>%s</th></tr>\n", caption, strings.ReplaceAll(heads, "|", "</th><th>"))
		}
		b.WriteString("<tr>")
		for _, c := range cells {
			fmt.Fprintf(b, "<td>%s</td>", escape(c))
		}
		b.WriteString("</tr>\n")
	})
	if rows > 0 {
		b.WriteString("</table>\n")
	}
}
