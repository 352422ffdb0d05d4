package erofs

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// The order matters: a change of owner clears set-id bits and capabilities, an ACL
// changes the mode, and all of them are allowed to whom the mode does not let
// write.

// attributes gives an open file its owner, extended attributes, mode and time.
func (x *extraction) attributes(n *inode, fd int, path string) error {
	if x.opt.Owners {
		if err := unix.Fchown(fd, int(n.uid), int(n.gid)); err != nil {
			return x.fault("chown", path, err)
		}
	}
	set := func(name string, value []byte) error { return unix.Fsetxattr(fd, name, value, 0) }
	if err := x.xattrs(n, path, set); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, x.mode(n)); err != nil {
		return x.fault("chmod", path, err)
	}
	// utimensat of an open file, by its descriptor.
	return x.setTime(n, unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), 0, path)
}

// attributesAt is the same for a file that cannot be opened, or not without effect.
func (x *extraction) attributesAt(n *inode, name string, at int, path string) error {
	if x.opt.Owners {
		if err := unix.Fchownat(at, name, int(n.uid), int(n.gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return x.fault("chown", path, err)
		}
	}
	// There is no lsetxattr relative to a directory.
	full := fmt.Sprintf("/proc/self/fd/%d/%s", at, name)
	set := func(attr string, value []byte) error { return unix.Lsetxattr(full, attr, value, 0) }
	if err := x.xattrs(n, path, set); err != nil {
		return err
	}
	if n.kind() != isSymlink { // which has no mode
		if err := unix.Fchmodat(at, name, x.mode(n), 0); err != nil {
			return x.fault("chmod", path, err)
		}
	}
	return x.setTime(n, at, name, unix.AT_SYMLINK_NOFOLLOW, path)
}

func (x *extraction) xattrs(n *inode, path string, set func(name string, value []byte) error) error {
	if x.opt.NoXattrs {
		return nil
	}
	all, err := x.fs.xattrs(n)
	if err != nil {
		return x.fault("extract", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := set(name, all[name]); err != nil {
			return x.fault(fmt.Sprintf("setxattr %q of", name), path, err)
		}
	}
	return nil
}

// mode is what the file gets; set-id bits are for the owner they were meant for.
func (x *extraction) mode(n *inode) uint32 {
	mode := n.mode & 0o7777
	if x.opt.Owners {
		return mode
	}
	if int(n.uid) != os.Geteuid() {
		mode &^= unix.S_ISUID
	}
	if int(n.gid) != os.Getegid() && n.kind() != isDir { // of a directory it is no privilege
		mode &^= unix.S_ISGID
	}
	return mode
}

// times are those of access, which stays as it is, and of modification.
func times(n *inode) ([]unix.Timespec, error) {
	mtime, err := unix.TimeToTimespec(n.mtime)
	return []unix.Timespec{{Nsec: unix.UTIME_OMIT}, mtime}, err
}

// setTime sets a file's time of modification.
func (x *extraction) setTime(n *inode, at int, name string, flags int, path string) error {
	ts, err := times(n)
	if err == nil {
		err = unix.UtimesNanoAt(at, name, ts, flags)
	}
	if err != nil {
		return x.fault("utimensat", path, err)
	}
	return nil
}
