package launch

// amd64Calls are those of x86-64: Linux, arch/x86/entry/syscalls/syscall_64.tbl.
var amd64Calls = []Call{
	{Number: 2, Path: 0, Does: Open},       // open
	{Number: 4, Path: 0, Does: Look},       // stat
	{Number: 6, Path: 0, Does: Look},       // lstat
	{Number: 9, Does: Map},                 // mmap
	{Number: 21, Path: 0, Does: Access},    // access
	{Number: 89, Path: 0, Does: Readlink},  // readlink
	{Number: 257, Path: 1, Does: Open},     // openat
	{Number: 262, Path: 1, Does: Look},     // newfstatat
	{Number: 267, Path: 1, Does: Readlink}, // readlinkat
	{Number: 269, Path: 1, Does: Access},   // faccessat
	{Number: 332, Path: 1, Does: Look},     // statx
	{Number: 439, Path: 1, Does: Access},   // faccessat2
}

// aarch64Calls are those of AArch64: Linux, include/uapi/asm-generic/unistd.h.
var aarch64Calls = []Call{
	{Number: 48, Path: 1, Does: Access},   // faccessat
	{Number: 56, Path: 1, Does: Open},     // openat
	{Number: 78, Path: 1, Does: Readlink}, // readlinkat
	{Number: 79, Path: 1, Does: Look},     // newfstatat
	{Number: 222, Does: Map},              // mmap
	{Number: 291, Path: 1, Does: Look},    // statx
	{Number: 439, Path: 1, Does: Access},  // faccessat2
}
