package mount

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"elfwright/erofs"
)

// copyTree makes a tree of a copy in memory, read-only, on no directory yet: for a
// program whose user may have a mount namespace, but neither the kernel's EROFS nor
// /dev/fuse. All files belong to the caller.
func copyTree(src Source) (int, error) {
	f, err := src.open()
	if err != nil {
		return -1, err
	}
	defer f.Close()
	from, err := openTree(f, src)
	if err != nil {
		return -1, err
	}
	tree, err := detached("tmpfs", treeAttr&^unix.MOUNT_ATTR_RDONLY, setting{name: "mode", value: "755"}, setting{name: "source", value: src.Path})
	if err != nil {
		return -1, err
	}
	err = from.fs.Extract(fmt.Sprintf("/proc/self/fd/%d", tree), erofs.ExtractOptions{NoXattrs: true})
	if err == nil {
		err = os.NewSyscallError("mount_setattr", unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}))
	}
	if err != nil {
		unix.Close(tree)
		return -1, fmt.Errorf("copy %s: %w", src.Path, err)
	}
	return tree, nil
}

// noFUSE says whether an error means that there is no way to FUSE here.
func noFUSE(err error) bool {
	for _, e := range []error{unix.EACCES, unix.EPERM, unix.ENOENT, unix.ENODEV, unix.ENXIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
