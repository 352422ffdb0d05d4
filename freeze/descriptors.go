package freeze

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// descriptors opens what the process had open. Descriptors that were one open
// file are one again.
func (c *compiler) descriptors() {
	list := c.s.Descriptors
	pipes := c.pipes()
	c.namedPairs()
	for i := range list {
		d := &list[i]
		choice := c.opt.FDs[d.N]
		switch {
		case choice != "":
			c.chosen(d, choice)
		case d.N == c.opt.ArgsFD && d.N > 0:
			c.dup(c.argsFD.Get(), d)
		case c.fromTree(d):
		case d.N <= 2 && pipes[d.Ino] == nil && !c.restores(d):
			// the new one
		case d.Same != d.N && c.opt.FDs[d.Same] == "":
			c.dup(script.Int(d.Same), d)
		default:
			c.made[d.N] = true
			c.open(d, pipes)
		}
	}
	for _, f := range c.late {
		f()
	}
	c.watched()
}

// chosen does with a descriptor what the user says.
func (c *compiler) chosen(d *capture.Descriptor, choice string) {
	switch choice {
	case Close:
	case Inherit:
		if d.N > 2 {
			c.dup(c.wanted[d.N].Get(), d)
		}
	case Null:
		c.reopen(d, "/dev/null", d.Flags)
	default:
		c.reopen(d, choice, d.Flags)
	}
}

const setFlags = unix.O_APPEND | unix.O_NONBLOCK | unix.O_DIRECT | unix.O_NOATIME // what F_SETFL changes, but for O_ASYNC, which see owner

// dup makes d of another descriptor.
func (c *compiler) dup(fd script.Arg, d *capture.Descriptor) {
	c.Call("dup3", fd, script.Int(d.N), script.Int(d.Flags&unix.O_CLOEXEC)).Says("%s", describe(d))
}

// put moves what was just opened, and is in c.work, to where it belongs.
func (c *compiler) put(d *capture.Descriptor) {
	c.Call("fcntl", c.work.Get(), script.Int(unix.F_DUPFD_CLOEXEC), c.last.Get()).To(c.tmp).Says("%s", describe(d))
	c.Call("close", c.work.Get())
	c.dup(c.tmp.Get(), d)
	c.Call("close", c.tmp.Get())
}

// number is how a descriptor is called where its path is said besides.
func number(d *capture.Descriptor) string {
	if d.Called != "" {
		return strings.TrimSuffix(d.Called, ", "+d.Link)
	}
	return fmt.Sprintf("descriptor %d", d.N)
}

func describe(d *capture.Descriptor) string {
	if d.Called != "" {
		return d.Called
	}
	return fmt.Sprintf("descriptor %d, %s", d.N, d.Link)
}

// refuseFD refuses a descriptor.
func (c *compiler) refuseFD(d *capture.Descriptor, why string) {
	n := strconv.Itoa(d.N)
	if c.tree != nil {
		n = c.tree.nameOf(c, d)
	}
	c.refuse(describe(d), why, "--fd "+n+"=inherit, null, close or a path")
}

const onlyWhenOpening = unix.O_CREAT | unix.O_EXCL | unix.O_TRUNC | unix.O_NOCTTY

// reopen opens a path.
func (c *compiler) reopen(d *capture.Descriptor, path string, flags int) {
	c.Call("open", c.Text(path), script.Int(flags&^onlyWhenOpening|unix.O_CLOEXEC|unix.O_NOCTTY), zero).To(c.work).Says("%s: open %s", number(d), path)
	c.put(d)
}

// open makes the open file of a descriptor.
func (c *compiler) open(d *capture.Descriptor, pipes map[uint64]*pipe) {
	if d.Flags&unix.O_PATH != 0 {
		c.pathOnly(d)
		return
	}
	switch d.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		c.regular(d)
	case unix.S_IFDIR:
		c.directoryFD(d)
	case unix.S_IFIFO:
		c.fifo(d, pipes)
	case unix.S_IFCHR:
		c.character(d)
	case unix.S_IFBLK:
		c.block(d)
	case unix.S_IFSOCK:
		c.socket(d)
	case 0:
		c.anonymous(d)
	default:
		c.refuseFD(d, "is not restored")
	}
}

func (c *compiler) regular(d *capture.Descriptor) {
	if d.FS == capture.MessageQueues {
		c.queue(d)
		return
	}
	if strings.HasPrefix(d.Link, secret) {
		c.refuseFD(d, "is secret memory (memfd_secret), which nobody else may read")
		return
	}
	if strings.HasPrefix(d.Link, "/memfd:") || d.Deleted() {
		c.unnamed(d)
		return
	}
	if strings.HasPrefix(d.Link, "/proc/"+strconv.Itoa(c.s.Outer)+"/") {
		c.refuseFD(d, "is of the process itself, which is another one then")
		return
	}
	if !c.nameIsFile(d) {
		return
	}
	c.reopen(d, d.Link, d.Flags)
	c.isKind(d, unix.S_IFREG, "a regular file")
	if d.Flags&unix.O_PATH == 0 {
		c.Call("lseek", script.Int(d.N), script.Int(uint64(d.Pos)), script.Int(unix.SEEK_SET)).Says("%s: position %d", describe(d), d.Pos)
	}
}

// nameIsFile makes sure that the path leads to the file now, at least.
func (c *compiler) nameIsFile(d *capture.Descriptor) bool {
	var st unix.Stat_t
	err := unix.Lstat(fmt.Sprintf("/proc/%d/root%s", c.s.Outer, d.Link), &st)
	switch {
	case err != nil && strings.HasSuffix(d.Link, " (deleted)"):
		c.refuseFD(d, fmt.Sprintf("its name is deleted, and which other ones it has (st_nlink %d) the kernel does not tell", d.Links))
		return false
	case err != nil:
		c.refuseFD(d, "its path leads nowhere: "+err.Error())
		return false
	}
	if st.Ino != d.Ino || uint64(st.Dev) != d.Dev {
		c.refuseFD(d, "its path leads to another file")
		return false
	}
	return true
}

// isKind checks what was opened.
func (c *compiler) isKind(d *capture.Descriptor, kind uint32, name string) {
	ok := c.Label()
	buf := c.Data(make([]byte, c.arch.stat.size), 8)
	c.Call("fstat", script.Int(d.N), script.Int(buf)).Says("%s", describe(d))
	c.Do(script.Bits4, script.Int(buf+c.arch.stat.mode), script.Int(kind)).Or(ok)
	c.Do(script.Fail).Says("%s: is not %s any more", describe(d), name)
	c.Place(ok)
}

// pathOnly opens a file that stands for its place only (O_PATH), of any kind.
func (c *compiler) pathOnly(d *capture.Descriptor) {
	if d.Deleted() {
		c.refuseFD(d, "is deleted")
		return
	}
	if !c.nameIsFile(d) {
		return
	}
	c.reopen(d, d.Link, d.Flags|unix.O_NOFOLLOW)
	c.isKind(d, d.Mode&unix.S_IFMT, "what it was")
}

// block opens the device of a disk.
func (c *compiler) block(d *capture.Descriptor) {
	if d.Deleted() || !c.nameIsFile(d) {
		if d.Deleted() {
			c.refuseFD(d, "is deleted")
		}
		return
	}
	c.reopen(d, d.Link, d.Flags)
	c.isKind(d, unix.S_IFBLK, "a block device")
	c.Call("lseek", script.Int(d.N), script.Int(uint64(d.Pos)), script.Int(unix.SEEK_SET)).Says("%s: position %d", describe(d), d.Pos)
}

func (c *compiler) directoryFD(d *capture.Descriptor) {
	if d.Deleted() || !c.nameIsFile(d) {
		if d.Deleted() {
			c.refuseFD(d, "is a directory that is deleted")
		}
		return
	}
	c.reopen(d, d.Link, d.Flags|unix.O_DIRECTORY)
	if d.Pos != 0 && d.Flags&unix.O_PATH == 0 {
		c.Call("lseek", script.Int(d.N), script.Int(uint64(d.Pos)), script.Int(unix.SEEK_SET)).Says("%s: position %d", describe(d), d.Pos)
	}
}

// unnamed makes a file without a name, with what was in it.
func (c *compiler) unnamed(d *capture.Descriptor) {
	if d.FS == unix.HUGETLBFS_MAGIC {
		c.refuseFD(d, "is of huge pages (hugetlbfs)")
		return
	}
	if d.Size > capture.MaxContent {
		c.refuseFD(d, fmt.Sprintf("has no name, and %d bytes are more than are kept (%d)", d.Size, capture.MaxContent))
		return
	}
	id := fileID{d.Dev, d.Ino}
	fd, ok := c.files[id]
	if !ok {
		fd = c.memfd(memfdName(d), uint64(d.Size), d.Seals)
		c.files[id] = fd
	}
	if c.filled == nil {
		c.filled = make(map[fileID]bool)
	}
	if !c.filled[id] {
		c.filled[id] = true
		c.contentsAt(id, c.next, uint64(len(d.Content)))
		c.send(fd.Get(), d.Content, describe(d))
		c.Call("fchmod", fd.Get(), script.Int(d.Mode&0o7777)).Says("%s: mode", describe(d))
		if seals := d.Seals &^ sealSeal; seals != 0 {
			c.Call("fcntl", fd.Get(), script.Int(unix.F_ADD_SEALS), script.Int(seals)).Says("%s: seals", describe(d))
		}
		if d.Seals&sealSeal != 0 {
			c.Call("fcntl", fd.Get(), script.Int(unix.F_ADD_SEALS), script.Int(sealSeal)).Says("%s: seals", describe(d))
		}
	}
	// Opened anew by its link, it has its own position and may be read-only.
	c.dup(fd.Get(), d)
	c.reopen(d, fmt.Sprintf("/proc/self/fd/%d", d.N), d.Flags&^(unix.O_NOFOLLOW|unix.O_TMPFILE))
	c.Call("lseek", script.Int(d.N), script.Int(uint64(d.Pos)), script.Int(unix.SEEK_SET)).Says("%s: position %d", describe(d), d.Pos)
}

// send writes bytes of the frozen file to a descriptor.
func (c *compiler) send(fd script.Arg, b []byte, what string) {
	if len(b) == 0 {
		return
	}
	off := c.Words(uint64(c.keep(b)))
	c.Call("sendfile", fd, c.exe.Get(), off, script.Int(len(b))).To(c.tmp).Says("%s: contents", what)
	ok := c.Label()
	c.Do(script.Equal, c.tmp.Get(), script.Int(len(b))).Or(ok)
	c.Do(script.Fail).Says("%s: not all of its contents could be restored", what)
	c.Place(ok)
}
