package deps

import (
	"bytes"
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// elfFiles lists the executables and shared objects below directories, by path,
// each file once. Links in them are not followed: what they lead to is met where it
// is.
// Directories of kernel interfaces are left out.
func elfFiles(dirs []string) ([]string, error) {
	var list []string
	met := map[[2]uint64]bool{}
	for _, dir := range dirs {
		dir, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && path == dir:
				return err
			case err != nil: // no permission, or gone meanwhile
				return nil
			case d.IsDir():
				if isKernels(path) {
					return fs.SkipDir
				}
				return nil
			case d.Type().IsRegular() && isLoadable(path, met):
				list = append(list, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// isKernels says whether a directory is a kernel's interface.
func isKernels(path string) bool {
	switch filepath.Base(path) {
	case "proc", "sys", "dev":
	default:
		return false
	}
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return false
	}
	switch st.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEVPTS_SUPER_MAGIC:
		return true
	}
	return filepath.Base(path) == "dev" && st.Type == unix.TMPFS_MAGIC
}

// headSize is how much of a file is looked at: e_ident and e_type.
const headSize = 18

// isLoadable looks at a file's first bytes, if the file was not met before.
func isLoadable(path string, met map[[2]uint64]bool) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var head [headSize]byte
	if n, err := unix.Pread(fd, head[:], 0); err != nil || n < headSize || !bytes.HasPrefix(head[:], []byte(elf.ELFMAG)) {
		return false
	}
	kind := elf.Type(head[16])
	if head[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		kind = elf.Type(head[17])
	}
	if kind != elf.ET_EXEC && kind != elf.ET_DYN {
		return false
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	id := [2]uint64{uint64(st.Dev), st.Ino}
	if met[id] {
		return false
	}
	met[id] = true
	return true
}

// isDebug says whether a file cannot be loaded because it has debug information
// only.
func isDebug(err error) bool {
	e, ok := errors.AsType[*elffile.Error](err)
	return ok && e.Field == "p_filesz" && strings.Contains(e.Msg, "debug information")
}

// IsRoot says whether a directory looks like the root of a system: a container's,
// or one to cross-compile for.
func IsRoot(dir string) bool {
	is := func(name string) bool {
		st, err := os.Stat(filepath.Join(dir, name))
		return err == nil && st.IsDir()
	}
	return is("etc") && (is("usr") || is("lib") || is("bin"))
}
