package freeze

import (
	"bytes"
	"debug/elf"

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

// library is a file that is mapped, as it is now.
type library struct {
	id       libraryID
	dev, ino uint64 // ino 0: there is no such file
}

// library looks at the file of a mapping. A library has several mappings; it is
// looked at once.
func (c *compiler) library(m *capture.Map) (libraryID, bool) {
	l, ok := c.libraries[m.Name]
	if !ok {
		l = libraryOf(m.Name)
		if c.libraries == nil {
			c.libraries = make(map[string]library)
		}
		c.libraries[m.Name] = l
	}
	return l.id, l.ino == m.Inode && l.dev == device(m.Dev)
}

func libraryOf(name string) (l library) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return l
	}
	l.dev, l.ino = uint64(st.Dev), st.Ino
	l.id.size, l.id.mtime = st.Size, st.Mtim
	l.id.buildID, l.id.at = buildID(name)
	return l
}

// buildID finds the build ID of a file, and where it is.
func buildID(name string) ([]byte, int64) {
	f, err := elffile.Open(name)
	if err != nil {
		return nil, 0
	}
	defer f.Close()
	id := bytes.Clone(f.BuildID())
	for i := range f.Progs {
		if f.Progs[i].Type != elf.PT_NOTE || id == nil {
			continue
		}
		b, _ := f.ProgData(i)
		if at := bytes.Index(b, id); at >= 0 {
			return id, int64(f.Progs[i].Off) + int64(at)
		}
	}
	return nil, 0
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
		buf := c.Data(make([]byte, c.arch.stat.size), 8)
		c.Call("fstat", c.work.Get(), script.Int(buf)).Or(other)
		want := c.Words(uint64(id.mtime.Sec), uint64(id.mtime.Nsec))
		c.Do(script.Same, script.Int(buf+c.arch.stat.mtime), want, script.Int(16)).Or(same)
	}
	c.Jump(other)
	c.Place(same)
	c.Call("close", c.work.Get())
}

// libraryMap maps the original file.
func (c *compiler) libraryMap(m *capture.Map) {
	c.Call("open", c.Text(m.Name), script.Int(unix.O_RDONLY|unix.O_CLOEXEC), zero).To(c.tmp).Says("library %s", m.Name)
	c.mmap(m, prot(m), unix.MAP_PRIVATE, c.tmp.Get(), m.Off)
	c.Call("close", c.tmp.Get())
}
