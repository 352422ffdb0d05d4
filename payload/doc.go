// Package payload finds what a program carries: files, ELF objects and whole
// trees that package attach has put into its ELF file, as a segment with a
// program header of its own.
//
// A program finds its own by [Self], which is an [io/fs.FS]; every file in it can
// also be read at any offset, and mapped. The payloads of any program are found
// by [Open], or by [Read] in a file that is open. The format is told of in
// docs/payload-format.md; payload.h, for C, reads the same.
package payload
