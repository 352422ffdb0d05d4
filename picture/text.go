package picture

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"elfwright/internal/term"
)

// TextOptions are how a picture is drawn on a terminal.
type TextOptions struct {
	Width int // columns; 0: 80
	Style term.Style
}

// Text draws the model in lines that are no longer than the width: a column for
// each space that fits, each segment a box, and shading where the boxes of
// neighbouring columns are the same bytes.
func (m *Model) Text(w io.Writer, opt TextOptions) error {
	if opt.Width <= 0 {
		opt.Width = 80
	}
	d := m.draw(opt.Width)
	var out strings.Builder
	d.heads(&out, opt.Style)
	d.print(&out, opt.Style)
	for _, line := range d.remarks() {
		for _, folded := range fold(line, opt.Width) {
			out.WriteString(opt.Style.Dim(folded))
			out.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// drawing is a picture in the making: which columns there are, how wide they
// are, and the grid of characters.
type drawing struct {
	*Model
	cols   []column
	gutter int
	grid   [][]cell
	// dropped are the columns for which there was no room.
	dropped []Space
}

// column is one space in the drawing.
type column struct {
	space  Space
	x      int         // of the address
	digits int         // width of addresses
	inner  int         // width of a box, with its walls
	row    int         // the next free one
	at     uint64      // everything before is drawn
	boxes  map[int]int // item: first row of its box
}

const (
	minInner = 14
	maxInner = 40
)

// draw lays the picture out for a width.
func (m *Model) draw(width int) *drawing {
	d := &drawing{Model: m}
	for s := range Space(Spaces) {
		if m.Has(s) {
			d.cols = append(d.cols, column{space: s, digits: m.digits(s), boxes: make(map[int]int)})
		}
	}
	for !d.fit(width) {
		last := len(d.cols) - 1
		if last > 0 && d.cols[0].space == File && last == 1 {
			d.dropped = append(d.dropped, File)
			d.cols = d.cols[1:]
			continue
		}
		d.dropped = append(d.dropped, d.cols[last].space)
		d.cols = d.cols[:last]
	}
	d.fill()
	d.connect()
	return d
}

// digits is how wide the addresses of a space are.
func (m *Model) digits(s Space) int {
	var top uint64
	for i := range m.Items {
		if m.Items[i].At[s].Ok {
			top = max(top, m.Items[i].At[s].End())
		}
	}
	if s == File {
		top = max(top, m.FileSize)
	}
	return max(len(fmt.Sprintf("0x%x", top)), 6)
}

// fit divides the width among the columns, and says whether there is enough.
func (d *drawing) fit(width int) bool {
	n := len(d.cols)
	if n == 0 {
		return true
	}
	room := width
	for _, c := range d.cols {
		room -= c.digits + 1
	}
	d.gutter = 1
	if wide := room - 3*(n-1); wide/n >= minInner+2 {
		d.gutter = 3
	}
	if wide := room - 5*(n-1); wide/n >= minInner+8 {
		d.gutter = 5
	}
	inner := min((room-d.gutter*(n-1))/n, maxInner)
	if inner < minInner && n > 1 {
		return false
	}
	x := 0
	for i := range d.cols {
		c := &d.cols[i]
		c.x, c.inner = x, max(inner, 4)
		x += c.digits + 1 + c.inner + d.gutter
	}
	return true
}

// fill draws the boxes: segments in the order of their virtual addresses, each
// beginning on one line in all columns that have it in this order too; in the
// others it stands by itself, and connect draws lines to it.
func (d *drawing) fill() {
	if len(d.cols) == 0 {
		return
	}
	base := d.byStart(Virtual)
	aligned := make([]map[int]bool, len(d.cols))
	order := make([][]int, len(d.cols))
	for c := range d.cols {
		order[c] = d.byStart(d.cols[c].space)
		aligned[c] = inOrder(base, order[c])
	}
	for _, seg := range base {
		rows := d.rows(seg)
		line := 0
		var with []int
		for c := range d.cols {
			if !aligned[c][seg] {
				continue
			}
			for len(order[c]) > 0 && order[c][0] != seg { // those that are out of order here
				d.alone(c, order[c][0])
				order[c] = order[c][1:]
			}
			order[c] = order[c][1:]
			d.before(&d.cols[c], d.Items[seg].At[d.cols[c].space].Start)
			line = max(line, d.cols[c].row)
			with = append(with, c)
		}
		for _, c := range with {
			d.cols[c].row = line
			d.box(&d.cols[c], seg, rows)
		}
	}
	for c := range d.cols {
		for _, seg := range order[c] {
			d.alone(c, seg)
		}
		if d.cols[c].space == File {
			d.before(&d.cols[c], d.FileSize)
			d.rest(&d.cols[c])
		}
	}
}

// alone draws a box that has no neighbours on its line.
func (d *drawing) alone(c, seg int) {
	col := &d.cols[c]
	d.before(col, d.Items[seg].At[col.space].Start)
	d.box(col, seg, d.rows(seg))
}

// inOrder returns the longest part of list that base has in the same order.
func inOrder(base, list []int) map[int]bool {
	rank := make(map[int]int, len(base))
	for i, v := range base {
		rank[v] = i
	}
	var tails, prev []int // indices in list: the end of the best run of each length, and who came before
	prev = make([]int, len(list))
	for i, v := range list {
		r, known := rank[v]
		if !known {
			continue
		}
		k, _ := slices.BinarySearchFunc(tails, r, func(t, r int) int { return cmp.Compare(rank[list[t]], r) })
		prev[i] = -1
		if k > 0 {
			prev[i] = tails[k-1]
		}
		if k == len(tails) {
			tails = append(tails, i)
		} else {
			tails[k] = i
		}
	}
	out := make(map[int]bool)
	if len(tails) == 0 {
		return out
	}
	for i := tails[len(tails)-1]; i >= 0; i = prev[i] {
		out[list[i]] = true
	}
	return out
}

// before draws what a column has between its last box and an address: things
// in the file only, or a gap.
func (d *drawing) before(c *column, until uint64) {
	if c.space == File {
		for _, i := range d.loose() {
			at := d.Items[i].At[File]
			if at.Start >= c.at && at.Start < until {
				d.looseRow(c, i)
			}
		}
	}
	if until > c.at && (c.row > 0 || c.space == File) {
		d.gap(c, until-c.at)
	}
	c.at = max(c.at, until)
}

// rest draws what claims to be behind the end of the file.
func (d *drawing) rest(c *column) {
	for _, i := range d.loose() {
		if d.Items[i].At[File].Start >= d.FileSize && d.Items[i].At[File].Size > 0 {
			d.looseRow(c, i)
		}
	}
	if d.FileSize == 0 {
		return
	}
	d.put(c.row, c.x, fmt.Sprintf("%-*s end of file", c.digits, fmt.Sprintf("0x%x", d.FileSize)), inkDim, c.digits+1+c.inner)
	c.row++
}

// loose are the items that are in the file but in no segment, by offset.
func (d *drawing) loose() []int {
	var out []int
	for i := range d.Items {
		it := &d.Items[i]
		if it.Kind != Segment && it.Kind != Mapping && it.At[File].Ok && it.At[File].Size > 0 && !it.At[Virtual].Ok {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(d.Items[a].At[File].Start, d.Items[b].At[File].Start) })
	if len(out) > maxRows {
		out = d.largest(out)
	}
	return out
}

// largest keeps the maxRows largest of the items, in their order.
func (d *drawing) largest(list []int) []int {
	bySize := slices.Clone(list)
	slices.SortStableFunc(bySize, func(a, b int) int { return -cmp.Compare(d.Items[a].At[File].Size, d.Items[b].At[File].Size) })
	keep := make(map[int]bool)
	for _, i := range bySize[:maxRows] {
		keep[i] = true
	}
	return slices.DeleteFunc(list, func(i int) bool { return !keep[i] })
}

// remarks are the lines under the picture.
func (d *drawing) remarks() (out []string) {
	var free []string
	for i := range d.Items {
		if it := &d.Items[i]; it.Kind == Header && it.Parent < 0 && !it.At[File].Ok {
			free = append(free, it.Title())
		}
	}
	if len(free) > 0 {
		out = append(out, "no place of their own: "+strings.Join(free, ", "))
	}
	for _, s := range d.dropped {
		switch {
		case s == Physical && d.SamePhysical():
			out = append(out, "physical addresses are the virtual ones")
		default:
			out = append(out, fmt.Sprintf("no room for the column %q in this width", s.String()))
		}
	}
	if d.Omitted > 0 {
		out = append(out, fmt.Sprintf("%d small sections are not shown", d.Omitted))
	}
	return out
}

// fold breaks a line between words.
func fold(s string, width int) (out []string) {
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(w)) > width {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += cut(w, width)
	}
	return append(out, line)
}
