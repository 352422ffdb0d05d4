// Package match says whether an image and a file with symbols belong together:
// whether addresses that the one gives are those of the other.
//
// The image is a program, with or without section headers, perhaps edited since:
// a header added, a variable set, .bss given bytes in the file. The symbols are
// in a program that was not stripped, or in a file that a tool has split from one
// (objcopy --only-keep-debug, eu-strip -f, package split), whose program headers
// are a record only: their bytes are elsewhere, and their offsets mean nothing.
package match
