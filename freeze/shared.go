package freeze

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// shared is what several processes of a tree have.
type shared struct {
	high   int               // a descriptor above all of the processes
	above  int               // one above all that are in use while the tree is made
	outer  map[int]int       // which of 0, 1 and 2 of the first process an open file is, by its number
	opened map[int]int       // the descriptor that an open file of several processes is kept at
	first  map[int]*compiler // the first process that has it
	opener *compiler         // opens these
	// Pipes and sockets: those of which the other end is gone, and those that a
	// process outside has, which it is.
	other    map[string]bool // there is another end in the tree
	gone     map[string]bool
	outside  map[string]int
	memory   map[fileID]*sharedMemory
	watchers map[int]*compiler // who tells an epoll of several processes what it watches
}

// use is a descriptor of a process.
type use struct {
	c *compiler
	d *capture.Descriptor
}

// eachFile calls yield with the open files of all processes that are to be opened,
// each with one of the descriptors that it has in a process.
func (t *tree) eachFile(yield func(use)) {
	for _, c := range t.procs {
		for i := range c.s.Descriptors {
			d := &c.s.Descriptors[i]
			if c.opt.FDs[d.N] == "" && d.Same == d.N && !(d.N == c.opt.ArgsFD && d.N > 0) {
				yield(use{c, d})
			}
		}
	}
}

// whatIsShared finds what several processes have, and who has it besides.
func (t *tree) whatIsShared(tr *capture.Tree) {
	t.first = make(map[int]*compiler)
	t.outer, t.opened, t.memory, t.watchers = make(map[int]int), make(map[int]int), make(map[fileID]*sharedMemory), make(map[int]*compiler)
	for _, c := range t.procs {
		for i := range c.s.Descriptors {
			t.high = max(t.high, c.s.Descriptors[i].N)
		}
		for n := range c.opt.FDs {
			t.high = max(t.high, n)
		}
	}
	t.high++
	t.ends(tr)
	for i := range t.root.c.s.Descriptors {
		d := &t.root.c.s.Descriptors[i]
		if _, ok := t.outer[d.File]; !ok && d.N <= 2 && t.root.c.opt.FDs[d.N] == "" && !t.inside(d) {
			t.outer[d.File] = d.N
		}
	}
	t.sharedMemory()
	t.openFiles()
}

// inside says whether a descriptor is a pipe or a socket whose other end a process
// of the tree has.
func (t *tree) inside(d *capture.Descriptor) bool { return t.other[endOf(d)] }

// endOf names a pipe, or a socket that is connected; empty: it is neither.
func endOf(d *capture.Descriptor) string {
	switch {
	case d.Mode&unix.S_IFMT == unix.S_IFIFO && strings.HasPrefix(d.Link, "pipe:"),
		d.Mode&unix.S_IFMT == unix.S_IFSOCK && d.Socket != nil && d.Socket.Connected:
		return d.Link
	}
	return ""
}

// ends finds the other ends of pipes and sockets.
func (t *tree) ends(tr *capture.Tree) {
	t.other, t.gone = make(map[string]bool), make(map[string]bool)
	read, write, sockets := make(map[string]bool), make(map[string]bool), make(map[uint64]bool)
	all := make(map[string]bool)
	t.eachFile(func(u use) {
		name := endOf(u.d)
		if name == "" {
			return
		}
		all[name] = true
		if u.d.Socket != nil {
			sockets[u.d.Ino] = true
			return
		}
		mode := u.d.Flags & unix.O_ACCMODE
		read[name] = read[name] || mode != unix.O_WRONLY
		write[name] = write[name] || mode != unix.O_RDONLY
	})
	t.eachFile(func(u use) {
		if u.d.Socket != nil && sockets[u.d.Socket.Peer] {
			t.other[endOf(u.d)] = true
		}
	})
	for name := range read {
		if read[name] && write[name] {
			t.other[name] = true
		}
	}
	t.eachFile(func(u use) {
		if u.d.Gone && !t.other[u.d.Link] {
			t.gone[u.d.Link] = true
		}
	})
	t.outside = tr.Outside(all)
}

// openFiles decides which open files are opened for several processes: those that
// several have, and all of what several have ends of.
func (t *tree) openFiles() {
	users := make(map[string]map[*compiler]bool)
	note := func(key string, c *compiler) {
		if users[key] == nil {
			users[key] = make(map[*compiler]bool)
		}
		users[key][c] = true
	}
	t.eachFile(func(u use) { note(object(u), u.c) })
	for id, m := range t.memory {
		for _, p := range m.users {
			note(fmt.Sprint(id), p)
		}
	}
	at := t.high + 3
	s := &capture.Snapshot{PID: t.root.c.s.PID, Outer: t.root.c.s.Outer, Machine: t.root.c.s.Machine}
	t.eachFile(func(u use) {
		_, out := t.outer[u.d.File]
		if out || t.opened[u.d.File] != 0 || len(users[object(u)]) < 2 {
			return
		}
		if !t.inside(u.d) && !t.restorable(u) {
			return
		}
		d := *u.d
		d.Called = fmt.Sprintf("process %d (%s): %s", u.c.s.Outer, u.c.s.Stat.Comm, describe(u.d))
		d.N, d.Same = at, at
		t.opened[d.File], t.first[d.File] = at, u.c
		s.Descriptors = append(s.Descriptors, d)
		at++
	})
	t.above = at
	r := t.root.c
	t.opener = newCompiler(r.Builder, r.shelf, s, r.t, Options{}, r.stubAt)
	t.opener.tree, t.opener.common = t, true
}

// restorable says of a descriptor that is 0, 1 or 2 of its process whether it is
// more than what the file is started with.
func (t *tree) restorable(u use) bool {
	if u.d.N > 2 {
		return true
	}
	switch u.d.Mode & unix.S_IFMT {
	case unix.S_IFIFO, unix.S_IFSOCK:
		return endOf(u.d) == "" || t.inside(u.d) || t.gone[endOf(u.d)]
	case unix.S_IFCHR:
		return plainDevice(u.d.Rdev)
	}
	return true
}

// object names what a descriptor is an end of: pipe, pair of sockets, file without
// a name, or the open file alone.
func object(u use) string {
	d := u.d
	switch {
	case endOf(d) != "" && d.Socket != nil:
		return fmt.Sprint("socket ", min(d.Ino, cmp.Or(d.Socket.Peer, d.Ino)))
	case endOf(d) != "":
		return d.Link
	case d.Mode&unix.S_IFMT == unix.S_IFREG && (d.Deleted() || strings.HasPrefix(d.Link, "/memfd:")):
		return fmt.Sprint(fileID{d.Dev, d.Ino})
	case d.Link == "anon_inode:[pidfd]":
		return fmt.Sprint("pidfd ", u.c.s.Outer, " ", d.N) // each process has its own
	}
	return fmt.Sprint("open file ", d.File)
}

// openShared opens what several processes have.
func (t *tree) openShared() {
	r, o := t.root.c, t.opener
	for fd := range 3 {
		r.Call("dup3", script.Int(fd), script.Int(t.high+fd), script.Int(unix.O_CLOEXEC))
	}
	o.exe, o.last, o.ours = r.exe, r.last, r.ours
	t.makeMemory()
	t.makeSegments()
	o.descriptors()
	r.ours = o.ours
}

// fromTree makes d of what is open for several processes, or of what the file is
// started with; if it is neither it returns false.
func (c *compiler) fromTree(d *capture.Descriptor) bool {
	t := c.tree
	if t == nil || c.common {
		return false
	}
	if n, ok := t.outer[d.File]; ok {
		if o := t.root.c.find(d.N); d.N <= 2 && o != nil && o.File == d.File {
			n = d.N
		}
		c.outer(n, d)
		return true
	}
	if at := t.opened[d.File]; at != 0 {
		c.dup(script.Int(at), d)
		c.made[d.N] = true
		return true
	}
	if c == t.root.c {
		return false
	}
	if d.N <= 2 && d.Same == d.N && !t.restorable(use{c, d}) {
		c.outer(d.N, d)
		return true
	}
	return false
}

// outer makes d of descriptor n that the file is started with; there may be none.
func (c *compiler) outer(n int, d *capture.Descriptor) {
	there, none := c.Label(), c.Label()
	c.Call("dup3", script.Int(c.tree.high+n), script.Int(d.N), script.Int(d.Flags&unix.O_CLOEXEC)).Or(none)
	c.Jump(there)
	c.Place(none)
	c.Call("close", script.Int(d.N))
	c.Place(there)
}

// nameOf is how the command line calls a descriptor of a process.
func (t *tree) nameOf(c *compiler, d *capture.Descriptor) string {
	if !c.common {
		return fmt.Sprintf("%d:%d", c.s.Outer, d.N)
	}
	name := ""
	t.eachFile(func(u use) {
		if t.opened[u.d.File] == d.N && name == "" {
			name = fmt.Sprintf("%d:%d", u.c.s.Outer, u.d.N)
		}
	})
	return name
}

// restores says of a descriptor of 0, 1 and 2 whether it is made again.
func (c *compiler) restores(d *capture.Descriptor) bool {
	return c.tree != nil && c != c.tree.root.c && !c.common && c.tree.restorable(use{c, d})
}

// terminal is where that terminal is kept which one of 0, 1 and 2 of the first
// process is.
func (t *tree) terminal(d *capture.Descriptor) int {
	r := t.root.c
	tty := unix.Major(d.Rdev) == 5 && unix.Minor(d.Rdev) == 0 // /dev/tty: whichever it is
	for i := range r.s.Descriptors {
		o := &r.s.Descriptors[i]
		if o.N <= 2 && o.Mode&unix.S_IFMT == unix.S_IFCHR && r.opt.FDs[o.N] == "" && !plainDevice(o.Rdev) && (tty || o.Rdev == d.Rdev) {
			return t.high + o.N
		}
	}
	return -1
}

// otherGone says whether nobody at all has the other end.
func (c *compiler) otherGone(d *capture.Descriptor) bool {
	return c.tree != nil && c.tree.gone[d.Link]
}

// whose tells of the other end of a pipe.
func (c *compiler) whose(d *capture.Descriptor) string {
	if c.tree != nil && c.tree.outside[d.Link] != 0 {
		return fmt.Sprintf("process %d's", c.tree.outside[d.Link])
	}
	return "another process's"
}

// watches says whether it is c that tells an epoll what it watches: the first
// process that has what is watched by the number that it was told with.
func (t *tree) watches(c *compiler, d *capture.Descriptor) bool {
	if c.common {
		return false
	}
	if t.opened[d.File] == 0 {
		return true
	}
	if t.watchers[d.File] == nil {
		t.watchers[d.File] = c
		for _, p := range t.procs {
			if p.has(d.N) && p.find(d.N).File == d.File && p.hasWatched(d) {
				t.watchers[d.File] = p
				break
			}
		}
	}
	return t.watchers[d.File] == c
}

func (c *compiler) hasWatched(d *capture.Descriptor) bool {
	for _, l := range d.Info {
		var fd int
		var ino uint64
		line := strings.Join(strings.Fields(l), " ")
		if n, _ := fmt.Sscanf(line, "tfd: %d events: %x data: %x pos:%d ino:%x", &fd, new(uint32), new(uint64), new(uint64), &ino); n < 5 {
			continue
		}
		if o := c.find(fd); o == nil || o.Ino != ino && o.Mode != 0 {
			return false
		}
	}
	return true
}

// relativeFD makes a descriptor of a process that is there by then: of the process
// itself, of its child, or of one that it descends from.
func (c *compiler) relativeFD(d *capture.Descriptor) {
	var pid int
	fmt.Sscan(info(d, "Pid"), &pid)
	m := c.isThere(pid)
	if m == nil {
		c.refuseFD(d, "is of process "+info(d, "Pid")+", which is neither an ancestor nor a child")
		return
	}
	c.Call("pidfd_open", script.Int(m.pid), script.Int(d.Flags&unix.O_NONBLOCK)).To(c.work).Says("%s", describe(d))
	c.put(d)
}

// isThere finds a process that is there when c has its descriptors: itself, its
// child, or one that it descends from. The number is as it is known here.
func (c *compiler) isThere(pid int) *member {
	m := c.tree.outerNumbers[pid]
	if m == nil || !ancestor(m, c.member) && m.parent != c.member {
		return nil
	}
	return m
}

// owns says whether it is c that says who gets the signals of an open file.
func (t *tree) owns(c *compiler, d *capture.Descriptor) bool {
	return t.opened[d.File] == 0 || t.first[d.File] == c
}

// relative finds the process or the group that gets the signals of an open file.
func (c *compiler) relative(d *capture.Descriptor, id int) (who script.Arg, ok bool) {
	m := c.isThere(id)
	switch d.Owner.Kind {
	case capture.OwnerGroup:
		if m != nil && m.group == m.pid {
			return script.Int(m.pid), true
		}
	case capture.OwnerThread:
		if len(c.s.Status.NSpid) <= 1 && c.hasThread(id) {
			return script.Int(id), true
		}
	default:
		if m != nil {
			return script.Int(m.pid), true
		}
	}
	what := [...]string{"thread", "process", "process group"}[d.Owner.Kind]
	c.refuseFD(d, fmt.Sprintf("sends its signals to %s %d, which is not there yet when it is opened", what, id))
	return who, false
}
