package freeze

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// advice are the flags that madvise sets (proc_pid_smaps(5), madvise(2)).
var advice = []struct {
	flag   string
	advice int
}{
	{"rr", unix.MADV_RANDOM}, {"sr", unix.MADV_SEQUENTIAL}, {"dc", unix.MADV_DONTFORK}, {"dd", unix.MADV_DONTDUMP}, {"wf", unix.MADV_WIPEONFORK},
	{"mg", unix.MADV_MERGEABLE}, {"hg", unix.MADV_HUGEPAGE}, {"nh", unix.MADV_NOHUGEPAGE},
}

// otherFlags are those that need no advice: they follow from what is mapped, or
// others than advise see to them.
var otherFlags = []string{
	"rd", "wr", "ex", "sh", "mr", "mw", "me", "ms", "gd", "lo", "lf", "de", "ac", "nr", "ar", "sd", "mm", "dp", "sl", "bt", "gu",
}

const (
	madvGuardInstall = 102
	prSetVMA         = 0x53564d41
	mlockOnFault     = 1
)

// advise gives a mapping the flags that it had.
func (c *compiler) advise(m *capture.Map) {
	start, size := script.Int(uint64(m.Start)), script.Int(m.Size)
	for _, a := range advice {
		if m.Has(a.flag) && !(a.flag == "wf" && m.Has("dp")) && !(a.flag == "dd" && m.Has("dp")) {
			c.Call("madvise", start, size, script.Int(a.advice)).Says("madvise %v %s", m.Range, a.flag)
		}
	}
	if p := m.Policy; p.Mode != 0 {
		const move = 2 // MPOL_MF_MOVE
		c.fails(c.Call("mbind", start, size, script.Int(p.Mode), script.Int(c.Data(p.Nodes, 8)), script.Int(len(p.Nodes)*8+1), script.Int(move)), &c.misplaced)
	}
	for _, g := range m.Guard {
		c.Call("madvise", script.Int(uint64(g.Start)), script.Int(g.Size), script.Int(madvGuardInstall)).Says("guard pages %v (Linux 6.13)", g)
	}
	if name, ok := strings.CutPrefix(m.Name, "[anon:"); ok {
		c.fails(c.Call("prctl", script.Int(prSetVMA), zero, start, size, c.Text(strings.TrimSuffix(name, "]"))), &c.nameless)
	}
	if m.Has("lo") {
		how := 0
		if m.Has("lf") {
			how = mlockOnFault
		}
		c.fails(c.Call("mlock2", start, size, script.Int(how)), &c.unlocked)
	}
	if m.Has("sl") {
		c.Call("mseal", start, size, zero).Says("seal %v (Linux 6.10)", m.Range)
	}
}

// fails notes in a word, which is made at the first use, that a call has failed: it
// is told once for all.
func (c *compiler) fails(s script.Step, word *script.Slot) {
	if *word == 0 {
		*word = c.Slot()
	}
	failed, done := c.Label(), c.Label()
	s.Or(failed)
	c.Jump(done)
	c.Place(failed)
	c.Do(script.Store, word.Addr(), script.Int(1))
	c.Place(done)
}

// adviceLacks tells what has failed.
func (c *compiler) adviceLacks() {
	tell := func(word script.Slot, text string) {
		if word == 0 {
			return
		}
		fine := c.Label()
		c.Do(script.Equal, word.Get(), zero).Or(fine)
		c.lacks("%s", text)
		c.Place(fine)
	}
	tell(c.nameless, "this kernel has no names for memory (CONFIG_ANON_VMA_NAME), that of the process has none now")
	tell(c.misplaced, "the nodes of some memory (mbind) are not here")
	tell(c.unlocked, "memory that was locked is not, RLIMIT_MEMLOCK is too low or it is not permitted")
	if c.s.LockFuture != 0 {
		const future, onFault = 2, 4 // MCL_FUTURE, MCL_ONFAULT
		how := future
		if c.s.LockFuture == capture.LockOnFault {
			how |= onFault
		}
		c.orLacks(c.Call("mlockall", script.Int(how)), "memory that the process maps from now on is not locked (MCL_FUTURE), RLIMIT_MEMLOCK is too low or it is not permitted")
	}
}

// checkFlags refuses a mapping with flags that nobody here knows, and with a key.
func (c *compiler) checkFlags(m *capture.Map, what string) {
	for _, f := range m.Flags {
		known := slices.Contains(otherFlags, f)
		for _, a := range advice {
			known = known || a.flag == f
		}
		for _, o := range foreignFlags {
			known = known || o.flag == f
		}
		if !known {
			c.refuse(what, fmt.Sprintf("has a flag that is not known here, %q (VmFlags)", f), "")
		}
	}
	if m.Key != 0 {
		c.refuse(what, fmt.Sprintf("has protection key %d (pkey_mprotect), and keys are not restored", m.Key), "")
	}
}
