package freeze

import (
	"os"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/script"
)

// original says whether a mapping stays one of its original file: that was asked
// for, no page of it was written, and the file is still the one that is mapped.
func (c *compiler) original(m *capture.Map) bool {
	if c.opt.Libs != Ref || !m.File() || m.Shared || m.Touched || m.Deleted {
		return false
	}
	_, ok := c.library(m)
	return ok
}

// libraryID tells a file from another of the same name: its size, and what is at
// the place of its build ID, or its time of modification.
type libraryID struct {
	size    int64
	mtime   unix.Timespec
	buildID []byte
	at      int64
}

// library looks at the file of a mapping.
func (c *compiler) library(m *capture.Map) (libraryID, bool) {
	var id libraryID
	var st unix.Stat_t
	if err := unix.Stat(m.Name, &st); err != nil || st.Ino != m.Inode || uint64(st.Dev) != device(m.Dev) {
		return id, false
	}
	id.size, id.mtime = st.Size, st.Mtim
	id.buildID, id.at = buildID(m.Name)
	return id, true
}

// buildID finds the build ID of a file, and where it is.
func buildID(name string) ([]byte, int64) {
	f, err := elffile.Open(name)
	if err != nil {
		return nil, 0
	}
	defer f.Close()
	for i := range f.Progs {
		notes, err := f.ProgNotes(i)
		if err != nil {
			continue
		}
		for _, n := range notes {
			const ntGNUBuildID = 3
			if n.Type == ntGNUBuildID && n.Name == "GNU" {
				b, err := os.ReadFile(name)
				if err != nil {
					return nil, 0
				}
				if at := indexOf(b, n.Desc, int(f.Progs[i].Off), int(f.Progs[i].Filesz)); at >= 0 {
					return append([]byte(nil), n.Desc...), int64(at)
				}
			}
		}
	}
	return nil, 0
}

func indexOf(b, what []byte, from, n int) int {
	if from > len(b) || n > len(b)-from {
		return -1
	}
	for i := from; i+len(what) <= from+n; i++ {
		if string(b[i:i+len(what)]) == string(what) {
			return i
		}
	}
	return -1
}

// checkFiles makes sure, before anything is undone, that files which stay where
// they are, are what they were.
func (c *compiler) checkFiles() {
	seen := make(map[string]bool)
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if !c.original(m) || seen[m.Name] {
			continue
		}
		seen[m.Name] = true
		id, _ := c.library(m)
		c.checkFile(m.Name, id)
	}
}

func (c *compiler) checkFile(name string, id libraryID) {
	same, other := c.Label(), c.Label()
	const seekEnd = 2
	c.Call("open", c.Text(name), script.Int(unix.O_RDONLY|unix.O_CLOEXEC), zero).To(c.work).Says("library %s", name)
	c.Call("lseek", c.work.Get(), zero, script.Int(seekEnd)).To(c.tmp).Or(other)
	sized := c.Label()
	c.Do(script.Equal, c.tmp.Get(), script.Int(id.size)).Or(sized)
	c.Place(other)
	c.Do(script.Fail).Says("library %s: is not the one that the process was frozen with", name)
	c.Place(sized)
	if id.buildID != nil {
		buf := script.Int(c.Data(make([]byte, len(id.buildID)), 8))
		c.Call("pread64", c.work.Get(), buf, script.Int(len(id.buildID)), script.Int(id.at)).Exact().Or(other)
		c.Do(script.Same, buf, script.Int(c.Data(id.buildID, 8)), script.Int(len(id.buildID))).Or(same)
	} else {
		buf := c.Data(make([]byte, statSize), 8)
		c.Call("fstat", c.work.Get(), script.Int(buf)).Or(other)
		want := c.Words(uint64(id.mtime.Sec), uint64(id.mtime.Nsec))
		c.Do(script.Same, script.Int(buf+statMtime), want, script.Int(16)).Or(same)
	}
	c.Jump(other)
	c.Place(same)
	c.Call("close", c.work.Get())
}

// struct stat of x86-64.
const (
	statSize  = 144
	statMode  = 24
	statMtime = 88
)

// libraryMap maps the original file.
func (c *compiler) libraryMap(m *capture.Map) {
	c.Call("open", c.Text(m.Name), script.Int(unix.O_RDONLY|unix.O_CLOEXEC), zero).To(c.tmp).Says("library %s", m.Name)
	c.mmap(m, prot(m.Prot), unix.MAP_PRIVATE, c.tmp.Get(), m.Off)
	c.Call("close", c.tmp.Get())
}
