// Package samples builds real programs for tests with the compilers and linkers
// on the machine, and finds real ELF files.
//
// [Programs] is the matrix: every machine, linker and kind of linking the
// project claims to handle. A program is built once for all packages and test
// runs: the result is kept in a cache directory under a name made from the
// source, the command and the versions of the tools. [Need] skips a test when a
// tool is missing.
package samples
