// Package start makes this process a program: it finds it as a shell does, writes
// an image into memory that has no name in the file system, and executes that.
package start

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// The exit codes of a program that could not be started (POSIX, "Shell Command
// Language", Exit Status for Commands).
const (
	ExitNotFound = 127
	ExitNotRun   = 126
)

// Code is the exit code that a shell gives for an error.
func Code(err error) int {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return ExitNotFound
	}
	return ExitNotRun
}

// Find finds a program as execvp of the C libraries does: a name with a slash is a
// path; another is looked for in the directories of a PATH, of which an empty one
// is the current directory. What cannot be executed is passed over, and is the
// answer if nothing else is there.
func Find(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	if name == "" {
		return "", &os.PathError{Op: "find", Path: name, Err: unix.ENOENT}
	}
	var denied error
	for _, dir := range strings.Split(path, ":") {
		file := name
		if dir != "" {
			file = dir + "/" + name
		}
		err := executable(file)
		if err == nil {
			return file, nil
		}
		if errors.Is(err, unix.EACCES) && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", fmt.Errorf("%s: not in the directories of PATH, %s: %w", name, path, unix.ENOENT)
}

// executable is nil for a file that execve would open.
func executable(file string) error {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &os.PathError{Op: "execute", Path: file, Err: unix.EACCES}
	}
	if err := unix.Faccessat(unix.AT_FDCWD, file, unix.X_OK, unix.AT_EACCESS); err != nil {
		return &os.PathError{Op: "execute", Path: file, Err: err}
	}
	return nil
}

// Exec makes this process the program that an image is. It returns if that failed.
func Exec(name string, image *elffile.Body, args, env []string) error {
	f, err := memory(name, image)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Exec(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), args, env); err != nil {
		return &os.PathError{Op: "execute", Path: name, Err: err}
	}
	return nil
}

// memory writes an image into a file that only this process has, and that goes when
// nothing has it mapped any more.
func memory(name string, image *elffile.Body) (*os.File, error) {
	f, err := memfd(name)
	if err != nil {
		return nil, err
	}
	if err := write(f, image); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: a copy in memory: %w", name, err)
	}
	return f, nil
}

// memfd makes the file. Linux 6.3 has MFD_EXEC and wants it; kernels before refuse
// it.
func memfd(name string) (*os.File, error) {
	base := filepath.Base(name)
	base = base[:min(len(base), 200)] // 249 is the most
	fd, err := unix.MemfdCreate(base, unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate(base, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, os.NewSyscallError("memfd_create", err))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// write writes what is not a hole.
func write(f *os.File, image *elffile.Body) error {
	if err := f.Truncate(image.Size()); err != nil {
		return err
	}
	for off, d := range image.Pieces {
		err := elffile.Stream(d, func(b []byte) error {
			_, err := f.WriteAt(b, off)
			off += int64(len(b))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
