// Package source finds programs: by a name and PATH as a shell does, on standard
// input, in an archive, among what another program carries, and by the first line
// of a script. What it finds need not have a name in the file system.
package source

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
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
