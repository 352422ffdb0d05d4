// Package proc reads a living process: its mappings, memory, auxiliary vector
// and the numbers of /proc/PID/stat. [Start] runs a program and stops it before
// its first instruction.
//
// The texts of /proc come from the kernel, but parts of them (names of files
// and of programs) from whoever made the process: they are parsed as bytes from
// outside.
package proc
