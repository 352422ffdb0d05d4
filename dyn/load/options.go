package load

// Options are how a program is started. The zero value is a start on this machine
// with an empty environment.
type Options struct {
	Root string // the directory that stands for "/"; "" is the machine's own
	Dir  string // where relative names begin, seen from Root; "" is the current directory, in a Root "/"

	// Beside says that a program of this machine is started with the libraries of
	// Root: what Root does not have is this machine's, unless it lies in one of these
	// directories. nil: all is below Root.
	Beside []string

	Libc   *Libc  // whose rules hold; nil: by the dynamic linker's name
	Interp string // the dynamic linker, seen from Root, instead of that of PT_INTERP

	// Secure is a start of a set-user-ID program and the like (AT_SECURE):
	// LibraryPath does not count, preloaded and auditing libraries are those of
	// trusted directories, and $ORIGIN leads to no others.
	Secure bool

	LibraryPath   string   // LD_LIBRARY_PATH
	Preload       string   // LD_PRELOAD
	Audit         string   // LD_AUDIT
	NoPreloadFile bool     // /etc/ld.so.preload is not read
	InhibitRpath  string   // ld.so --inhibit-rpath: objects, by their paths and with colons between, whose RPATH and RUNPATH do not count
	NoCache       bool     // ld.so --inhibit-cache: ld.so.cache is not read
	NoDefault     bool     // system directories are not searched
	SystemDirs    []string // instead of those that are compiled into the dynamic linker

	// CPU says which sub-directories of hardware capabilities are looked into;
	// nil: this machine's where the program is for it, else the baseline of the
	// program's machine.
	CPU *CPU

	// HWCaps are sub-directories of glibc-hwcaps, best first, that are looked into
	// instead of those of CPU; nil: those of CPU.
	HWCaps        []string
	HWCapsPrepend string // ld.so --glibc-hwcaps-prepend: sub-directories before those of the processor, colons between
	HWCapsMask    string // ld.so --glibc-hwcaps-mask: those of the processor that count; "": all
	Tunables      string // GLIBC_TUNABLES, of which glibc.rtld.dynamic_sort and glibc.cpu.hwcaps count

	// NamesOnly leaves symbols, versions and relocations unread: enough for who
	// needs whom.
	NamesOnly bool
}
