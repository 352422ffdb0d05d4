// Package explain says what Linux does with an executable, and holds what it
// says against Linux.
//
// [Open] reads a program and its interpreter and has package plan compute what
// execve makes of them; [Subject.Check] starts the program, stopped before its
// first instruction, and compares. [Live] takes a process that runs and says of
// each mapping where it came from and how it differs from its file.
package explain
