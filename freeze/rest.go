package freeze

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// checkThread refuses a thread that differs from the others in what the thaw gives
// to all, or that has what no new thread can have.
func (c *compiler) checkThread(t *capture.Thread) {
	if t.Status.TGID == 0 { // of a core, which does not tell
		return
	}
	what := fmt.Sprintf("thread %d", t.TID)
	all, own := &c.s.Status, &t.Status
	if own.Seccomp != all.Seccomp {
		c.refuse(what, fmt.Sprintf("has seccomp mode %d, and filters cannot be read without privilege", own.Seccomp), "")
	}
	if own.UIDs != all.UIDs || own.GIDs != all.GIDs {
		c.refuse(what, "has user or group ids of its own", "")
	}
	if own.CapPrm != all.CapPrm || own.CapEff != all.CapEff || own.CapInh != all.CapInh || own.CapAmb != all.CapAmb || own.CapBnd != all.CapBnd {
		c.refuse(what, "has capabilities of its own", "")
	}
	if own.Features != "" {
		c.refuse(what, "has shadow stacks ("+own.Features+")", "")
	}
	if first := &c.s.Threads[0]; t.Personality != first.Personality {
		c.refuse(what, fmt.Sprintf("has a personality of its own, %s", t.Personality), "")
	}
	for _, why := range t.Lost {
		c.refuse(what, why+", which is not restored", "")
	}
}

// checkRest tells of what the process has and is not restored.
func (c *compiler) checkRest() {
	for _, why := range c.s.Lost {
		c.refuse(fmt.Sprintf("process %d", c.s.PID), why+", which is not restored", "")
	}
	if c.s.Label != "" {
		c.warn("the security label %q is not restored: the thawed process has that of who starts it", c.s.Label)
	}
}

// rest gives a thread what few have.
func (c *compiler) rest(t *capture.Thread, says func(string) string) {
	if t.Status.NoNewPrivs {
		c.Call("prctl", script.Int(unix.PR_SET_NO_NEW_PRIVS), script.Int(1), zero, zero, zero).Says("%s", says("PR_SET_NO_NEW_PRIVS"))
	}
	const enabled = 1 // PR_TSC_ENABLE
	if t.TSC > enabled {
		c.Call("prctl", script.Int(unix.PR_SET_TSC), script.Int(t.TSC), zero, zero, zero).Says("%s", says("PR_SET_TSC"))
	}
	if t.MCEKill != 0 {
		c.Call("prctl", script.Int(unix.PR_MCE_KILL), script.Int(1), script.Int(t.MCEKill-1), zero, zero).Says("%s", says("PR_MCE_KILL"))
	}
	if p := t.Policy; p.Mode != 0 {
		c.orLacks(c.Call("set_mempolicy", script.Int(p.Mode), script.Int(c.Data(p.Nodes, 8)), script.Int(len(p.Nodes)*8+1)),
			"%s", says("the nodes of its memory (set_mempolicy) are not here"))
	}
	c.speculation(t, says)
	if t.NoCPUID {
		const setCPUID = 0x1012
		c.Call("arch_prctl", script.Int(setCPUID), zero).Says("%s", says("CPUID is to fault (ARCH_SET_CPUID)"))
	}
}

// speculation sets how the processor may run ahead, where the thread has asked for
// less.
func (c *compiler) speculation(t *capture.Thread, says func(string) string) {
	const disable, force = 4, 8                                             // PR_SPEC_DISABLE, PR_SPEC_FORCE_DISABLE
	for what, state := range []string{t.Status.Bypass, t.Status.Branches} { // PR_SPEC_STORE_BYPASS, PR_SPEC_INDIRECT_BRANCH
		how := 0
		switch {
		case strings.HasPrefix(state, "thread force") || strings.HasPrefix(state, "conditional force"):
			how = force
		case strings.HasPrefix(state, "thread mitigated") || strings.HasPrefix(state, "conditional disabled"):
			how = disable
		default:
			continue
		}
		c.orLacks(c.Call("prctl", script.Int(unix.PR_SET_SPECULATION_CTRL), script.Int(what), script.Int(how), zero, zero),
			"%s", says("how far its processor runs ahead (PR_SET_SPECULATION_CTRL) cannot be set here"))
	}
}

// restOfProcess gives the process what few have.
func (c *compiler) restOfProcess() {
	const setMDWE, setMerge, requestPermission, tiles = 65, 67, 0x1023, 18
	s := c.s
	if s.MemoryMerge != 0 {
		c.orLacks(c.Call("prctl", script.Int(setMerge), script.Int(1), zero, zero, zero), "this kernel does not merge equal pages (PR_SET_MEMORY_MERGE)")
	}
	if s.Threads[0].AMX {
		c.Call("arch_prctl", script.Int(requestPermission), script.Int(tiles)).Says("permission for tiles (AMX)")
	}
	if s.MDWE != 0 {
		c.Call("prctl", script.Int(setMDWE), script.Int(s.MDWE), zero, zero, zero).Says("PR_SET_MDWE (Linux 6.3)")
	}
	const usual = "00000033" // MMF_DUMP_FILTER_DEFAULT
	if s.CoreFilter != "" && s.CoreFilter != usual {
		c.writeTo("/proc/self/coredump_filter", "0x"+s.CoreFilter, "coredump_filter "+s.CoreFilter+" cannot be set here")
	}
}

// writeTo writes to a file of /proc, or tells that it lacks.
func (c *compiler) writeTo(name, text, lack string) {
	denied, failed, done := c.Label(), c.Label(), c.Label()
	c.Call("open", c.Text(name), script.Int(unix.O_WRONLY|unix.O_CLOEXEC), zero).To(c.work).Or(denied)
	c.Call("write", c.work.Get(), c.Text(text), script.Int(len(text))).Exact().Or(failed)
	c.Call("close", c.work.Get())
	c.Jump(done)
	c.Place(failed)
	c.Call("close", c.work.Get())
	c.Place(denied)
	c.lacks("%s", lack)
	c.Place(done)
}
