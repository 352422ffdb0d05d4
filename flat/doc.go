// Package flat makes of a program image what flash programmers, boot loaders and
// simulators take, and an ELF file of that again: raw binary, Intel HEX,
// Motorola S-records, UF2 and the hex files of Verilog's $readmemh.
//
// [Flatten] puts the bytes that a file loads at their physical addresses. It
// takes them by section where there are section headers, as GNU objcopy does,
// and the result is then that of objcopy, byte for byte; where there are none,
// or they are broken, it takes them by PT_LOAD. [Read] is the way back: the runs
// of bytes that a flat file has, and [Contents.ELF] a program of them.
//
// No output is made in memory. A raw binary is a [elffile.Body] of windows on the
// input; the other formats are text that is written as it is read (text.go).
//
// Sources: Intel, "Hexadecimal Object File Format Specification", revision A;
// srec(5) for Motorola's records; microsoft/uf2, README; IEEE 1364, "Loading
// memory data from a file"; for what none of them says, binutils 2.40.
package flat
