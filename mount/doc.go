// Package mount makes the directory tree that a program carries visible as
// files: real ones, which can be mapped and executed, and which cannot be
// written.
//
// The tree is an EROFS image that lies inside the program. The kernel can read
// it there (since 6.12 from a file, since 6.16 from the middle of one), or
// through a loop device; both are root's. Without root a server of ours reads
// it, and the kernel asks the server by FUSE. See [Mount].
//
// A [Run] starts a program with its trees in place, in a mount namespace of its
// own: nobody else sees them, nothing is left when the program has ended, and
// no directory need exist beforehand (cover.go).
//
// A process cannot enter a user namespace once it has threads, and a Go program
// always has. So both start themselves again and say what to do over a socket
// (helper.go); a program that uses this package must call [Helper] when it is
// started with the arguments it gave as Self.
package mount
