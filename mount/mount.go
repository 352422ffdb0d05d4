package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Via is how a tree is mounted.
type Via string

// The ways, in the order Auto tries them.
const (
	Auto   Via = ""       // the first that works
	Kernel Via = "kernel" // the kernel's EROFS, from the file
	Loop   Via = "loop"   // the kernel's EROFS, from a loop device
	FUSE   Via = "fuse"   // a server of ours
)

// Ways are all but Auto.
func Ways() []Via { return []Via{Kernel, Loop, FUSE} }

// Options say how to mount.
type Options struct {
	Via Via
	// Self are arguments, argv[0] first, with which this program calls Helper. With
	// them a FUSE server is a process of its own, which ends when the tree is
	// unmounted; without, it is part of this process.
	Self []string
}

// Mounted is a tree that is mounted.
type Mounted struct {
	Source Source
	Dir    string // absolute
	Via    Via
	Server int      // the process that serves it; 0 if the kernel does
	Passed []Passed // ways that were tried before

	server *server // in this process, or nil
	user   bool    // mounted by fusermount3
}

// Passed is a way that did not work here.
type Passed struct {
	Via    Via
	Reason error
}

// Mount makes the tree visible in dir, which must be there.
func Mount(src Source, dir string, opt Options) (*Mounted, error) {
	f, err := src.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if dir, err = directory(dir); err != nil {
		return nil, err
	}
	m := &Mounted{Source: src, Dir: dir}
	fd, err := m.byKernel(f, opt.Via)
	if fd >= 0 {
		defer unix.Close(fd)
		return m, moveOnto(fd, dir)
	}
	if err != nil {
		return nil, err
	}
	m.Via = FUSE
	if _, err := openTree(f, src); err != nil {
		return nil, err // before there is a mount to take away
	}
	if opt.Self != nil {
		err = m.background(opt.Self)
	} else {
		err = m.serve()
	}
	if err != nil {
		return nil, m.failed(err)
	}
	return m, nil
}

// directory checks a mount point and makes its path absolute.
func directory(dir string) (string, error) {
	st, err := os.Stat(dir)
	switch {
	case err != nil:
		return "", err
	case !st.IsDir():
		return "", &os.PathError{Op: "mount on", Path: dir, Err: unix.ENOTDIR}
	}
	return filepath.Abs(dir)
}

// byKernel mounts the source on no directory yet by the kernel, in the way
// asked for or the first that works. No descriptor and no error mean that a
// server has to do it.
func (m *Mounted) byKernel(f *os.File, via Via) (int, error) {
	for _, w := range []struct {
		via  Via
		tree func(*os.File, Source) (int, error)
	}{{Kernel, kernelTree}, {Loop, loopTree}} {
		if via != Auto && via != w.via {
			continue
		}
		fd, err := w.tree(f, m.Source)
		if err == nil {
			m.Via = w.via
			return fd, nil
		}
		m.Passed = append(m.Passed, Passed{w.via, err})
		if via == w.via {
			return -1, m.failed(nil)
		}
	}
	return -1, nil
}

// failed is the error of a mount for which no way is left.
func (m *Mounted) failed(last error) error {
	var errs []error
	for _, p := range m.Passed {
		errs = append(errs, fmt.Errorf("%s: by %s: %w", m.Source.Path, p.Via, p.Reason))
	}
	if last != nil {
		errs = append(errs, fmt.Errorf("%s: by %s: %w", m.Source.Path, FUSE, last))
	}
	return errors.Join(errs...)
}

// Wait returns when the tree is unmounted.
func (m *Mounted) Wait() error {
	if m.server != nil {
		<-m.server.ended
		return nil
	}
	return m.watch()
}

// watch waits until the directory shows another mount than this one. The kernel
// tells those who poll it of every change of the table of mounts.
func (m *Mounted) watch() error {
	table, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer table.Close()
	id, err := mountID(m.Dir)
	for err == nil {
		var now uint64
		if now, err = mountID(m.Dir); err != nil || now != id {
			return err
		}
		fds := []unix.PollFd{{Fd: int32(table.Fd()), Events: unix.POLLPRI}}
		err = again(func() error { _, err := unix.Poll(fds, -1); return err })
	}
	return err
}

func mountID(dir string) (uint64, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &st); err != nil {
		return 0, &os.PathError{Op: "statx", Path: dir, Err: err}
	}
	return st.Mnt_id, nil
}

// Unmount ends it. Files that are open stay readable if the kernel has the tree,
// and fail if a server had it.
func (m *Mounted) Unmount() error {
	if m.user {
		return fusermount(nil, "-u", "-z", "--", m.Dir)
	}
	if err := unix.Unmount(m.Dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
		return &os.PathError{Op: "unmount", Path: m.Dir, Err: err}
	}
	return nil
}

// Command is what a user types to end it.
func (m *Mounted) Command() []string {
	if m.user {
		return []string{"fusermount3", "-u", m.Dir}
	}
	return []string{"umount", m.Dir}
}
