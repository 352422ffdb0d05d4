package load

import (
	"debug/elf"
	"errors"
	"path"
	"slices"
	"sync"

	"elfwright/dyn/ldcache"
	"elfwright/dyn/object"
	"elfwright/dyn/sysroot"
	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// Loader loads many programs of one tree: what it has read of a file, and that a
// path leads nowhere, it does not ask again. It is for any number of goroutines.
type Loader struct {
	opt  Options
	root *sysroot.Root

	mu      sync.Mutex
	paths   map[string]*found
	files   map[FileID]*file
	linkers map[FileID]*linker

	cache     func() (*ldcache.Cache, error)
	confDirs  func() ([]string, error)
	preloaded func() ([]string, error)
	muslPaths map[string]muslPath
	cpus      map[machineClass]hostCPU
}

type machineClass struct {
	machine elf.Machine
	class   elf.Class
}

// hostCPU is an answer of HostCPU.
type hostCPU struct {
	cpu CPU
	own bool
}

// hostCPU asks for this machine's processor once: /proc/cpuinfo is long and slow.
func (l *Loader) hostCPU(m elf.Machine, class elf.Class) (CPU, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.cpus[machineClass{m, class}]
	if !ok {
		c.cpu, c.own = HostCPU(m, class)
		l.cpus[machineClass{m, class}] = c
	}
	return c.cpu, c.own
}

// found is what is at a path.
type found struct {
	file *file
	err  error // of opening it, an unix.Errno
}

// file is a file that was opened, whatever it is.
type file struct {
	id   FileID
	mode uint32
	size int64
	head []byte // up to 64 bytes
	elf  *elffile.File
	err  error // why it is no ELF file
	cut  bool  // not all of its program headers are in it

	names, symbols sync.Once
	object         *object.Object
	damage         error
	symbolDamage   error
}

// New returns a Loader.
func New(opt Options) (*Loader, error) {
	root, err := sysroot.Open(opt.Root, opt.Dir)
	if err != nil {
		return nil, err
	}
	l := &Loader{opt: opt, root: root, paths: make(map[string]*found), files: make(map[FileID]*file),
		linkers: make(map[FileID]*linker), muslPaths: make(map[string]muslPath), cpus: make(map[machineClass]hostCPU)}
	l.cache = sync.OnceValues(l.readCache)
	l.confDirs = sync.OnceValues(l.readConf)
	l.preloaded = sync.OnceValues(l.readPreload)
	return l, nil
}

// Close unmaps every file: nothing of a Process can be read afterwards.
func (l *Loader) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, f := range l.files {
		if f.elf != nil {
			errs = append(errs, f.elf.Close())
		}
	}
	clear(l.files)
	clear(l.paths)
	return errors.Join(append(errs, l.root.Close())...)
}

// at returns what is at a path, seen from the root.
func (l *Loader) at(path string) *found {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.paths[path]; ok {
		return f
	}
	f := &found{}
	var fd int
	if fd, f.err = l.root.Descriptor(path); f.err == nil {
		f.file, f.err = l.open(l.root.Host(path), fd)
	} else if l.beside(path, f.err) {
		if fd, f.err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); f.err == nil {
			f.file, f.err = l.open(path, fd)
		}
	}
	l.paths[path] = f
	return f
}

// beside says whether a path that the root does not have may be this machine's.
func (l *Loader) beside(name string, err error) bool {
	return l.opt.Beside != nil && (err == unix.ENOENT || err == unix.ENOTDIR) && path.IsAbs(name) && !slices.Contains(l.opt.Beside, path.Dir(name))
}

// isDir says whether there is a directory.
func (l *Loader) isDir(name string) bool {
	if l.root.IsDir(name) {
		return true
	}
	var st unix.Stat_t
	return l.beside(name, unix.ENOENT) && unix.Stat(name, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// open takes over an open file.
func (l *Loader) open(name string, fd int) (*file, error) {
	f := &file{}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	f.id = FileID{uint64(st.Dev), st.Ino}
	if f, ok := l.files[f.id]; ok {
		unix.Close(fd)
		return f, nil
	}
	f.mode, f.size = st.Mode, st.Size
	l.files[f.id] = f
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		unix.Close(fd)
		return f, nil
	}
	f.head = make([]byte, 64)
	n, _ := unix.Pread(fd, f.head, 0)
	f.head = f.head[:max(n, 0)]
	if f.elf, f.err = elffile.OpenDescriptor(name, fd, &st); f.err == nil {
		f.cut = uint32(len(f.elf.Progs)) != f.elf.Phnum()
	}
	return f, nil
}

// read reads the names of the file's object, or all of it.
func (f *file) read(namesOnly bool) (*object.Object, error) {
	f.names.Do(func() {
		f.damage = f.elf.Guard(func() error {
			var err error
			f.object, err = object.ReadNames(f.elf)
			return err
		})
		if f.object == nil { // the file was cut meanwhile
			f.object = object.Empty(f.elf)
		}
	})
	if namesOnly {
		return f.object, f.damage
	}
	f.symbols.Do(func() { f.symbolDamage = f.elf.Guard(f.object.ReadSymbols) })
	return f.object, errors.Join(f.damage, f.symbolDamage)
}
