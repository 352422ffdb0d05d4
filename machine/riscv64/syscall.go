package riscv64

import "elfwright/machine"

// Linux, include/uapi/asm-generic/unistd.h.
var linux = &machine.Linux{
	Calls: []machine.Syscall{
		{Number: 6, Name: "lsetxattr"},
		{Number: 17, Name: "getcwd"},
		{Number: 33, Name: "mknodat"},
		{Number: 34, Name: "mkdirat"},
		{Number: 36, Name: "symlinkat"},
		{Number: 37, Name: "linkat"},
		{Number: 40, Name: "mount"},
		{Number: 49, Name: "chdir"},
		{Number: 53, Name: "fchmodat"},
		{Number: 54, Name: "fchownat"},
		{Number: 56, Name: "openat"},
		{Number: 57, Name: "close"},
		{Number: 62, Name: "lseek"},
		{Number: 63, Name: "read"},
		{Number: 64, Name: "write"},
		{Number: 71, Name: "sendfile"},
		{Number: 78, Name: "readlinkat"},
		{Number: 88, Name: "utimensat"},
		{Number: 91, Name: "capset"},
		{Number: 94, Name: "exit_group"},
		{Number: 97, Name: "unshare"},
		{Number: 166, Name: "umask"},
		{Number: 167, Name: "prctl"},
		{Number: 172, Name: "getpid"},
		{Number: 175, Name: "geteuid"},
		{Number: 177, Name: "getegid"},
		{Number: 215, Name: "munmap"},
		{Number: 222, Name: "mmap"},
		{Number: 291, Name: "statx"},
	},
}
