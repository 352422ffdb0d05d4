package mount

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// treeAttr are the attributes of every mount of a tree. Set-id bits and devices
// inside a file that anybody may have made must mean nothing.
const treeAttr = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV

// A setting is a parameter of a file system: a word, or a word with a value.
type setting struct {
	name, value string
	flag        bool
}

// detached mounts a file system on no directory and returns a descriptor of it,
// which moveOnto then puts somewhere.
func detached(fs string, attr int, settings ...setting) (int, error) {
	ctx, err := unix.Fsopen(fs, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("fsopen %s: %w", fs, err)
	}
	defer unix.Close(ctx)
	for _, s := range settings {
		if s.flag {
			err = unix.FsconfigSetFlag(ctx, s.name)
		} else {
			err = unix.FsconfigSetString(ctx, s.name, s.value)
		}
		if err != nil {
			return -1, explained(ctx, fmt.Errorf("%s: option %s: %w", fs, s.name, err))
		}
	}
	if err := unix.FsconfigCreate(ctx); err != nil {
		return -1, explained(ctx, fmt.Errorf("%s: %w", fs, err))
	}
	fd, err := unix.Fsmount(ctx, unix.FSMOUNT_CLOEXEC, attr)
	if err != nil {
		return -1, explained(ctx, fmt.Errorf("fsmount %s: %w", fs, err))
	}
	return fd, nil
}

// explained adds what the kernel has to say about a failure, which can be read
// from the context: lines of a letter (e, w, i), a space and the text.
func explained(ctx int, err error) error {
	var said []string
	for b := make([]byte, 1024); len(said) < maxSaid; {
		n, e := unix.Read(ctx, b)
		if e != nil || n <= 0 {
			break
		}
		if line := strings.TrimSpace(string(b[:n])); len(line) > 2 && line[0] == 'e' {
			said = append(said, strings.TrimSpace(line[1:]))
		}
	}
	if said == nil {
		return err
	}
	return fmt.Errorf("%w (%s)", err, strings.Join(said, "; "))
}

const maxSaid = 4

// moveOnto puts a detached mount onto a directory.
func moveOnto(fd int, dir string) error {
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, dir, unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_SYMLINKS)
	if err != nil {
		return &os.PathError{Op: "mount on", Path: dir, Err: err}
	}
	return nil
}

// kernelTree mounts the image by the kernel's EROFS straight from the file.
// Linux, fs/erofs/super.c: a regular file as source since 6.12, fsoffset since
// 6.16.
func kernelTree(_ *os.File, s Source) (int, error) {
	settings := []setting{{name: "source", value: s.Path}, {name: "ro", flag: true}}
	if s.Offset != 0 {
		settings = append(settings, setting{name: "fsoffset", value: strconv.FormatInt(s.Offset, 10)})
	}
	return detached("erofs", treeAttr, settings...)
}

// loopTree mounts the image by the kernel's EROFS from a loop device. The
// device frees itself when the last use of it ends.
func loopTree(f *os.File, s Source) (int, error) {
	if s.Offset%512 != 0 {
		return -1, fmt.Errorf("loop: offset 0x%x is not a multiple of 512", s.Offset)
	}
	dev, err := loopDevice(f, s)
	if err != nil {
		return -1, err
	}
	defer dev.Close() // the mount holds it
	return detached("erofs", treeAttr, setting{name: "source", value: dev.Name()}, setting{name: "ro", flag: true})
}

// loopDevice sets up a free loop device.
func loopDevice(f *os.File, s Source) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(f.Fd())}
	config.Info.Offset = uint64(s.Offset)
	config.Info.Sizelimit = uint64(s.Size)
	// Direct: the loop device need not keep a second copy of each page.
	config.Info.Flags = unix.LO_FLAGS_READ_ONLY | unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_DIRECT_IO
	copy(config.Info.File_name[:len(config.Info.File_name)-1], s.Path)
	// Another process may take the device between the two calls.
	for range loopTries {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("/dev/loop-control: LOOP_CTL_GET_FREE: %w", err)
		}
		dev, err := os.OpenFile("/dev/loop"+strconv.Itoa(n), os.O_RDONLY, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(dev.Fd()), &config)
		if err == nil {
			return dev, nil
		}
		dev.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s: LOOP_CONFIGURE: %w", dev.Name(), err)
		}
	}
	return nil, fmt.Errorf("/dev/loop-control: %d free devices in a row were taken by others: %w", loopTries, unix.EBUSY)
}

const loopTries = 32
