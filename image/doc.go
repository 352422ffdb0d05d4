// Package image is the model: a program as it is before its first instruction.
//
// An [Image] has segments (where their bytes go, and a window on the bytes
// themselves), an entry, the other program headers, and, where somebody asked
// for them, symbols and sections. It comes from a file, a linker, a process or
// a raw binary, and goes to a file, a loader, a raw binary or a container; what
// lies between changes it or looks at it. It is a plain struct; [Image.Check]
// says which of its invariants are broken, and who made the rule.
package image
