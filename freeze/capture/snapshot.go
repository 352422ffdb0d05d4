package capture

import (
	"io"

	"elfwright/image"
	"elfwright/proc"
)

// Snapshot is what a process is, but for the contents of its memory.
type Snapshot struct {
	PID     int
	Outer   int // its number in our namespace of processes, where it has another
	Exe     string
	Machine string
	Kernel  string // as uname -r has it
	Stat    proc.Stat
	Auxv    []byte
	Brk     uint64
	Status  Status
	Threads []Thread // the first is the one that the process began with

	Maps []Map
	VDSO []byte // what it has of the kernel's; empty: none

	Actions     []Action  // of signals that have one
	Pending     []Siginfo // for the process, not for one thread
	Timers      []Timer   // timer_create(2)
	ITimers     [3][]byte // getitimer(2): struct itimerval; nil: not armed
	Limits      [numLimits]Limit
	CWD         Place
	Root        string
	Descriptors []Descriptor
	Children    []int
	Near        map[string]int // pipes and sockets that parent or children have open, too, and who
	Session     [3]int         // parent, process group, session

	LockFuture  Lock // mlockall(2) with MCL_FUTURE
	Personality uint64
	OOMScoreAdj int
	Dumpable    uint64
	Subreaper   bool
	THPDisable  uint64
	KeepCaps    uint64
	SecureBits  uint64
	MDWE        uint64   // PR_GET_MDWE
	MemoryMerge uint64   // PR_GET_MEMORY_MERGE
	CoreFilter  string   // of coredump_filter
	Label       string   // of a security module, where it is not that of the freezer
	Lost        []string // what a new process cannot have, by name
	Membarrier  uint64   // the commands that it registered for
	Foreign     []string
	Segments    []Segment // of System V shared memory that are attached
	SysV        [2]int    // sets of semaphores and queues of messages that there are, whoever has them
	CPU         CPU
	Go          bool        // the program was made by Go, whose threads know their numbers
	Stub        image.Range // of a frozen file that this process was; empty: none
	// Inherits is set where limits and directory are not known: they stay those of
	// who starts the frozen file.
	Inherits bool
	// Memory is what is read instead of a living process's memory.
	Memory io.ReaderAt
}

// Siginfo is the kernel's siginfo_t.
type Siginfo []byte

// Signal is the signal's number.
func (s Siginfo) Signal() int { return int(s[0]) }

// Thread is a thread.
type Thread struct {
	Rest
	TID        int
	Comm       string
	Regs       Registers // as they must be when it goes on in a new process
	Now        Registers // as they are
	Ends       bool      // the call that it is in ends with EINTR
	Xstate     []byte    // of x86; elsewhere the registers of floating point
	Sets       []Set     // what else the machine has
	Mask       uint64
	Pending    []Siginfo
	AltStack   []byte // stack_t
	TIDAddr    uint64 // set_tid_address(2)
	RobustHead uint64
	RobustSize uint64
	Rseq       Rseq
	RseqAbort  uint64 // where a thread within a restartable sequence goes on; 0: it is in none
	Sched      []byte // struct sched_attr; nil: as every thread starts
	Affinity   []byte // nil: all processors
	IOPrio     int
	TimerSlack uint64
	PDeathSig  uint64
	Stopped    bool // by a stop signal
}

// Set is a register set as ptrace gives it, by the number of its note.
type Set struct {
	Note uint32
	Data []byte
}

// Set is a register set of the thread, or nil.
func (t *Thread) Set(note uint32) []byte {
	for _, s := range t.Sets {
		if s.Note == note {
			return s.Data
		}
	}
	return nil
}

// Action is what a process does on a signal: the kernel's struct sigaction.
type Action struct {
	Signal int
	Action []byte
}

// Limit is a resource limit.
type Limit struct{ Cur, Max uint64 }

const numLimits = 16

// Place is a directory by its path.
type Place struct {
	Path    string
	Deleted bool
}

// Timer is a timer of timer_create(2).
type Timer struct {
	ID     int
	Signal int
	Value  uint64
	Notify string // "signal", "none", "thread"
	TID    int    // the thread that gets it; 0: the process
	Clock  int
	Spec   []byte // struct itimerspec, what is left
}
