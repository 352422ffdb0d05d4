package freeze

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	"elfwright/image"
)

// sharedMemory is memory without a name that several processes map.
type sharedMemory struct {
	name  string
	size  uint64
	seals int
	open  bool // a descriptor has it, too, and its contents
	users []*compiler
}

// sharedMemory finds it.
func (t *tree) sharedMemory() {
	files := make(map[fileID]*capture.Descriptor)
	users := make(map[fileID]map[*compiler]bool)
	note := func(id fileID, c *compiler) {
		if users[id] == nil {
			users[id] = make(map[*compiler]bool)
		}
		users[id][c] = true
	}
	t.eachFile(func(u use) {
		if strings.HasPrefix(object(u), "{") {
			id := fileID{u.d.Dev, u.d.Ino}
			files[id] = u.d
			note(id, u.c)
		}
	})
	size := make(map[fileID]uint64)
	for _, c := range t.procs {
		for i := range c.s.Maps {
			if m := &c.s.Maps[i]; m.Anonymous() {
				id := fileID{device(m.Dev), m.Inode}
				note(id, c)
				size[id] = max(size[id], m.Off+m.Size)
			}
		}
	}
	for id, by := range users {
		if len(by) < 2 || size[id] == 0 {
			continue
		}
		m := &sharedMemory{name: "shared", size: size[id]}
		if d := files[id]; d != nil {
			m.name, m.size, m.seals, m.open = memfdName(d), uint64(d.Size), d.Seals, true
		}
		for _, c := range t.procs {
			if by[c] {
				m.users = append(m.users, c)
			}
		}
		t.memory[id] = m
	}
}

// makeMemory makes the memory that several processes map, with what is in it.
func (t *tree) makeMemory() {
	var ids []fileID
	for id := range t.memory {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b fileID) int { return cmp.Or(cmp.Compare(a.dev, b.dev), cmp.Compare(a.ino, b.ino)) })
	for _, id := range ids {
		m := t.memory[id]
		fd := t.opener.memfd(m.name, m.size, m.seals)
		t.opener.files[id] = fd
		var done image.Ranges
		for _, c := range m.users {
			c.files[id] = fd
			if !m.open {
				done = t.fillMemory(c, id, fd, done)
			}
		}
	}
}

// fillMemory writes what a process sees of memory into the file of it, as far as it
// is not done; what is done is returned. Ranges are within the file.
func (t *tree) fillMemory(c *compiler, id fileID, fd script.Slot, done image.Ranges) image.Ranges {
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if !m.Anonymous() || m.Inode != id.ino || device(m.Dev) != id.dev {
			continue
		}
		window := image.Range{Start: image.Addr(m.Off), Size: m.Size}
		if done.Covers(window) {
			continue
		}
		for _, r := range m.Runs {
			c.sendAt(fd.Get(), m.Off+uint64(r.Start-m.Start), c.store(r), r.Size)
		}
		done = image.Union(append(done, window)...)
	}
	return done
}

// sendAt copies from the frozen file into a file.
func (c *compiler) sendAt(fd script.Arg, at uint64, off int64, size uint64) {
	o := c.tree.opener
	c.Call("lseek", fd, script.Int(at), script.Int(unix.SEEK_SET))
	const most = 1 << 30 // a call copies no more than 2 GiB
	from := c.Words(uint64(off))
	for n := uint64(0); n < size; n += most {
		k := min(size-n, most)
		c.Call("sendfile", fd, o.exe.Get(), from, script.Int(k)).To(o.tmp).Says("shared memory")
		ok := c.Label()
		c.Do(script.Equal, o.tmp.Get(), script.Int(k)).Or(ok)
		c.Do(script.Fail).Says("shared memory: not all of its contents could be restored")
		c.Place(ok)
	}
}
