// Package phdr adds, changes and removes program headers of finished programs,
// which go on running, and which debuggers, strip and objcopy go on handling.
//
// The difficulty is the table itself. It follows the ELF header, and whatever
// comes behind it is in the way of a longer one; to move it elsewhere breaks
// kernels before 5.18, qemu-user and gVisor, which look for it where the first
// PT_LOAD says, hides the build-id from core dumps, of which only the first page
// of a file is kept, and is undone by GNU strip. So [Add] tries a chain of
// techniques (see techniques in add.go), from one that touches nothing to one
// that needs a warning, and takes the first that applies to the file. The
// [Report] says which it was, why the ones before it were not, what moved and
// what it costs.
//
// Work is done on a draft: a copy of the file's headers over a rope of its
// bytes, of which none is copied that stays. Before a draft is given out, it is
// encoded, read again and compared with the original (verify.go): every byte a
// loader maps from the old file must be there in the new one, at the same
// address and with the same protection, unless it is on the draft's list of what
// was meant to change.
package phdr
