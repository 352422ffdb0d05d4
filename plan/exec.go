package plan

import (
	"debug/elf"
	"fmt"

	"elfwright/image"
)

// Host is what execve depends on besides the files: the kernel and how it is
// set up. The zero Host is the latest kernel, with pages of the machine's usual
// size, 8 MiB of stack, and no randomisation.
type Host struct {
	Kernel     Version
	Native32   bool   // a 32-bit kernel for 32-bit programs, not a 64-bit one
	PageSize   uint64 // 0: the machine's usual one
	VABits     int    // of addresses, for AArch64 (39 to 52) and RISC-V 64 (39, 48, 57); 0: 48
	StackLimit uint64 // RLIMIT_STACK; 0: 8 MiB, Unlimited: none

	// Huge and InterpHuge: the file system that has the program, and the
	// interpreter, places large files by huge pages (its get_unmapped_area is
	// thp_get_unmapped_area: ext4, xfs, btrfs, fuse, but not tmpfs or overlayfs).
	Huge, InterpHuge bool

	// Memory is the memory and swap of the machine, of which one writable mapping
	// may take all; 0: vm.overcommit_memory does not limit it.
	Memory uint64

	MinAddr uint64 // vm.mmap_min_addr, 0: 64 KiB
	HintMin uint64 // the lowest address that is chosen: CONFIG_LSM_MMAP_MIN_ADDR, 0: 64 KiB
	RawIO   bool   // CAP_SYS_RAWIO: MinAddr does not hold

	// What randomisation would choose; 0: what is taken without.
	Base     image.Addr // where a PIE's first PT_LOAD lands
	MmapBase image.Addr // below which the kernel looks for room
	StackTop image.Addr // the end of the stack

	VDSO     []Special         // nil: as the version has it
	AuxOrder []AuxTag          // nil: as the version has it
	Aux      map[AuxTag]uint64 // the values that are the machine's or the user's
}

// Unlimited is RLIM_INFINITY.
const Unlimited = ^uint64(0)

// Call is an execve.
type Call struct {
	Path      string
	Args, Env []string
	Program   *Program
	// OpenErr says why execve cannot open the program: "EACCES" where it is not
	// executable. What would follow is computed all the same.
	OpenErr string
	// Interp is the file that the program's PT_INTERP names. Where it could not
	// be opened, InterpErr says why: "ENOENT", "EACCES"; ELIBBAD if it is no ELF
	// file.
	Interp    *Program
	InterpErr string
}

// Step is a decision of the kernel and the rule behind it.
type Step struct {
	Phase  Phase
	Rule   string // the function in Linux
	Origin Origin // whose header
	Index  int    // of the program header that caused it, or -1
	Text   string
	Change *Change // what was different in older kernels
}

// Phase is a part of execve, in order.
type Phase uint8

// The phases of execve.
const (
	PhaseCheck  Phase = iota // what can still be refused with an errno
	PhaseStack               // after the point of no return
	PhaseLoad                // the program's segments
	PhaseInterp              // the interpreter's segments
	PhaseKernel              // the vdso
	PhaseTables              // what the stack holds
	PhaseBrk
	PhaseStart // the first instruction
)

// String names the phase.
func (p Phase) String() string {
	return [...]string{"checks", "stack", "program", "interpreter", "vdso", "tables", "brk", "start"}[p]
}

// Fate is how an execve ends.
type Fate uint8

// The fates of an execve.
const (
	Runs    Fate = iota
	Refused      // execve returns an errno, the old program goes on
	Killed       // past the point of no return: SIGSEGV before the first instruction
	Faults       // the first instruction raises a signal
)

// String names the fate.
func (f Fate) String() string { return [...]string{"runs", "refused", "killed", "faults"}[f] }

// Outcome is how an execve ends, and why.
type Outcome struct {
	Fate   Fate
	Errno  string // of Refused; for Killed the errno that nobody gets to see
	Signal string // of Killed and Faults
	Rule   string
	Origin Origin
	Index  int // of the program header, or -1
	Msg    string
}

// Process is what execve makes: a process before its first instruction.
type Process struct {
	Host Host // with the defaults filled in
	ABI  *ABI

	Outcome  Outcome
	Steps    []Step
	Warnings []Warning

	Space
	Bias, InterpBias    image.Addr
	Entry, ProgramEntry image.Addr // of the first instruction; AT_ENTRY
	Phdr                image.Addr
	VDSO                image.Addr // AT_SYSINFO_EHDR
	MmapBase            image.Addr
	StackEnd            image.Addr // where the stack mapping ends
	Stack               Stack
	Auxv                []Aux
	StartBrk            image.Addr
	Code, Data          image.Range // mm->start_code … end_code, start_data … end_data
	Properties          []Property
}

// execve is an execve under way.
type execve struct {
	host Host
	call *Call
	abi  *ABI
	page uint64
	prog *Program

	readImpliesExec  bool
	stackExec        elf.ProgFlag
	minAddr, hintMin uint64
	mmapBase         uint64
	legacyBase       uint64
	topDown          bool

	bias      uint64
	brkEnd    uint64 // highest p_vaddr + p_memsz
	firstDone bool

	out Process
}

// failure is what stops an execve.
type failure struct {
	errno  string
	rule   string
	origin Origin
	index  int
	msg    string
}

func (e *execve) fail(errno, rule string, index int, format string, args ...any) *failure {
	return &failure{errno, rule, FromProgram, index, fmt.Sprintf(format, args...)}
}

func (e *execve) step(ph Phase, rule string, origin Origin, index int, format string, args ...any) *Step {
	e.out.Steps = append(e.out.Steps, Step{ph, rule, origin, index, fmt.Sprintf(format, args...), nil})
	return &e.out.Steps[len(e.out.Steps)-1]
}

func (s *Step) since(c Change) { s.Change = &c }

func (e *execve) has(c Change) bool { return e.host.Kernel.has(c) }

// Exec says what Linux makes of an execve. It is a pure function: nothing is
// opened, run or asked for.
func Exec(call Call, host Host) *Process {
	e := &execve{host: host, call: &call, prog: call.Program}
	e.defaults()
	fate := Refused
	err := e.checks()
	if err == nil {
		fate = Killed
		err = e.load()
	}
	e.warn()
	e.out.Host = e.host
	e.out.ABI = e.abi
	if err != nil {
		e.out.Outcome = Outcome{Fate: fate, Errno: err.errno, Rule: err.rule, Origin: err.origin, Index: err.index, Msg: err.msg}
		if fate == Killed {
			e.out.Outcome.Signal = "SIGSEGV"
		}
		return &e.out
	}
	e.start()
	if call.OpenErr != "" {
		e.out.Outcome = Outcome{Fate: Refused, Errno: call.OpenErr, Rule: "do_open_execat", Index: -1,
			Msg: "the file cannot be opened for execution; the rest is what would follow"}
	}
	return &e.out
}

// defaults fills in what the host leaves open.
func (e *execve) defaults() {
	h := &e.host
	if h.Kernel == (Version{}) {
		h.Kernel = Latest
	}
	if h.StackLimit == 0 {
		h.StackLimit = 8 << 20
	}
	if h.MinAddr == 0 {
		h.MinAddr = lsmMinAddr
	}
	if h.HintMin == 0 {
		h.HintMin = lsmMinAddr
	}
	e.abi = e.findABI().withBits(h.VABits)
	if e.abi != nil && h.PageSize == 0 {
		h.PageSize = e.abi.PageSizes[0]
	}
	if h.PageSize == 0 {
		h.PageSize = page4K
	}
	e.page = h.PageSize
	if e.abi != nil && h.VDSO == nil {
		for _, s := range e.abi.VDSO {
			if (s.Since == Version{} || !h.Kernel.Before(s.Since)) && (s.Before == Version{} || h.Kernel.Before(s.Before)) {
				s.Size = up(s.Size, e.page)
				h.VDSO = append(h.VDSO, s)
			}
		}
	}
	h.StackTop = e.stackTop()
}

// load is execve after the point of no return.
func (e *execve) load() *failure {
	e.step(PhaseStack, "begin_new_exec", FromProgram, -1,
		"the point of no return: the old memory and the other threads are gone, and what goes wrong from here on is SIGSEGV")
	for _, phase := range []func() *failure{
		e.setupNewExec, e.setupArgPages, e.loadElfBinary, e.loadElfInterp, e.setupAdditionalPages, e.createElfTables, e.setBrk,
	} {
		if err := phase(); err != nil {
			return err
		}
	}
	return nil
}

// start looks at the first instruction.
func (e *execve) start() {
	p := &e.out
	p.Outcome = Outcome{Index: -1}
	p.Entry = image.Addr(e.sum(uint64(p.Entry), 0)) // a 32-bit program's pc has 32 bits
	m := p.At(p.Entry)
	fault := func(signal, format string, args ...any) {
		p.Outcome = Outcome{Fate: Faults, Signal: signal, Index: -1, Rule: "start_thread", Msg: fmt.Sprintf(format, args...)}
		if m != nil {
			p.Outcome.Index, p.Outcome.Origin = m.Index, m.Origin
		}
	}
	beyond := m != nil && m.Off != Anonymous && m.Origin != FromKernel && m.Off+int64(p.Entry-m.Start) >= int64(up(e.fileSize(m.Origin), e.page))
	// x86 brings a page in first, if it is accessible at all, and looks then
	// whether it is executable (access_error of arch/x86/mm/fault.c).
	first := beyond && m.Prot != 0 && (e.abi.Kernel == x86Kernel || e.abi.Kernel == i386Kernel)
	switch {
	case m == nil:
		fault("SIGSEGV", "the first instruction, at %v, is in no mapping", p.Entry)
	case m.Off != Anonymous && m.Origin == FromKernel && m.Prot&elf.PF_X == 0:
		fault("SIGSEGV or SIGBUS", "the first instruction, at %v, is in the kernel's data %s", p.Entry, m.Name)
	case m.Prot&elf.PF_X == 0 && !first:
		fault("SIGSEGV", "the first instruction, at %v, is in a mapping that is not executable (%s)", p.Entry, Prot(m.Prot))
	case beyond:
		fault("SIGBUS", "the first instruction, at %v, is beyond the end of the file", p.Entry)
	}
	e.step(PhaseStart, "start_thread", FromProgram, -1, "pc %v, sp %v, all other registers 0", p.Entry, p.Stack.SP)
}

// file returns a program by its origin.
func (e *execve) file(o Origin) *Program {
	if o == FromInterp {
		return e.call.Interp
	}
	return e.prog
}

func (e *execve) fileSize(o Origin) uint64 { return uint64(e.file(o).Body.Size()) }
