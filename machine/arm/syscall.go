package arm

import "elfwright/machine"

// Linux, arch/arm/tools/syscall.tbl; O_LARGEFILE of arch/arm/include/uapi/asm/fcntl.h.
var linux = &machine.Linux{
	LargeFile: 0o400000,
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
		{Number: 248, Name: "exit_group"},
		{Number: 322, Name: "openat"},
		{Number: 323, Name: "mkdirat"},
		{Number: 324, Name: "mknodat"},
		{Number: 325, Name: "fchownat"},
		{Number: 330, Name: "linkat"},
		{Number: 331, Name: "symlinkat"},
		{Number: 332, Name: "readlinkat"},
		{Number: 333, Name: "fchmodat"},
		{Number: 337, Name: "unshare"},
		{Number: 397, Name: "statx"},
		{Number: 412, Name: "utimensat_time64"},
	},
}
