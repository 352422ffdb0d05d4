// Package model is what a link consists of: objects with their sections and
// symbols, the sections of the output, segments, and what is asked of a machine.
// The passes of package link, and the packages beside this one that carry them
// out, share these types; each field says which pass sets it.
//
//	link/input    files, archives, symbols: who defines what, what is dropped
//	link/layout   the script: which section goes where, at what address
//	link/synth    sections that the linker makes: GOT, PLT, notes, hashes, .eh_frame
//	link/x86 …    machines: what relocations need, how they are applied, relaxed
//	link/write    bytes into place; symbol table, headers, map
//
// An address is known in three steps. A symbol is an offset in an input Section;
// a Section is an offset in an Output; an Output has an address. Nothing is
// rewritten when one of them moves. Sections whose bytes are not copied as they
// are (merged strings, .eh_frame, relaxed code) have a Map from input to output
// offsets.
package model
