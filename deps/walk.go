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

	"elfwright/dyn/load"
	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// elfFiles lists the executables and shared objects below directories, by path,
// each file once. Links in them are not followed: what they lead to is met where it
// is. Directories of kernel interfaces are left out.
func elfFiles(dirs []string, workers int) ([]string, error) {
	var files []string
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
			case d.IsDir() && isKernels(path):
				return fs.SkipDir
			case d.Type().IsRegular():
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	ids := make([]load.FileID, len(files))
	loadable := make([]bool, len(files))
	share(len(files), workers, func(i int) { ids[i], loadable[i] = isLoadable(files[i]) })
	met := map[load.FileID]bool{}
	list := files[:0]
	for i, path := range files {
		if loadable[i] && !met[ids[i]] {
			met[ids[i]] = true
			list = append(list, path)
		}
	}
	return list, nil
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

// isLoadable looks at a file's first bytes, and says which file it is.
func isLoadable(path string) (id load.FileID, ok bool) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return id, false
	}
	defer unix.Close(fd)
	var head [headSize]byte
	if n, err := unix.Pread(fd, head[:], 0); err != nil || n < headSize || !bytes.HasPrefix(head[:], []byte(elf.ELFMAG)) {
		return id, false
	}
	kind := elf.Type(head[16])
	if head[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		kind = elf.Type(head[17])
	}
	var st unix.Stat_t
	if kind != elf.ET_EXEC && kind != elf.ET_DYN || unix.Fstat(fd, &st) != nil {
		return id, false
	}
	return load.FileID{Dev: uint64(st.Dev), Ino: st.Ino}, true
}

// isDebug says whether a file cannot be loaded because it has debug information
// only.
func isDebug(err error) bool {
	e, ok := errors.AsType[*elffile.Error](err)
	return ok && e.Field == "p_filesz" && strings.Contains(e.Msg, "debug information")
}

// IsRoot says whether a directory looks like the root of a system: a container's,
// or one to cross-compile for. A lib is no sign: /usr may have an etc as well.
func IsRoot(dir string) bool {
	is := func(name string) bool {
		st, err := os.Stat(filepath.Join(dir, name))
		return err == nil && st.IsDir()
	}
	return is("etc") && is("usr")
}
