package load

import (
	"bytes"
	"debug/elf"
	"path"
	"regexp"
	"strconv"
	"sync"

	"elfwright/elffile"
)

// release matches "ld.so (Debian GLIBC 2.36-9) stable release version 2.36." of
// ld.so, 2.33 and later, and "GNU C Library (…) stable release version 2.28." of
// libc.so.6. The word before "release" is RELEASE of glibc's version.h, and what is
// in brackets is the distribution's, if it says so.
var release = lazily(`(?:ld\.so|GNU C Library)(?: \([^)\n]*\))? [a-z]+ release version (\d{1,4})\.(\d{1,4})`)

// releaseMark is what of it is looked for first.
var releaseMark = []byte(" release version ")

// versioned matches the name of ld.so itself before 2.33.
var versioned = lazily(`^ld-(\d{1,4})\.(\d{1,4})(?:\.\d+)*\.so$`)

// lazily compiles an expression when it is first asked for: most starts of the
// program never do.
func lazily(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// releaseIn finds the release that a part of glibc says it is of.
func releaseIn(b []byte) (Version, bool) {
	for at := 0; ; {
		i := bytes.Index(b[at:], releaseMark)
		if i < 0 {
			return Version{}, false
		}
		i += at
		if m := release().FindSubmatch(b[max(at, i-200):min(len(b), i+40)]); m != nil {
			return versionOf(m), true
		}
		at = i + len(releaseMark)
	}
}

func versionOf(m [][]byte) Version {
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return Version{major, minor}
}

// libcRelease is the release of a glibc whose ld.so does not tell it, before
// 2.33: what the libc.so.6 beside it says, which must be of the same release for
// either to work. Until 2.33, too, the file itself is called ld-2.31.so, and
// ld-linux-x86-64.so.2 is a link to it.
func (l *Loader) libcRelease(ld *file, name string, dirs []string) (Version, bool) {
	real, err := l.root.Real(name)
	if err != nil {
		real = name
	}
	e := expected{ld.elf.Format, ld.elf.Header.Machine, ld.elf.Header.Flags}
	for _, dir := range append([]string{path.Dir(real), path.Dir(name)}, dirs...) {
		at := l.at(path.Join(dir, "libc.so.6"))
		if at.err != nil || !e.accept(at.file).ok() {
			continue
		}
		if v, ok := ReleaseOf(at.file.elf); ok {
			return v, true
		}
	}
	if m := versioned().FindSubmatch([]byte(path.Base(real))); m != nil {
		return versionOf(m), true
	}
	return Version{}, false
}

// ReleaseOf looks through the constants of ld.so, 2.33 and later, or of libc.so.6 for
// the release of glibc that it is of.
func ReleaseOf(f *elffile.File) (v Version, ok bool) {
	f.Guard(func() error {
		for _, b := range readOnly(f) {
			if v, ok = releaseIn(b); ok {
				return nil
			}
		}
		return nil
	})
	return v, ok
}

// readOnly are the bytes of the segments that can not be written, where constant
// strings are: those without code first.
func readOnly(f *elffile.File) [][]byte {
	var list, code [][]byte
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_W != 0 {
			continue
		}
		b, _ := f.ProgData(i)
		if p.Flags&elf.PF_X == 0 {
			list = append(list, b)
		} else {
			code = append(code, b)
		}
	}
	return append(list, code...)
}
