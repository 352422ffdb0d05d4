package load

import (
	"strings"

	"golang.org/x/sys/unix"
)

// dirList is a list of directories that libraries are searched in.
type dirList struct {
	elems []element
	gone  bool // none of its directories is there
}

// element is a directory of a list.
type element struct {
	text string // as it is written
	dir  *searchDir
}

// searchDir is a directory, which may stand in several lists.
type searchDir struct {
	path   string // ends with a slash, or is empty: the current directory
	status []dirStatus
}

type dirStatus uint8

const (
	unknown dirStatus = iota
	existing
	nonexisting
)

// directory returns the directory of a path; trailing slashes do not count.
func (g *glibc) directory(path string) *searchDir {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if path != "" && path[len(path)-1] != '/' {
		path += "/"
	}
	d, ok := g.dirs[path]
	if !ok {
		d = &searchDir{path, make([]dirStatus, len(g.caps))}
		// A relative one is tried each time: the current directory may change
		// (fillin_rpath).
		if !strings.HasPrefix(path, "/") {
			for i := range d.status {
				d.status[i] = existing
			}
		}
		g.dirs[path] = d
	}
	return d
}

// list takes a text apart (fillin_rpath). An empty element is the current
// directory, one with a token that has no value is left out, and so is one that
// is there already.
func (g *glibc) list(text, separators string, t *tokens) *dirList {
	l := &dirList{}
	for rest, more := text, true; more; {
		var elem string
		if i := strings.IndexAny(rest, separators); i >= 0 {
			elem, rest = rest[:i], rest[i+1:]
		} else {
			elem, more = rest, false
		}
		path, ok := t.expand(elem)
		if !ok || path == "" && elem != "" {
			continue
		}
		d := g.directory(path)
		if !l.has(d) {
			l.elems = append(l.elems, element{elem, d})
		}
	}
	l.gone = len(l.elems) == 0
	return l
}

func (l *dirList) has(d *searchDir) bool {
	for i := range l.elems {
		if l.elems[i].dir == d {
			return true
		}
	}
	return false
}

// search looks for the request's name in every directory of a list, in every
// sub-directory that counts (open_path).
func (s *search) list(l *dirList, rule Rule, of *Object) {
	if l.gone {
		return
	}
	any := false
	for i := range l.elems {
		e := &l.elems[i]
		here, errno := s.directory(e, rule, of)
		if s.done {
			return
		}
		// "The file exists and is readable, but something went wrong."
		if here && errno != unix.ENOENT && errno != unix.EACCES {
			return
		}
		any = any || here
	}
	// Those of the environment and of the system are never forgotten.
	if !any && rule != RuleLibraryPath && rule != RuleDefault {
		l.gone = true
	}
}

// directory tries a directory; here says whether it or one of its
// sub-directories is there.
func (s *search) directory(e *element, rule Rule, of *Object) (here bool, errno error) {
	d := e.dir
	for i, sub := range s.g.caps {
		if d.status[i] == nonexisting {
			continue
		}
		errno = s.try(d.path+sub+s.name, Try{Dir: e.text, HWCaps: strings.TrimSuffix(sub, "/"), Rule: rule, Of: of})
		if d.status[i] == unknown {
			d.status[i] = nonexisting
			if s.done || s.g.l.isDir(strings.TrimSuffix(d.path+sub, "/")) {
				d.status[i] = existing
			} else {
				errno = unix.ENOENT // stat has set it
			}
		}
		if s.done {
			return true, nil
		}
		here = here || d.status[i] != nonexisting
	}
	return here, errno
}
