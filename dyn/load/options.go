package load

// Options are how a program is started. The zero value is a start on this machine
// with an empty environment.
type Options struct {
	Root string // the directory that stands for "/"; "" is the machine's own
	Dir  string // where relative names begin, seen from Root; "" is the current directory, in a Root "/"

	Libc   *Libc  // whose rules hold; nil: by the dynamic linker's name
	Interp string // the dynamic linker, seen from Root, instead of that of PT_INTERP

	LibraryPath   string   // LD_LIBRARY_PATH
	Preload       string   // LD_PRELOAD
	Audit         string   // LD_AUDIT
	NoPreloadFile bool     // /etc/ld.so.preload is not read
	NoCache       bool     // ld.so --inhibit-cache: ld.so.cache is not read
	NoDefault     bool     // system directories are not searched
	SystemDirs    []string // instead of those that are compiled into the dynamic linker

	// CPU says which sub-directories of hardware capabilities are looked into;
	// nil: this machine's where the program is for it, else the baseline of the
	// program's machine.
	CPU *CPU

	// HWCaps are sub-directories of glibc-hwcaps, best first, that are looked into
	// instead of those of CPU; nil: those of CPU.
	HWCaps []string

	// NamesOnly leaves symbols, versions and relocations unread: enough for who
	// needs whom.
	NamesOnly bool
}
