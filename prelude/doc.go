// Package prelude puts code into a program that runs before the program's old
// entry point: it carries out a script of system calls, and then the program
// starts as if nothing had been. Its first use is [Mounts], the script of a
// program that mounts the trees it carries.
//
// The code, an interpreter of about 500 bytes a machine, is machine.Machine's
// Prelude, from machine/*/prelude.S. It needs no writable memory but the stack
// below the stack pointer, and gives every register and the stack on as the kernel
// or the dynamic linker handed them over (two machines need a register for the
// jump; their prelude.S says which, and why nobody misses it). In a dynamic
// program it runs when the dynamic linker is done, and so after the constructors
// of its libraries.
//
// A [Builder] makes scripts, [Decode] prints them, and [Install] adds code and
// script to a file as one PT_LOAD and sets e_entry. What the PT_LOAD holds is
// described in script.go.
package prelude
