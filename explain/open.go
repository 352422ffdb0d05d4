package explain

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/plan"
	"elfwright/proc"
)

// Options say under what circumstances the program is started. What is left at
// zero is as on this machine, if it is one that can start the program.
type Options struct {
	Args, Env []string // without the program's own name

	Kernel     plan.Version
	Native32   bool
	PageSize   uint64
	VABits     int
	StackLimit uint64
	FileSystem string // "huge" or "plain"; "": as the files' own
	Sysroot    string // where the interpreter is looked for

	Base, MmapBase, StackTop image.Addr
}

// Subject is a program, its interpreter, and what becomes of them.
type Subject struct {
	Path, InterpPath string
	Call             plan.Call
	Process          *plan.Process
	Warnings         []plan.Warning // those of the program, the interpreter and the file system

	opt    Options
	native bool // this machine can start it
	files  []*elffile.Mapping
}

// NotELF is the error for a file that another loader than the one for ELF
// would start, or none.
type NotELF struct {
	Path   string
	Script string // the interpreter that the first line names
	Err    error
}

// Error tells who would start the file.
func (e *NotELF) Error() string {
	if e.Script != "" {
		return fmt.Sprintf("%s: a script: Linux starts %s with it (binfmt_script); explain that", e.Path, e.Script)
	}
	return fmt.Sprintf("%v; load_elf_binary leaves it with ENOEXEC to other loaders (binfmt_script, binfmt_misc)", e.Err)
}

// Unwrap returns the cause.
func (e *NotELF) Unwrap() error { return e.Err }

// Open reads a program and computes what execve makes of it. Close it.
func Open(path string, opt Options) (*Subject, error) {
	s := &Subject{Path: path, opt: opt}
	program, err := s.open(path)
	if err != nil {
		return nil, errors.Join(notELF(path, err), s.Close())
	}
	s.Call = plan.Call{Path: path, Args: append([]string{path}, opt.Args...), Env: opt.Env, Program: program, OpenErr: openErr(path)}
	if err := errors.Join(s.guard(s.openInterp), s.plan()); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// plan computes the process anew.
func (s *Subject) plan() error {
	host := s.host()
	return s.guard(func() error {
		s.Process = plan.Exec(s.Call, host)
		return nil
	})
}

// guard runs fn with faults of all mapped files as errors.
func (s *Subject) guard(fn func() error) error {
	for _, f := range s.files {
		inner := fn
		fn = func() error { return f.Guard(inner) }
	}
	return fn()
}

// open maps a file and reads its headers.
func (s *Subject) open(path string) (p *plan.Program, err error) {
	m, err := elffile.Map(path)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, m)
	gerr := m.Guard(func() error {
		p, err = plan.Read(path, elffile.NewBody(m.Data()))
		return err
	})
	return p, gerr
}

// Close closes the files.
func (s *Subject) Close() error {
	var err error
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	s.files = nil
	return err
}

// notELF makes an error of the ELF reader one that says who would start the
// file.
func notELF(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return &elffile.Error{File: path, Err: pe.Err}
	}
	e := &NotELF{Path: path, Err: err}
	f, ferr := os.Open(path)
	if ferr != nil {
		return err
	}
	defer f.Close()
	var head [256]byte // BINPRM_BUF_SIZE
	n, _ := f.Read(head[:])
	if st, serr := f.Stat(); serr != nil || !st.Mode().IsRegular() {
		return err
	}
	e.Script = scriptInterp(head[:n])
	return e
}

// scriptInterp reads the first line of a script (load_script).
func scriptInterp(b []byte) string {
	if len(b) < 3 || b[0] != '#' || b[1] != '!' {
		return ""
	}
	b = b[2:]
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for i, c := range b {
		if c <= ' ' {
			return string(b[:i])
		}
	}
	return ""
}

// openErr says with which errno execve refuses to open a file (do_open_execat).
func openErr(path string) string {
	st, err := os.Stat(path)
	errno, ok := errors.AsType[unix.Errno](err)
	switch {
	case ok:
		return unix.ErrnoName(errno)
	case err != nil, !st.Mode().IsRegular(), st.Mode()&0o111 == 0, proc.FileSystemOf(path).NoExec:
		return "EACCES"
	}
	return ""
}

// openInterp reads the file that PT_INTERP names.
func (s *Subject) openInterp() error {
	i, path := s.Call.Program.Interp()
	if i < 0 || path == "" {
		return nil
	}
	s.InterpPath = filepath.Join(s.opt.Sysroot, path)
	if s.opt.Sysroot == "" {
		s.InterpPath = path
	}
	if s.Call.InterpErr = openErr(s.InterpPath); s.Call.InterpErr != "" {
		return nil
	}
	in, err := s.open(s.InterpPath)
	if err != nil {
		s.Call.InterpErr = "ELIBBAD"
		if st, serr := os.Stat(s.InterpPath); serr == nil && st.Size() < 64 {
			s.Call.InterpErr = "EIO" // elf_read
		}
		return nil
	}
	s.Call.Interp = in
	return nil
}

// machines are the kernels of this program's own machine, and of those whose
// programs it runs besides.
var machines = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386, elf.EM_486}, "386": {elf.EM_386, elf.EM_486}, "arm64": {elf.EM_AARCH64, elf.EM_ARM},
	"arm": {elf.EM_ARM}, "riscv64": {elf.EM_RISCV},
}

// host is the machine that the program is explained for: this one, where it can
// start the program, with what the options change.
func (s *Subject) host() plan.Host {
	o := &s.opt
	h := plan.Host{
		Kernel: o.Kernel, Native32: o.Native32, PageSize: o.PageSize, VABits: o.VABits, StackLimit: o.StackLimit,
		Base: o.Base, MmapBase: o.MmapBase, StackTop: o.StackTop,
	}
	m := s.Call.Program.Header.Machine
	s.native = slices.Contains(machines[runtime.GOARCH], m) ||
		plan.LookupABI(m, elf.ELFCLASS64, false) == nil && plan.LookupABI(m, elf.ELFCLASS32, false) == nil // every kernel refuses it
	s.native = s.native && runtime.GOOS == "linux" && !o.Native32
	sys := proc.ThisSystem()
	if h.StackLimit == 0 {
		h.StackLimit = sys.StackLimit
	}
	h.MinAddr, h.RawIO, h.Memory = sys.MinAddr, sys.RawIO, sys.Memory
	if s.native {
		measured(&h, sys, s.Call.Program.Is64())
	}
	s.fileSystems(&h)
	return h
}

// fileSystems sets what the file systems decide.
func (s *Subject) fileSystems(h *plan.Host) {
	program := proc.FileSystemOf(s.Path)
	h.Huge = program.Huge
	if s.InterpPath != "" {
		h.InterpHuge = proc.FileSystemOf(s.InterpPath).Huge
	}
	switch s.opt.FileSystem {
	case "huge":
		h.Huge, h.InterpHuge = true, true
	case "plain":
		h.Huge, h.InterpHuge = false, false
	}
}

// measured takes from the running kernel what no table can know: the parts of
// the vdso, and the auxiliary vector.
func measured(h *plan.Host, sys proc.System, wide bool) {
	v, err := plan.ParseVersion(sys.Release)
	if err != nil || h.Kernel != (plan.Version{}) && h.Kernel != v {
		return
	}
	h.Kernel = v
	if h.PageSize == 0 {
		h.PageSize = sys.PageSize
	}
	self, err := proc.Open(os.Getpid())
	if err != nil {
		return
	}
	defer self.Close()
	if maps, err := self.Maps(); err == nil && wide {
		h.VDSO = vdso(maps)
	}
	format := elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}
	if aux, err := self.Auxv(format); err == nil {
		h.Aux, h.AuxOrder = auxOf(aux, wide)
	}
}

// vdso finds the parts of the vdso, which follow each other.
func vdso(maps []proc.Map) (out []plan.Special) {
	for _, m := range maps {
		switch m.Name {
		case "[vvar]", "[vvar_vclock]", "[vdso]":
			out = append(out, plan.Special{Name: m.Name, Size: m.Size, Prot: m.Prot})
		}
	}
	return out
}

// auxOf takes the values that are the machine's or the user's from an auxiliary
// vector, and its order. A 32-bit program of x86 finds AT_SYSINFO in front.
func auxOf(aux []proc.Aux, wide bool) (map[plan.AuxTag]uint64, []plan.AuxTag) {
	values := make(map[plan.AuxTag]uint64)
	var order []plan.AuxTag
	if !wide {
		order = append(order, plan.AtSysinfo)
	}
	for _, a := range aux {
		t := plan.AuxTag(a.Tag)
		order = append(order, t)
		switch t {
		case plan.AtNull, plan.AtPhdr, plan.AtPhent, plan.AtPhnum, plan.AtPagesz, plan.AtBase, plan.AtFlags, plan.AtEntry, plan.AtSecure,
			plan.AtRandom, plan.AtExecfn, plan.AtPlatform, plan.AtSysinfoEhdr, plan.AtSysinfo:
		default:
			values[t] = a.Value
		}
	}
	values[plan.AtSecure] = 0
	return values, order
}
