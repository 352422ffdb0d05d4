package prelude

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// tmpfsOptions make it large enough, whatever half of the memory is.
func tmpfsOptions(t *Tree) string {
	return fmt.Sprintf("mode=0755,size=%dk,nr_inodes=0", t.room())
}

// copy makes the tree of the step at hand on a tmpfs on its target.
func (s *mounter) copy(done Label) {
	c := &copier{mounter: s, next: s.Label(), finish: s.Label(), times: s.Label()}
	s.stepText(s.n, stepAbove)
	s.try("mount a tmpfs", "mount", s.Text("tmpfs"), s.target.Get(), s.Text("tmpfs"), Int(quiet), s.n.Get())
	s.try("open the tmpfs", "openat", Int(atFdcwd), s.target.Get(), Int(path0))
	s.Set(s.tmp, s.r.Get())
	s.stepText(s.table, stepTable)
	c.rows()
	s.Set(s.file, Int(0))
	s.try("close the tmpfs", "close", s.tmp.Get())
	s.try("make the tmpfs read-only", "mount", Int(0), s.target.Get(), Int(0), Int(readOnly), Int(0))
	s.Jump(done)
}

// A copier writes the loop over the rows of a table.
type copier struct {
	*mounter
	next, finish, times Label
}

// col loads a column of the row at hand.
func (c *copier) col(to Word, column int) {
	c.Load(to, c.table.Get(), Int(int64(column*c.m.WordSize())))
}

// textCol loads a column that is an offset in the script, as an address.
func (c *copier) textCol(to Word, column int) {
	c.col(to, column)
	c.Add(to, to.Get(), Base())
}

// rows goes through the table.
func (c *copier) rows() {
	end := c.Label()
	again := c.Here()
	c.col(c.action, colAction)
	c.Equal(c.action.Get(), Int(rowEnd), end)
	c.textCol(c.file, colPath)
	labels := make([]Label, rowFinish)
	for a := rowDir; a < rowFinish; a++ {
		labels[a] = c.Label()
		c.Equal(c.action.Get(), Int(int64(a)), labels[a])
	}
	c.Place(c.finish)
	c.attributes()
	c.Place(c.next)
	c.Add(c.table, c.table.Get(), Int(int64(columns*c.m.WordSize()+4*8)))
	c.Jump(again)

	c.Place(labels[rowDir])
	c.try("make the directory", "mkdirat", c.tmp.Get(), c.file.Get(), Int(0o700))
	c.Jump(c.next)
	c.content(labels[rowFile], labels[rowData])
	c.Place(labels[rowLink])
	c.textCol(c.n, colLink)
	c.try("make the symbolic link", "symlinkat", c.n.Get(), c.tmp.Get(), c.file.Get())
	c.Jump(c.finish)
	c.Place(labels[rowHardLink])
	c.textCol(c.n, colLink)
	c.try("make the hard link", "linkat", c.tmp.Get(), c.n.Get(), c.tmp.Get(), c.file.Get(), Int(0))
	c.Jump(c.next)
	c.Place(labels[rowNode])
	c.col(c.n, colMode)
	c.col(c.fd, colSize)
	c.try("make the special file", "mknodat", c.tmp.Get(), c.file.Get(), c.n.Get(), c.fd.Get())
	c.Jump(c.finish)
	c.Place(labels[rowXattr])
	c.xattr()
	c.Place(end)
}

// content makes a file and copies to it, or copies more to it.
func (c *copier) content(file, data Label) {
	copied := c.Label()
	c.Place(file)
	c.try("make the file", "openat", c.tmp.Get(), c.file.Get(), Int(newFile|int64(c.m.Linux.LargeFile)), Int(0o600))
	c.Set(c.fd, c.r.Get())
	c.Place(data)
	c.col(c.n, colLow)
	c.col(c.x, colHigh)
	c.seek("find")
	c.col(c.n, colSize)
	again := c.Here()
	c.Equal(c.n.Get(), Int(0), copied)
	c.try("copy", c.wide("sendfile", "sendfile64"), c.fd.Get(), c.exe.Get(), Int(0), c.n.Get())
	c.Sub(c.n, c.n.Get(), c.r.Get())
	short := c.Label()
	c.Equal(c.r.Get(), Int(0), short)
	c.Jump(again)
	c.Place(short)
	c.Set(c.what, c.Text("the executable ends before what belongs to"))
	c.Set(c.r, Int(-int64(unix.EIO)))
	c.Jump(c.die)
	c.Place(copied)
	c.col(c.n, colMore)
	c.Equal(c.n.Get(), Int(1), c.next)
	c.try("close", "close", c.fd.Get())
	c.Jump(c.finish)
}

// xattr sets an extended attribute, as far as the tmpfs has any.
func (c *copier) xattr() {
	failed := c.Label()
	c.Set(c.what, c.Text("set an extended attribute of"))
	c.textCol(c.n, colLink)
	c.textCol(c.at, colLow)
	c.col(c.fd, colSize)
	c.Call("lsetxattr", c.r, failed, c.file.Get(), c.n.Get(), c.at.Get(), c.fd.Get(), Int(0))
	c.Jump(c.next)
	c.Place(failed)
	// A tmpfs has none for users before Linux 6.6.
	c.Equal(c.r.Get(), Int(-int64(unix.EOPNOTSUPP)), c.next)
	c.Jump(c.die)
}

// attributes sets owner, mode and times.
func (c *copier) attributes() {
	user := c.Label()
	c.Equal(c.userns.Get(), Int(1), user) // which knows no other owner
	c.col(c.n, colUID)
	c.col(c.at, colGID)
	c.try("set the owner of", "fchownat", c.tmp.Get(), c.file.Get(), c.n.Get(), c.at.Get(), Int(noFollow))
	c.Place(user)
	c.Equal(c.action.Get(), Int(rowLink), c.times)
	c.col(c.n, colMode)
	c.try("set the mode of", "fchmodat", c.tmp.Get(), c.file.Get(), c.n.Get())
	c.Place(c.times)
	c.Add(c.n, c.table.Get(), Int(int64(columns*c.m.WordSize())))
	c.try("set the times of", c.wide("utimensat", "utimensat_time64"), c.tmp.Get(), c.file.Get(), c.n.Get(), Int(noFollow))
}
