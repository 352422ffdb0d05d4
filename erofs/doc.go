// Package erofs makes and reads EROFS images: a directory as a read-only file
// system in one run of bytes, for a segment of a program.
//
// [Build] lays a tree out uncompressed. The contents of every regular file begin
// at a multiple of 4096 and lie in one piece, so that they can be mapped straight
// from the file the image is in, and the image is made of windows on the files:
// none is read before the image is written. The same tree gives the same bytes.
// Linux mounts the result, since 6.12 without a loop device, and of late from within
// a larger file (-o fsoffset=N).
//
// [Open] reads what Build or mkfs.erofs wrote without compression, as an [io/fs]
// file system, and trusts no byte of it.
package erofs
