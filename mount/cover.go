package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A cover is a directory of this mount namespace that shows what the directory
// below it shows, and can have more entries: a tmpfs onto which each entry is
// mounted. That way a mount point comes into being without a directory on the
// host. An overlay would do so with one mount, and lose what is mounted below
// the directory.
type cover struct {
	fd     int // of the tmpfs
	dev    uint64
	locked bool // nothing may be created there by the program
}

// covers are those made so far.
type covers []*cover

// provide makes sure that dir exists, and returns it without symbolic links.
func (c *covers) provide(dir string) (string, error) {
	there, missing, err := deepest(dir)
	if err != nil {
		return "", err
	}
	if len(missing) == 0 {
		return there, nil
	}
	over := c.of(there)
	if over == nil {
		if over, err = newCover(there); err != nil {
			return "", fmt.Errorf("%s: cannot provide %s: %w", dir, filepath.Join(missing...), err)
		}
		*c = append(*c, over)
	}
	for _, name := range missing {
		there = filepath.Join(there, name)
		if err := os.Mkdir(there, 0o755); err != nil {
			return "", err
		}
	}
	return there, nil
}

// deepest returns the deepest directory on the way to dir that exists, without
// symbolic links, and the names below it that do not.
func deepest(dir string) (string, []string, error) {
	var missing []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		real, err := filepath.EvalSymlinks(at)
		switch {
		case err == nil:
			st, err := os.Stat(real)
			if err == nil && !st.IsDir() {
				err = &os.PathError{Op: "mount on", Path: real, Err: unix.ENOTDIR}
			}
			slices.Reverse(missing)
			return real, missing, err
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, err
		}
		if st, err := os.Lstat(at); err == nil && st.Mode()&fs.ModeSymlink != 0 {
			return "", nil, fmt.Errorf("%s: is a symbolic link to what does not exist", at)
		}
		missing = append(missing, filepath.Base(at))
	}
}

// of returns the cover that a directory lies in.
func (c covers) of(dir string) *cover {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return nil
	}
	for _, o := range c {
		if o.dev == uint64(st.Dev) {
			return o
		}
	}
	return nil
}

// newCover covers a directory. Where it is the root, the cover becomes the root.
func newCover(dir string) (*cover, error) {
	old, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	below := os.NewFile(uintptr(old), dir)
	defer below.Close()
	entries, err := below.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(old, &st); err != nil {
		return nil, err
	}
	fd, err := detached("tmpfs", unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV,
		setting{name: "source", value: "elfwright"},
		setting{name: "mode", value: fmt.Sprintf("%o", st.Mode&0o7777)})
	if err != nil {
		return nil, err
	}
	c := &cover{fd: fd}
	// A directory of temporary files, as its sticky bit says, stays writable: what
	// is created there goes with the program. Elsewhere it would be lost.
	c.locked = st.Mode&unix.S_ISVTX == 0
	if err := c.fill(old, entries, dir); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

// fill puts the cover in place and repeats the entries of the old directory.
func (c *cover) fill(old int, entries []fs.DirEntry, dir string) error {
	var st unix.Stat_t
	if err := unix.Fstat(c.fd, &st); err != nil {
		return err
	}
	c.dev = uint64(st.Dev)
	if err := moveOnto(c.fd, dir); err != nil {
		return err
	}
	for _, e := range entries {
		if err := c.repeat(old, e); err != nil {
			return &os.PathError{Op: "bind", Path: filepath.Join(dir, e.Name()), Err: err}
		}
	}
	if dir == "/" {
		return enter(c.fd)
	}
	return nil
}

// repeat mounts one entry of the old directory onto one of the cover.
func (c *cover) repeat(old int, e fs.DirEntry) error {
	name := e.Name()
	if e.Type()&fs.ModeSymlink != 0 {
		to, err := readlinkat(old, name)
		if err != nil {
			return gone(err)
		}
		return unix.Symlinkat(to, c.fd, name)
	}
	tree, err := unix.OpenTree(old, name, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return gone(err)
	}
	defer unix.Close(tree)
	if e.IsDir() {
		err = unix.Mkdirat(c.fd, name, 0o755)
	} else {
		err = unix.Mknodat(c.fd, name, unix.S_IFREG|0o644, 0)
	}
	if err != nil {
		return err
	}
	return unix.MoveMount(tree, "", c.fd, name, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// gone makes it no error that an entry was removed meanwhile.
func gone(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func readlinkat(dir int, name string) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// enter makes a mount that lies on the root the root. pivot_root(2), "pivot_root
// .,.": the old root then lies on the new one, and is taken off.
func enter(fd int) error {
	if err := unix.Fchdir(fd); err != nil {
		return err
	}
	err := unix.PivotRoot(".", ".")
	switch {
	case errors.Is(err, unix.EINVAL):
		// The root is the initial ramfs, which cannot be exchanged.
		if err := unix.Chroot("."); err != nil {
			return &os.PathError{Op: "chroot", Path: "/", Err: err}
		}
	case err != nil:
		return &os.PathError{Op: "pivot_root", Path: "/", Err: err}
	default:
		if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
			return &os.PathError{Op: "unmount", Path: "the old root", Err: err}
		}
	}
	return unix.Chdir("/")
}

// finish takes from the program what it could only lose: the right to create
// files where they are not kept.
func (c covers) finish() error {
	for _, o := range c {
		if o.locked {
			attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
			if err := unix.MountSetattr(o.fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
				return fmt.Errorf("mount_setattr: %w", err)
			}
		}
		unix.Close(o.fd)
	}
	return nil
}

// checkTarget refuses what cannot be a mount point of a tree.
func checkTarget(target string) error {
	switch clean := filepath.Clean(target); {
	case !strings.HasPrefix(target, "/"):
		return &Refusal{fmt.Errorf("mount point %q is not an absolute path", target)}
	case clean == "/":
		return &Refusal{errors.New("mount point /: nothing would be left to run the program with")}
	case clean != strings.TrimRight(target, "/"):
		return &Refusal{fmt.Errorf("mount point %q: write %s", target, clean)}
	}
	return nil
}
