// Package write makes the file of a link whose sections all have their places:
// section bytes copied and relocated, the linker's own sections, the symbol
// table, headers, build-id; and the texts beside it: map, cross references,
// memory use, dependencies.
//
// Everything is laid out before a byte is written. The bytes go into a shared
// mapping of a temporary file beside the output, from several goroutines that
// take pieces of about equal cost; then the file gets its name. The result does
// not depend on how many they are.
package write
