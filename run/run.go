// Package run starts images: as they are in memory, without a file that has a name.
package run

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"elfwright/elffile"
	"elfwright/image"

	"golang.org/x/sys/unix"
)

// Options say how a program is started.
type Options struct {
	Argv []string
	Env  []string
	Name string // of the memory file: what /proc/PID/exe shows; "": that of the image
}

// Exec replaces this process by the program that an image is. It returns only
// with an error.
func Exec(img *image.Image, opt Options) error {
	f, err := img.File()
	if err != nil {
		return err
	}
	name := opt.Name
	if name == "" {
		name = img.Name
	}
	return ExecBody(f.Encode(), name, opt)
}

// ExecBody is Exec for the bytes of an executable.
func ExecBody(body *elffile.Body, name string, opt Options) error {
	fd, err := memoryFile(body, name)
	if err != nil {
		return err
	}
	err = execute(fd, opt)
	unix.Close(fd)
	return err
}

// mfdExec asks for a memory file that may be executed (Linux 6.3); older kernels,
// where every one may, refuse the flag.
const mfdExec = 0x10

// memoryFile writes a body into a file without a name: in memory, or where
// vm.memfd_noexec forbids it to execute that, in a directory for temporary files.
func memoryFile(body *elffile.Body, name string) (int, error) {
	if len(name) > 200 { // MFD_NAME_MAX_LEN is 249
		name = name[len(name)-200:]
	}
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|mfdExec)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return temporary(body, fmt.Errorf("memfd_create: %w", err))
	}
	if err := writeBody(fd, body); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("write to a memory file: %w", err)
	}
	return fd, nil
}

// temporary is a file that was never linked into its directory. It is opened again
// for reading alone: Linux does not execute what is open for writing (ETXTBSY).
func temporary(body *elffile.Body, cause error) (int, error) {
	fd, err := unix.Open(os.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o700)
	if err != nil {
		return -1, errors.Join(cause, fmt.Errorf("%s: a file without a name: %w", os.TempDir(), err))
	}
	defer unix.Close(fd)
	if err := writeBody(fd, body); err != nil {
		return -1, fmt.Errorf("%s: write: %w", os.TempDir(), err)
	}
	return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// writeBody leaves the holes of a body holes.
func writeBody(fd int, body *elffile.Body) error {
	if err := unix.Ftruncate(fd, body.Size()); err != nil {
		return err
	}
	var fault error
	elffile.Extents(body, func(off int64, d elffile.Data) bool {
		if _, hole := d.(elffile.Zeros); hole {
			return true
		}
		var b []byte
		if b, fault = elffile.Bytes(d); fault != nil {
			return false
		}
		for len(b) > 0 && fault == nil {
			var n int
			n, fault = unix.Pwrite(fd, b, off)
			if errors.Is(fault, unix.EINTR) {
				fault = nil
			}
			b, off = b[max(n, 0):], off+int64(max(n, 0))
		}
		return fault == nil
	})
	return fault
}

// execute replaces this process by an open file: by its name in /proc, or without
// that by execveat(2). The former way gives back the limit of open files that Go
// has raised for itself (syscall.Exec).
func execute(fd int, opt Options) error {
	err := unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), opt.Argv, opt.Env)
	if !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("execve: %w", err)
	}
	argv, err := pointers(opt.Argv)
	if err != nil {
		return fmt.Errorf("argv: %w", err)
	}
	env, err := pointers(opt.Env)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	var empty [1]byte
	_, _, errno := unix.Syscall6(unix.SYS_EXECVEAT, uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return fmt.Errorf("execveat: %w", errno)
}

// pointers are strings as execve takes them, ended by a null pointer.
func pointers(list []string) ([]*byte, error) {
	out := make([]*byte, len(list)+1)
	for i, s := range list {
		p, err := unix.BytePtrFromString(s)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = p
	}
	return out, nil
}
