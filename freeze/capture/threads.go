package capture

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// thread reads one thread.
func (t *Target) thread(th *thread) (Thread, error) {
	out := Thread{TID: th.tid, Regs: th.regs.Restarted(false), Now: th.regs, Mask: th.mask, Stopped: th.paused || threadStopped(t.PID, th.tid)}
	var err error
	var found bool
	if out.Regs, found = t.callAgain(out.Regs); !found {
		out.Ends = true
	}
	fail := func(what string) (Thread, error) { return out, t.fault("thread %d: %s: %w", th.tid, what, err) }
	if out.Xstate, err = getXstate(th.tid); err != nil {
		return fail("extended state")
	}
	if err := t.rest(th, &out); err != nil {
		return out, err
	}
	if t.steps.extra != nil {
		if err := t.steps.extra(t, th, &out); err != nil {
			return out, err
		}
	}
	if out.Rseq, err = getRseq(th.tid); err != nil && err != unix.EIO && err != unix.EINVAL {
		return fail("rseq")
	}
	if out.RseqAbort, err = t.rseqAbort(&out); err != nil {
		return out, err
	}
	if err := t.sameTables(th.tid); err != nil {
		return out, err
	}
	if out.RobustHead, out.RobustSize, err = getRobust(th.tid); err != nil {
		return fail("get_robust_list")
	}
	comm, err := t.read(fmt.Sprintf("task/%d/comm", th.tid))
	if err != nil {
		return out, err
	}
	out.Comm = strings.TrimSuffix(string(comm), "\n")
	if err := t.schedule(&out); err != nil {
		return out, err
	}
	return out, t.ask(th, &out)
}

// rseqAbort says where a thread goes on that was stopped within a restartable
// sequence: the kernel aborts one when the thread goes on elsewhere
// (rseq_ip_fixup), and a new process is elsewhere. 0: it is in none.
func (t *Target) rseqAbort(th *Thread) (uint64, error) {
	if th.Rseq.Addr == 0 || inCall(th.Regs) {
		return 0, nil
	}
	const csField, csSize = 8, 32 // struct rseq, struct rseq_cs
	b := make([]byte, csSize)
	o := binary.LittleEndian
	if _, err := t.ReadAt(b[:8], int64(th.Rseq.Addr+csField)); err != nil {
		return 0, t.fault("thread %d: rseq area at 0x%x: %w", th.TID, th.Rseq.Addr, err)
	}
	cs := o.Uint64(b)
	if cs == 0 {
		return 0, nil
	}
	if _, err := t.ReadAt(b, int64(cs)); err != nil {
		return 0, t.fault("thread %d: restartable sequence at 0x%x: %w", th.TID, cs, err)
	}
	start, length, abort := o.Uint64(b[8:]), o.Uint64(b[16:]), o.Uint64(b[24:])
	if th.Regs.PC()-start >= length {
		return 0, nil
	}
	return abort, nil
}

// sameTables refuses threads that do not share descriptors, directories and
// signal handlers with the first.
func (t *Target) sameTables(tid int) error {
	for _, k := range []struct {
		kind uintptr
		what string
	}{{2, "descriptors"}, {3, "working directory and umask"}, {4, "signal handlers"}} { // KCMP_FILES, KCMP_FS, KCMP_SIGHAND
		r, _, e := unix.Syscall6(unix.SYS_KCMP, uintptr(t.PID), uintptr(tid), k.kind, 0, 0, 0)
		if e != 0 {
			return t.fault("thread %d: kcmp: %w", tid, e)
		}
		if r != 0 {
			return t.fault("thread %d: has %s of its own (CLONE_FILES, CLONE_FS); such threads are not restored", tid, k.what)
		}
	}
	return nil
}

func threadStopped(pid, tid int) bool { return threadState(pid, tid) == 'T' }

func getXstate(tid int) ([]byte, error) { return wholeRegset(tid, abi.Extended) }

// wholeRegset reads a register set whose size is not known.
func wholeRegset(tid int, note uintptr) ([]byte, error) {
	for size := 4096; ; size *= 2 {
		b, err := getRegset(tid, note, make([]byte, size))
		if err != nil || len(b) < size || size > 1<<20 {
			return b, err
		}
	}
}

// ask has the thread tell what only it can.
func (t *Target) ask(th *thread, out *Thread) error {
	var err error
	const stackSize = 24 // stack_t
	if out.AltStack, err = t.answer(th, stackSize, 1, "sigaltstack", 0, 0); err != nil {
		return t.fault("thread %d: sigaltstack: %w", th.tid, err)
	}
	for _, p := range []struct {
		option, size uint64
		to           *uint64
		optional     bool
	}{{unix.PR_GET_TID_ADDRESS, 8, &out.TIDAddr, true}, {unix.PR_GET_PDEATHSIG, 4, &out.PDeathSig, false}} {
		b, err := t.answer(th, 8, 1, "prctl", p.option, 0)
		switch {
		case err == unix.EINVAL && p.optional:
			return t.fault("this kernel does not tell where threads have their numbers (PR_GET_TID_ADDRESS, CONFIG_CHECKPOINT_RESTORE)")
		case err != nil:
			return t.fault("thread %d: prctl %d: %w", th.tid, p.option, err)
		case p.size == 4:
			*p.to = uint64(binary.LittleEndian.Uint32(b))
		default:
			*p.to = binary.LittleEndian.Uint64(b)
		}
	}
	if out.TimerSlack, err = t.call(th, "prctl", unix.PR_GET_TIMERSLACK); err != nil {
		return t.fault("thread %d: PR_GET_TIMERSLACK: %w", th.tid, err)
	}
	return nil
}

// schedule reads how a thread is scheduled, where it is not as usual.
func (t *Target) schedule(out *Thread) error {
	attr := make([]byte, 56) // struct sched_attr
	_, _, e := unix.Syscall6(unix.SYS_SCHED_GETATTR, uintptr(out.TID), uintptr(unsafe.Pointer(&attr[0])), uintptr(len(attr)), 0, 0, 0)
	if e != 0 {
		return t.fault("thread %d: sched_getattr: %w", out.TID, e)
	}
	if !usual(attr) {
		out.Sched = attr
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(out.TID, &set); err != nil {
		return t.fault("thread %d: sched_getaffinity: %w", out.TID, err)
	}
	if set.Count() < online() {
		n := unsafe.Sizeof(set)
		out.Affinity = append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&set)), n)...)
	}
	const whoProcess = 1 // IOPRIO_WHO_PROCESS
	if p, _, e := unix.Syscall(unix.SYS_IOPRIO_GET, whoProcess, uintptr(out.TID), 0); e == 0 {
		out.IOPrio = int(p)
	}
	return nil
}

// usual says whether a struct sched_attr is that of a thread that never asked:
// SCHED_OTHER, no flags, nice value 0.
func usual(attr []byte) bool {
	o := binary.LittleEndian
	return o.Uint32(attr[4:]) == 0 && o.Uint64(attr[8:]) == 0 && o.Uint32(attr[16:]) == 0 && o.Uint32(attr[20:]) == 0
}

// online counts the processors.
func online() int {
	b, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return runtime.NumCPU()
	}
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(b)), ",") {
		from, to, ok := strings.Cut(part, "-")
		a, err1 := strconv.Atoi(from)
		z, err2 := strconv.Atoi(to)
		switch {
		case ok && err1 == nil && err2 == nil && z >= a && z < 1<<16:
			n += z - a + 1
		case err1 == nil:
			n++
		}
	}
	return n
}
