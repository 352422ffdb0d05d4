// Package attach puts files, ELF objects and trees into finished programs, which
// go on running and find them by package payload or payload.h, and takes them out
// again.
//
// All payloads of a file that are loaded lie in one PT_LOAD, behind a directory
// to which a program header of type PT_EW_PAYLOAD leads; those that are not
// loaded in a section behind all that is, with a header and a directory of their
// own. Package phdr finds the place, where every tool leaves them at their file
// offset. A change takes directory and payloads out and puts the new ones in, so
// that there is one way to lay them out; what stays keeps its place as long as
// nothing in front of it changes.
package attach
