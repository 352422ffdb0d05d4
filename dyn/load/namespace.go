package load

import (
	"errors"
	"fmt"

	"elfwright/elffile"
)

// namespace is what is loaded so far.
type namespace struct {
	l *Loader
	p *Process
	expected

	program *Object
	byName  map[string]*Object // every name that an object is known by
	byID    map[FileID]*Object
	mapped  int
	linker  *linker
}

func (l *Loader) namespace(f *file, libc Libc) *namespace {
	n := &namespace{l: l, p: &Process{Libc: libc, loader: l}, byName: make(map[string]*Object), byID: make(map[FileID]*Object)}
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

// mapFile makes an object of a file that was found.
func (n *namespace) mapFile(f *file, path, asked string, t Try) *Object {
	o := &Object{Index: -1, Path: path, ID: f.id, Asked: asked, Found: t, Mapped: n.mapped}
	n.mapped++
	o.Object, o.Damage = f.read(n.l.opt.NamesOnly)
	n.byID[f.id] = o
	return o
}

// request is a name that an object asks for.
type request struct {
	name string
	kind NeedKind
	by   *Object // whose paths are searched; nil: nobody's
}

// notFound is the error of a request that nothing answers.
func notFound(name string, class bool) error {
	if class {
		return fmt.Errorf("%s: wrong ELF class", name)
	}
	return fmt.Errorf("%s: cannot open shared object file: No such file or directory", name)
}

// refused is the error of a candidate that ends the search.
func refused(f *file, path, why string) error {
	if f != nil && f.elf != nil {
		return &elffile.Error{File: f.elf.Name, Msg: why}
	}
	return fmt.Errorf("%s: %s", path, why)
}

// errMissing tells a missing library from one that is there and refused.
var errMissing = errors.New("not found")
