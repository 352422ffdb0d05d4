// Package sysroot opens the files of a directory tree that stands for the root
// of a file system: absolute symbolic links and ".." stay inside, as after
// chroot. Names are those that a program in there would use.
//
// For "/" a name is what it is to every program, and costs one system call.
package sysroot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// Root is a directory that stands for "/". It is for any number of goroutines.
type Root struct {
	dir *os.File // nil: "/" itself
	// path is the directory's own absolute path, symbolic links resolved; "" for
	// "/".
	path string
	cwd  string // where relative names begin, with no slash at the end

	slow bool // the kernel has no openat2

	mu   sync.Mutex
	dirs map[string]bool // whether it is there
}

// Open returns the tree below dir; "" and "/" are the machine's own. Relative
// names begin in cwd, seen from the root; "" is the root, or, for the machine's
// own, the current directory.
func Open(dir, cwd string) (*Root, error) {
	r := &Root{cwd: strings.TrimRight(cwd, "/"), dirs: make(map[string]bool)}
	if dir == "" {
		return r, nil
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	if path == "/" {
		return r, nil
	}
	r.path = path
	if r.dir, err = os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY, 0); err != nil {
		return nil, err
	}
	_, err = r.openat2("/", unix.O_PATH, true)
	r.slow = errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM)
	return r, nil
}

// Close lets go of the directory.
func (r *Root) Close() error {
	if r.dir == nil {
		return nil
	}
	return r.dir.Close()
}

// Dir is the directory's own path on this machine: "/", or one without a slash
// at its end.
func (r *Root) Dir() string {
	if r.path == "" {
		return "/"
	}
	return r.path
}

// name makes a relative name one that begins in the working directory.
func (r *Root) name(name string) string {
	if strings.HasPrefix(name, "/") || r.cwd == "" && r.dir == nil {
		return name
	}
	return r.cwd + "/" + name
}

// Abs is a name that begins with a slash: a relative one with the working
// directory before it, and as it is otherwise.
func (r *Root) Abs(name string) string {
	if name = r.name(name); strings.HasPrefix(name, "/") {
		return name
	}
	if r.dir != nil {
		return "/" + name
	}
	cwd, err := os.Getwd()
	if err != nil {
		return name
	}
	return strings.TrimSuffix(cwd, "/") + "/" + name
}

// Host is the path of a file of the tree on this machine, as far as that can be
// said without resolving symbolic links: for messages, not for opening.
func (r *Root) Host(name string) string {
	name = r.name(name)
	if r.dir == nil {
		return name
	}
	return r.path + "/" + strings.TrimLeft(name, "/")
}

// Inside is the name that a path of this machine has inside the tree, and
// whether it lies there.
func (r *Root) Inside(path string) (string, bool) {
	if r.path == "" {
		return path, true
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	dir, base := filepath.Split(abs)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(filepath.Join(dir, base), r.path+"/")
	return "/" + rest, ok
}

// File opens a file for reading. A pipe without a writer is not waited for. The
// error is an unix.Errno without further words.
func (r *Root) File(name string) (*os.File, error) {
	fd, err := r.Descriptor(name)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), r.Host(name)), nil
}

// Descriptor is [Root.File] without the cost of an os.File, which asks the kernel
// whether the file can be waited for.
func (r *Root) Descriptor(name string) (int, error) {
	name = r.name(name)
	if r.missing(name) {
		return -1, unix.ENOENT
	}
	fd, err := r.open(name, unix.O_RDONLY|unix.O_NONBLOCK)
	if err == unix.ENOENT {
		r.lookAt(name)
	}
	return fd, err
}

func (r *Root) open(name string, flags int) (int, error) {
	if r.dir == nil {
		return ignoringEINTR(func() (int, error) { return unix.Open(name, flags|unix.O_CLOEXEC, 0) })
	}
	return r.openat2(name, flags, false)
}

// openat2 has the kernel resolve a name below the root, or does it itself where
// the kernel can not (Linux before 5.6).
func (r *Root) openat2(name string, flags int, probe bool) (int, error) {
	if r.slow {
		host, err := securejoin.SecureJoin(r.path, name)
		if err != nil {
			return -1, errno(err)
		}
		return ignoringEINTR(func() (int, error) { return unix.Open(host, flags|unix.O_CLOEXEC, 0) })
	}
	how := &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := ignoringEINTR(func() (int, error) { return unix.Openat2(int(r.dir.Fd()), name, how) })
	if probe && err == nil {
		unix.Close(fd)
	}
	return fd, err
}

// ignoringEINTR repeats a call that a signal has ended, or a rename elsewhere
// (openat2 gives EAGAIN where it can not say that ".." stayed inside).
func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		fd, err := call()
		if err != unix.EINTR && err != unix.EAGAIN {
			return fd, err
		}
	}
}

// errno is the number inside an error.
func errno(err error) error {
	var n unix.Errno
	if errors.As(err, &n) {
		return n
	}
	return err
}

// missing says whether the directory of a name is known not to be there.
func (r *Root) missing(name string) bool {
	i := strings.LastIndexByte(name, '/')
	if i <= 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	there, known := r.dirs[name[:i]]
	return known && !there
}

// lookAt finds out whether the directory of a name that is not there is.
func (r *Root) lookAt(name string) {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		r.IsDir(name[:i])
	}
}

// IsDir says whether a name is that of a directory. An answer is remembered.
func (r *Root) IsDir(name string) bool {
	name = r.name(name)
	r.mu.Lock()
	there, known := r.dirs[name]
	r.mu.Unlock()
	if known {
		return there
	}
	st, err := r.stat(name)
	there = err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
	r.mu.Lock()
	r.dirs[name] = there
	r.mu.Unlock()
	return there
}

func (r *Root) stat(name string) (st unix.Stat_t, err error) {
	if r.dir == nil {
		err = unix.Stat(name, &st)
		return st, err
	}
	fd, err := r.openat2(name, unix.O_PATH, false)
	if err != nil {
		return st, err
	}
	defer unix.Close(fd)
	err = unix.Fstat(fd, &st)
	return st, err
}

// Exists says whether there is a file of a name, of any kind.
func (r *Root) Exists(name string) bool {
	_, err := r.stat(r.name(name))
	return err == nil
}

// Real is a name with every symbolic link in it resolved.
func (r *Root) Real(name string) (string, error) {
	name = r.name(name)
	if r.dir == nil {
		real, err := filepath.EvalSymlinks(name)
		if err != nil {
			return "", err
		}
		return filepath.Abs(real)
	}
	if !r.Exists(name) {
		return "", &fs.PathError{Op: "resolve", Path: r.Host(name), Err: unix.ENOENT}
	}
	host, err := securejoin.SecureJoin(r.path, name)
	if err != nil {
		return "", err
	}
	return "/" + strings.TrimLeft(strings.TrimPrefix(host, r.path), "/"), nil
}

// Read reads a regular file of at most limit bytes.
func (r *Root) Read(name string, limit int64) ([]byte, error) {
	fd, err := r.Descriptor(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: r.Host(name), Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: r.Host(name), Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fmt.Errorf("%s: not a regular file (st_mode 0%o)", r.Host(name), st.Mode)
	case st.Size > limit:
		return nil, fmt.Errorf("%s: its %d bytes are more than the %d bytes that are read of such a file", r.Host(name), st.Size, limit)
	}
	b := make([]byte, st.Size)
	for at := 0; at < len(b); {
		n, err := ignoringEINTR(func() (int, error) { return unix.Read(fd, b[at:]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: r.Host(name), Err: err}
		}
		if at += n; n == 0 { // it was cut meanwhile
			return b[:at], nil
		}
	}
	return b, nil
}

// Names are the names in a directory, sorted.
func (r *Root) Names(dir string) ([]string, error) {
	f, err := r.File(dir)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: r.Host(dir), Err: err}
	}
	defer f.Close()
	return sortedNames(f)
}

func sortedNames(f *os.File) ([]string, error) {
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
