// Package script is the language of thaw scripts: what a frozen file does
// before the first instruction of its process.
//
// Everything that can be decided when a process is frozen is decided then and
// becomes a record: mostly a system call with its arguments, where its result
// goes, and what to say if it fails. A stub of less than a page, the Thaw of a
// machine from machine/*/thaw.S, carries them out. It needs no stack, so that a
// script can unmap the one that the kernel made; a thread that a record starts
// goes on at records of its own.
//
// A [Builder] makes scripts; [Parse] takes one apart, for those who show it.
package script
