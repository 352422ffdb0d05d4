package payload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/erofs"
)

// Program is an open ELF file, and an [fs.FS] of what it carries: a payload is a
// file in the root, a tree a directory there. An Object is seen without its
// translation. It is safe for concurrent use.
type Program struct {
	file *os.File
	elf  *elffile.File
	dirs []*Directory

	mu    sync.Mutex
	trees map[string]*erofs.FS
	maps  map[string]mapped
}

// mapped is a mapping, and the part of it that was asked for.
type mapped struct{ whole, part []byte }

// Self opens the running program. The error is [ErrNone] if it carries nothing.
// Where another program has unpacked and started it from memory (UPX does), that
// one's file is looked at.
func Self() (*Program, error) { return Open("/proc/self/exe") }

// Open opens a program. The error is [ErrNone] if it carries nothing.
func Open(name string) (*Program, error) {
	p, err := OpenFile(name)
	if err != nil {
		return nil, err
	}
	if p.dirs, err = Read(p.elf); err == nil && len(p.dirs) == 0 {
		err = noneError{name}
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// OpenFile opens a program without a look at what it carries, for [Read]. It is
// read by its descriptor, not mapped.
func OpenFile(name string) (*Program, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	p := &Program{file: f, trees: make(map[string]*erofs.FS), maps: make(map[string]mapped)}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &elffile.Error{File: name, Msg: "not a regular file (" + st.Mode().Type().String() + ")"}
	}
	if err == nil {
		p.elf, err = elffile.ParseBody(name, elffile.NewBody(elffile.Reader{R: f, N: st.Size()}))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// noneError is ErrNone with the name of the file, and the answer no.
type noneError struct{ name string }

func (e noneError) Error() string { return e.name + ": " + ErrNone.Error() }
func (noneError) Unwrap() error   { return ErrNone }
func (noneError) No() bool        { return true }

// ELF returns the program's headers.
func (p *Program) ELF() *elffile.File { return p.elf }

// Entries lists what the program carries.
func (p *Program) Entries() []Entry {
	var list []Entry
	for _, d := range p.dirs {
		list = append(list, d.Entries...)
	}
	return list
}

// Close closes the file and takes back what [Program.Bytes] has mapped.
func (p *Program) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for name, m := range p.maps {
		if m.whole != nil {
			all = errors.Join(all, unix.Munmap(m.whole))
		}
		delete(p.maps, name)
	}
	return errors.Join(all, p.file.Close())
}

// find returns the entry that a path begins with, and the rest of the path: "."
// for the payload itself.
func (p *Program) find(op, name string) (*Entry, string, error) {
	if !fs.ValidPath(name) {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	first, rest, deeper := strings.Cut(name, "/")
	if !deeper {
		rest = "."
	}
	_, e, err := Find(p.dirs, first)
	if err == nil && deeper && e.Kind != Tree {
		err = fmt.Errorf("%s is a %v, not a tree: %w", first, e.Kind, fs.ErrNotExist)
	}
	if err != nil {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: err}
	}
	return e, rest, nil
}

// tree opens the file system of a Tree, once.
func (p *Program) tree(e *Entry) (*erofs.FS, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.trees[e.Name]; t != nil {
		return t, nil
	}
	d, err := Contents(p.elf, e)
	if err != nil {
		return nil, err
	}
	t, err := erofs.Open(d, d.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: payload %q: %w", p.elf.Name, e.Name, err)
	}
	p.trees[e.Name] = t
	return t, nil
}

// Tree returns the file system of a tree.
func (p *Program) Tree(name string) (*erofs.FS, error) {
	e, rest, err := p.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case e.Kind != Tree || rest != ".":
		return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("it is a %v, not a tree", e.Kind)}
	}
	return p.tree(e)
}

// Locate returns where a payload, or a file in a tree, lies in the program's file
// (its descriptor, offset and size in bytes): what can be mapped, or loaded by a
// loader that takes a descriptor and an offset. The headers of an Object there
// are right for this descriptor, with offset 0. What is compressed has no place.
func (p *Program) Locate(name string) (f *os.File, off, size int64, err error) {
	e, rest, err := p.find("locate", name)
	if err != nil {
		return nil, 0, 0, err
	}
	if e.Zstd {
		return nil, 0, 0, &fs.PathError{Op: "locate", Path: name, Err: errors.New("it is compressed")}
	}
	off, size = int64(e.Off), int64(e.Stored)
	if rest != "." {
		t, err := p.tree(e)
		if err != nil {
			return nil, 0, 0, err
		}
		at, n, err := t.Extent(rest)
		if err != nil {
			return nil, 0, 0, err
		}
		off, size = off+at, n
	}
	return p.file, off, size, nil
}

// ReaderAt returns the contents of a payload, or of a file in a tree, for reading
// anywhere in them.
func (p *Program) ReaderAt(name string) (*io.SectionReader, error) {
	e, rest, err := p.find("open", name)
	if err != nil {
		return nil, err
	}
	if rest == "." {
		d, err := Contents(p.elf, e)
		if err != nil {
			return nil, err
		}
		return io.NewSectionReader(d, 0, d.Size()), nil
	}
	t, err := p.tree(e)
	if err != nil {
		return nil, err
	}
	f, err := t.Open(rest)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	at, ok := f.(io.ReaderAt)
	if err != nil || !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.Join(err, errors.New("it is not a regular file"))}
	}
	return io.NewSectionReader(at, 0, st.Size()), nil
}

// Contents reads a payload, or a file in a tree, from the start. The contents of
// a payload are compared with its digest: the last Read fails if they are others.
func (p *Program) Contents(name string) (io.ReadCloser, error) {
	e, rest, err := p.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case rest == "." && e.Kind == Tree:
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("it is a directory")}
	case rest == ".":
		return Reader(p.elf, e)
	}
	r, err := p.ReaderAt(name)
	return io.NopCloser(r), err
}

// Raw reads a payload as it is stored.
func (p *Program) Raw(name string) (io.ReadCloser, error) {
	e, rest, err := p.find("open", name)
	if err != nil {
		return nil, err
	}
	if rest != "." {
		return p.Contents(name)
	}
	d := window(p.elf, e)
	return io.NopCloser(io.NewSectionReader(d, 0, d.Size())), nil
}

// Bytes returns the contents of a payload, or of a file in a tree, as a private
// mapping of the program's file, which is read-only and lasts until Close; the
// same one each time. A compressed payload is uncompressed into memory. The
// headers of an Object are made those of a file of its own, in memory alone.
func (p *Program) Bytes(name string) ([]byte, error) {
	e, rest, err := p.find("map", name)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	m, ok := p.maps[name]
	p.mu.Unlock()
	if ok {
		return m.part, nil
	}
	if m, err = p.mapBytes(name, e, rest); err != nil {
		return nil, &fs.PathError{Op: "map", Path: name, Err: err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.maps[name]; ok { // another goroutine was quicker
		if m.whole != nil {
			unix.Munmap(m.whole)
		}
		return other.part, nil
	}
	p.maps[name] = m
	return m.part, nil
}

func (p *Program) mapBytes(name string, e *Entry, rest string) (mapped, error) {
	if e.Zstd {
		r, err := p.ReaderAt(name)
		if err != nil {
			return mapped{}, err
		}
		b, err := io.ReadAll(r)
		return mapped{part: b}, err
	}
	_, off, size, err := p.Locate(name)
	if err != nil || size == 0 {
		return mapped{part: []byte{}}, err
	}
	skip := off & int64(os.Getpagesize()-1)
	whole, err := unix.Mmap(int(p.file.Fd()), off-skip, int(size+skip), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return mapped{}, os.NewSyscallError("mmap", err)
	}
	m := mapped{whole, whole[skip:]}
	if e.Kind == Object && e.Delta != 0 {
		err = undo(m.part, p.elf, e)
	}
	if err == nil {
		err = os.NewSyscallError("mprotect", unix.Mprotect(whole, unix.PROT_READ))
	}
	if err != nil {
		unix.Munmap(whole)
		return mapped{}, err
	}
	return m, nil
}

// undo takes an object's translation back in a private mapping of it.
func undo(b []byte, f *elffile.File, e *Entry) error {
	body, err := untranslated(f, e, window(f, e))
	if err != nil {
		return err
	}
	for off, d := range body.Pieces {
		if new, ok := d.(elffile.Buffer); ok {
			copy(b[off:], new)
		}
	}
	return nil
}

// Memfd returns the contents of a payload, or of a file in a tree, as a file in
// memory that can be executed and that nobody can change any more, such as a
// program for execve or a library for dlopen, under the name /proc/self/fd/N.
// Close it.
func (p *Program) Memfd(name string) (*os.File, error) {
	r, err := p.Contents(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // Linux before 6.3
		fd, err = unix.MemfdCreate(name, flags)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), fmt.Sprintf("/proc/self/fd/%d", fd))
	_, err = io.Copy(f, r)
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
