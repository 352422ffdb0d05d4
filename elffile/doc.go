// Package elffile is the ELF file format: parse, check, edit, encode. It knows
// both classes and both byte orders and has no policy: what a segment is good
// for, and whether a program would run, is said by the packages above it.
//
// A [File] has independent views. The ELF header and the program headers are
// read when the file is opened, because they are what starts a program; section
// headers, symbols, relocations, dynamic entries, notes and versions are read
// when they are asked for, and a fault in one of them is an error of that one
// alone. Nothing is lost: a File keeps every byte of the file in its [Body],
// named by a header or not, and [File.Encode] writes the headers back over it,
// so that an unchanged file comes out byte for byte and a changed one differs
// only where it was changed.
//
// Bytes are windows ([Data]) onto a mapping of the file, a buffer, a process or
// zeros; they are copied when they are written and not before.
//
// Sources: System V gABI (chapters 4 and 5), the psABI supplements, and for the
// GNU additions the headers of binutils and glibc.
package elffile
