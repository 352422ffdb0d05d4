package picture

import (
	"debug/elf"
	"fmt"
	"strings"
	"unicode"

	"elfwright/internal/term"
)

// ink is the colour of a cell.
type ink uint8

const (
	inkNone ink = iota
	inkDim
	inkRead
	inkExec
	inkWrite
	inkWarn
	inkHeader
)

// inkOf is the colour of a protection: what may be executed, written, or both.
func inkOf(f elf.ProgFlag) ink {
	switch f & (elf.PF_W | elf.PF_X) {
	case elf.PF_X:
		return inkExec
	case elf.PF_W:
		return inkWrite
	case elf.PF_W | elf.PF_X:
		return inkWarn
	}
	return inkRead
}

func (k ink) paint(s term.Style, text string) string {
	switch k {
	case inkDim:
		return s.Dim(text)
	case inkRead:
		return s.Blue(text)
	case inkExec:
		return s.Green(text)
	case inkWrite:
		return s.Yellow(text)
	case inkWarn:
		return s.Red(text)
	case inkHeader:
		return s.Cyan(text)
	}
	return text
}

type cell struct {
	r   rune // 0: a space
	ink ink
}

// put writes text into the grid, at most width characters.
func (d *drawing) put(line, x int, text string, k ink, width int) {
	for len(d.grid) <= line {
		d.grid = append(d.grid, nil)
	}
	for _, r := range cut(text, width) {
		for len(d.grid[line]) <= x {
			d.grid[line] = append(d.grid[line], cell{})
		}
		if r != ' ' {
			d.grid[line][x] = cell{r, k}
		}
		x++
	}
}

// cut shortens text to width characters, with an ellipsis, and shows characters
// that would not print as dots.
func cut(text string, width int) string {
	rs := []rune(text)
	for i, r := range rs {
		// Anything that is not one column wide would move the walls.
		if r > 0x7e && !strings.ContainsRune("─│┌┐└┘├┤┬┴┼╌┆░…◇⋮·", r) || !unicode.IsPrint(r) {
			rs[i] = '.'
		}
	}
	if len(rs) > width {
		rs = rs[:max(width, 0)]
		if width > 1 {
			rs[width-1] = '…'
		}
	}
	return string(rs)
}

// heads prints the columns' headings.
func (d *drawing) heads(out *strings.Builder, s term.Style) {
	line := ""
	for _, c := range d.cols {
		line = fmt.Sprintf("%-*s%s", c.x, line, cut(c.space.String(), c.digits+1+c.inner))
	}
	if line != "" {
		out.WriteString(s.Bold(line) + "\n")
	}
}

// print writes the grid.
func (d *drawing) print(out *strings.Builder, s term.Style) {
	for _, line := range d.grid {
		for i := 0; i < len(line); {
			j := i
			var run strings.Builder
			for ; j < len(line) && (line[j].ink == line[i].ink || line[j].r == 0); j++ {
				if line[j].r == 0 {
					run.WriteByte(' ')
				} else {
					run.WriteRune(line[j].r)
				}
			}
			out.WriteString(line[i].ink.paint(s, run.String()))
			i = j
		}
		out.WriteByte('\n')
	}
}

// box draws a segment in a column.
func (d *drawing) box(c *column, seg int, rows []row) {
	c.boxes[seg] = c.row
	k := inkOf(d.Items[seg].Prot)
	for _, r := range rows {
		d.boxRow(c, r, k)
		c.row++
	}
	c.at = max(c.at, d.Items[seg].At[c.space].End())
}

func (d *drawing) boxRow(c *column, r row, k ink) {
	at := r.at[c.space]
	x, n := c.x+c.digits+1, c.inner-2
	if at.Ok {
		d.put(c.row, c.x, fmt.Sprintf("0x%x", at.Start), inkDim, c.digits)
	}
	switch r.kind {
	case rowTop:
		text := "─ " + r.label + " "
		size := " " + Size(at.Size) + " ─"
		fill := n - len([]rune(text)) - len([]rune(size))
		if fill < 0 {
			size, fill = "", max(n-len([]rune(text)), 0)
		}
		d.put(c.row, x, "┌"+cut(text+strings.Repeat("─", fill)+size, n)+"┐", k, c.inner)
	case rowEnd:
		d.put(c.row, x, "└"+strings.Repeat("─", n)+"┘", k, c.inner)
	default:
		wall := "│"
		if r.kind != rowWarn && (!at.Ok || r.kind == rowZero) {
			wall = "┆" // nothing of the file is here
		}
		d.put(c.row, x, wall, k, 1)
		d.put(c.row, x+c.inner-1, wall, k, 1)
		if at.Ok || r.item < 0 && r.kind == rowOther && !r.at[Virtual].Ok {
			d.thing(c, r, x+1, n)
		}
	}
}

// thing writes a name and a size between the walls of a box.
func (d *drawing) thing(c *column, r row, x, n int) {
	k := inkNone
	switch {
	case r.kind == rowWarn:
		k = inkWarn
	case r.kind == rowOther:
		k = inkDim
	case r.item >= 0 && d.Items[r.item].Kind == Header:
		k = inkHeader
	}
	size := ""
	if r.at[c.space].Ok {
		size = Size(r.at[c.space].Size)
	}
	room := n - 2
	if len(size)+1+min(len([]rune(r.label)), 18) <= room { // a name counts for more than a size
		d.put(c.row, x+n-1-len(size), size, inkDim, len(size))
		room -= len(size) + 1
	}
	d.put(c.row, x+1, r.label, k, room)
}

// gap draws that a column has nothing for a while.
func (d *drawing) gap(c *column, size uint64) {
	if size < 256 && c.space == File {
		return
	}
	text := "⋮ " + Size(size) + " unused"
	if c.space != File {
		text = "⋮ " + Size(size) + " gap"
	}
	d.put(c.row, c.x+c.digits+3, text, inkDim, c.inner-2)
	c.row++
}

// looseRow draws a thing that is in the file only.
func (d *drawing) looseRow(c *column, i int) {
	it := &d.Items[i]
	at := it.At[File]
	if at.Start > c.at {
		d.gap(c, at.Start-c.at)
	}
	d.put(c.row, c.x, fmt.Sprintf("0x%x", at.Start), inkDim, c.digits)
	r := row{kind: rowLoose, item: i, label: it.Name, at: it.At}
	if it.Kind == Header {
		r.label = "◇ " + it.Title()
	}
	d.thing(c, r, c.x+c.digits+2, c.inner-2)
	c.row++
	c.at = max(c.at, at.End())
}

// Directions out of a cell.
const (
	up = 1 << iota
	down
	left
	right
)

var lines = [16]rune{
	up | down: '│', left | right: '─', up | right: '└', up | left: '┘', down | right: '┌', down | left: '┐',
	up | down | right: '├', up | down | left: '┤', left | right | down: '┬', left | right | up: '┴', up | down | left | right: '┼',
	up: '│', down: '│', left: '─', right: '─',
}

// connect shades the gutter between boxes of the same segment on the same line,
// and draws a line between those that are not on the same line.
func (d *drawing) connect() {
	for i := 0; i+1 < len(d.cols); i++ {
		a, b := &d.cols[i], &d.cols[i+1]
		x := a.x + a.digits + 1 + a.inner
		dirs := make(map[[2]int]int)
		inks := make(map[[2]int]ink)
		lane := 0
		for _, seg := range d.byStart(Virtual) {
			from, ok1 := a.boxes[seg]
			to, ok2 := b.boxes[seg]
			if !ok1 || !ok2 {
				continue
			}
			k := inkOf(d.Items[seg].Prot)
			if from == to {
				d.shade(a, b, seg, x, from, k)
				continue
			}
			wire(dirs, inks, k, from, to, lane%d.gutter, d.gutter)
			lane++
		}
		for at, dir := range dirs {
			d.put(at[0], x+at[1], string(lines[dir]), inks[at], 1)
		}
	}
}

// shade fills the gutter beside the rows that both columns have.
func (d *drawing) shade(a, b *column, seg, x, line int, k ink) {
	for n, r := range d.rows(seg) {
		if r.at[a.space].Ok && r.at[b.space].Ok && r.kind != rowWarn {
			d.put(line+n, x, strings.Repeat("░", d.gutter), k, d.gutter)
		}
	}
}

// wire draws a line from one row to another through a lane of the gutter.
func wire(dirs map[[2]int]int, inks map[[2]int]ink, k ink, from, to, lane, gutter int) {
	add := func(line, x, dir int) {
		dirs[[2]int{line, x}] |= dir
		inks[[2]int{line, x}] = k
	}
	for x := 0; x < lane; x++ {
		add(from, x, left|right)
	}
	for x := lane + 1; x < gutter; x++ {
		add(to, x, left|right)
	}
	turn, back, step := down, up, 1
	if to < from {
		turn, back, step = up, down, -1
	}
	add(from, lane, left|turn)
	add(to, lane, right|back)
	for y := from + step; y != to; y += step {
		add(y, lane, up|down)
	}
}
