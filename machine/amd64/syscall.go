package amd64

import "elfwright/machine"

// Linux, arch/x86/entry/syscalls/syscall_64.tbl.
var linux = &machine.Linux{
	Calls: []machine.Syscall{
		{Number: 0, Name: "read"},
		{Number: 1, Name: "write"},
		{Number: 3, Name: "close"},
		{Number: 8, Name: "lseek"},
		{Number: 9, Name: "mmap"},
		{Number: 11, Name: "munmap"},
		{Number: 39, Name: "getpid"},
		{Number: 40, Name: "sendfile"},
		{Number: 79, Name: "getcwd"},
		{Number: 80, Name: "chdir"},
		{Number: 95, Name: "umask"},
		{Number: 107, Name: "geteuid"},
		{Number: 108, Name: "getegid"},
		{Number: 126, Name: "capset"},
		{Number: 157, Name: "prctl"},
		{Number: 165, Name: "mount"},
		{Number: 189, Name: "lsetxattr"},
		{Number: 231, Name: "exit_group"},
		{Number: 257, Name: "openat"},
		{Number: 258, Name: "mkdirat"},
		{Number: 259, Name: "mknodat"},
		{Number: 260, Name: "fchownat"},
		{Number: 265, Name: "linkat"},
		{Number: 266, Name: "symlinkat"},
		{Number: 267, Name: "readlinkat"},
		{Number: 268, Name: "fchmodat"},
		{Number: 272, Name: "unshare"},
		{Number: 280, Name: "utimensat"},
		{Number: 332, Name: "statx"},
	},
}
