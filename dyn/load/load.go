package load

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// Load loads one program; see [Loader.Load]. Closing the Process unmaps its
// files.
func Load(prog string, opt Options) (*Process, error) {
	l, err := New(opt)
	if err != nil {
		return nil, err
	}
	p, err := l.Load(prog)
	if err != nil {
		l.Close()
		return nil, err
	}
	p.owns = true
	return p, nil
}

// Close unmaps the files of a Process that [Load] made; that of a [Loader] is
// closed with it.
func (p *Process) Close() error {
	if !p.owns {
		return nil
	}
	p.owns = false
	return p.loader.Close()
}

// Guard runs fn, in which the bytes of the objects may be read, and turns the
// fault that comes of a file that shrank meanwhile into an error (see
// elffile.Mapping.Guard).
func (p *Process) Guard(fn func() error) error {
	for _, o := range p.Objects {
		inner, f := fn, o.File
		fn = func() error { return f.Guard(inner) }
	}
	return fn()
}

// Load finds everything that is loaded when a program starts. The program is a
// path of this machine; where it lies below the root, or where the root has a
// file of that name, it is that one. A shared object is taken for a program, as
// ld.so --list does.
//
// What is missing is no error of Load: it is in the Needs. An error says that the
// program itself can not be loaded.
func (l *Loader) Load(prog string) (*Process, error) {
	f, inside, err := l.program(prog)
	if err != nil {
		return nil, err
	}
	o, _ := f.read(true)
	if d := o.Dynamic.Prog; d >= 0 && f.elf.Progs[d].Filesz == 0 {
		return nil, f.elf.ProgError(d, "p_filesz", "0: the dynamic section is not in the file, as in one of debug information")
	}
	interp, note := l.interpreter(f, o.Interp)
	libc := l.libcOf(f, interp, o.Needed)
	n := l.namespace(f, libc)
	if note != "" {
		n.p.Notes = append(n.p.Notes, note)
	}
	n.program = n.mapFile(f, inside, prog, Try{Path: inside, Rule: RuleProgram})
	n.p.program = n.program
	n.program.origin = path.Dir(l.realPath(inside, o.Interp != ""))
	if o.Dynamic.Prog < 0 { // static
		n.p.Objects = []*Object{n.program}
		n.program.Index = 0
		return n.p, nil
	}
	n.interp(interp, o.Interp)
	n.cpu()
	if libc == Musl {
		newMusl(n).load()
	} else {
		newGlibc(n).load()
	}
	return n.p, nil
}

// realPath is what readlink /proc/self/exe would give for a program. For a shared
// object it is the path as it is, for that one the dynamic linker opens.
func (l *Loader) realPath(inside string, program bool) string {
	if program {
		if real, err := l.root.Real(inside); err == nil {
			return real
		}
	}
	return l.root.Abs(inside)
}

// program opens the program and says what its path is in the tree.
func (l *Loader) program(prog string) (*file, string, error) {
	inside := prog
	var at *found
	switch in, ok := l.root.Inside(prog); {
	case ok:
		inside = in
		at = l.at(in)
	case l.opt.Beside == nil && filepath.IsAbs(prog) && l.root.Exists(prog):
		at = l.at(prog)
	default: // a file from elsewhere, as if it were put here
		inside, _ = filepath.Abs(prog)
		at = l.outside(prog)
	}
	switch {
	case at.err != nil:
		return nil, "", &os.PathError{Op: "open", Path: prog, Err: at.err}
	case at.file.elf == nil && at.file.err != nil:
		return nil, "", at.file.err
	case at.file.elf == nil:
		return nil, "", fmt.Errorf("%s: not a regular file (st_mode 0%o)", prog, at.file.mode)
	}
	h := &at.file.elf.Header
	e := expected{at.file.elf.Format, h.Machine, h.Flags}
	if v := e.accept(at.file); !v.ok() {
		return nil, "", refused(at.file, prog, v.fatal)
	}
	return at.file, inside, nil
}

func (l *Loader) outside(prog string) *found {
	fd, err := unix.Open(prog, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &found{err: err}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.open(prog, fd)
	return &found{f, err}
}

// interpreter is the path of the dynamic linker.
func (l *Loader) interpreter(f *file, own string) (path, note string) {
	switch {
	case l.opt.Interp != "":
		return l.opt.Interp, ""
	case own != "":
		return own, ""
	}
	h := &f.elf.Header
	u, ok := upstreamOf(f.elf.Format, h)
	if !ok {
		return "", "no dynamic linker is known for " + elffile.MachineName(h.Machine)
	}
	o, _ := f.read(true)
	if l.opt.Libc != nil && *l.opt.Libc == Musl || l.opt.Libc == nil && needsMusl(o.Needed) {
		u.interp = "/lib/ld-musl-" + u.musl + ".so.1"
	}
	return u.interp, "no PT_INTERP: the dynamic linker is taken to be " + u.interp
}

// needsMusl says whether a shared object was linked to musl, by the names that it
// needs.
func needsMusl(needed []string) bool {
	return slices.ContainsFunc(needed, func(s string) bool {
		return s == "libc.so" || strings.HasPrefix(s, "libc.musl-")
	})
}

func (l *Loader) libcOf(f *file, interp string, needed []string) Libc {
	switch {
	case l.opt.Libc != nil:
		return *l.opt.Libc
	case interp == "":
		return Glibc
	case strings.HasPrefix(path.Base(interp), "ld-musl-"):
		return Musl
	}
	if at := l.at(interp); at.err == nil && at.file.elf != nil {
		return l.linkerOf(at.file, interp).libc
	}
	return Glibc
}

// interp maps the dynamic linker: the kernel does, before anything is searched
// (load_elf_binary), or it is what runs already.
func (n *namespace) interp(name, own string) {
	n.linker = &linker{}
	if name == "" {
		return
	}
	need := Need{Name: name, Kind: Interpreter}
	try := Try{Path: name, Rule: RuleInterp}
	at := n.l.at(name)
	switch {
	case at.err != nil:
		try.Why = errnoText(at.err)
		need.Err = notFound(name, false)
	default:
		if v := n.accept(at.file); !v.ok() {
			try.Why = v.why + v.fatal
			need.Err = refused(at.file, name, try.Why)
		}
	}
	if need.Err != nil {
		need.Tried = []Try{try}
		n.p.Interp = need
		n.p.Notes = append(n.p.Notes, "the dynamic linker "+name+" is missing: what is compiled into it is guessed")
		return
	}
	n.linker = n.l.linkerOf(at.file, name)
	ld := n.mapFile(at.file, name, name, try)
	n.p.Ld, need.To, need.Found = ld, ld, try
	n.flags = ld.Header.Flags // it judges by how it was compiled itself
	n.known(name, ld)
	if n.p.Libc == Glibc {
		n.known(ld.Soname, ld)
	}
	n.p.Interp = need
	n.p.Version = n.linker.version
	if n.p.Libc == Glibc && n.p.Version == (Version{}) {
		n.p.Notes = append(n.p.Notes, "neither "+name+" nor a libc.so.6 tells its release: the rules are those of 2.36")
	}
}

// cpu says which processor is meant.
func (n *namespace) cpu() {
	h := &n.program.Header
	if n.l.opt.HWCaps != nil {
		n.p.CPU = Baseline(h.Machine, n.Class)
		n.p.CPU.HWCaps, n.p.CPU.Source = n.l.opt.HWCaps, "options"
		return
	}
	if n.l.opt.CPU != nil {
		n.p.CPU = n.l.opt.without(*n.l.opt.CPU)
		return
	}
	c, ok := n.l.hostCPU(h.Machine, n.Class)
	n.p.CPU = n.l.opt.without(c)
	if !ok {
		n.p.Notes = append(n.p.Notes, "of "+elffile.MachineName(h.Machine)+" the baseline is taken: no sub-directory for a better processor is looked into")
	}
}
