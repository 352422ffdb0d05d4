package draw

import (
	"fmt"
	"html"
	"io"
	"strings"

	"elfwright/sdf/desc"
)

const style = `
svg{font:12px system-ui,sans-serif;--page:#fff;--ink:#1d2433;--dim:#5b6578;--line:#c9cfda;--pd:#eef3fb;--vm:#f6f0fb;--mr:#f2f6ee;--read:#3c7d4a;--write:#b3541e;--exec:#6a4fb0;--call:#b0284f;--notify:#2f66c4}
@media (prefers-color-scheme:dark){svg{--page:#14181f;--ink:#e4e8f0;--dim:#98a3b7;--line:#3a4455;--pd:#1d2736;--vm:#281f36;--mr:#1f2a1f;--read:#7cc48b;--write:#e89a63;--exec:#b09af0;--call:#f07a9c;--notify:#83aef5}}
.page{fill:var(--page)}text{fill:var(--ink)}.dim{fill:var(--dim)}.title{font-weight:600}.name{font-size:15px;font-weight:600}
.pd{fill:var(--pd)}.vm{fill:var(--vm)}.mr{fill:var(--mr)}rect.pd,rect.vm,rect.mr{stroke:var(--line)}
path{fill:none;stroke-width:1.6}path:hover{stroke-width:4}
.read{stroke:var(--read)}.write{stroke:var(--write)}.exec{stroke:var(--exec)}.call{stroke:var(--call)}.notify{stroke:var(--notify);stroke-dasharray:5 3}
marker path{stroke:none;fill:var(--dim)}`

// SVG draws a system that was read without errors, as a figure that needs nothing
// else: with its own light and dark colours, and a title on every line.
func SVG(w io.Writer, s *desc.System) error {
	l := place(s)
	var b strings.Builder
	f := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-labelledby="t">`, l.width, l.height, l.width, l.height)
	f(`<title id="t">The system of %s</title><style>%s</style>`, escape(s.Source.Name), style)
	f(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>`)
	f(`<rect class="page" width="100%%" height="100%%"/><text class="name" x="16" y="26">%s</text>`, escape(s.Source.Name))
	f(`<text class="dim" x="%.0f" y="%.0f">protection domains</text><text class="dim" x="%.0f" y="%.0f">memory regions</text>`, boxLeft, top-10, memLeft, top-10)
	for i := range l.links {
		f("%s", l.links[i].path())
	}
	for _, x := range l.boxes {
		x.draw(f)
	}
	f(`<text class="dim" x="16" y="%.0f">red: may call; blue, dashed: may only notify; brown: writable, green: read only, violet: executable</text>`, l.height-12)
	f(`</svg>`)
	_, err := io.WriteString(w, b.String())
	return err
}

// path draws a link: a channel as a loop on the left, a mapping as a curve to
// the right.
func (k *link) path() string {
	arrows := ""
	if k.channel && k.there {
		arrows += ` marker-end="url(#arrow)"`
	}
	if k.channel && k.back {
		arrows += ` marker-start="url(#arrow)"`
	}
	x1, x2 := k.x1+90, k.x2-90
	if k.channel {
		x1 = min(k.x1, k.x2) - 40 - 11*float64(k.lane)
		x2 = x1
	}
	return fmt.Sprintf(`<path class="%s" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"%s><title>%s</title></path>`,
		k.class, k.x1, k.y1, x1, k.y1, x2, k.y2, k.x2, k.y2, arrows, escape(k.title))
}

func (x *box) draw(f func(string, ...any)) {
	f(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="5"/>`, x.class, x.x, x.y, x.w, x.height())
	wide := int(x.w / 6.4)
	f(`<text class="title" x="%.1f" y="%.1f">%s</text>`, x.x+8, x.y+rowHeight, escape(cut(x.title, wide)))
	f(`<text class="dim" x="%.1f" y="%.1f">%s</text>`, x.x+8, x.y+2*rowHeight-2, escape(cut(x.fact, wide)))
	for i, s := range x.left {
		f(`<text x="%.1f" y="%.1f">%s</text>`, x.x+8, x.rowY(i)+4, escape(cut(s, wide*3/5)))
	}
	for i, s := range x.right {
		f(`<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, x.x+x.w-8, x.rowY(i)+4, escape(cut(s, wide*2/5)))
	}
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:max(n-1, 0)]) + "…"
}

// escape makes text of a name: XML has no control characters, not even escaped.
func escape(s string) string { return html.EscapeString(printable(s)) }
