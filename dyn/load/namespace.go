package load

import (
	"fmt"

	"elfwright/elffile"
)

// namespace is what is loaded so far.
type namespace struct {
	l *Loader
	p *Process
	expected

	program  *Object
	byName   map[string]*Object // every name that an object is known by
	byID     map[FileID]*Object
	mapped   int
	auditing bool // of an auditing library
	linker   *linker
}

func (l *Loader) namespace(f *file, libc Libc) *namespace {
	n := &namespace{l: l, p: &Process{Libc: libc, OldSort: l.opt.oldSort(), loader: l}, byName: make(map[string]*Object), byID: make(map[FileID]*Object)}
	n.expected = expected{f.elf.Format, f.elf.Header.Machine, f.elf.Header.Flags}
	return n
}

// known gives an object one more name; the first object that has a name keeps
// it.
func (n *namespace) known(name string, o *Object) {
	if _, ok := n.byName[name]; !ok && name != "" {
		n.byName[name] = o
	}
}

// mapFile makes an object of a file that was found. Neither libc knows the file
// of a program or of the dynamic linker: asked for by another path they are mapped
// again, so it is up to the caller to note the identity.
func (n *namespace) mapFile(f *file, path, asked string, t Try) *Object {
	o := &Object{Index: -1, Path: path, ID: f.id, Asked: asked, Found: t, Mapped: n.mapped}
	n.mapped++
	o.Object, o.Damage = f.read(n.l.opt.NamesOnly)
	return o
}

// request is a name that an object asks for.
type request struct {
	name string
	kind NeedKind
	by   *Object // whose paths are searched; nil: nobody's
}

// NotFound is the error of a request that no file answers, in glibc's words.
type NotFound struct {
	Name  string
	Class bool // there are files of that name, of the other class
}

func (e *NotFound) Error() string {
	if e.Class {
		return e.Name + ": wrong ELF class"
	}
	return e.Name + ": cannot open shared object file: No such file or directory"
}

func notFound(name string, class bool) error { return &NotFound{name, class} }

// refused is the error of a candidate that ends the search.
func refused(f *file, path, why string) error {
	if f != nil && f.elf != nil {
		return &elffile.Error{File: f.elf.Name, Msg: why}
	}
	return fmt.Errorf("%s: %s", path, why)
}
