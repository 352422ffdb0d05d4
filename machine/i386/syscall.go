package i386

import "elfwright/machine"

// Linux, arch/x86/entry/syscalls/syscall_32.tbl; O_LARGEFILE of include/uapi/asm-generic/fcntl.h.
var linux = &machine.Linux{
	LargeFile: 0o100000,
	Calls: []machine.Syscall{
		{Number: 3, Name: "read"},
		{Number: 4, Name: "write"},
		{Number: 6, Name: "close"},
		{Number: 12, Name: "chdir"},
		{Number: 20, Name: "getpid"},
		{Number: 21, Name: "mount"},
		{Number: 60, Name: "umask"},
		{Number: 91, Name: "munmap"},
		{Number: 140, Name: "_llseek"},
		{Number: 172, Name: "prctl"},
		{Number: 183, Name: "getcwd"},
		{Number: 185, Name: "capset"},
		{Number: 192, Name: "mmap2"},
		{Number: 201, Name: "geteuid32"},
		{Number: 202, Name: "getegid32"},
		{Number: 227, Name: "lsetxattr"},
		{Number: 239, Name: "sendfile64"},
		{Number: 252, Name: "exit_group"},
		{Number: 295, Name: "openat"},
		{Number: 296, Name: "mkdirat"},
		{Number: 297, Name: "mknodat"},
		{Number: 298, Name: "fchownat"},
		{Number: 303, Name: "linkat"},
		{Number: 304, Name: "symlinkat"},
		{Number: 305, Name: "readlinkat"},
		{Number: 306, Name: "fchmodat"},
		{Number: 310, Name: "unshare"},
		{Number: 383, Name: "statx"},
		{Number: 412, Name: "utimensat_time64"},
	},
}
