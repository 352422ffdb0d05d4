package show

import (
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/freeze/note"
)

// Options say what to print and how. The zero value prints what a
// file is and its program headers, as text.
type Options struct {
	Views       View
	HexDump     []string // sections to dump, by name or index
	StringDump  []string // sections whose strings to print
	Disassemble []string // symbols, or ranges START..END

	Registers  bool // all registers of threads, with Processes
	Demangle   bool // C++ and Rust names as in the source
	Decompress bool // dump what compressed sections hold
	JSON       bool // one document for each file
	Colour     bool // with the escape sequences of a terminal

	Heading bool // the file's name in front of its text; for members of an archive always
}

// views are the views asked for.
func (o *Options) views() View {
	v := o.Views
	for _, e := range []struct {
		bit  View
		list []string
	}{{hexDump, o.HexDump}, {stringDump, o.StringDump}, {disassembly, o.Disassemble}} {
		if len(e.list) > 0 {
			v |= e.bit
		}
	}
	return v
}

// defaultViews are those of a file when none is asked for.
func defaultViews(f *elffile.File) View {
	switch {
	case len(f.Progs) == 0:
		return Summary | SectionHeaders
	case note.Is(f):
		return Summary | Processes
	}
	if resettable(f) {
		return Summary | Segments | Reset
	}
	return Summary | Segments
}

// Report tells what was wrong with what was printed.
type Report struct {
	Faults []error // in the order in which they were found, bounded for each view
}

// maxFaults bounds how many faults of one view are kept: a table of a million
// broken rows is one broken table.
const maxFaults = 20

// Print prints views of f to w. Faults of the file are in the report; the error
// is w's.
func Print(w io.Writer, f *elffile.File, opt Options) (*Report, error) {
	return printFile(w, f, opt, nil)
}

// printFile prints one file; where says which member of which archive it is.
func printFile(w io.Writer, f *elffile.File, opt Options, where *member) (*Report, error) {
	p := newPrinter(w, f, &opt)
	p.begin(where)
	if opt.views() == 0 {
		opt.Views = defaultViews(f)
		if opt.Registers {
			opt.Views |= Processes
		}
	}
	want := opt.views()
	if want&All == All && resettable(f) {
		want |= Reset
	}
	if want&NM != 0 {
		want &^= DynSyms // it says which table nm is to take
	}
	if opt.JSON {
		want |= FileHeader // without it no number can be understood
	}
	for _, v := range views() {
		if want&v.when == 0 {
			continue
		}
		p.open(v)
		// A view that meets the end of a file that shrank does not take the
		// other ones with it.
		if err := f.Guard(func() error { v.run(p); return nil }); err != nil {
			p.abandon()
			p.warn(err)
		}
		p.close()
		if p.out.err != nil {
			break
		}
	}
	p.finish()
	return &Report{p.faults}, p.out.err
}

// warn notes a fault of the file, or each of several that are joined.
func (p *printer) warn(err error) {
	if err == nil {
		return
	}
	for _, e := range elffile.Leaves(err) {
		if p.full() {
			p.viewFaults++
		} else if !p.told(e) {
			p.viewFaults++
			p.faults = append(p.faults, e)
		}
	}
}

// full says that no more faults of this view are listed; they are only counted.
func (p *printer) full() bool { return p.viewFaults >= maxFaults }

// told says whether another view has met the same fault.
func (p *printer) told(err error) bool {
	msg := err.Error()
	for _, e := range p.faults {
		if e.Error() == msg {
			return true
		}
	}
	return false
}

// warnf notes a fault at a place in the file; off is negative if it has none.
func (p *printer) warnf(what, field string, off int64, format string, args ...any) {
	p.warn(&elffile.Error{File: p.f.Name, Struct: what, Field: field, Off: off, Msg: fmt.Sprintf(format, args...)})
}
