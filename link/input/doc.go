// Package input is everything between the command line and a settled symbol
// table: it finds and maps the files, reads objects and archives, decides which
// members take part and who defines what, drops duplicates, gives common symbols
// a place, and collects garbage.
//
// Files are mapped and parsed by several goroutines; names, bytes and most
// relocations are windows into the maps, which stay as long as the process. All decisions are made afterwards by one
// goroutine that walks the inputs in the order of the command line, as GNU ld
// does, so that no result depends on which goroutine was first. What costs time,
// decoding relocations and unpacking sections, is done last, and in parallel, for
// what is still alive.
//
// Sources: gABI chapters 4 and 5; the manual of GNU ld 2.40; what ld 2.40 does
// (the tests of this package link with it).
package input
