package load

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// Version is the release of a C library; zero if it is not known.
type Version struct{ Major, Minor int }

// Before says whether it is an earlier release. One that is not known counts as
// 2.36, whose rules are the ones this package was measured against.
func (v Version) Before(major, minor int) bool {
	if v == (Version{}) {
		v = Version{2, 36}
	}
	return v.Major < major || v.Major == major && v.Minor < minor
}

func (v Version) String() string {
	if v == (Version{}) {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// linker is what was compiled into a dynamic linker.
type linker struct {
	libc    Libc
	version Version
	dirs    []string // system directories; nil: not found
	lib     string   // $LIB; "": not found
}

// linkerOf reads a dynamic linker's file.
func (l *Loader) linkerOf(f *file, name string) *linker {
	l.mu.Lock()
	k, ok := l.linkers[f.id]
	l.mu.Unlock()
	if ok {
		return k
	}
	k = &linker{}
	f.elf.Guard(func() error {
		k.read(readOnly(f.elf), name)
		return nil
	})
	if k.libc == Glibc && k.version == (Version{}) {
		k.version, _ = l.libcRelease(f, name, k.dirs)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.linkers[f.id] = k
	return k
}

// read takes what it looks for from the first part that has it.
func (k *linker) read(parts [][]byte, name string) {
	if strings.HasPrefix(path.Base(name), "ld-musl-") {
		k.libc = Musl
		return
	}
	for _, b := range parts {
		if k.version == (Version{}) {
			k.version, _ = releaseIn(b)
		}
		if k.dirs == nil {
			k.dirs = systemDirs(b)
		}
		if k.lib == "" {
			k.lib = libToken(b, k.dirs)
		}
	}
	if k.version != (Version{}) {
		return
	}
	for _, b := range parts {
		if bytes.Contains(b, []byte("\x00musl libc")) || bytes.Contains(b, []byte("musl libc (")) {
			k.libc = Musl
		}
	}
}

// systemDirs finds system_dirs of elf/dl-load.c: strings one behind the other,
// each of which begins and ends with a slash; two at least.
func systemDirs(b []byte) []string {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("/\x00/"))
		if i < 0 {
			return nil
		}
		slash := at + i
		from := bytes.LastIndexByte(b[:slash+1], 0) + 1
		from += bytes.IndexByte(b[from:], '/') // Arm has data right before it
		list, end := dirsAt(b[from:])
		if len(list) >= 2 {
			return list
		}
		at = max(from+end, slash+1)
	}
}

// dirsAt takes as many directories as stand at the start of b.
func dirsAt(b []byte) (list []string, end int) {
	for len(list) < 32 {
		n := bytes.IndexByte(b[end:min(len(b), end+256)], 0)
		if n < 0 || !isDirName(b[end:end+n]) {
			break
		}
		list = append(list, string(b[end:end+n]))
		end += n + 1
	}
	return list, end
}

func isDirName(s []byte) bool {
	if len(s) < 2 || s[0] != '/' || s[len(s)-1] != '/' || !bytes.Contains(s, []byte("lib")) {
		return false
	}
	for _, c := range s {
		if c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return true
}

// libToken finds DL_DST_LIB: a string of its own that is the first system
// directory without its slashes (Debian: lib/x86_64-linux-gnu), or the last word
// of it.
func libToken(b []byte, dirs []string) string {
	if len(dirs) == 0 {
		return ""
	}
	whole := strings.Trim(dirs[0], "/")
	for _, s := range []string{whole, path.Base(whole)} {
		if bytes.Contains(b, []byte("\x00"+s+"\x00")) {
			return s
		}
	}
	return ""
}
