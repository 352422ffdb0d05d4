package show

import (
	"debug/elf"
	"fmt"
)

// signals are the numbers of most machines (Linux,
// include/uapi/asm-generic/signal.h).
var signals = [...]string{1: "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
	"SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD",
	"SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM",
	"SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS"}

// signalName names a signal. The first nine that every Unix has, SIGSEGV and
// SIGTERM are the same everywhere but for SIGBUS; the rest is not on the
// machines whose first Unix was another one.
func (c *noteContext) signalName(n uint32) string {
	switch c.machine {
	case elf.EM_MIPS, elf.EM_ALPHA, elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9, elf.EM_PARISC:
		switch n {
		case 1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 14, 15:
		default:
			return ""
		}
	}
	if n > 0 && uint64(n) < uint64(len(signals)) {
		return signals[n]
	}
	return ""
}

// siginfo is siginfo_t (Linux, include/uapi/asm-generic/siginfo.h), as far as
// the signal says what its union holds.
func (c *noteContext) siginfo(r *fieldReader) (row, error) {
	signo, second, third := r.u32(), r.u32(), r.u32()
	if r.err != nil {
		return nil, r.err
	}
	errno, code := second, third
	if c.machine == elf.EM_MIPS {
		errno, code = third, second // __ARCH_HAS_SWAPPED_SIGINFO
	}
	name := c.signalName(signo)
	f := facts{
		decFact("signal", "", uint64(signo)),
		textFact("signal_name", "", name),
		textFact("", "Signal", fmt.Sprintf("%d %s, code %d, errno %d", signo, name, int32(code), int32(errno))),
		intFact("code", "", int64(int32(code))),
		intFact("errno", "", int64(int32(errno))),
	}
	if c.Is64() {
		r.pos = 16
	}
	switch {
	case int32(code) <= 0 || name != "SIGILL" && name != "SIGFPE" && name != "SIGSEGV" && name != "SIGBUS" && name != "SIGTRAP":
		// kill, tkill, sigqueue and SIGCHLD begin with who sent it; a timer's
		// (SI_TIMER, -2) and a kernel's (SI_KERNEL, 128) do not.
		if int32(code) != -2 && int32(code) < 128 {
			f = append(f, decFact("sender_pid", "Sender's PID", uint64(r.u32())), decFact("sender_uid", "Sender's UID", uint64(r.u32())))
		}
	default:
		f = append(f, hexFact("addr", "Address", r.addr()))
	}
	return f, r.err
}

// prpsinfo is struct elf_prpsinfo (Linux, include/linux/elfcore.h). The width of
// user ids is the machine's old one; the size tells which.
func (c *noteContext) prpsinfo(r *fieldReader) (row, error) {
	const names = 16 + 80 // pr_fname and pr_psargs, the last fields
	uid := 4
	if !c.Is64() && len(r.b) == 4+4+2*2+4*4+names {
		uid = 2
	}
	state, sname, zombie, nice := r.u8(), r.take(1), r.u8(), int8(r.u8())
	if c.Is64() {
		r.take(4)
	}
	flags := r.addr()
	uidv, gidv := r.num(uid), r.num(uid)
	var ids [4]uint32
	for i := range ids {
		ids[i] = r.u32()
	}
	fname, psargs := r.take(16), r.take(80)
	if r.err != nil {
		return nil, fmt.Errorf("elf_prpsinfo is cut: %w", r.err)
	}
	return facts{
		textFact("fname", "Name", cstring(fname)),
		textFact("psargs", "Arguments", cstring(psargs)),
		decFact("state", "", uint64(state)),
		textFact("state_name", "State", string(sname)),
		decFact("zombie", "Zombie", uint64(zombie)),
		intFact("nice", "Nice", int64(nice)),
		hexFact("flags", "Flags", flags),
		decFact("uid", "UID", uidv),
		decFact("gid", "GID", gidv),
		decFact("pid", "PID", uint64(ids[0])),
		decFact("ppid", "PPID", uint64(ids[1])),
		decFact("pgrp", "Process group", uint64(ids[2])),
		decFact("sid", "Session", uint64(ids[3])),
	}, nil
}
