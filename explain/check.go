package explain

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/plan"
	"elfwright/proc"
)

// Difference is something that the kernel did otherwise than was computed.
type Difference struct {
	What       string // "brk", "mappings"
	Plan, Real string
}

// String prints "brk: computed 0x1000, the kernel has 0x2000".
func (d Difference) String() string {
	if strings.ContainsRune(d.Plan+d.Real, '\n') {
		return fmt.Sprintf("%s: computed\n%s\nthe kernel has\n%s", d.What, d.Plan, d.Real)
	}
	return fmt.Sprintf("%s: computed %s, the kernel has %s", d.What, d.Plan, d.Real)
}

// Checked is the result of a check.
type Checked struct {
	// Copy is set where not the program itself was run but a copy of it, because
	// a set-user-ID program is always randomised.
	Copy        string
	Compared    int // mappings, registers, numbers and auxiliary entries
	Differences []Difference
}

// ErrForeign says that this machine cannot start a program.
var ErrForeign = errors.New("not a program of this machine: there is nothing to compare with")

// Check starts the program without randomisation, stopped before its first
// instruction, and compares. Where the kernel refuses or kills it, that is
// compared. One run lets a step of the program's own code happen only where the
// first instruction is expected to fault.
func (s *Subject) Check() (*Checked, error) {
	if !s.native {
		return nil, ErrForeign
	}
	if s.opt.Kernel != (plan.Version{}) || s.opt.Base|s.opt.MmapBase|s.opt.StackTop != 0 || s.opt.FileSystem != "" || s.opt.Sysroot != "" {
		return nil, errors.New("what was computed is not for this machine as it is: there is nothing to compare with")
	}
	c := new(Checked)
	done, err := s.withoutSetID(c)
	if err != nil {
		return nil, err
	}
	defer done()
	run := proc.Run{Path: s.Path, Args: s.Call.Args, Env: s.Call.Env, StackLimit: s.Process.Host.StackLimit}
	err = proc.Start(run, func(st *proc.Stopped) error { return s.compare(c, st) })
	if fate, ok := errors.AsType[*proc.Fate](err); ok {
		c.fate(s.Process, fate)
		return c, nil
	}
	return c, err
}

// withoutSetID makes the subject a copy of its program if that is set-user-ID
// or set-group-ID. done removes the copy.
func (s *Subject) withoutSetID(c *Checked) (done func(), err error) {
	done = func() {}
	st, err := os.Stat(s.Path)
	if err != nil || st.Mode()&(os.ModeSetuid|os.ModeSetgid) == 0 {
		return done, err
	}
	dir, err := os.MkdirTemp("", "elfwright-check-")
	if err != nil {
		return done, err
	}
	done = func() { os.RemoveAll(dir) }
	c.Copy = filepath.Join(dir, filepath.Base(s.Path))
	if err := copyFile(c.Copy, s.Path); err != nil {
		done()
		return func() {}, err
	}
	other, err := Open(c.Copy, s.opt)
	if err != nil {
		done()
		return func() {}, err
	}
	files := s.files
	*s = *other
	s.files = append(s.files, files...)
	return done, nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (c *Checked) value(what string, planned, real any) {
	c.Compared++
	if p, r := fmt.Sprint(planned), fmt.Sprint(real); p != r {
		c.Differences = append(c.Differences, Difference{what, p, r})
	}
}

// fate compares how an execve failed.
func (c *Checked) fate(p *plan.Process, f *proc.Fate) {
	real := "killed by " + unix.SignalName(f.Signal)
	if f.Signal == 0 {
		real = "refused with " + unix.ErrnoName(f.Errno)
	}
	c.value("outcome", fateText(p.Outcome), real)
}

func fateText(o plan.Outcome) string {
	switch o.Fate {
	case plan.Refused:
		return "refused with " + o.Errno
	case plan.Killed:
		return "killed by " + o.Signal
	case plan.Faults:
		return o.Signal + " at the first instruction"
	}
	return "runs"
}

// compare holds a stopped program against the plan.
func (s *Subject) compare(c *Checked, st *proc.Stopped) error {
	p := s.Process
	if p.Outcome.Fate == plan.Refused || p.Outcome.Fate == plan.Killed {
		c.value("outcome", fateText(p.Outcome), "runs")
		return nil
	}
	maps, err1 := st.Maps()
	stat, err2 := st.Stat()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	s.compareMaps(c, maps)
	c.value("pc", p.Entry, st.PC)
	c.value("sp", p.Stack.SP, st.SP)
	c.value("start_brk", p.StartBrk, stat.StartBrk)
	c.value("start_code", p.Code.Start, stat.StartCode)
	c.value("end_code", p.Code.End(), stat.EndCode)
	c.value("start_data", p.Data.Start, stat.StartData)
	c.value("end_data", p.Data.End(), stat.EndData)
	c.value("start_stack", p.Stack.SP, stat.StartStack)
	c.value("arg_start", p.Stack.ArgStart, stat.ArgStart)
	c.value("env_start", p.Stack.EnvStart, stat.EnvStart)
	c.value("env_end", p.Stack.EnvEnd, stat.EnvEnd)
	if err := s.compareStack(c, st); err != nil {
		return err
	}
	return s.compareStart(c, st)
}

// compareStart lets the first instruction happen where it is to fault.
func (s *Subject) compareStart(c *Checked, st *proc.Stopped) error {
	o := s.Process.Outcome
	if o.Fate != plan.Faults {
		return nil
	}
	sig, err := st.Step()
	if err != nil {
		return err
	}
	real := unix.SignalName(sig)
	if strings.Contains(o.Signal, " or ") && strings.Contains(o.Signal, real) {
		real = o.Signal
	}
	c.value("outcome", fateText(o), real+" at the first instruction")
	return nil
}

// compareStack reads argc, the pointers and the auxiliary vector from the
// stack.
func (s *Subject) compareStack(c *Checked, st *proc.Stopped) error {
	p := s.Process
	word := p.ABI.Word()
	f := elffile.Format{Class: p.ABI.Class, Data: s.Call.Program.Format.Data}
	end := p.Stack.Auxv + image.Addr(2*word*uint64(len(p.Auxv)))
	b, err := st.Memory(image.MakeRange(p.Stack.SP, end))
	if err != nil {
		return err
	}
	c.value("argc", len(s.Call.Args), f.Addr(b))
	if n := uint64(p.Stack.Argv - p.Stack.SP); len(s.Call.Args) > 0 {
		c.value("argv[0]", p.Stack.ArgStart, image.Addr(f.Addr(b[n:])))
	}
	aux, err := proc.ParseAuxv(f, b[p.Stack.Auxv-p.Stack.SP:])
	if err != nil {
		return err
	}
	var tags, real []string
	for _, a := range p.Auxv {
		tags = append(tags, a.Tag.String())
	}
	for _, a := range aux {
		real = append(real, plan.AuxTag(a.Tag).String())
	}
	c.value("order of the auxiliary vector", strings.Join(tags, " "), strings.Join(real, " "))
	for i := range min(len(aux), len(p.Auxv)) {
		if a := p.Auxv[i]; a.Known && uint64(a.Tag) == aux[i].Tag {
			c.value(a.Tag.String(), image.Addr(a.Value), image.Addr(aux[i].Value))
		}
	}
	return nil
}

// compareMaps compares the lines of /proc/PID/maps.
func (s *Subject) compareMaps(c *Checked, maps []proc.Map) {
	var planned, real []string
	for _, m := range s.Process.Merged() {
		planned = append(planned, fmt.Sprintf("%08x-%08x %s %08x %s", uint64(m.Start), uint64(m.End()), plan.Prot(m.Prot), uint64(max(m.Off, 0)), kindOf(&m)))
	}
	program, interp := inode(s.Path), inode(s.InterpPath)
	for i := range maps {
		m := &maps[i]
		if m.Name == "[vsyscall]" { // a page of the kernel's that no process has
			continue
		}
		kind := m.Name
		switch {
		case m.Inode != 0 && m.Inode == program:
			kind = plan.FromProgram.String()
		case m.Inode != 0 && m.Inode == interp:
			kind = plan.FromInterp.String()
		case m.Name == "" || m.Name == "[heap]" || m.Name == "[stack]":
			kind = "anonymous"
		}
		real = append(real, fmt.Sprintf("%08x-%08x %s %08x %s", uint64(m.Start), uint64(m.End()), plan.Prot(m.Prot), m.Off, kind))
	}
	c.Compared += len(real)
	if p, r := strings.Join(planned, "\n"), strings.Join(real, "\n"); p != r {
		c.Differences = append(c.Differences, Difference{"mappings", p, r})
	}
}

// kindOf is where a mapping's bytes come from. That memory is stack or heap is
// known by address, not by what made it.
func kindOf(m *plan.Mapping) string {
	switch {
	case m.Name != "" && m.Off != plan.Anonymous:
		return m.Name
	case m.Off == plan.Anonymous:
		return "anonymous"
	}
	return m.Origin.String()
}

func inode(path string) uint64 {
	var st unix.Stat_t
	if path == "" || unix.Stat(path, &st) != nil {
		return 0
	}
	return st.Ino
}
