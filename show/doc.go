// Package show prints what is in an ELF file: the tables of readelf and nm, for
// people as text and for programs as JSON.
//
// [Print] prints one file, [Path] whatever a command line names: a file, an
// archive, a member of one, standard input. Both return a [Report] with what was
// wrong with the file; a wrong part never hides the rest.
//
// # How a view is made
//
// A view is a line in the table in view.go: a key, the shape of what it prints,
// and a function of one *printer. The function walks over its part of the file
// and hands on one [row] after another; nothing is collected, so that a table of
// a million rows costs as much memory as one of ten:
//
//	func showThings(p *printer) {
//		things, err := p.f.Things()
//		p.warn(err)                      // goes on with what could be read
//		if len(things) == 0 {
//			p.remark("There are no things in this file.") // text only
//			return
//		}
//		p.table(&thingsHead{offset: off}) // title and column heads; JSON: fields
//		r := new(thingRow)                // one row, used again and again
//		for i := range things {
//			*r = thingRow{…}             // decode
//			p.row(r)
//		}
//		p.end()
//	}
//
// A row is a pointer to a struct with the decoded numbers and names, and two
// methods, each of which appends to a buffer:
//
//	func (r *thingRow) text(t *text)   { t.hex(r.addr, 16); t.str("  "); t.name(r.name); t.nl() }
//	func (r *thingRow) json(o *object) { o.hex("addr", r.addr); o.name("name", r.name) }
//
// The row's text method ends its own lines. The json method writes only fields:
// the braces around them are the printer's. What the text says the JSON says
// too; docs/show-json.md documents every field.
//
// The shape of a view is what its JSON key holds:
//
//	shapeObject  one object: call p.object(row) once
//	shapeRows    an array of rows: p.row for each, without p.table
//	shapeTables  an array of tables, each an object with the fields of its head
//	             and the rows under "entries": p.table, p.row…, p.end
//
// Numbers in JSON: what counts (sizes, counts, indices, alignments) is a number
// (o.num); what names a place or a pattern of bits (addresses, offsets, values,
// flags) is a string in hexadecimal (o.hex), because many readers of JSON round
// numbers to 53 bits. Names are bytes from the file: t.name and o.name escape
// what cannot be printed.
//
// What is printed stays in proportion to the file, whatever its headers say: a
// view asks p.spend before it prints a table, and takes names of unknown length
// from p.cstring or through p.cut.
//
// A view that needs a section's name asks p.sectionName, which remembers it; a
// symbol's name goes through p.symbolText and p.symbolJSON, which demangle on
// request.
package show
