package show

import (
	"errors"
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/machine"
	"elfwright/machine/all"
)

// A row is one entry of a table, decoded: numbers as they are, names as windows
// on the file. Both forms of output print the same row.
type row interface {
	text(t *text)   // whole lines
	json(o *object) // fields, without the braces around them
}

// printer is what the views of one file print to.
type printer struct {
	f   *elffile.File
	opt *Options
	out *buffer

	// One of these has the buffer; the other is nil.
	t *text
	o *object

	view    view
	inTable bool
	rows    bool // whether the open array has a row
	tables  bool // whether the open view has a table
	some    bool // whether a view was printed

	faults     []error
	viewFaults int
	spent      uint64 // see spend
	named      uint64 // see cut

	// What several views need is read once.
	m          *machine.Machine // nil: only numbers are known
	names      []string         // of the sections, as far as they were asked for
	shstrtab   []byte
	symbolTabs map[int]*symbolTable
	dyn        *elffile.Dynamic
	versions   *versionNames
}

func newPrinter(w io.Writer, f *elffile.File, opt *Options) *printer {
	p := &printer{f: f, opt: opt, out: newBuffer(w), m: all.Lookup(f.Header.Machine, f.Class)}
	if opt.JSON {
		p.o = &object{buffer: p.out}
	} else {
		p.t = &text{buffer: p.out, colour: opt.Colour}
	}
	return p
}

// begin prints what comes before all views.
func (p *printer) begin(where *member) {
	if p.o != nil {
		p.o.add(`{"version":1`)
		p.o.name("file", []byte(p.f.Name))
		if where != nil {
			p.o.name("archive", []byte(where.archive))
			p.o.name("member", []byte(where.name))
			p.o.hex("member_offset", uint64(where.offset))
		}
		p.out.done()
		return
	}
	if p.opt.Heading {
		p.t.nl()
		p.t.title("File: ", p.f.Name)
		p.t.nl()
	}
	p.out.done()
}

// open starts a view.
func (p *printer) open(v view) {
	p.view, p.viewFaults, p.tables, p.rows, p.inTable = v, 0, false, false, false
	p.spent, p.named = 0, 0
	if p.o != nil {
		p.o.add(",\n")
		p.o.key(v.key)
		if v.shape != shapeObject {
			p.o.add("[")
		}
		p.out.done()
	}
}

// object prints the one object of a view.
func (p *printer) object(r row) {
	p.rows = true
	if p.t != nil {
		p.gap()
		r.text(p.t)
	} else {
		p.o.add("{")
		r.json(p.o)
		p.o.add("}")
	}
	p.out.done()
}

// table starts a table: its title and column heads, or its fields.
func (p *printer) table(head row) {
	if p.t != nil {
		p.gap()
		head.text(p.t)
	} else {
		if p.tables {
			p.o.add(",")
		}
		p.o.add("\n{")
		head.json(p.o)
		p.o.key("entries")
		p.o.add("[")
	}
	p.tables, p.inTable, p.rows = true, true, false
	p.out.done()
}

// row prints one row of the open table, or of a view that is one.
func (p *printer) row(r row) {
	if p.t != nil {
		r.text(p.t)
	} else {
		if p.rows {
			p.o.add(",\n{")
		} else {
			p.o.add("\n{")
		}
		r.json(p.o)
		p.o.add("}")
	}
	p.rows = true
	p.out.done()
}

// end ends the open table.
func (p *printer) end() {
	if p.inTable && p.o != nil {
		p.o.add("]}")
	}
	p.inTable = false
	p.out.done()
}

// heading is print behind an empty line.
func (p *printer) heading(print func(t *text)) {
	if p.t != nil {
		p.gap()
		p.print(print)
	}
}

// print prints text that is not in JSON: the title and column heads of a view
// that is an array of rows, a key to letters.
func (p *printer) print(print func(t *text)) {
	if p.t != nil {
		print(p.t)
		p.out.done()
	}
}

// remark prints a line where a table would be; JSON has an empty array there.
func (p *printer) remark(format string, args ...any) {
	p.heading(func(t *text) {
		t.str(fmt.Sprintf(format, args...))
		t.nl()
	})
}

// gap parts what follows from what was printed before, by an empty line.
func (p *printer) gap() {
	if p.some {
		p.t.nl()
	}
	p.some = true
}

// abandon drops the row that a view was printing, and ends its table.
func (p *printer) abandon() {
	p.out.drop()
	p.end()
}

// close ends a view.
func (p *printer) close() {
	p.end()
	if p.o != nil {
		switch {
		case p.view.shape != shapeObject:
			p.o.add("]")
		case !p.rows:
			p.o.add("null")
		}
		p.out.done()
	}
	if more := p.viewFaults - maxFaults; more > 0 {
		p.faults = append(p.faults, fmt.Errorf("%s: %d more faults in the view %q are not listed", p.f.Name, more, p.view.key))
	}
}

// finish prints what comes after all views, and hands all on to the writer.
func (p *printer) finish() {
	if p.o != nil {
		p.o.add(",\n")
		p.o.list("errors")
		for _, err := range p.faults {
			p.o.open("")
			p.fault(err)
			p.o.close()
		}
		p.o.endList()
		p.o.add("}\n")
	}
	p.out.done()
	p.out.flush()
}

// fault prints an error with its place as far as it has one.
func (p *printer) fault(err error) {
	p.o.str("message", err.Error())
	if e, ok := errors.AsType[*elffile.Error](err); ok && e.Struct != "" {
		p.o.str("struct", e.Struct)
		if e.Field != "" {
			p.o.str("field", e.Field)
		}
		if e.Off >= 0 {
			p.o.hex("offset", uint64(e.Off))
		}
	}
}

// sectionName is the name of a section, as the file has it.
func (p *printer) sectionName(i int) string {
	sections := p.f.Sections()
	if i < 0 || i >= len(sections) {
		return ""
	}
	if p.names == nil {
		p.names = make([]string, len(sections))
		if x := p.f.Shstrndx(); x != 0 && uint64(x) < uint64(len(sections)) {
			p.shstrtab, _ = p.f.SectionData(int(x))
		}
	}
	if p.names[i] == "" {
		p.names[i] = string(p.cstring(p.shstrtab, uint64(sections[i].Name)))
	}
	return p.names[i]
}

// sectionLabel is how errors call a section: "section 5 (.text)".
func (p *printer) sectionLabel(i int) string {
	if name := p.sectionName(i); name != "" {
		return fmt.Sprintf("section %d (%s)", i, name)
	}
	return fmt.Sprintf("section %d", i)
}
