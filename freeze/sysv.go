package freeze

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// System V shared memory is known by numbers, which the kernel gives, in a namespace.
// A tree has such a namespace of its own, in which the numbers are to be had.

// segmentOf is the segment of a mapping.
func (c *compiler) segmentOf(m *capture.Map) *capture.Segment {
	i := slices.IndexFunc(c.s.Segments, func(g capture.Segment) bool { return g.ID == int(m.Inode) })
	return &c.s.Segments[i]
}

// checkSegment refuses what cannot be attached as it was.
func (c *compiler) checkSegment(m *capture.Map, what string) {
	if c.tree == nil {
		c.refuse(what, "is System V shared memory, whose number is that of a namespace", "--tree (with a namespace of its own)")
		return
	}
	g := c.segmentOf(m)
	times := 0
	for _, p := range c.tree.procs {
		for i := range p.s.Maps {
			if o := &p.s.Maps[i]; o.SysV() && int(o.Inode) == g.ID {
				times++
			}
		}
	}
	switch {
	case times != g.Attached:
		c.refuse(what, fmt.Sprintf("is System V shared memory that is attached %d times, %d of them by the tree", g.Attached, times), "")
	case m.Off != 0 || m.Size != (g.Size+page-1)&^(page-1):
		c.refuse(what, "is a part of a segment of System V shared memory", "")
	}
}

// attached is a segment, and a mapping of it in a process.
type attached struct {
	c *compiler
	m *capture.Map
	g *capture.Segment
}

// segments are those of all processes, each once.
func (t *tree) segments() (out []attached) {
	seen := make(map[int]bool)
	for _, c := range t.procs {
		for i := range c.s.Maps {
			m := &c.s.Maps[i]
			if !m.SysV() || seen[int(m.Inode)] {
				continue
			}
			seen[int(m.Inode)] = true
			out = append(out, attached{c, m, c.segmentOf(m)})
		}
	}
	return out
}

const (
	ipcCreate = 0o1000
	ipcExcl   = 0o2000
	ipcRemove = 0
	shmRdonly = 0o10000
)

// makeSegments makes them, each with the number that it had, and what was in it.
func (t *tree) makeSegments() {
	r := t.root.c
	for _, u := range t.segments() {
		what := fmt.Sprintf("System V shared memory %d", u.g.ID)
		const next = "/proc/sys/kernel/shm_next_id"
		number := fmt.Sprint(u.g.ID)
		at := r.Slot()
		ok := r.Label()
		r.Call("open", r.Text(next), script.Int(unix.O_WRONLY|unix.O_CLOEXEC), zero).To(r.work).Says("%s: open %s", what, next)
		r.Call("write", r.work.Get(), r.Text(number), script.Int(len(number))).Says("%s: write %s", what, next)
		r.Call("close", r.work.Get())
		r.Call("shmget", script.Int(u.g.Key), script.Int(u.g.Size), script.Int(u.g.Mode&0o777|ipcCreate|ipcExcl)).To(r.tmp).Says("%s", what)
		r.Do(script.Equal, r.tmp.Get(), script.Int(u.g.ID)).Or(ok)
		r.Do(script.Fail).Says("%s: its number is not to be had", what)
		r.Place(ok)
		r.Call("shmat", script.Int(u.g.ID), zero, zero).To(at).Says("%s: attach", what)
		for _, run := range u.m.Runs {
			r.Do(script.Add, at.Get(), script.Int(uint64(run.Start-u.m.Start))).To(r.tmp)
			r.Call("pread64", r.exe.Get(), r.tmp.Get(), script.Int(run.Size), script.Int(u.c.store(run))).Exact().Says("%s: read", what)
		}
		r.Call("shmdt", at.Get()).Says("%s: detach", what)
		if u.g.UID != r.s.Status.UIDs[1] || u.g.GID != r.s.Status.GIDs[1] {
			r.warn("%s is of user %d, group %d; it will be of who starts the file", what, u.g.UID, u.g.GID)
		}
	}
	if n := r.s.SysV; n != [2]int{} {
		r.warn("there are %d sets of semaphores and %d queues of messages of System V: the tree, which has a namespace of its own, will have none", n[0], n[1])
	}
}

// removeSegments marks those that go when nobody has them attached.
func (t *tree) removeSegments() {
	for _, u := range t.segments() {
		if u.g.Removed() {
			t.root.c.Call("shmctl", script.Int(u.g.ID), script.Int(ipcRemove), zero).Says("System V shared memory %d: remove", u.g.ID)
		}
	}
}

// attach maps a segment.
func (c *compiler) attach(m *capture.Map) {
	flags := 0
	if !m.Has("mw") {
		flags = shmRdonly
	}
	c.Call("shmat", script.Int(m.Inode), script.Int(uint64(m.Start)), script.Int(flags)).Says("map %v %s", m.Range, m.Name)
	c.protect(m, prot(m))
}
