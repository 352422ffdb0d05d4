package run

import (
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/plan"
	"elfwright/run/glibc"
	"elfwright/run/interp"
	"elfwright/run/musl"
	"elfwright/run/own"
	"elfwright/run/source"
)

// Program says which program is started, and how.
type Program struct {
	Args  []string // argv; the first is the name that the program is found by, see source.Open
	Argv0 string   // what is argv[0] instead of that name; empty: that name
	Env   []string
	Path  string // PATH
	Stdin io.Reader

	Engine      Engine
	Root        string       // where the dynamic linker and the libraries are; empty: on this machine
	LibraryPath string       // before LD_LIBRARY_PATH
	Preload     string       // before LD_PRELOAD
	Search      load.Options // what the search is told besides: NoCache, InhibitRpath, HWCaps, HWCapsPrepend, HWCapsMask
	Cache       string       // a directory in which images of engine own are kept for the next start, an absolute path; empty: none
	Renew       bool         // no image that is kept is taken
	Self        string       // by which path elfwright is executed, to make an image that is kept again
	Tell        bool         // Trace will be asked, and needs all that was decided
	Save        bool         // what is made is to need no other file
	Row         *glibc.Row   // of the program's glibc, for engine own; nil: one that is built in
	Musl        *musl.Row    // of its musl, likewise
	Random      uint64       // from which addresses are made where they are at random
	Look        bool         // it is not to be started: what no engine starts here is no error
	Stop        Stop         // where the process stops itself
}

// Engine is who does the dynamic linker's work.
type Engine string

const (
	Auto   Engine = "auto"
	Own    Engine = "own"    // we do
	Interp Engine = "interp" // the program's dynamic linker does
	None   Engine = "none"   // nobody can here: the program was only looked at
)

// Stop is a place at which the process stops itself (SIGSTOP).
type Stop string

const (
	Nowhere Stop = ""
	AtEntry Stop = "entry" // before the program's first instruction, when the constructors of libraries have run
	AtMain  Stop = "main"  // before main, when the program's own have run as well
)

// Prepared is a program that can be started.
type Prepared struct {
	Source *source.Program
	Engine Engine // that was chosen
	Why    string // why it is not another
	File   *elffile.File
	Ld     *elffile.File // the dynamic linker; nil: the program is static
	Image  *interp.Image // of engine interp
	Linked *own.Result   // of engine own
	Body   *elffile.Body // what is started; nil: the program as it is
	Env    []string

	Kept    string // the file that keeps the image; "" if none does
	NotKept error  // why none does, or nil
	NoLinks error  // why the C library does not read /proc/self/exe as that of the program, or nil

	keep  *keeper
	again *Program // what is asked of Prepare if Kept cannot be executed

	abs     string
	memory  int           // a file in memory that has what Source.Data has; -1: not made
	loading load.Options  // for Trace
	proc    *load.Process // nil: not yet loaded on paper
	bound   *bind.Result

	surveyed   *own.Result
	unsurveyed error
}

// Prepare finds a program and makes ready what will be started.
func Prepare(p Program) (*Prepared, error) {
	if r := p.kept(); r != nil {
		return r, nil
	}
	src, err := source.Open(p.Args, source.Options{Path: p.Path, Stdin: p.Stdin, Argv0: p.Argv0})
	if err != nil {
		return nil, err
	}
	f, err := src.File()
	if err != nil {
		return nil, err
	}
	out := &Prepared{Source: src, Engine: Interp, File: f, Env: p.Env, abs: src.Abs(), memory: -1}
	out.loading = p.loading()
	prog := &plan.Program{File: f}
	index, ldName := prog.Interp()
	if p.Root != "" {
		out.loading.Beside = libraryDirs(ldName)
	}
	if index < 0 {
		if p.Stop != Nowhere {
			return nil, fmt.Errorf("%s: it asks for no dynamic linker, and is executed as it is: it cannot be stopped at %s", src.Name, p.Stop)
		}
		return out, nil
	}
	err = out.choose(&p, ldName)
	if err != nil && p.Look {
		err = out.look(err)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// loading is what the search is told.
func (p *Program) loading() load.Options {
	opt := p.Search
	opt.Root, opt.LibraryPath, opt.Preload = p.Root, p.variable("LD_LIBRARY_PATH", p.LibraryPath), p.variable("LD_PRELOAD", p.Preload)
	opt.Tunables = lookup(p.Env, "GLIBC_TUNABLES")
	return opt
}

// choose lets an engine prepare the start: own, or where that has no answer, interp.
func (r *Prepared) choose(p *Program, ldName string) error {
	if err := p.searchable(); err != nil {
		return err
	}
	if p.Engine != Interp {
		why := r.own(p)
		if why == nil || p.Engine == Own {
			return why
		}
		if p.told() {
			return fmt.Errorf("engine own alone searches as it is told to: %w", why)
		}
		r.Why = why.Error()
	}
	if p.told() {
		return fmt.Errorf("%s: with engine interp the dynamic linker searches, and takes no options for that; engine own does", r.Source.Name)
	}
	if p.Cache != "" {
		r.NotKept = errors.New("images of engine interp are not kept: its dynamic linker would do all its work again")
	}
	return r.interp(p, ldName)
}

// interp makes the image for the dynamic linker that the program asks for.
func (r *Prepared) interp(p *Program, name string) error {
	root, err := openRoot(p.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	if r.Ld, err = root.elf(name); err != nil {
		return fmt.Errorf("%s: PT_INTERP: %w", r.File.Name, err)
	}
	opt := interp.Options{ExecFn: r.Source.Path, Exe: r.abs, Comm: comm(r.Source), StopAtEntry: p.Stop == AtEntry, StopAtMain: p.Stop == AtMain}
	opt.LibraryPath = join(p.LibraryPath, p.Env, "LD_LIBRARY_PATH")
	opt.Preload = join(p.Preload, p.Env, "LD_PRELOAD")
	if strings.HasPrefix(path.Base(name), "ld-musl-") {
		opt.Libc = interp.Musl
		if root.dir != "" {
			opt.LibraryPath, err = root.muslPath(name, join(p.LibraryPath, p.Env, "LD_LIBRARY_PATH"), p.Env)
			if err != nil {
				return err
			}
		}
	} else if root.dir != "" {
		opt.Root, opt.Dirs = root.dir, libraryDirs(name)
		if opt.Files, err = root.cache(r.Ld); err != nil {
			return err
		}
	}
	if opt.Libc == interp.Glibc && r.abs != "" {
		// Without it all is well but for programs that look for themselves.
		opt.Links, r.NoLinks = root.links(name, r.Ld)
	}
	if r.Image, err = interp.Make(r.File, r.Ld, opt); err != nil {
		return err
	}
	r.Body = r.Image.Body
	return nil
}

// join puts a value before that of a variable, if there is one; without a value
// the variable stays as it is.
func join(value string, env []string, name string) string {
	if old := lookup(env, name); value != "" && old != "" {
		return value + ":" + old
	}
	return value
}

func lookup(env []string, name string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// comm is how execve names a process: by the file, without its directories.
func comm(s *source.Program) string {
	if s.Path != "" {
		return filepath.Base(s.Path)
	}
	return strings.Trim(s.Name[strings.LastIndexByte(s.Name, '(')+1:], ")")
}

// Exec makes this process the program. It returns only with an error.
func (r *Prepared) Exec() error {
	opt := Options{Argv: r.Source.Args, Env: r.Env}
	switch {
	case r.Kept != "" && r.again == nil:
		if err := unix.Exec(r.Kept, opt.Argv, opt.Env); r.Body == nil {
			return r.failed(err)
		}
		// From where it is kept nothing is executed.
		return r.failed(ExecBody(r.Body, comm(r.Source), opt))
	case r.Kept != "":
		unix.Exec(r.Kept, opt.Argv, opt.Env)
		return r.anew() // whatever is wrong with the file
	case r.Body != nil:
		return r.failed(ExecBody(r.Body, comm(r.Source), opt))
	case r.Source.Path == "":
		return r.failed(ExecBody(elffile.NewBody(elffile.Buffer(r.Source.Data)), comm(r.Source), opt))
	}
	return r.failed(unix.Exec(r.Source.Path, opt.Argv, opt.Env))
}

// anew makes the image again and starts it.
func (r *Prepared) anew() error {
	p := *r.again
	p.Renew = true
	again, err := Prepare(p)
	if err != nil {
		return err
	}
	return errors.Join(again.Exec(), again.Close())
}

// Close lets go of the files. What was prepared can not be started after that.
func (r *Prepared) Close() error {
	if r.File == nil { // it is kept, and was not looked at
		return nil
	}
	err := r.File.Close()
	if r.Ld != nil {
		err = errors.Join(err, r.Ld.Close())
	}
	if r.proc != nil {
		err = errors.Join(err, r.proc.Close())
	}
	if r.memory >= 0 {
		err = errors.Join(err, unix.Close(r.memory))
	}
	return err
}

// path is by what the program can be opened: where it has no file of its own, in a
// file in memory.
func (r *Prepared) path() (string, error) {
	if r.Source.Path != "" {
		return r.Source.Path, nil
	}
	if r.memory < 0 {
		fd, err := memoryFile(elffile.NewBody(elffile.Buffer(r.Source.Data)), comm(r.Source))
		if err != nil {
			return "", fmt.Errorf("%s: %w", r.Source.Name, err)
		}
		r.memory = fd
	}
	return fmt.Sprintf("/proc/self/fd/%d", r.memory), nil
}

// failed says which program could not be started.
func (r *Prepared) failed(err error) error {
	if errors.Is(err, unix.ENOEXEC) {
		return fmt.Errorf("%s: %s, %v: %w", r.Source.Name, elffile.MachineName(r.File.Header.Machine), r.File.Class, err)
	}
	return fmt.Errorf("%s: %w", r.Source.Name, err)
}

// Save writes what would be started to a file.
func (r *Prepared) Save(name string) error {
	body := r.Body
	if body == nil {
		body = r.File.Body
	}
	return body.WriteFile(name, elffile.Umasked(0o777))
}

// ExitCode is the exit code that a shell gives for an error.
func ExitCode(err error) int {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return source.ExitNotFound
	}
	return source.ExitNotRun
}
