// Package patch writes values into variables of finished programs: by the name
// of a symbol, by a member of a structure that DWARF describes, by a section, or
// by an address.
//
// The image and its symbols may be two files. Of the image only program headers
// are needed, and its bytes are read through them alone; symbols and DWARF come
// from any number of other files, of which no byte of the program is read, for
// what a separate debug file has at those offsets is something else.
//
// [Apply] works in this order. Each [Set] is resolved to an address, a size and,
// where it matters, a type; its value becomes bytes for that place (encode.go).
// Writes to memory that a resettable program restores go to the saved copy as
// well (reset.go). Where a byte that is not zero goes to memory without file
// bytes, [phdr.GrowAll] makes room. In the end the result is read again, and
// what is at each address is compared with what was to be there.
package patch
