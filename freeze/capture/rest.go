package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"elfwright/image"
	"elfwright/proc"
)

// Rest is what few threads have.
type Rest struct {
	Status      Status   // of the thread alone
	Personality string   // as /proc has it
	TSC         uint64   // PR_GET_TSC
	MCEKill     uint64   // 1 + what PR_MCE_KILL takes; 0: as usual
	Policy      Policy   // set_mempolicy(2)
	NoCPUID     bool     // CPUID faults (ARCH_SET_CPUID)
	AMX         bool     // the process may use tiles (ARCH_REQ_XCOMP_PERM)
	Lost        []string // what a new thread cannot have, by name
}

// Policy says on which nodes memory is to be.
type Policy struct {
	Mode  uint32 // 0: wherever the kernel likes
	Nodes []byte
}

// rest asks a thread for what few have.
func (t *Target) rest(th *thread, out *Thread) error {
	dir := fmt.Sprintf("task/%d/", th.tid)
	b, err := t.read(dir + "status")
	if err != nil {
		return err
	}
	if out.Status, err = ParseStatus(b); err != nil {
		return t.fault("thread %d: %w", th.tid, err)
	}
	if b, err = t.read(dir + "personality"); err != nil {
		return err
	}
	out.Personality = strings.TrimSpace(string(b))
	if dispatched(th.tid) {
		out.Lost = append(out.Lost, "has its system calls dispatched to itself (PR_SET_SYSCALL_USER_DISPATCH)")
	}
	if t.once.keyrings {
		const threadKeyring = ^uint64(0) // KEY_SPEC_THREAD_KEYRING, -1
		if _, err := t.call(th, "keyctl", 0, threadKeyring, 0); err == nil {
			out.Lost = append(out.Lost, "has a keyring of its own (keyrings(7))")
		}
	}
	b, err = t.answer(th, 4, 1, "prctl", unix.PR_GET_TSC, 0)
	if err == nil {
		out.TSC = uint64(binary.LittleEndian.Uint32(b))
	}
	if out.MCEKill, err = t.mceKill(th); err != nil {
		return err
	}
	if t.once.nodes || th == t.threads[0] {
		return t.policy(th, out)
	}
	return nil
}

// mceKill reads from the flags of a thread what PR_MCE_KILL_GET answers.
func (t *Target) mceKill(th *thread) (uint64, error) {
	b, err := t.read(fmt.Sprintf("task/%d/stat", th.tid))
	if err != nil {
		return 0, err
	}
	s, err := proc.ParseStat(b)
	if err != nil {
		return 0, t.fault("thread %d: %w", th.tid, err)
	}
	const process, early = 0x80, 0x08000000 // PF_MCE_PROCESS, PF_MCE_EARLY
	const late, atOnce = 0, 1               // PR_MCE_KILL_LATE, EARLY
	switch {
	case s.Flags&process == 0:
		return 0, nil
	case s.Flags&early != 0:
		return 1 + atOnce, nil
	}
	return 1 + late, nil
}

// once is what is known of this machine before its threads are asked: a call that
// a thread makes for us takes long.
type once struct {
	keyrings bool // somebody has keyrings for threads or processes
	nodes    bool // there is more than one node of memory
	faults   bool // CPUID can be made to fault
}

func askOnce() (o once) {
	b, err := os.ReadFile("/proc/keys")
	// Where they cannot be listed there may be some, but for kernels without keys.
	o.keyrings = err != nil && !os.IsNotExist(err) || bytes.Contains(b, []byte(" _tid")) || bytes.Contains(b, []byte(" _pid"))
	b, err = os.ReadFile("/sys/devices/system/node/possible")
	o.nodes = err == nil && strings.TrimSpace(string(b)) != "0"
	o.faults = true
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		first := make([]byte, 8192) // the first processor is as the others are
		if n, err := f.Read(first); err == nil {
			o.faults = bytes.Contains(first[:n], []byte(" cpuid_fault"))
		}
		f.Close()
	}
	return o
}

// policy asks for the policy of memory.
func (t *Target) policy(th *thread, out *Thread) (err error) {
	out.Policy, err = t.askPolicy(th, 0, 0)
	return err
}

// askPolicy asks for the policy of a thread, or of the memory at an address. A
// kernel without nodes has none.
func (t *Target) askPolicy(th *thread, addr, flags uint64) (p Policy, err error) {
	const nodes, at = 1024, 64
	if _, err := t.call(th, "get_mempolicy", t.scratch, t.scratch+at, nodes, addr, flags); err != nil {
		return p, nil
	}
	b, err := t.Memory(image.Range{Start: image.Addr(t.scratch), Size: at + nodes/8})
	if err != nil {
		return p, err
	}
	return Policy{binary.LittleEndian.Uint32(b), b[at:]}, nil
}

// policies asks for those of mappings (mbind(2)), where there can be a difference,
// or the process cares: there is more than one node, or it has a policy itself.
func (t *Target) policies(s *Snapshot) (err error) {
	if !t.once.nodes && s.Threads[0].Policy.Mode == 0 {
		return nil
	}
	for i := range s.Maps {
		m := &s.Maps[i]
		if m.Kernel() {
			continue
		}
		const byAddress = 2 // MPOL_F_ADDR
		if m.Policy, err = t.askPolicy(t.threads[0], uint64(m.Start), byAddress); err != nil {
			return err
		}
	}
	return nil
}

// dispatched says whether system calls of a thread go to a handler of its own
// (PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, Linux 6.4).
func dispatched(tid int) bool {
	const get = 0x4211
	var config [4]uint64 // mode, selector, offset, length
	_, err := ptrace(get, tid, unsafe.Sizeof(config), uintptr(unsafe.Pointer(&config)))
	return err == nil && config[0] != 0
}

// restOfProcess asks for what few processes have.
func (t *Target) restOfProcess(s *Snapshot) error {
	main := t.threads[0]
	for _, p := range []struct {
		option uint64
		to     *uint64
	}{{prGetMDWE, &s.MDWE}, {prGetMemoryMerge, &s.MemoryMerge}} {
		if v, err := t.call(main, "prctl", p.option, 0, 0, 0, 0); err == nil { // Linux 6.3, 6.4
			*p.to = v
		}
	}
	t.once = askOnce()
	if t.once.keyrings {
		const processKeyring = ^uint64(1) // KEY_SPEC_PROCESS_KEYRING, -2
		if _, err := t.call(main, "keyctl", 0, processKeyring, 0); err == nil {
			s.Lost = append(s.Lost, "has a keyring of its own (keyrings(7))")
		}
	}
	if b, err := t.read("coredump_filter"); err == nil {
		s.CoreFilter = strings.TrimSpace(string(b))
	}
	theirs, err1 := t.read("attr/current")
	ours, err2 := os.ReadFile("/proc/self/attr/current")
	if err1 == nil && err2 == nil && string(theirs) != string(ours) {
		s.Label = strings.TrimRight(string(theirs), "\x00\n")
	}
	return nil
}

const (
	prGetMDWE        = 66
	prGetMemoryMerge = 68
)
