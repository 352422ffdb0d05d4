// Package layout carries out a linker script: which input section goes into
// which section of the output, at what address, in which segment, and why.
//
// The trees of all scripts become one list of statements of our own (Read). The
// order in which it is used is that of GNU ld:
//
//	Keeps    KEEP patterns, before the collection of garbage
//	Match    patterns take sections; INSERT; orphans
//	Assign   a walk over the list gives sizes, addresses, symbols, again and
//	         again until nothing moves; then the program headers
//	Finish   ASSERT, overlaps, regions; file offsets and segments
//
// Where to look:
//
//	script.go  compile.go   scripts and options into statements
//	match.go   sort.go      input sections into statements
//	insert.go  orphan.go    INSERT; sections that no pattern takes
//	traits.go  output.go    type, flags, alignment of an output section
//	assign.go settle.go     the walk, and that it is repeated until nothing moves
//	contents.go lma.go      what is in a section; load addresses and the rule for each
//	final.go                values of symbols, once addresses stand
//	region.go  dataseg.go relro.go  MEMORY; DATA_SEGMENT_…
//	symbols.go eval.go      the script's symbols; what expressions ask
//	circle.go               symbols that depend on themselves
//	empty.go                output sections that are dropped
//	phdrs.go, defaultphdrs.go, lldphdrs.go, lldspan.go: which program headers there are
//	segments.go otherphdrs.go  their fields, and file offsets
//	addphdr.go extra.go     program headers besides
//	check.go   explain.go   overlaps; why everything is where it is
//	dialect.go              where lld means otherwise
//
// The meaning is that of GNU ld 2.40, measured; with the dialect "lld" that of
// lld where the two differ.
package layout
