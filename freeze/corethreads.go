package freeze

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"elfwright/freeze/capture"
)

// threads makes the threads of those of the core.
func (c *fromCore) threads(opt *Options) error {
	var list []capture.Thread
	for i := range c.Threads {
		t, err := c.thread(i)
		if err != nil {
			return err
		}
		if t.TID == c.PID {
			list = append([]capture.Thread{t}, list...)
		} else {
			list = append(list, t)
		}
	}
	if list[0].TID != c.PID {
		return fmt.Errorf("its first thread (%d) has ended while others go on; such a process cannot be made again", c.PID)
	}
	c.out.Threads = list
	c.library(opt.Unjoined)
	return nil
}

func (c *fromCore) thread(i int) (capture.Thread, error) {
	const disabled = 2 // SS_DISABLE
	t := &c.Threads[i]
	out := capture.Thread{TID: t.TID, Comm: t.Comm, Regs: capture.Registers(t.Regs).Restarted(false), Xstate: xstate(c.State(i)), Mask: t.Mask, AltStack: make([]byte, 24)}
	binary.LittleEndian.PutUint32(out.AltStack[8:], disabled)
	// What a core does not have is as for a new thread.
	fresh := &c.blank.Threads[0]
	out.Status, out.Personality, out.TSC, out.MCEKill = c.out.Status, fresh.Personality, fresh.TSC, fresh.MCEKill
	for _, n := range t.Pending {
		c.warn("thread %d: signal %d was pending; who sent it is not in a core", t.TID, n)
		s := make(capture.Siginfo, 128)
		s[0] = byte(n)
		out.Pending = append(out.Pending, s)
	}
	sp := out.Regs.SP()
	if m := c.Map(sp); m == nil || len(m.Stored) == 0 {
		return out, fmt.Errorf("thread %d: the core does not have its stack, at 0x%x (coredump_filter)", t.TID, sp)
	}
	return out, nil
}

// xstate is extended state with its header, where a core has the first part alone.
func xstate(x []byte) []byte {
	const header, features, fxAndSSE = 64, 512, 3
	if len(x) != 512 {
		return x
	}
	out := append(bytes.Clone(x), make([]byte, header)...)
	clear(out[xstateSoft:512])
	out[xstateSoft], out[features] = fxAndSSE, fxAndSSE
	return out
}

// What a thread of glibc has from its FS base on (struct pthread of x86-64, the same
// in glibc 2.12 to 2.41): its number, and the head of its list of robust mutexes.
const (
	glibcTID        = 0x2d0
	glibcRobust     = 0x2e0
	glibcRobustSize = 24
	glibcFutexOff   = -32 // of struct robust_list_head: from the list to the lock of a mutex
)

// library finds what the C library had told the kernel of each thread, and the
// kernel does not write into cores: where the thread's number is to be cleared when
// it ends, its robust mutexes, and its area for restartable sequences.
func (c *fromCore) library(unjoined bool) {
	rseq, size := c.rseqOffset()
	var unknown []string
	for i := range c.out.Threads {
		t := &c.out.Threads[i]
		fs := t.Regs.Get("fs_base")
		b := make([]byte, 0x300)
		o := binary.LittleEndian
		n, _ := c.ReadAt(b, int64(fs))
		switch {
		case n == len(b) && int(o.Uint32(b[glibcTID:])) == t.TID && int64(o.Uint64(b[glibcRobust+8:])) == glibcFutexOff:
			t.TIDAddr, t.RobustHead, t.RobustSize = fs+glibcTID, fs+glibcRobust, glibcRobustSize
			if rseq != 0 {
				c.sequence(t, fs+rseq, size)
			}
		case n >= muslTID+4 && o.Uint64(b) == fs && int(o.Uint32(b[muslTID:])) == t.TID && c.muslLock() != 0:
			t.TIDAddr = c.muslLock()
		default:
			unknown = append(unknown, fmt.Sprint(t.TID))
		}
	}
	if len(unknown) == 0 || c.out.Go || len(c.out.Threads) == 1 {
		return
	}
	what := "threads " + strings.Join(unknown, ", ")
	if !unjoined {
		c.refuse(what, "are not of a C library that is known; a core does not tell where the kernel has to say that a thread has ended, so that who waits for that (pthread_join) would wait for ever", "--unjoined")
		return
	}
	c.warn("%s: who waits for the end of one (pthread_join) waits for ever", what)
}

const muslTID = 0x30 // of struct pthread of musl 1.2

// muslLock finds the lock of musl's list of threads, which the kernel opens when a
// thread ends (__thread_list_lock): no symbol leads to it, but the code that hands
// it to the kernel does.
//
//	b8 da 00 00 00        mov $218,%eax (set_tid_address)
//	48 8d 3d xx xx xx xx  lea x(%rip),%rdi
//	0f 05                 syscall
func (c *fromCore) muslLock() uint64 {
	if c.lockFound {
		return c.lock
	}
	c.lockFound = true
	head, tail := []byte{0xb8, 0xda, 0, 0, 0, 0x48, 0x8d, 0x3d}, []byte{0x0f, 0x05}
	for i := range c.out.Maps {
		m := &c.out.Maps[i]
		const most = 64 << 20
		if !m.Exec() || m.Kernel() || m.Size > most {
			continue
		}
		b := make([]byte, m.Size)
		n, _ := c.ReadAt(b, int64(m.Start))
		for at := 0; at < n; {
			j := bytes.Index(b[at:n], head)
			if j < 0 {
				break
			}
			at += j + len(head)
			if at+6 <= n && bytes.Equal(b[at+4:at+6], tail) {
				c.lock = uint64(m.Start) + uint64(at) + 4 + uint64(int64(int32(binary.LittleEndian.Uint32(b[at:]))))
				return c.lock
			}
		}
	}
	return 0
}

// rseqOffset finds where threads of glibc 2.35 and later have the area of rseq(2),
// by what its dynamic linker tells (__rseq_offset, __rseq_size).
func (c *fromCore) rseqOffset() (off uint64, size uint32) {
	read := func(name string, n int) (uint64, bool) {
		at, ok := c.Variable(name)
		if !ok {
			return 0, false
		}
		b := make([]byte, 8)
		got, _ := c.ReadAt(b[:n], int64(at))
		return binary.LittleEndian.Uint64(b), got == n
	}
	const least = 32 // the size that the kernel takes from all
	off, ok := read("__rseq_offset", 8)
	used, ok2 := read("__rseq_size", 4)
	if !ok || !ok2 || used == 0 { // 0: glibc did not register
		return 0, 0
	}
	return off, max(uint32(used), least)
}

// sequence notes the area of a thread that was registered, and leaves the sequence
// that the thread was in.
func (c *fromCore) sequence(t *capture.Thread, at uint64, size uint32) {
	const signature = 0x53053053 // RSEQ_SIG of x86
	b := make([]byte, 32)
	o := binary.LittleEndian
	if n, _ := c.ReadAt(b, int64(at)); n < len(b) || int32(o.Uint32(b[4:])) < 0 {
		return
	}
	t.Rseq = capture.Rseq{Addr: at, Size: size, Sig: signature}
	cs := o.Uint64(b[8:])
	if cs == 0 {
		return
	}
	// struct rseq_cs: version, flags, start, length, abort.
	if n, _ := c.ReadAt(b, int64(cs)); n == len(b) && t.Regs.PC()-o.Uint64(b[8:]) < o.Uint64(b[16:]) {
		t.RseqAbort = o.Uint64(b[24:])
	}
}
