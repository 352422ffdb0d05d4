package own

import (
	"elfwright/dyn/load"
	"elfwright/image"
	"elfwright/run/glibc"
	"elfwright/run/launch"
	"elfwright/run/musl"
)

// Options say how the image is to be. The zero value is of use.
type Options struct {
	// Base is where the first object goes that may go anywhere; 0: always the same.
	Base image.Addr
	// Embed puts all segments into the image, which then needs no other file.
	Embed bool
	// NoFile says that the file of the program is not there when the image is started.
	NoFile bool
	// ExecFn is what AT_EXECFN will name; "": what the kernel says.
	ExecFn string
	// Stop has the process stop itself before the program's first instruction, when
	// the constructors of its libraries have run.
	Stop bool
	// StopMain has it stop when the program's own constructors have run as well,
	// right before main.
	StopMain bool
	// Exe is what the C library is to read /proc/self/exe as; "": what it is.
	Exe string
	// Root is where the dynamic linker looks for what the process opens by it, an
	// absolute path; "": where the paths lead. What is in none of Dirs and not in Root
	// is this machine's. Files are there whatever the root says.
	Root  string
	Dirs  []string
	Files []launch.File
	// Comm is the name of the process; "": as the kernel names it.
	Comm string
	// VDSO is the kernel's vDSO, as [VDSO] gives it: a process of glibc that finds the
	// same asks it for the time. nil: the kernel is asked.
	VDSO []byte
	// LibraryPath takes the place of the new process's LD_LIBRARY_PATH.
	LibraryPath string
	// Row tells of the process's glibc, and Musl of its musl; nil: one that is built in.
	Row  *glibc.Row
	Musl *musl.Row
	// Keep makes an image that is kept; nil: one that is right now.
	Keep *Keep
	// Paths gives the path that an object's file is mapped from; nil: its name.
	Paths func(*load.Object) string
}

// Libc is what the process has of a C library.
type Libc int

const (
	None Libc = iota
	Glibc
	Musl
)

// String names it.
func (l Libc) String() string { return [...]string{"none", "glibc", "musl"}[l] }
