package input

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/link/model"
)

// openFile opens a file by its name. One that a script names is looked for beside
// the script, and where libraries are, too.
func (f *Files) openFile(it *item) error {
	name := it.in.Name
	if it.from != "" && filepath.IsAbs(name) && f.opt.Sysroot != "" && within(it.from, f.opt.Sysroot) {
		name = filepath.Join(f.opt.Sysroot, name)
	} else if it.in.Name != "" {
		name = inSysroot(f.opt, name)
	}
	tried := []string{name}
	if it.from != "" && !filepath.IsAbs(name) {
		if d := filepath.Dir(it.from); d != "." {
			tried = append(tried, filepath.Join(d, name))
		}
		for _, d := range f.dirs {
			tried = append(tried, filepath.Join(d, name))
		}
	}
	for _, path := range tried {
		b, err := mapFile(path)
		if err == nil {
			it.path, it.data = path, b
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(tried) == 1 {
		return &elffile.Error{File: name, Off: -1, Msg: "not found"}
	}
	return &elffile.Error{File: name, Off: -1, Msg: "not found; " + it.from + " names it; tried " + strings.Join(tried, ", ")}
}

// openLibrary looks for -lNAME, or -l:FILE, in the directories of -L and
// SEARCH_DIR, in their order.
func (f *Files) openLibrary(it *item) error {
	names := []string{"lib" + it.in.Name + ".so", "lib" + it.in.Name + ".a"}
	if file, ok := strings.CutPrefix(it.in.Name, ":"); ok {
		names = []string{file}
	} else if it.in.StaticOnly || f.opt.Static || f.opt.Relocatable {
		names = names[1:]
	}
	var tried []string
	for _, d := range f.dirs {
		for _, n := range names {
			path := filepath.Join(d, n)
			b, err := mapFile(path)
			if err != nil {
				tried = append(tried, path)
				continue
			}
			if other, ok := f.foreign(path, b); ok {
				tried = append(tried, path+" (which is for "+other.String()+")")
				continue
			}
			it.path, it.data = path, b
			return nil
		}
	}
	msg := "not found; there are no directories to look in: give -L"
	if len(tried) > 0 {
		msg = "not found; tried " + strings.Join(tried, ", ")
	}
	return &elffile.Error{File: "-l" + it.in.Name, Off: -1, Msg: msg}
}

// foreign says whether a library is for another machine than the first object;
// GNU ld looks further then, too.
func (f *Files) foreign(path string, b []byte) (format, bool) {
	if f.first == nil {
		return format{}, false
	}
	if elffile.IsArchive(b) {
		b = firstMember(path, b)
	}
	x, ok := formatOf(b)
	return x, ok && !x.same(*f.first)
}

// inSysroot replaces "=" or "$SYSROOT" at the start of a path.
func inSysroot(opt *model.Options, path string) string {
	for _, p := range []string{"$SYSROOT", "="} {
		if rest, ok := strings.CutPrefix(path, p); ok && (p != "=" || !exists(path)) {
			return opt.Sysroot + rest
		}
	}
	return path
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Dirs are the directories of -L, and more, with the sysroot put in.
func Dirs(opt *model.Options, more ...string) []string {
	var dirs []string
	for _, d := range slices.Concat(opt.LibPaths, more) {
		dirs = append(dirs, inSysroot(opt, d))
	}
	return dirs
}

// within says whether a path is in a directory.
func within(path, dir string) bool {
	a, err1 := filepath.Abs(path)
	d, err2 := filepath.Abs(dir)
	return err1 == nil && err2 == nil && strings.HasPrefix(a, strings.TrimSuffix(d, "/")+"/")
}
