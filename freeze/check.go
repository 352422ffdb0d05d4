package freeze

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
)

// check refuses what cannot be restored. Descriptors are looked at by those who
// restore them.
func (c *compiler) check() {
	s, st := c.s, &c.s.Status
	if len(s.Children) > 0 && !c.opt.Orphan && c.tree == nil {
		c.refuse(fmt.Sprintf("children %s", numbers(s.Children)), "are processes of their own", "--tree (they are frozen, too) or --orphan (they stay behind)")
	}
	if st.Seccomp != 0 {
		c.refuse(fmt.Sprintf("seccomp mode %d", st.Seccomp), "filters cannot be read without privilege", "")
	}
	ids := func(what string, n [4]int) {
		if n[0] != n[1] || n[0] != n[2] || n[0] != n[3] {
			c.refuse(fmt.Sprintf("%s %d, %d, %d, %d (real, effective, saved, file system)", what, n[0], n[1], n[2], n[3]), "a thawed process has those of whoever starts it", "")
		}
	}
	ids("user ids", st.UIDs)
	ids("group ids", st.GIDs)
	if s.CWD.Deleted {
		c.refuse("working directory "+s.CWD.Path, "is deleted", "")
	}
	if !strings.HasPrefix(s.CWD.Path, "/") && !s.Inherits {
		c.refuse("working directory "+s.CWD.Path, "has no path", "")
	}
	if s.Session[2] == s.PID && (c.tree == nil || c.member.session == 0) {
		c.warn("the process leads a session, which is not restored: the thawed process is in that of who starts it")
	}
	if s.Root != "/" {
		c.refuse("root directory "+s.Root, "a thawed process has that of whoever starts it", "")
	}
	for _, ns := range s.Foreign {
		if c.tree != nil && c != c.tree.root.c || c.opt.PIDs == PIDNS && (ns == "pid" || ns == "user") || ns == "ipc" && len(s.Segments) > 0 {
			continue // it gets such a one, or there is a warning already
		}
		c.warn("the process is in another %s namespace than this one", ns)
	}
	if st.UIDs[0] != unix.Geteuid() && (c.tree == nil || c == c.tree.root.c) {
		c.warn("the process is of user %d", st.UIDs[0])
	}
	c.checkRights()
	c.checkRest()
	for i := range s.Threads {
		c.checkThread(&s.Threads[i])
		if t := &s.Threads[i]; t.Sched != nil && binary.LittleEndian.Uint32(t.Sched[4:]) == schedDeadline {
			c.refuse(fmt.Sprintf("thread %d", t.TID), "SCHED_DEADLINE belongs to one thread at a time", "")
		}
		if s.Threads[i].Ends {
			c.warn("thread %d: the call that it waits in ends with EINTR: it was interrupted before, and which it is is not known", s.Threads[i].TID)
		}
		if s.Threads[i].Stopped {
			c.stopped = true
		}
	}
	c.checkMaps()
}

// checkRights tells of rights that differ from those of who freezes: a thawed
// process has those of who starts it.
func (c *compiler) checkRights() {
	st := &c.s.Status
	if c.otherUser() {
		// Root loses its capabilities when it becomes another user.
		if st.CapPrm|st.CapEff|st.CapAmb != 0 {
			c.warn("capabilities (effective %#x) are not restored", st.CapEff)
		}
		return
	}
	own, err := capture.OwnStatus()
	if c.tree != nil && c != c.tree.root.c {
		own, err = c.tree.root.c.s.Status, nil // of which there are warnings already
	}
	if err != nil {
		c.warn("rights are not compared: %v", err)
		return
	}
	if st.CapPrm != own.CapPrm || st.CapEff != own.CapEff || st.CapInh != own.CapInh || st.CapAmb != own.CapAmb || st.CapBnd != own.CapBnd {
		c.warn("capabilities (effective %#x, bounding %#x) are not restored: the thawed process has those of who starts it", st.CapEff, st.CapBnd)
	}
	if !slices.Equal(st.Groups, own.Groups) {
		c.warn("groups %s are not restored: the thawed process has those of who starts it", numbers(st.Groups))
	}
}

const schedDeadline = 6

// VmFlags that say what a mapping is, where it cannot be made again.
var foreignFlags = []struct{ flag, why string }{
	{"io", "is memory of a device"},
	{"pf", "is memory of a device"},
	{"ht", "is of huge pages (hugetlbfs)"},
	{"um", "is watched by a userfaultfd"},
	{"uw", "is watched by a userfaultfd"},
	{"ui", "is watched by a userfaultfd"},
	{"ss", "is a shadow stack"},
	{"sf", "is synchronous with the file (MAP_SYNC)"},
	{"mt", "has tags on its memory (MTE)"},
}

// secret is how the kernel names memory of memfd_secret(2).
const secret = "/secretmem"

func (c *compiler) checkMaps() {
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if m.Kernel() {
			continue
		}
		what := fmt.Sprintf("mapping %v %s", m.Range, m.Name)
		c.checkFlags(m, what)
		if len(m.Others) > 0 && !c.opt.Orphan {
			option := "--orphan (each has its own then)"
			if c.tree != nil {
				option = ""
			}
			c.refuse(what, fmt.Sprintf("is shared with process %s", numbers(slices.Compact(m.Others))), option)
		}
		for _, f := range foreignFlags {
			if m.Has(f.flag) {
				c.refuse(what, f.why, "")
				break
			}
		}
		switch {
		case strings.HasPrefix(m.Name, secret):
			c.refuse(what, "is secret memory (memfd_secret), which nobody else may read", "")
		case strings.HasPrefix(m.Name, "/SYSV"):
			c.checkSegment(m, what)
		case strings.HasPrefix(m.Name, "anon_inode:"), strings.HasPrefix(m.Name, "/dev/") && m.Shared && !m.Deleted && !strings.HasPrefix(m.Name, "/dev/shm/"):
			c.refuse(what, "is memory of the kernel or of a device", "")
		case strings.HasPrefix(m.Name, "/[aio]"), strings.HasPrefix(m.Name, "/anon_hugepage"):
			c.refuse(what, "is memory of the kernel", "")
		case m.Nameless && strings.LastIndexByte(m.Name, '/') == 0: // never was in a directory
			c.refuse(what, "is memory of the kernel or of a device", "")
		case m.Nameless:
			c.warn("%s: its file is deleted; the thawed process has the contents, and no file", what)
		case m.Shared && m.File() && m.Deleted && !m.Anonymous():
			c.refuse(what, "is shared memory of a file that is deleted", "")
		case m.Shared && m.File() && !m.Anonymous() && !c.leadsTo(m):
			c.refuse(what, "is shared memory of a file to which its path does not lead any more", "")
		case uint64(m.End()) > c.arch.taskSizes[0]:
			c.refuse(what, fmt.Sprintf("is beyond %#x", c.arch.taskSizes[0]), "")
		}
	}
}

// leadsTo says whether the path of a mapping is that of its file.
func (c *compiler) leadsTo(m *capture.Map) bool {
	var st unix.Stat_t
	err := unix.Stat(fmt.Sprintf("/proc/%d/root%s", c.s.Outer, m.Name), &st)
	return err == nil && st.Ino == m.Inode
}

func numbers(n []int) string { return strings.Trim(fmt.Sprint(n), "[]") }
