// Package compare says what changed between two images, by meaning: fields of
// the headers, segments, sections, dynamic entries, notes, symbols, and the
// bytes that differ, each by the symbol it belongs to; and where the size went.
//
// [Images] is a pure function of two files. What it finds is a [Report], which
// [Report.WriteText], [Report.WriteJSON] and [Report.WriteHTML] print.
//
// # What belongs to what
//
// Entries are matched in passes, the strictest key first: a program header by
// all its fields, then by type, address and protection, and so on; a symbol by
// name, file, section and size, then by less and less, at last by its name
// without what compilers append (.constprop.0, .llvm.123, Rust's hash). What is
// left over was added or removed. Order counts only where it means something.
//
// # Bytes
//
// Each file is cut into areas (sections; what segments and the file have
// besides) and each area into pieces: the bytes of a symbol, or the bytes
// between two. Bytes are compared piece by piece, so that a function that moved
// is compared with itself. Where it differs only in fields that lead to the same
// place as before, such as the distance of a call, that is said instead: see
// refs.go for what is taken for such a field.
package compare
