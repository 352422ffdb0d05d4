// Package interp makes one image of a program and its dynamic linker, which the
// kernel starts as it stands: a userland exec, of which the kernel does the work.
//
// The image has the segments of the program at the addresses that the program has,
// those of the dynamic linker above them, and the code of package launch, where it
// begins. It has no PT_INTERP: which dynamic linker the program gets is decided
// when the image is made. Nothing of the program is changed. The dynamic linker is
// the one of the file, byte for byte, but for system calls that package serve has
// answered from the image.
package interp
