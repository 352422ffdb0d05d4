package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed page.html
var pageText string

// page is the report as a template: it needs nothing from outside.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(pageText))
})

// A pageTable is a table of the page. Its columns can be sorted by.
type pageTable struct {
	Title, ID string
	Note      string // in front of the table
	Count     int    // of all rows
	Heads     []pageHead
	Rows      [][]pageCell
	Foot      [][]pageCell
	More      int // rows left out
}

type pageHead struct {
	Name string
	Num  bool
}

// A pageCell has a text, what to sort by where that is another, and a class.
type pageCell struct {
	Text  string
	Sort  string
	Class string
	Lines []pageLine // instead of the text
	Bar   float64    // of a delta: how wide, in percent, negative to the left
}

// A pageLine is a run of bytes before and after, or just words.
type pageLine struct{ Text, Old, New string }

// WriteHTML writes the report as one page without any reference to the outside.
func (r *Report) WriteHTML(w io.Writer, o Output) error {
	p := &pageMaker{o: o, t: &textWriter{o: Output{Demangle: o.Demangle}}}
	return page().Execute(w, struct {
		Title  string
		Old    File
		New    File
		Same   bool
		Facts  []string
		Tables []pageTable
	}{
		printable(r.Old.Name) + " → " + printable(r.New.Name), cleanFile(r.Old), cleanFile(r.New), r.Same, r.facts(), p.tables(r),
	})
}

func cleanFile(f File) File {
	f.Name = printable(f.Name)
	return f
}

// facts are what one reads first.
func (r *Report) facts() []string {
	var list []string
	if r.Same {
		return list
	}
	z := &r.Sizes
	list = append(list, fmt.Sprintf("file %d bytes (%+d)", z.Total.File.New, z.Total.File.Delta()))
	list = append(list, fmt.Sprintf("memory %d bytes (%+d)", z.Total.Memory.New, z.Total.Memory.Delta()))
	if len(r.Symbols.Counts) > 0 {
		list = append(list, "symbols: "+r.Symbols.summary())
	}
	return list
}

// pageMaker makes the tables of a page.
type pageMaker struct {
	o Output
	t *textWriter
	l []pageTable
}

func (p *pageMaker) tables(r *Report) []pageTable {
	if r.Same {
		return nil
	}
	z := &r.Sizes
	p.sizes("Size by symbol", "size-symbols", z.Symbols, &z.Total)
	p.sizes("Size by section", "size-sections", z.Sections, &z.Total)
	p.segmentSizes(z)
	p.symbols(&r.Symbols)
	p.content(r.Content)
	p.header(r.Header)
	p.entries("Program headers", "segments", r.Segments, true)
	p.entries("Sections", "sections", r.Sections, true)
	p.entries("Dynamic section", "dynamic", r.Dynamic, false)
	p.entries("Notes", "notes", r.Notes, false)
	p.entries("Symbol versions", "versions", r.Versions, false)
	p.relocs(r.Relocs)
	p.entries("Symbol tables", "tables", r.Symbols.Tables, false)
	p.entries("Dynamic symbols", "exports", r.Exports, false)
	p.entries("Source files", "sources", r.Symbols.Sources, false)
	return p.l
}

func (p *pageMaker) add(t pageTable) {
	if t.Count > 0 {
		p.l = append(p.l, t)
	}
}

func plainCell(s string) pageCell { return pageCell{Text: s} }

func numCell(n Size) pageCell {
	return pageCell{Text: strconv.FormatUint(uint64(n), 10), Class: "n"}
}

func hexCell(h *Hex) pageCell {
	if h == nil {
		return pageCell{Class: "n"}
	}
	return pageCell{Text: h.String(), Sort: strconv.FormatUint(uint64(*h), 10), Class: "n"}
}

// deltaCell is a change with a bar, whose whole width is most.
func deltaCell(d int64, most uint64) pageCell {
	c := pageCell{Text: fmt.Sprintf("%+d", d), Sort: strconv.FormatInt(d, 10), Class: "n"}
	switch {
	case d > 0:
		c.Class = "n up"
	case d < 0:
		c.Class = "n down"
	default:
		c.Text = "0"
	}
	if most > 0 && d != 0 {
		c.Bar = 100 * float64(abs(d)) / float64(most)
	}
	return c
}

func changeCell(c Change) pageCell { return pageCell{Text: string(c), Class: "c " + string(c)} }

func (p *pageMaker) sizes(title, id string, list []SizeRow, total *SizeRow) {
	t := pageTable{Title: title, ID: id, Count: len(list), Heads: []pageHead{{"name", false}, {"in", false}, {"change", false},
		{"memory before", true}, {"memory", true}, {"delta", true}, {"file before", true}, {"file", true}, {"delta", true}}}
	list, t.More = limit(&p.o, list)
	var mem, file uint64
	for i := range list {
		mem, file = max(mem, abs(list[i].Memory.Delta())), max(file, abs(list[i].File.Delta()))
	}
	row := func(r *SizeRow, mem, file uint64) []pageCell {
		in := r.Section
		if r.Source != "" {
			in += " of " + r.Source
		}
		return []pageCell{plainCell(p.o.name(r.Name)), plainCell(printable(in)), changeCell(r.Change),
			numCell(r.Memory.Old), numCell(r.Memory.New), deltaCell(r.Memory.Delta(), mem), numCell(r.File.Old), numCell(r.File.New), deltaCell(r.File.Delta(), file)}
	}
	for i := range list {
		t.Rows = append(t.Rows, row(&list[i], mem, file))
	}
	t.Foot = [][]pageCell{row(total, 0, 0)}
	p.add(t)
}

func (p *pageMaker) segmentSizes(z *Sizes) {
	t := pageTable{Title: "Size by segment", ID: "size-segments", Count: len(z.Segments), Heads: []pageHead{{"segment", false}, {"address", true}, {"load address", true},
		{"memory before", true}, {"memory", true}, {"delta", true}, {"file before", true}, {"file", true}, {"delta", true}}}
	list, more := limit(&p.o, z.Segments)
	t.More = more
	for i := range list {
		r := &list[i]
		t.Rows = append(t.Rows, []pageCell{plainCell("LOAD " + r.Flags), hexCell(&r.Vaddr), hexCell(&r.Paddr),
			numCell(r.Memory.Old), numCell(r.Memory.New), deltaCell(r.Memory.Delta(), 0), numCell(r.File.Old), numCell(r.File.New), deltaCell(r.File.Delta(), 0)})
	}
	t.Foot = [][]pageCell{
		{plainCell("all segments"), {}, {}, numCell(z.Memory.Old), numCell(z.Memory.New), deltaCell(z.Memory.Delta(), 0), numCell(z.Flash.Old), numCell(z.Flash.New), deltaCell(z.Flash.Delta(), 0)},
		{plainCell("the writable ones"), {}, {}, numCell(z.Writable.Old), numCell(z.Writable.New), deltaCell(z.Writable.Delta(), 0), {}, {}, {}},
	}
	p.add(t)
}

func (p *pageMaker) symbols(s *Symbols) {
	t := pageTable{Title: "Symbols", ID: "symbols", Note: "Of " + s.Table + ": " + s.summary() + ".", Count: len(s.Changes),
		Heads: []pageHead{{"change", false}, {"name", false}, {"what", false}, {"size before", true}, {"size", true}, {"delta", true}, {"address before", true}, {"address", true}}}
	list, more := limit(&p.o, s.Changes)
	t.More = more
	for i := range list {
		x := &list[i]
		name := p.o.name(x.Name)
		if x.OldName != "" {
			name = p.o.name(x.OldName) + " → " + name
		}
		t.Rows = append(t.Rows, []pageCell{changeCell(x.Change), plainCell(name), plainCell(strings.Join(x.words(p.t), ", ")),
			numCell(x.OldSize), numCell(x.NewSize), deltaCell(x.Delta(), 0), hexCell(x.OldAddr), hexCell(x.NewAddr)})
	}
	p.add(t)
}

func (p *pageMaker) content(list []Unit) {
	t := pageTable{Title: "Bytes that differ", ID: "content", Count: len(list), Heads: []pageHead{{"where", false}, {"address", true}, {"file offset", true}, {"bytes", false}}}
	list, t.More = limit(&p.o, list)
	for i := range list {
		u := &list[i]
		lines := []pageLine{}
		for k := range u.Bytes.Ranges[:min(len(u.Bytes.Ranges), maxTextRanges)] {
			g := &u.Bytes.Ranges[k]
			lines = append(lines, pageLine{u.place(g), g.Old, g.New})
		}
		if n := uint64(u.Bytes.NoRanges) + uint64(len(u.Bytes.Ranges)); n > maxTextRanges {
			lines = append(lines, pageLine{Text: fmt.Sprintf("and %d more places", n-maxTextRanges)})
		}
		addr, off := u.NewAddr, u.NewOff
		if addr == nil {
			addr = u.OldAddr
		}
		if off == nil {
			off = u.OldOff
		}
		t.Rows = append(t.Rows, []pageCell{plainCell(u.title(&p.o)), hexCell(addr), hexCell(off), {Lines: lines}})
	}
	p.add(t)
}

func (p *pageMaker) header(list []Field) {
	t := pageTable{Title: "ELF header", ID: "header", Count: len(list), Heads: []pageHead{{"field", false}, {"before", false}, {"now", false}}}
	for i := range list {
		f := &list[i]
		t.Rows = append(t.Rows, []pageCell{plainCell(f.Name), plainCell(printable(f.Old.String())), plainCell(printable(f.New.String()))})
	}
	p.add(t)
}

func (p *pageMaker) entries(title, id string, list []Entry, index bool) {
	t := pageTable{Title: title, ID: id, Count: len(list), Heads: []pageHead{{"change", false}, {"name", false}, {"what", false}}}
	if index {
		t.Heads = append([]pageHead{{"index", true}}, t.Heads...)
	}
	list, t.More = limit(&p.o, list)
	for i := range list {
		e := &list[i]
		row := []pageCell{changeCell(e.Change), plainCell(p.o.name(e.Name)), plainCell(strings.Join(e.words(p.t), ", "))}
		if index {
			at := e.New
			if at == nil {
				at = e.Old
			}
			row = append([]pageCell{{Text: e.where(), Sort: strconv.Itoa(*at), Class: "n"}}, row...)
		}
		t.Rows = append(t.Rows, row)
	}
	p.add(t)
}

func (p *pageMaker) relocs(list []Count) {
	t := pageTable{Title: "Relocations", ID: "relocations", Count: len(list), Heads: []pageHead{{"type", false}, {"before", true}, {"now", true}, {"delta", true}}}
	list, t.More = limit(&p.o, list)
	for _, c := range list {
		t.Rows = append(t.Rows, []pageCell{plainCell(printable(c.Name)), numCell(c.Old), numCell(c.New), deltaCell(int64(c.New-c.Old), 0)})
	}
	p.add(t)
}
