// Package split takes a program apart into an image, which is all that a loader
// reads, and a file with symbols, which is all that a debugger reads; and joins
// the two again.
//
// The image has the ELF header, the program headers and the bytes that they name,
// each at the offset it had. Nothing is moved, so it runs as the program did. It
// may have section headers for what is loaded, and .gnu_debuglink: without them
// gdb does not look for symbols at all.
//
// The file with symbols has every section header. Sections whose bytes are in the
// image have none there, except notes, so that the build-id is in both. One
// section more, .elfwright.split, says how the program was put together (see
// recipe.go), with the bytes that no header names. So Join gives the program
// again, byte for byte; or, if the image was changed since, the changed program
// with the section headers and symbols of the old one. [Split] proves the first
// before it gives anything out.
//
// [Join] also takes files that other tools have split off. Whether two files
// belong together is asked of package match.
package split
