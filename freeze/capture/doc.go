// Package capture stops a process, reads all that the kernel keeps for it, and
// lets it go on as if nothing had been.
//
// [With] stops every thread (PTRACE_SEIZE and PTRACE_INTERRUPT, which no signal
// and no system call notices) and lets go of them at the end. In between
// [Target.Snapshot] gives what the process is as plain data: from /proc, from
// ptrace, and from system calls that the process itself is made to do, because
// nobody else is told. A Snapshot has no contents of memory; Target reads them.
package capture
