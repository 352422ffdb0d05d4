package freeze

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// member is a process of a tree, or what is left of one.
type member struct {
	pid            int
	group, session int // 0: those that the file is started in
	comm           string
	exit           int             // the signal that its parent gets at its end
	c              *compiler       // nil: it has ended
	zombie         *capture.Zombie // then
	stopped        bool
	parent         *member
	kids           []*member
}

func (m *member) leads() bool { return m.session == m.pid }

// anywhere is the session of a birth where it does not matter.
const anywhere = -1

// birth is the session that a process is born in: a session is inherited, until
// setsid(2), which only makes a new one. One that begins a session comes from where
// those of its children come from that are not in it.
func (m *member) birth() int {
	if !m.leads() {
		return m.session
	}
	for _, k := range m.kids {
		if b := k.birth(); b != m.session && m.canBeBornIn(b) {
			return b
		}
	}
	return anywhere
}

// canBeBornIn says whether a session is one of the parent's, or of those before.
func (m *member) canBeBornIn(session int) bool {
	for p := m.parent; p != nil; p = p.parent {
		if p.session == session {
			return true
		}
	}
	return session == 0
}

// needsOuter says whether a process or one that descends from it is in the group
// that the file is started in, which nobody can join by its number.
func (m *member) needsOuter() bool {
	return m.group == 0 || slices.ContainsFunc(m.kids, (*member).needsOuter)
}

// early says whether a process is born before its parent leaves session or group.
func (m *member) early() bool {
	p := m.parent
	b := m.birth()
	return m.needsOuter() && p.group != 0 || b != anywhere && b != p.session && b == p.birth()
}

// fostered says whether a process is of a session that its parent is not in: it
// was adopted by its parent when its first one ended.
func (m *member) fostered() bool {
	b := m.birth()
	return !m.early() && b != anywhere && b != m.parent.session
}

// family makes the members of processes and zombies, by the numbers that they
// know of themselves.
func (t *tree) family(tr *capture.Tree) {
	byPID := make(map[int]*member)
	add := func(outer, parent int, m *member) {
		if p := byPID[parent]; p != nil {
			m.parent = p
			p.kids = append(p.kids, m)
		}
		byPID[outer] = m
		t.members = append(t.members, m)
	}
	for _, c := range t.procs {
		s := c.s
		c.member = &member{pid: s.PID, group: s.Session[1], session: s.Session[2], comm: s.Stat.Comm, exit: s.Stat.ExitSignal, c: c, stopped: c.stoppedNow()}
		add(c.s.Outer, s.Stat.Parent, c.member)
	}
	for i := range tr.Zombies {
		z := &tr.Zombies[i]
		add(z.Outer, z.Parent, &member{pid: z.PID, group: z.Group, session: z.Session, comm: z.Comm, exit: z.ExitSignal, zombie: z})
	}
	t.root = t.members[0]
	t.numbers = make(map[int]*member)
	for _, m := range t.members {
		t.numbers[m.pid] = m
	}
	t.outerNumbers = byPID
}

// stoppedNow says whether a stop signal has stopped the process.
func (c *compiler) stoppedNow() bool { return c.s.Threads[0].Stopped }

// outward gives number 0 to the session and the group that the file is started in:
// those of the first process, unless it made them. One that has a terminal stays in
// the session of the terminal that the file is started at.
func (t *tree) outward() {
	r := t.root
	session, group := r.session, r.group
	if m := t.numbers[group]; m != nil && m.group == group {
		group = 0
	}
	if session == r.pid && r.c.s.Stat.Terminal == 0 {
		session = 0
	}
	for _, m := range t.members {
		if m.session == session {
			m.session = 0
		}
		if m.group == group {
			m.group = 0
		}
	}
}

// settled refuses sessions and groups that cannot be made again.
func (t *tree) settled() {
	for _, m := range t.members[1:] {
		who := fmt.Sprintf("process %d (%s)", m.pid, m.comm)
		p := m.parent
		if p == nil {
			t.add(who, "its parent has just ended", "")
			continue
		}
		for _, k := range m.kids {
			if b := k.birth(); b != m.birth() && b != m.session && m.leads() && m.canBeBornIn(b) {
				t.add(who, fmt.Sprintf("its children are in sessions %d and %d, which it cannot have been in both", b, m.birth()), "")
			}
		}
		leader := t.numbers[m.group]
		switch {
		case m.fostered() && t.maker(m) == nil && t.numbers[m.birth()] != nil:
			t.add(who, fmt.Sprintf("is in session %d, whose leader is neither its parent's nor its own relative", m.birth()), "")
		case m.fostered() && m.birth() == 0, m.needsOuter() && m.birth() != 0 && m.group == 0:
			t.add(who, "is in the session of who started the first process, but its parent is not", "")
		case m.group == 0 || m.leads() || leader == m || m.group == p.group && !m.early():
		case m.fostered() && m.group != m.birth():
			t.add(who, fmt.Sprintf("is in process group %d of a session whose leader has ended", m.group), "")
		case leader == nil && m.early():
			t.add(who, fmt.Sprintf("is in process group %d, whose leader has ended, and of another session or group than its parent", m.group), "")
		case leader == p && m.early():
			t.add(who, "is in the process group of its parent, but one of its children is in the one before", "")
		case leader != nil && leader.parent != p && !ancestor(leader, m):
			t.add(who, fmt.Sprintf("is in process group %d, whose leader is neither its ancestor nor its sibling", m.group), "")
		}
	}
}

// ancestor says whether a descends to m.
func ancestor(a, m *member) bool {
	for ; m != nil; m = m.parent {
		if a == m {
			return true
		}
	}
	return false
}

// maker is the child of the same parent that began the session of a process that
// is fostered; nil: it is gone.
func (t *tree) maker(m *member) *member {
	for _, k := range m.parent.kids {
		if k.pid == m.birth() && k.leads() {
			return k
		}
	}
	return nil
}

// enter begins a process: its children are born, each at the right moment, and it
// takes its place in sessions and groups.
func (t *tree) enter(m *member) {
	c := m.c
	t.bear(m, func(k *member) bool { return k.early() })
	t.join(m)
	for _, k := range m.parentKids() {
		if k.fostered() && t.maker(k) == m {
			t.fork(m, k, unix.CLONE_PARENT)
		}
	}
	t.bear(m, func(k *member) bool { return !k.early() && !k.fostered() && k.group == k.pid })
	temporary := t.standIns(m)
	t.bear(m, func(k *member) bool { return !k.early() && !k.fostered() && k.group != k.pid })
	for _, pid := range temporary {
		c.Call("kill", script.Int(pid), script.Int(uint64(unix.SIGKILL)))
		c.Call("wait4", script.Int(pid), zero, zero, zero).Says("process %d, which led a group", pid)
	}
	for _, k := range m.kids {
		if k.zombie != nil {
			c.waitFor(k, unix.WEXITED|unix.WNOWAIT)
		}
	}
}

func (m *member) parentKids() []*member {
	if m.parent == nil {
		return nil
	}
	return m.parent.kids
}

func (t *tree) bear(m *member, which func(*member) bool) {
	for _, k := range m.kids {
		if which(k) {
			t.fork(m, k, 0)
		}
	}
}

// fork has m make the process k. Both set k's group: whoever comes first.
func (t *tree) fork(m, k *member, flags uint64) {
	c := t.of(m)
	exit := unix.Signal(k.exit)
	if flags&unix.CLONE_PARENT != 0 {
		exit = 0 // it is that of who makes it
	}
	start := c.Label()
	args, size := c.cloneArgs(flags, k.pid, exit)
	c.Fork(start, "clone3", args, size).Says("process %d (%s), with that number", k.pid, k.comm)
	if k.group != 0 && !k.leads() && k.session == m.session && !k.early() {
		c.Call("setpgid", script.Int(k.pid), script.Int(k.group))
	}
	t.todo = append(t.todo, func() {
		c.Place(start)
		if k.zombie != nil {
			t.end(k)
			return
		}
		t.enter(k)
		t.become(k)
	})
}

// of is the compiler that adds steps of a process; one that has ended has none of
// its own.
func (t *tree) of(m *member) *compiler {
	if m.c != nil {
		return m.c
	}
	return t.root.c
}

// join takes the process that runs it into its session and its group.
func (t *tree) join(m *member) {
	c := t.of(m)
	switch {
	case m.leads():
		c.Call("setsid").Says("process %d (%s): a session of its own", m.pid, m.comm)
	case m.group != 0:
		c.Call("setpgid", zero, script.Int(m.group)).Says("process %d (%s): process group %d", m.pid, m.comm, m.group)
	}
}

// standIns makes, for as long as it takes, those who led groups and sessions of m's
// children and have ended since. It returns those that still have to go.
func (t *tree) standIns(m *member) (temporary []int) {
	c := m.c
	for _, k := range m.kids {
		switch {
		case k.fostered() && t.maker(k) == nil && !slices.Contains(temporary, -k.birth()):
			temporary = append(temporary, -k.birth())
			t.foster(m, k.birth())
		case !k.early() && !k.fostered() && k.group != 0 && k.group != m.group && t.numbers[k.group] == nil && !slices.Contains(temporary, k.group):
			temporary = append(temporary, k.group)
			start := c.Label()
			args, size := c.cloneArgs(0, k.group, unix.SIGCHLD)
			c.Fork(start, "clone3", args, size).Says("process %d, for its group", k.group)
			c.Call("setpgid", script.Int(k.group), script.Int(k.group)).Says("process group %d", k.group)
			t.todo = append(t.todo, func() {
				c.Place(start)
				again := c.Here()
				c.Call("rt_sigtimedwait", c.Words(^uint64(0)), zero, zero, script.Int(8))
				c.Jump(again)
			})
		}
	}
	return slices.DeleteFunc(temporary, func(n int) bool { return n < 0 })
}

// foster makes the children of m that are of a session whose leader has ended: who
// stands for that has them as siblings, and ends.
func (t *tree) foster(m *member, session int) {
	c := m.c
	start := c.Label()
	args, size := c.cloneArgs(0, session, unix.SIGCHLD)
	status := c.Words(0)
	c.Fork(start, "clone3", args, size).Says("process %d, for its session", session)
	c.Call("wait4", script.Int(session), status, zero, zero).Says("process %d, for its session", session)
	ok := c.Label()
	c.Do(script.Equal4, status, zero).Or(ok)
	c.Do(script.Fail).Says("process %d, for its session: has not made its processes", session)
	c.Place(ok)
	t.todo = append(t.todo, func() {
		c.Place(start)
		c.Call("setsid").Says("session %d", session)
		for _, k := range m.kids {
			if k.fostered() && k.birth() == session {
				t.fork(m, k, unix.CLONE_PARENT)
			}
		}
		c.Do(script.Exit, zero)
	})
}

// end is all that a process does that has ended.
func (t *tree) end(z *member) {
	c := t.root.c
	t.join(z)
	for _, k := range z.parentKids() {
		if k.fostered() && t.maker(k) == z {
			t.fork(z, k, unix.CLONE_PARENT)
		}
	}
	c.Call("prctl", script.Int(unix.PR_SET_NAME), c.Text(z.comm))
	ws := unix.WaitStatus(z.zombie.Status)
	if ws.Signaled() {
		n := script.Int(uint64(ws.Signal()))
		c.Call("setrlimit", script.Int(unix.RLIMIT_CORE), c.Words(0, 0))
		c.Call("rt_sigaction", n, script.Int(c.Data(make([]byte, 32), 8)), zero, script.Int(8))
		c.Call("rt_sigprocmask", script.Int(unix.SIG_SETMASK), c.Words(0), zero, script.Int(8))
		c.Call("getpid").To(c.tmp)
		c.Call("kill", c.tmp.Get(), n)
		if ws.CoreDump() {
			t.root.c.warn("process %d, which has ended, has left no core file", z.pid)
		}
	}
	c.Do(script.Exit, script.Int(ws.ExitStatus()))
}

// waitFor waits until a child has changed its state.
func (c *compiler) waitFor(k *member, how int) {
	const byPID = 1 // P_PID
	c.Call("waitid", script.Int(byPID), script.Int(k.pid), zero, script.Int(how), zero).Says("process %d (%s)", k.pid, k.comm)
}
