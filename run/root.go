package run

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"elfwright/dyn/sysroot"
	"elfwright/elffile"
	"elfwright/machine/all"
	"elfwright/run/launch"
	"elfwright/run/serve"
)

// root is where a dynamic linker and its libraries are.
type root struct {
	*sysroot.Root
	dir string // "" is this machine
}

func openRoot(dir string) (*root, error) {
	r, err := sysroot.Open(dir, "/")
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", dir, err)
	}
	out := &root{Root: r}
	if d := r.Dir(); d != "/" {
		out.dir = d
	}
	return out, nil
}

// elf opens an ELF file of the root.
func (r *root) elf(name string) (*elffile.File, error) {
	f, err := r.File(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Host(name), err)
	}
	defer f.Close()
	e, err := elffile.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Host(name), err)
	}
	e.Name = r.Host(name)
	return e, nil
}

// triplets are those of Debian's multiarch directories, by the end of the name of
// glibc's dynamic linker.
var triplets = map[string]string{
	"ld-linux-x86-64.so.2":  "x86_64-linux-gnu",
	"ld-linux-aarch64.so.1": "aarch64-linux-gnu",
}

// libraryDirs are the directories in which glibc's dynamic linker looks by itself,
// and /etc, from which it reads the cache and the list of preloads. A file that
// the root does not have there is not taken from the machine: two C libraries in a
// process do not work.
func libraryDirs(ld string) []string {
	dirs := []string{path.Dir(ld), "/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"}
	if t := triplets[path.Base(ld)]; t != "" {
		dirs = append(dirs, "/lib/"+t, "/usr/lib/"+t, "/usr/local/lib/"+t)
	}
	out := []string{"/etc"}
	for _, d := range dirs {
		out = append(out, d)
		for _, level := range []string{"x86-64-v2", "x86-64-v3", "x86-64-v4"} {
			out = append(out, d+"/glibc-hwcaps/"+level)
		}
	}
	return out
}

// muslPath is the search path of musl's dynamic linker for a root: what was asked
// for, and the directories of /etc/ld-musl-ARCH.path or those that stand for it.
// musl's open is the program's as well, so that its paths cannot be changed for
// the dynamic linker alone; a variable that the program does not see is not told
// from the list of directories, but for one thing: it comes before RPATH.
func (r *root) muslPath(ld, value string, env []string) (string, error) {
	if value == "" {
		value = lookup(env, "LD_LIBRARY_PATH")
	}
	arch := strings.TrimSuffix(strings.TrimPrefix(path.Base(ld), "ld-musl-"), ".so.1")
	text, err := r.Read("/etc/ld-musl-"+arch+".path", 1<<16)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte("/lib:/usr/local/lib:/usr/lib")
	case err != nil:
		return "", err
	}
	var dirs []string
	if value != "" {
		dirs = append(dirs, value)
	}
	for _, d := range strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' || c == ':' }) {
		dirs = append(dirs, r.Host(d))
	}
	return strings.Join(dirs, ":"), nil
}

// links finds the C library, which is where the dynamic linker is, and where in it
// links are read. If another one is loaded, nothing comes of it: the code is
// compared before it is changed.
func (r *root) links(ld string, f *elffile.File) ([]launch.Link, error) {
	real, err := r.Real(ld)
	if err != nil {
		return nil, err
	}
	dirs := []string{path.Dir(real)}
	if t := triplets[path.Base(ld)]; t != "" {
		dirs = append(dirs, "/lib/"+t, "/usr/lib/"+t)
	}
	for _, dir := range append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib") {
		libc, e := r.elf(dir + "/libc.so.6")
		if e == nil && libc.Format == f.Format && libc.Header.Machine == f.Header.Machine {
			defer libc.Close()
			return serve.Links(libc, all.Lookup(f.Header.Machine, f.Class).PageSize)
		}
		if e == nil {
			libc.Close()
		} else if err == nil {
			err = e
		}
	}
	return nil, err
}
