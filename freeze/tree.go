package freeze

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	"elfwright/image"
)

// tree is what the processes of a tree have in common while they are made. One
// script makes them all. It first opens what several of them have, at descriptors
// above all of theirs; then each process has its children, and becomes what it was.
// All wait at a gate: it opens when the last one is ready, so that none runs while
// another is not yet there, or cannot be made.
type tree struct {
	refusals
	procs        []*compiler // parents before their children
	members      []*member   // with those that have ended
	root         *member
	numbers      map[int]*member // by the number that it knows itself
	outerNumbers map[int]*member // by the number that it is known by here
	todo         []func()        // what other processes do, where the one at hand is done

	shared
	toBeReady, ready, gate, toOpen script.Slot // ends of the pipes by which a process says that it is ready, and that all are
	news, tell                     script.Slot // of that by which the first process of the namespace tells how the first of the tree is
	front                          script.Slot // 1 and which of 0, 1, 2 is the terminal in whose foreground the file is started
	inFront                        script.Slot // whether a group of the tree is there
	group, theirs                  script.Arg  // where the group of who started it is, and that of the tree
}

// writeTree writes a tree that is stopped to a file.
func writeTree(tr *capture.Tree, name string, opt Options) (*Report, error) {
	snaps, err := tr.Snapshots()
	if err != nil {
		return nil, err
	}
	r, body, err := buildTree(tr, snaps, opt)
	if err != nil {
		return nil, err
	}
	if err := body.WriteFile(name, os.FileMode(opt.Mode)); err != nil {
		return nil, err
	}
	r.Size = body.Size()
	return r, nil
}

// buildTree compiles twice, as build does.
func buildTree(tr *capture.Tree, snaps []*capture.Snapshot, opt Options) (*Report, *elffile.Body, error) {
	if opt.PIDs != PIDAuto && opt.PIDs != PIDNS {
		return nil, nil, fmt.Errorf("numbers of processes (%s): a tree has its own in a namespace, for its processes know each other by them", opt.PIDs)
	}
	opt.PIDs = PIDNS
	var maps []capture.Map
	brk := uint64(0)
	for _, s := range snaps {
		maps, brk = append(maps, s.Maps...), max(brk, s.Brk)
	}
	slices.SortFunc(maps, func(a, b capture.Map) int { return cmp.Compare(a.Start, b.Start) })
	t, err := compileTree(tr, snaps, opt, image.Range{Start: lowest, Size: 1 << 40})
	if err != nil {
		return nil, nil, err
	}
	size := page + (t.root.c.Size()+page-1)&^(page-1) + t.root.c.arch.parking
	at, err := t.root.c.arch.place(snaps[0].PID, maps, brk, size+t.root.c.arch.parking)
	if err != nil {
		return nil, nil, err
	}
	if t, err = compileTree(tr, snaps, opt, image.Range{Start: at, Size: size}); err != nil {
		return nil, nil, err
	}
	body, err := t.root.c.file(t.procs)
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Snapshot: snaps[0], Processes: len(snaps), PIDs: opt.PIDs}
	said := make(map[string]bool)
	for _, c := range t.procs {
		for _, w := range c.warnings { // what children have of their parents is said once
			if text := strings.TrimPrefix(w, c.who()); !said[text] {
				said[text] = true
				r.Warnings = append(r.Warnings, w)
			}
		}
		r.Stored += c.stored()
	}
	return r, body, nil
}

func compileTree(tr *capture.Tree, snaps []*capture.Snapshot, opt Options, stub image.Range) (*tree, error) {
	t := &tree{}
	b := script.NewBuilder(archOf(snaps[0]).Machine, uint64(stub.Start)+page)
	on := &shelf{next: memoryOff, once: make(map[onceKey]int64)}
	for i, s := range snaps {
		c := newCompiler(b, on, s, tr.Targets[i], opt.of(tr.Targets[i].PID, i == 0), stub)
		c.tree = t
		t.procs = append(t.procs, c)
	}
	t.family(tr)
	t.outward()
	t.settled()
	t.whatIsShared(tr)
	for _, c := range t.procs {
		c.check()
	}
	t.thaw()
	errs := t.list
	for _, c := range append(slices.Clone(t.procs), t.opener) {
		errs = append(errs, c.list...)
	}
	return t, (&refusals{errs}).err()
}

// of are the options of one process.
func (o Options) of(pid int, first bool) Options {
	all := make(map[int]string)
	for n, what := range o.FDs {
		all[n] = what
	}
	for n, what := range o.FDsOf[pid] {
		all[n] = what
	}
	o.FDs = all
	if !first {
		o.ArgsFD = 0
	}
	return o
}

// thaw is the whole of what the file of a tree does.
func (t *tree) thaw() {
	c := t.root.c
	c.prepare()
	for _, p := range t.procs {
		p.checkFiles()
	}
	t.lookFront()
	c.high = t.above - 1
	c.ownDescriptors()
	c.arguments()
	t.number()
	c.closeOthers()
	t.openShared()
	t.enter(t.root)
	t.toFront()
	t.become(t.root)
	for len(t.todo) > 0 {
		next := t.todo[0]
		t.todo = t.todo[1:]
		next()
	}
}

// become makes a process, whose family is there.
func (t *tree) become(m *member) {
	c, r := m.c, t.root.c
	if c != r {
		c.exe, c.last, c.sameVDSO = r.exe, r.last, r.sameVDSO
	}
	c.Call("personality", script.Int(c.s.Personality)).Says("personality %#x", c.s.Personality)
	c.compareVDSO()
	c.become()
}

// number makes the namespace, its first process, and the first one of the tree,
// and opens the gate.
func (t *tree) number() {
	c := t.root.c
	// A child that ends must be there until it is waited for.
	c.Call("rt_sigaction", script.Int(uint64(unix.SIGCHLD)), script.Int(c.Data(make([]byte, 32), 8)), zero, script.Int(8))
	t.ready, t.toBeReady = c.ownPipe("pipe by which processes say that they are ready")
	t.gate, t.toOpen = c.ownPipe("pipe by which they wait for each other")
	c.namespace()
	t.news, t.tell = c.ownPipe("pipe by which the first process tells how it is")
	c.child(1, t.attendOutside)
	c.child(t.root.pid, func(child script.Slot) {
		t.awaitAll()
		t.attendInside(child)
	})
	c.Call("close", t.toOpen.Get())
	c.Call("close", t.ready.Get())
}

// ownPipe makes a pipe, for the time of the thaw.
func (c *compiler) ownPipe(what string) (from, to script.Slot) {
	pair := c.Words(0)
	c.Call("pipe2", pair, script.Int(unix.O_CLOEXEC)).Says("%s", what)
	var ends [2]script.Slot
	for i := range ends {
		c.Do(script.Load4, pair, script.Int(4*i)).To(c.work)
		ends[i] = c.own(c.work.Get(), what)
	}
	for i := range ends {
		c.Do(script.Load4, pair, script.Int(4*i)).To(c.work)
		c.Call("close", c.work.Get())
	}
	return ends[0], ends[1]
}

// awaitAll has the first process of the namespace wait until all are ready, and
// open the gate. When none is left that could say so, and one has not, it ends, and
// the kernel ends all that are there.
func (t *tree) awaitAll() {
	c := t.root.c
	count, n, b := c.Slot(), c.Slot(), c.Words(0)
	c.Call("close", t.toBeReady.Get())
	more, end, all := c.Here(), c.Label(), c.Label()
	c.Call("read", t.ready.Get(), b, script.Int(1)).To(n).Says("wait for the processes")
	c.Do(script.Equal, n.Get(), zero).Or(end)
	c.Do(script.Add, count.Get(), script.Int(1)).To(count)
	c.Jump(more)
	c.Place(end)
	c.Do(script.Equal, count.Get(), script.Int(len(t.procs))).Or(all)
	c.Do(script.Fail).Says("not all of the %d processes could be made", len(t.procs))
	c.Place(all)
	t.removeSegments()
	c.Call("close", t.toOpen.Get())
}

// arrived says that a process is as it was, and waits until all are.
func (c *compiler) arrived() {
	if c.tree == nil {
		return
	}
	t, m := c.tree, c.member
	c.Call("write", t.toBeReady.Get(), c.Words(0), script.Int(1)).Exact().Says("process %d (%s): say that it is ready", m.pid, m.comm)
	c.Call("close", t.toBeReady.Get())
	if m.stopped && m != t.root {
		c.Call("kill", script.Int(m.pid), script.Int(uint64(unix.SIGSTOP)))
	}
	c.Call("read", t.gate.Get(), c.Words(0), script.Int(1)).Says("process %d (%s): wait for the others", m.pid, m.comm)
}

// settleChildren waits for the children that are to be stopped, and takes the
// signals that told of children which ended or stopped while the tree was made.
func (c *compiler) settleChildren() {
	if c.tree == nil || len(c.member.kids) == 0 {
		return
	}
	for _, k := range c.member.kids {
		if k.stopped {
			c.waitFor(k, unix.WSTOPPED)
		}
	}
	mask := uint64(1) << (unix.SIGCHLD - 1)
	for _, k := range c.member.kids {
		if k.exit > 0 {
			mask |= 1 << (k.exit - 1)
		}
	}
	again := c.Here()
	done := c.Label()
	c.Call("rt_sigtimedwait", c.Words(mask), zero, c.Words(0, 0), script.Int(8)).Or(done)
	c.Jump(again)
	c.Place(done)
}

const (
	tiocgpgrp = 0x540f
	tiocspgrp = 0x5410
)

// lookFront looks whether the file is started in the foreground of a terminal.
func (t *tree) lookFront() {
	c := t.root.c
	t.front, t.inFront, t.group, t.theirs = c.Slot(), c.Slot(), c.Words(0), c.Words(0)
	done := c.Label()
	for fd := range 3 {
		next, found := c.Label(), c.Label()
		c.Call("ioctl", script.Int(fd), script.Int(tiocgpgrp), t.group).Or(next)
		c.Do(script.Load4, t.group, zero).To(c.tmp)
		c.Call("getpgid", zero).To(c.work)
		c.Do(script.Equal, c.tmp.Get(), c.work.Get()).Or(found)
		c.Jump(next)
		c.Place(found)
		c.Do(script.Store, t.front.Addr(), script.Int(fd+1))
		c.Do(script.Store, t.inFront.Addr(), script.Int(1))
		c.Jump(done)
		c.Place(next)
	}
	c.Place(done)
}

// toFront brings the group into the foreground that was there, or that of the
// first process. SIGTTOU, which would be the answer, is blocked.
func (t *tree) toFront() {
	group := t.root.group
	if m := t.outerNumbers[t.root.c.s.Stat.Foreground]; m != nil && m.group != 0 {
		group = m.group
	}
	if group == 0 {
		return
	}
	c := t.root.c
	none := c.Label()
	c.Do(script.Equal, t.front.Get(), zero).Or(none)
	c.Do(script.Subtract, t.front.Get(), script.Int(1)).To(c.tmp)
	c.Call("ioctl", c.tmp.Get(), script.Int(tiocspgrp), c.Words(uint64(group)))
	c.Place(none)
}
