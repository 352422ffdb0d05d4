package picture

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// Measures of the SVG, in points.
const (
	svgColumn = 210.0 // width of a column
	svgGutter = 110.0 // between columns; its right part has the addresses
	svgLeft   = 92.0  // before the first column
	svgTop    = 56.0
	svgLane   = 13.0 // width of the bracket of a program header
	svgLanes  = 4
	svgText   = 11.0 // least height of what has its name written in it
)

// SVG draws the model as a document's figure: static, with its own light and
// dark colours, and a title on every item for who points at it or listens.
func (m *Model) SVG(w io.Writer) error {
	d := &svg{Model: m}
	for s := range Space(Spaces) {
		if m.Has(s) {
			d.spaces = append(d.spaces, s)
		}
	}
	d.draw()
	_, err := io.WriteString(w, d.out.String())
	return err
}

type svg struct {
	*Model
	spaces []Space
	out    strings.Builder
}

func (d *svg) f(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

// x is the left edge of column i.
func (d *svg) x(i int) float64 { return svgLeft + float64(i)*(svgColumn+svgGutter) }

func (d *svg) y(s Space, at uint64) float64 { return svgTop + d.Scales[s].Y(at) }

func (d *svg) draw() {
	height := 0.0
	for _, s := range d.spaces {
		height = max(height, d.Scales[s].Height())
	}
	w, h := d.x(max(len(d.spaces), 1)-1)+svgColumn+24, svgTop+height+58
	d.f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-labelledby="t">`+"\n", w, h, w, h)
	name := html.EscapeString(printable(d.Name))
	d.f("<title id=\"t\">Memory map of %s</title>\n<style>%s</style>\n", name, svgStyle)
	d.f(`<defs><pattern id="zero" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" class="hatch"/></pattern></defs>` + "\n")
	d.f("<rect class=\"page\" width=\"100%%\" height=\"100%%\" rx=\"8\"/>\n<text class=\"name\" x=\"16\" y=\"24\">%s</text>\n", name)
	for i := range d.spaces[:max(len(d.spaces)-1, 0)] {
		d.bands(i)
	}
	for i, s := range d.spaces {
		d.column(i, s)
	}
	d.legend(16, svgTop+height+34)
	d.f("</svg>\n")
}

// bands draws the segments' connections between columns i and i+1.
func (d *svg) bands(i int) {
	a, b := d.spaces[i], d.spaces[i+1]
	x0, x1 := d.x(i)+svgColumn, d.x(i+1)
	mid := (x0 + x1) / 2
	for k := range d.Items {
		it := &d.Items[k]
		if it.Kind != Segment || !it.At[a].Ok || !it.At[b].Ok {
			continue
		}
		size := it.At[a].Size
		if a == File {
			size = min(it.Filled, it.At[a].Size)
		}
		at, bt := it.At[a].Start, it.At[b].Start
		y0, y1 := d.y(a, at), d.y(a, at+size)
		z0, z1 := d.y(b, bt), d.y(b, bt+min(size, it.At[b].Size))
		d.f("<path class=\"band %s\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fV%.1fC%.1f %.1f %.1f %.1f %.1f %.1fZ\"/>\n",
			class(it), x0, y0, mid, y0, mid, z0, x1, z0, z1, mid, z1, mid, y1, x0, y1)
	}
}

// class is the style of an item: by protection, or that it is in the file only.
func class(it *Item) string {
	switch {
	case it.Kind == FileHeader || it.Kind == HeaderTable || it.Kind == SectionTable:
		return "table"
	case it.Prot == 0:
		return "none"
	}
	return [...]string{inkRead: "r", inkExec: "x", inkWrite: "w", inkWarn: "wx"}[inkOf(it.Prot)]
}

// column draws one space.
func (d *svg) column(i int, s Space) {
	x := d.x(i)
	d.f("<text class=\"head\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, svgTop-12, s)
	d.gaps(s, x)
	marks := map[uint64]int{0: 1} // address: how much it matters that it is written
	for _, kind := range []Kind{Segment, FileHeader, HeaderTable, SectionTable, Section} {
		for k := range d.Items {
			it := &d.Items[k]
			at := it.At[s]
			if it.Kind != kind || !at.Ok || at.Size == 0 {
				continue
			}
			d.rect(it, s, x)
			if kind == Segment {
				marks[at.Start], marks[at.End()] = 2, 2
			} else {
				marks[at.Start] = max(marks[at.Start], 1)
			}
		}
	}
	d.headers(s, x)
	for _, o := range d.Overlaps {
		if o.Space == s {
			y0, y1 := d.y(s, o.Range.Start), d.y(s, o.Range.End())
			d.f("<rect class=\"over\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>overlap of %s and %s: 0x%x bytes at 0x%x</title></rect>\n",
				x-3, y0, svgColumn+6, max(y1-y0, 2), d.Items[o.A].Title(), d.Items[o.B].Title(), o.Range.Size, o.Range.Start)
		}
	}
	if len(d.Scales[s]) > 0 {
		first := d.Scales[s][0].At
		if first != 0 {
			delete(marks, 0)
		}
		d.marks(s, x, marks)
	}
}

func (d *svg) rect(it *Item, s Space, x float64) {
	at := it.At[s]
	y0, y1 := d.y(s, at.Start), d.y(s, at.End())
	w, name := svgColumn, it.Title()
	if it.Kind != Segment {
		x, w = x+22, svgColumn-22-d.lanesWidth(s)
	}
	what := "part"
	if it.Kind == Segment {
		what = "seg"
	}
	d.f("<g><title>%s: 0x%x, 0x%x bytes</title><rect class=\"%s %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		html.EscapeString(printable(name)), at.Start, at.Size, what, class(it), x, y0, w, max(y1-y0, 0.5))
	if s != File && it.Filled < at.Size {
		z := d.y(s, at.Start+it.Filled)
		d.f("<rect class=\"zero\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", x, z, w, y1-z)
	}
	if it.Kind == Segment && y1-y0 <= 6.2*float64(len(name)) {
		name = fmt.Sprint(it.Index, " ", Letters(it.Prot))
	}
	switch {
	case it.Kind == Segment && y1-y0 > 6.2*float64(len(name)):
		d.f("<text class=\"side %s\" transform=\"translate(%.1f %.1f) rotate(-90)\">%s</text>", class(it), x+14, (y0+y1)/2, html.EscapeString(name))
	case it.Kind != Segment && y1-y0 >= svgText:
		d.f("<text class=\"label\" x=\"%.1f\" y=\"%.1f\">%s</text>", x+6, (y0+y1)/2+3.5, html.EscapeString(shorten(printable(name), int((w-44)/6.2))))
		d.f("<text class=\"size\" x=\"%.1f\" y=\"%.1f\">%s</text>", x+w-5, (y0+y1)/2+3.5, Size(at.Size))
	}
	d.f("</g>\n")
}

// lanes gives each header other than PT_LOAD a lane of its own where they are
// beside each other.
func (d *svg) lanes(s Space) map[int]int {
	var ends [svgLanes]uint64
	var used [svgLanes]bool
	lanes := make(map[int]int)
	var list []int
	for k := range d.Items {
		if it := &d.Items[k]; it.Kind == Header && it.At[s].Ok && it.At[s].Size > 0 {
			list = append(list, k)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int {
		x, y := d.Items[a].At[s], d.Items[b].At[s]
		if x.Start != y.Start {
			return map[bool]int{true: -1, false: 1}[x.Start < y.Start]
		}
		return map[bool]int{true: -1, false: 1}[x.Size >= y.Size]
	})
	for _, k := range list {
		at := d.Items[k].At[s]
		for l := range ends {
			if !used[l] || ends[l] <= at.Start {
				used[l], ends[l], lanes[k] = true, at.End(), l
				break
			}
		}
	}
	return lanes
}

func (d *svg) lanesWidth(s Space) float64 {
	n := 0
	for _, l := range d.lanes(s) {
		n = max(n, l+1)
	}
	return float64(n)*svgLane + 4
}

// headers draws the other program headers as brackets.
func (d *svg) headers(s Space, x float64) {
	lanes := d.lanes(s)
	for k := range d.Items {
		l, ok := lanes[k]
		if !ok {
			continue
		}
		it := &d.Items[k]
		at := it.At[s]
		y0, y1 := d.y(s, at.Start), d.y(s, at.End())
		right := x + svgColumn - 4 - float64(l)*svgLane
		name := html.EscapeString(it.Name)
		d.f("<g><title>%s: 0x%x, 0x%x bytes</title><path class=\"bracket\" d=\"M%.1f %.1fh4V%.1fh-4\"/>", html.EscapeString(it.Title()), at.Start, at.Size, right-4, y0+1, max(y1-1, y0+2))
		if y1-y0 > 5.2*float64(len(it.Name)) {
			d.f("<text class=\"lane\" transform=\"translate(%.1f %.1f) rotate(-90)\">%s</text>", right-3, (y0+y1)/2, name)
		}
		d.f("</g>\n")
	}
}

// gaps marks where the scale leaves out what is empty.
func (d *svg) gaps(s Space, x float64) {
	sc := d.Scales[s]
	for i := 0; i+1 < len(sc); i++ {
		if y := svgTop + sc[i].Y; sc[i].Gap && sc[i+1].Y-sc[i].Y >= gapHeight {
			d.f("<path class=\"gap\" d=\"M%.1f %.1fv%.1f\"/><text class=\"gapsize\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
				x+svgColumn/2-40, y+3, gapHeight-6, x+svgColumn/2-30, y+gapHeight/2+3.5, Size(sc[i+1].At-sc[i].At)+map[bool]string{true: " unused", false: " gap"}[s == File])
		}
	}
}

// marks writes addresses beside a column, the important ones first, and no two
// over each other.
func (d *svg) marks(s Space, x float64, marks map[uint64]int) {
	all := make([]uint64, 0, len(marks))
	for at := range marks {
		all = append(all, at)
	}
	slices.Sort(all)
	var placed []float64
	for weight := 2; weight > 0; weight-- {
		for _, at := range all {
			y := d.y(s, at)
			if marks[at] != weight || slices.ContainsFunc(placed, func(p float64) bool { return math.Abs(p-y) < 11 }) {
				continue
			}
			placed = append(placed, y)
			d.f("<text class=\"addr\" x=\"%.1f\" y=\"%.1f\">0x%x</text>\n", x-5, y+3.5, at)
		}
	}
}

func (d *svg) legend(x, y float64) {
	swatch := func(class string) {
		d.f("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"10\"/>", class, x, y-9)
	}
	for _, l := range [][2]string{{"seg r", "read"}, {"seg x", "execute"}, {"seg w", "write"}, {"seg wx", "write and execute"}, {"part w", "zero-filled"}, {"part table", "tables"}, {"part none", "in the file only"}} {
		swatch(l[0])
		if l[1] == "zero-filled" {
			swatch("zero")
		}
		d.f("<text class=\"size start\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x+19, y, l[1])
		x += 36 + 6.0*float64(len(l[1]))
	}
}

// printable replaces what would not show, and what XML does not allow.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' || r == '\uFFFE' || r == '\uFFFF' || r >= 0x80 && r < 0xa0 {
			return '.'
		}
		return r
	}, strings.ToValidUTF8(s, "."))
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(n-1, 0)]) + "…"
	}
	return s
}

const svgStyle = `
:root{--page:#fff;--ink:#1c2530;--dim:#68737f;--line:#c3cad2;--r:#4a7fc1;--x:#2f9e6e;--w:#d08a1d;--wx:#cf3b3b;--t:#7a63c7;--n:#8a949e}
@media (prefers-color-scheme:dark){:root{--page:#12171d;--ink:#e3e9ef;--dim:#93a0ad;--line:#3a4550;--r:#6ea3e6;--x:#4cc48f;--w:#e6a945;--wx:#ef6a6a;--t:#a48ff0;--n:#7d8894}}
text{font:10px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:var(--ink)}
.page{fill:var(--page)}.name{font-size:14px;font-weight:600}.head{font-weight:600;fill:var(--dim)}
.r{--c:var(--r)}.x{--c:var(--x)}.w{--c:var(--w)}.wx{--c:var(--wx)}.table{--c:var(--t)}.none{--c:var(--n)}
.band{fill:var(--c);opacity:.16}.seg{fill:var(--c);fill-opacity:.2;stroke:var(--c);stroke-width:1.2}
.part{fill:var(--c);fill-opacity:.26;stroke:var(--page);stroke-width:.8}
.zero{fill:url(#zero);stroke:none}.hatch{stroke:var(--page);stroke-width:5;stroke-opacity:.55}
.over{fill:var(--wx);fill-opacity:.35;stroke:var(--wx);stroke-dasharray:4 3}
.side{text-anchor:middle;font-weight:600;font-size:9.5px}.size,.addr{fill:var(--dim);text-anchor:end;font-size:9px}.start{text-anchor:start}
.addr{font-size:9.5px;paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
.lane{text-anchor:middle;font-size:8px;fill:var(--dim)}.bracket{fill:none;stroke:var(--dim);stroke-width:1}
.gap{stroke:var(--line);stroke-dasharray:2 3;stroke-width:2}.gapsize{fill:var(--dim);font-size:9px}
`
