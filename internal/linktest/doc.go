// Package linktest holds a machine's relocating against GNU ld, for tests: GNU ld
// links some objects, the same objects are laid out as a model at the addresses
// that its map file tells, and what the machine makes of them must be the bytes
// of GNU ld's output.
//
// The reader of objects here is no part of the linker. It takes what the tests'
// own tools write and panics on anything else.
package linktest
