package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/image"
)

// Snapshot reads what the process is.
func (t *Target) Snapshot() (*Snapshot, error) {
	s := &Snapshot{PID: t.PID, Outer: t.PID, Machine: abi.Machine.Name, Kernel: release()}
	for _, step := range []func(*Snapshot) error{
		t.texts, t.leaveVDSO, t.memory, t.askProcess, t.shared, t.processor, t.signals, t.allThreads, t.policies, t.clocks, t.files, t.relatives, t.segments, t.numbers,
	} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	if err := t.restore(); err != nil {
		return nil, t.fault("%w", err)
	}
	return s, nil
}

func release() string {
	var u unix.Utsname
	unix.Uname(&u)
	return unix.ByteSliceToString(u.Release[:])
}

// texts reads what stands in /proc as it is.
func (t *Target) texts(s *Snapshot) (err error) {
	if s.Exe, _, err = t.Exe(); err != nil {
		return err
	}
	if s.Stat, err = t.Stat(); err != nil {
		return err
	}
	if s.Auxv, err = t.read("auxv"); err != nil {
		return err
	}
	b, err := t.read("status")
	if err != nil {
		return err
	}
	if s.Status, err = ParseStatus(b); err != nil {
		return t.fault("%w", err)
	}
	if b, err = t.read("personality"); err != nil {
		return err
	}
	if s.Personality, err = strconv.ParseUint(strings.TrimSpace(string(b)), 16, 64); err != nil {
		return t.fault("personality: %w", err)
	}
	if b, err = t.read("oom_score_adj"); err == nil {
		s.OOMScoreAdj, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	cwd, err := os.Readlink(t.path("cwd"))
	if err != nil {
		return t.fault("%w", err)
	}
	s.CWD.Path, s.CWD.Deleted = strings.CutSuffix(cwd, " (deleted)")
	if s.Root, err = os.Readlink(t.path("root")); err != nil {
		return t.fault("%w", err)
	}
	return nil
}

// limits asks for the limits: here, or, where the ids of the process have changed,
// there.
func (t *Target) limits(s *Snapshot) error {
	for i := range s.Limits {
		var l unix.Rlimit
		err := unix.Prlimit(t.PID, i, nil, &l)
		if err == unix.EPERM {
			var b []byte
			const size = 16 // struct rlimit
			if b, err = t.answer(t.threads[0], size, 3, "prlimit64", 0, uint64(i), 0, 0); err == nil {
				l.Cur, l.Max = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
			}
		}
		if err != nil {
			return t.fault("limit %d: %w", i, err)
		}
		s.Limits[i] = Limit{l.Cur, l.Max}
	}
	return nil
}

// memory reads the mappings.
func (t *Target) memory(s *Snapshot) (err error) {
	if s.Maps, err = t.maps(); err != nil {
		return err
	}
	for i := range s.Maps {
		if m := &s.Maps[i]; m.Name == vdsoName {
			if s.VDSO, err = t.Memory(m.Range); err != nil {
				return err
			}
		}
	}
	s.Stub = t.findStub(s.Maps)
	s.Maps = slices.DeleteFunc(s.Maps, func(m Map) bool { return !s.Stub.Empty() && s.Stub.Covers(m.Range) })
	if err := t.pages(s.Maps); err != nil {
		return err
	}
	return t.findInsn(s.Maps)
}

// findStub finds what a frozen file leaves in its process: the pages that begin
// with the head of a script.
func (t *Target) findStub(maps []Map) image.Range {
	head := make([]byte, 24)
	for i := range maps {
		m := &maps[i]
		if !m.File() || m.Shared || m.Prot != protRW {
			continue
		}
		if n, _ := t.ReadAt(head, int64(m.Start)); n < len(head) || string(head[:8]) != "EWTHAW1\x00" {
			continue
		}
		start, end := binary.LittleEndian.Uint64(head[8:]), binary.LittleEndian.Uint64(head[16:])
		r := image.MakeRange(image.Addr(start), image.Addr(end))
		if start < end && r.Covers(m.Range) && t.onlyFile(maps, r, m) {
			return r
		}
	}
	return image.Range{}
}

// onlyFile says whether all that is mapped in a range is of one file, and not
// used by the process: nothing was put there since.
func (t *Target) onlyFile(maps []Map, r image.Range, of *Map) bool {
	for i := range maps {
		m := &maps[i]
		if m.Overlaps(r) && (!r.Covers(m.Range) || m.Inode != of.Inode && m.File()) {
			return false
		}
	}
	return true
}

// askProcess has the first thread tell what belongs to all.
func (t *Target) askProcess(s *Snapshot) (err error) {
	if err := t.makeScratch(); err != nil {
		return err
	}
	if err := t.lockFuture(s); err != nil {
		return err
	}
	main := t.threads[0]
	if s.Brk, err = t.call(main, "brk", 0); err != nil {
		return t.fault("brk: %w", err)
	}
	for _, p := range []struct {
		option uint64
		to     *uint64
	}{{unix.PR_GET_DUMPABLE, &s.Dumpable}, {unix.PR_GET_KEEPCAPS, &s.KeepCaps}, {unix.PR_GET_SECUREBITS, &s.SecureBits}} {
		if *p.to, err = t.call(main, "prctl", p.option); err != nil {
			return t.fault("prctl %d: %w", p.option, err)
		}
	}
	thp, err := t.call(main, "prctl", unix.PR_GET_THP_DISABLE)
	s.THPDisable = thp
	if err != nil && err != unix.EINVAL {
		return t.fault("PR_GET_THP_DISABLE: %w", err)
	}
	b, err := t.answer(main, 4, 1, "prctl", unix.PR_GET_CHILD_SUBREAPER, 0)
	if err != nil {
		return t.fault("PR_GET_CHILD_SUBREAPER: %w", err)
	}
	s.Subreaper = b[0] != 0
	if err := t.registered(s); err != nil {
		return err
	}
	if err := t.limits(s); err != nil {
		return err
	}
	return t.restOfProcess(s)
}

func (t *Target) intervalTimers(s *Snapshot) error {
	for which := range s.ITimers {
		const size = 32 // struct itimerval
		b, err := t.answer(t.threads[0], size, 1, "getitimer", uint64(which), 0)
		if err != nil {
			return t.fault("getitimer %d: %w", which, err)
		}
		s.ITimers[which] = nil
		if !bytes.Equal(b, make([]byte, size)) {
			s.ITimers[which] = b
		}
	}
	return nil
}

// signals reads actions.
func (t *Target) signals(s *Snapshot) (err error) {
	const size = 32 // the kernel's struct sigaction
	for n := 1; n <= 64; n++ {
		// SIGCHLD has flags that count without a handler.
		if (s.Status.Caught|s.Status.Ignored)>>(n-1)&1 == 0 && n != int(unix.SIGCHLD) {
			continue
		}
		b, err := t.answer(t.threads[0], size, 2, "rt_sigaction", uint64(n), 0, 0, sigmaskSize)
		if err != nil {
			return t.fault("rt_sigaction %d: %w", n, err)
		}
		if !bytes.Equal(b, make([]byte, size)) {
			s.Actions = append(s.Actions, Action{n, b})
		}
	}
	return nil
}

func (t *Target) allThreads(s *Snapshot) error {
	for _, th := range t.threads {
		out, err := t.thread(th)
		if err != nil {
			return err
		}
		s.Threads = append(s.Threads, out)
	}
	return nil
}

// timers reads /proc/PID/timers, and what is left of each.
func (t *Target) timers(s *Snapshot) error {
	b, err := t.read("timers")
	if err != nil {
		// Without timers (CONFIG_POSIX_TIMERS) there is no such file.
		if _, e := t.answer(t.threads[0], 32, 1, "timer_gettime", 0, 0); e == unix.ENOSYS {
			return nil
		}
		return fmt.Errorf("which timers it has the kernel does not tell: %w", err)
	}
	if s.Timers, err = ParseTimers(b); err != nil {
		return t.fault("%w", err)
	}
	// Numbers are given in ascending order.
	slices.SortFunc(s.Timers, func(a, b Timer) int { return a.ID - b.ID })
	for i := range s.Timers {
		const size = 32 // struct itimerspec
		if s.Timers[i].Spec, err = t.answer(t.threads[0], size, 1, "timer_gettime", uint64(s.Timers[i].ID), 0); err != nil {
			return t.fault("timer %d: timer_gettime: %w", s.Timers[i].ID, err)
		}
	}
	return nil
}

// ParseTimers reads /proc/PID/timers: four lines for each.
func ParseTimers(text []byte) ([]Timer, error) {
	var out []Timer
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if key != "ID" && len(out) == 0 {
			return nil, fmt.Errorf("timers: %q comes before an ID", line)
		}
		var err error
		switch key {
		case "ID":
			var id int
			id, err = strconv.Atoi(value)
			out = append(out, Timer{ID: id})
		case "signal":
			t := &out[len(out)-1]
			sig, val, _ := strings.Cut(value, "/")
			t.Signal, err = strconv.Atoi(sig)
			if err == nil {
				t.Value, err = strconv.ParseUint(strings.TrimPrefix(val, "0x"), 16, 64)
			}
		case "notify":
			t := &out[len(out)-1]
			kind, who, _ := strings.Cut(value, "/")
			t.Notify = kind
			if n, ok := strings.CutPrefix(who, "tid."); ok {
				t.TID, err = strconv.Atoi(n)
			}
		case "ClockID":
			out[len(out)-1].Clock, err = strconv.Atoi(value)
		}
		if err != nil {
			return nil, fmt.Errorf("timers: %s: %q is not a number", key, value)
		}
	}
	return out, nil
}

// files reads the descriptors.
func (t *Target) files(s *Snapshot) (err error) {
	if s.Descriptors, err = t.descriptors(); err != nil {
		return err
	}
	for i := range s.Descriptors {
		if err := t.details(&s.Descriptors[i]); err != nil {
			return err
		}
	}
	return nil
}

// children reads which processes a thread has started.
func (t *Target) children(th *thread) ([]int, error) {
	b, err := t.read(fmt.Sprintf("task/%d/children", th.tid))
	if err != nil {
		return nil, t.fault("children: %w (CONFIG_PROC_CHILDREN)", err)
	}
	kids, err := ints(string(b))
	if err != nil {
		return nil, t.fault("children: %w", err)
	}
	return kids, nil
}

// relatives reads who belongs to the process, and whether it sees the same world.
func (t *Target) relatives(s *Snapshot) error {
	for _, th := range t.threads {
		kids, err := t.children(th)
		if err != nil {
			return err
		}
		s.Children = append(s.Children, kids...)
	}
	for _, ns := range []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		theirs, err1 := os.Readlink(t.path("ns/" + ns))
		ours, err2 := os.Readlink("/proc/self/ns/" + ns)
		if err1 == nil && err2 == nil && theirs != ours {
			s.Foreign = append(s.Foreign, ns)
		}
	}
	s.Session[0] = s.Status.PPID
	s.Session[1], _ = unix.Getpgid(t.PID)
	s.Session[2], _ = unix.Getsid(t.PID)
	t.near(s)
	return nil
}

// numbers are from here on those that the process knows itself: another namespace
// of processes than ours has others.
func (t *Target) numbers(s *Snapshot) error {
	if len(s.Status.NSpid) <= 1 {
		return nil
	}
	s.PID, s.Session[1], s.Session[2] = last(s.Status.NSpid), last(s.Status.NSpgid), last(s.Status.NSsid)
	inner := make(map[int]int)
	for i := range s.Threads {
		th := &s.Threads[i]
		b, err := t.read(fmt.Sprintf("task/%d/status", th.TID))
		if err != nil {
			return err
		}
		st, err := ParseStatus(b)
		if err != nil {
			return t.fault("thread %d: %w", th.TID, err)
		}
		inner[th.TID] = last(st.NSpid)
		th.TID = last(st.NSpid)
	}
	for i := range s.Timers {
		if n := inner[s.Timers[i].TID]; n != 0 {
			s.Timers[i].TID = n
		}
	}
	return nil
}

const protRW = 6 // elf.PF_R | elf.PF_W
