package freeze

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/saved"
	"elfwright/image"
	"elfwright/machine/all"
)

// fromCore makes of a core what is read of a living process.
type fromCore struct {
	*saved.Process
	name  string
	blank *capture.Snapshot // what is so for every process
	out   *capture.Snapshot
	refusals
	warnings []string
	moves    bool // the program can be anywhere
	// lock is that of musl's list of threads, once it was looked for.
	lock      uint64
	lockFound bool
	other     bool // the kernel's code is not to be mapped, but replaced
}

// FromCore makes an executable of an ELF core file that Linux or gcore wrote. exe is
// where the program is now, empty if it is where it was. What cores do not have is
// as for a program that is started: descriptors, the working directory, limits.
func FromCore(file, exe, name string, opt Options) (*Report, error) {
	if opt.Mode == 0 {
		opt.Mode = 0o700
	}
	f, err := elffile.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var report *Report
	err = f.Guard(func() error {
		empty, err := blank()
		if err != nil {
			return err
		}
		c, err := openCoreWith(f, exe, empty)
		if err != nil {
			return err
		}
		defer c.Close()
		report, err = c.write(name, opt)
		return err
	})
	return report, err
}

// openCoreWith opens a core; what is not in it is as in another process.
func openCoreWith(f *elffile.File, exe string, blank *capture.Snapshot) (*fromCore, error) {
	m := all.Lookup(f.Header.Machine, f.Class)
	if m != nil && m != amd64.Machine {
		return nil, fmt.Errorf("%s: is of %s; only processes of x86-64 are frozen so far", f.Name, m.Name)
	}
	list, err := saved.Open(f, m)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0 || list[0].Core == nil:
		return nil, fmt.Errorf("%s: is not an ELF core file (e_type is %s)", f.Name, elffile.TypeName(f.Header.Type))
	}
	c := &fromCore{Process: list[0], name: f.Name, blank: blank}
	if exe != "" {
		if c.Exe == "" {
			return nil, fmt.Errorf("%s: does not tell which of its memory is of the program, so that %s is of no use (AT_ENTRY, NT_FILE)", f.Name, exe)
		}
		path, err := filepath.Abs(exe)
		if err != nil {
			return nil, err
		}
		c.Moved = map[string]string{c.Exe: path}
	}
	return c, nil
}

func (c *fromCore) write(name string, opt Options) (*Report, error) {
	s, err := c.snapshot(&opt)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	opt.OtherVDSO = opt.OtherVDSO || c.other
	r, body, err := build(s, nil, opt)
	if err != nil {
		return nil, err
	}
	if err := body.WriteFile(name, os.FileMode(opt.Mode)); err != nil {
		return nil, err
	}
	r.Size = body.Size()
	r.Warnings = append(c.warnings, r.Warnings...)
	return r, nil
}

func (c *fromCore) warn(format string, args ...any) {
	c.warnings = append(c.warnings, fmt.Sprintf(format, args...))
}

// snapshot puts together what the core tells and what is so for every process.
func (c *fromCore) snapshot(opt *Options) (*capture.Snapshot, error) {
	s := *c.blank
	c.out = &s
	s.PID, s.Exe, s.Auxv = c.PID, c.Exe, c.Auxv
	s.Timers, s.Pending, s.Actions, s.Children, s.Foreign, s.Stub, s.Go = nil, nil, nil, nil, nil, image.Range{}, c.isGo()
	s.Session = [3]int{c.Parent, c.Group, c.Session}
	s.Inherits, s.Memory = true, c
	s.CWD.Path, s.Status.Umask = "", -1
	s.Descriptors = c.descriptors(opt.FDs)
	if len(c.Auxv) < 16 || c.PID <= 0 {
		return nil, errors.New("has no auxiliary vector (NT_AUXV), or not the number of its process (NT_PRPSINFO)")
	}
	c.warn("descriptors: 0, 1 and 2 are those that the file is started with; all others are lost")
	c.warn("signals: handlers, ignored signals and alternate stacks are lost; a signal does what it does to a new program")
	c.warn("timers, limits, the working directory, umask and scheduling are not in a core; they are those of who starts the file")
	c.ended()
	c.mappings()
	c.kernelCode()
	if err := c.processor(); err != nil {
		return nil, err
	}
	if err := c.threads(opt); err != nil {
		return nil, err
	}
	c.bounds()
	return &s, c.err()
}

// descriptors are 0, 1 and 2, and those that the user asks for.
func (c *fromCore) descriptors(asked map[int]string) (out []capture.Descriptor) {
	numbers := []int{0, 1, 2}
	for n := range asked {
		if n > 2 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		out = append(out, capture.Descriptor{N: n, Link: "not in the core", Flags: unix.O_RDWR, Same: n})
	}
	return out
}

// isGo says whether the program is one of Go, by the note that each has.
func (c *fromCore) isGo() bool {
	for _, m := range c.Modules() {
		if m.Name == c.Exe {
			return m.HasNote("Go")
		}
	}
	return false
}

// ended tells of a signal that will come again.
func (c *fromCore) ended() {
	const codeOff = 8 // of si_code, which is positive for what the kernel sends
	n := unix.Signal(c.Core.Threads[0].Signal)
	sent := len(c.Core.Siginfo) > codeOff+4 && int32(binary.LittleEndian.Uint32(c.Core.Siginfo[codeOff:])) <= 0
	if sent && n != unix.SIGABRT {
		return // by somebody
	}
	switch n {
	case unix.SIGSEGV, unix.SIGBUS, unix.SIGILL, unix.SIGFPE, unix.SIGTRAP, unix.SIGABRT, unix.SIGSYS:
		c.warn("the process ended by %s at 0x%x: from there it goes on, and is likely to end by it again", unix.SignalName(n), capture.Registers(c.Core.Threads[0].Regs).PC())
	}
}

// kernelCode finds the vDSO in the core, and where the kernel's data before it
// began. Where the core does not tell, the kernel here does if its code is the
// same; else the recorded code is used with system calls in place of the data.
func (c *fromCore) kernelCode() {
	s := c.out
	own, ownStart := kernelMaps(c.blank, amd64.taskSizes[0])
	vdso, start := kernelMaps(s, amd64.taskSizes[0])
	s.VDSO = nil
	if vdso == nil {
		return
	}
	s.VDSO = make([]byte, vdso.Size)
	if n, err := c.ReadAt(s.VDSO, int64(vdso.Start)); n < len(s.VDSO) {
		c.refuse("the vDSO at "+vdso.Range.String(), "the core does not have it: "+err.Error(), "")
		return
	}
	if start < uint64(vdso.Start) {
		return
	}
	if own == nil || !bytes.Equal(c.blank.VDSO, s.VDSO) {
		c.other = true
		return
	}
	vvar := capture.Map{}
	vvar.Start, vvar.Size, vvar.Name = vdso.Start-(own.Start-image.Addr(ownStart)), uint64(own.Start)-ownStart, "[vvar]"
	for i := range s.Maps {
		if s.Maps[i].Overlaps(vvar.Range) {
			c.other = true
			return
		}
		if s.Maps[i].Start == vdso.Start {
			s.Maps = append(s.Maps[:i:i], append([]capture.Map{vvar}, s.Maps[i:]...)...)
			return
		}
	}
}

func (c *fromCore) refuse(what, why, option string) { c.add(what, why, option) }

// processor compares the registers that the core has with those of this machine:
// which instructions the process may use a core does not tell, so that they are
// taken to be those of this processor.
func (c *fromCore) processor() error {
	const soft = 464 // where ptrace and cores have XCR0
	s := c.out
	for i := range c.Threads {
		x := c.State(i)
		if len(x) < 512 {
			return fmt.Errorf("thread %d: has no floating point registers in the core (NT_FPREGSET)", c.Threads[i].TID)
		}
		if len(x) == 512 {
			continue
		}
		if xcr0 := word(x[soft:]); xcr0&^c.blank.CPU.XCR0 != 0 {
			return fmt.Errorf("thread %d: has registers that this processor does not know (XCR0 0x%x, here 0x%x); make the executable on the machine that the core is of", c.Threads[i].TID, xcr0, c.blank.CPU.XCR0)
		} else if i == 0 {
			s.CPU.XCR0 = xcr0
		}
	}
	const atHwcap = 16 // CPUID leaf 1, edx
	was, _ := c.Aux(atHwcap)
	is := c.blank.CPU.Find(1, 0)[3]
	if was != 0 && uint32(was) != is {
		return fmt.Errorf("the processor has other features than this one (AT_HWCAP 0x%x, here 0x%x); make the executable on the machine that the core is of", was, is)
	}
	c.warn("the features of the processor are taken to be those of this one")
	return nil
}
