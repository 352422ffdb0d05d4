package freeze

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/freeze/capture"
	"elfwright/freeze/script"
	"elfwright/image"
	"elfwright/plan"
)

// mappings makes each mapping again, by ascending address, one for one: the
// process may move or unmap them by what it knows of them.
func (c *compiler) mappings() {
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if m.Kernel() {
			continue
		}
		switch {
		case m.SysV():
			c.attach(m)
		case m.Anonymous():
			c.sharedMap(m)
		case m.Shared && m.File():
			c.fileMap(m)
		case c.original(m):
			c.libraryMap(m)
		case c.fromFile(m):
			c.embeddedMap(m)
		default:
			c.anonymousMap(m)
		}
		c.advise(m)
	}
	c.adviceLacks()
}

// mmap adds the call for a mapping.
func (c *compiler) mmap(m *capture.Map, prot, flags uint64, fd script.Arg, off uint64) {
	if m.Has("nr") {
		flags |= unix.MAP_NORESERVE
	}
	if m.Has("gd") {
		flags |= unix.MAP_GROWSDOWN
	}
	if m.Has("dp") {
		flags = flags&^unix.MAP_PRIVATE | 0x8 // MAP_DROPPABLE, Linux 6.11
	}
	c.Call("mmap", script.Int(uint64(m.Start)), script.Int(m.Size), script.Int(prot), script.Int(flags|unix.MAP_FIXED), fd, script.Int(off)).
		Says("map %v %s", m.Range, m.Name)
}

// fromFile says whether a mapping is made of the frozen file itself: it was one of a
// file before, or the user does not mind (Lazy). Pages that the process gives back
// (MADV_DONTNEED) are then what they were when it was frozen; of its own file they
// would be what the file has, which is the same but for those that were written.
func (c *compiler) fromFile(m *capture.Map) bool {
	if m.Has("gd") || len(m.Runs) == 0 {
		return false
	}
	return m.File() || c.opt.Lazy
}

func (c *compiler) embeddedMap(m *capture.Map) {
	c.mmap(m, prot(m), unix.MAP_PRIVATE, c.exe.Get(), uint64(c.storeOnce(m)))
}

// prot is the protection of a mapping: on AArch64 branches into it may be guarded.
func prot(m *capture.Map) uint64 {
	const guarded = 0x10 // PROT_BTI
	p := plan.MmapProt(m.Prot)
	if m.Has("bt") {
		p |= guarded
	}
	return p
}

// storeOnce stores a mapping. Pages of a file that nobody has changed are the same
// in each process of a tree.
func (c *compiler) storeOnce(m *capture.Map) int64 {
	if c.tree == nil || m.Touched || !m.File() {
		return c.store(m.Range)
	}
	key := onceKey{fileID{device(m.Dev), m.Inode}, m.Off, m.Size}
	at, ok := c.once[key]
	if ok {
		c.blobs = append(c.blobs, blob{m.Range, at, true})
	} else {
		at = c.store(m.Range)
		c.once[key] = at
	}
	return at
}

const readable = unix.PROT_READ | unix.PROT_WRITE

func (c *compiler) anonymousMap(m *capture.Map) {
	p := prot(m)
	if len(m.Runs) == 0 {
		c.mmap(m, p, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, anyFile, 0)
		return
	}
	flags := uint64(unix.MAP_PRIVATE | unix.MAP_ANONYMOUS)
	if full(m) {
		flags |= unix.MAP_POPULATE
	}
	c.mmap(m, readable, flags, anyFile, 0)
	c.fill(m)
	c.protect(m, p)
}

// full says whether nearly all of a mapping has contents: it gets its pages at once
// then, which is quicker than a fault for each.
func full(m *capture.Map) bool {
	stored := uint64(0)
	for _, r := range m.Runs {
		stored += r.Size
	}
	return stored >= m.Size-m.Size/16
}

// fill reads what the mapping has.
func (c *compiler) fill(m *capture.Map) {
	for _, r := range m.Runs {
		off := c.store(r)
		const most = 1 << 30 // a read does no more than 2 GiB at once
		for at := uint64(0); at < r.Size; at += most {
			n := min(r.Size-at, most)
			c.Call("pread64", c.exe.Get(), script.Int(uint64(r.Start)+at), script.Int(n), script.Int(uint64(off)+at)).
				Exact().Says("read %v", image.Range{Start: r.Start + image.Addr(at), Size: n})
		}
	}
}

func (c *compiler) protect(m *capture.Map, p uint64) {
	if p != readable {
		c.Call("mprotect", script.Int(uint64(m.Start)), script.Int(m.Size), script.Int(p)).Says("protect %v", m.Range)
	}
}

// fileMap maps a file that is shared: what is in it is in it.
func (c *compiler) fileMap(m *capture.Map) {
	flags := uint64(unix.O_RDONLY)
	if m.Has("mw") {
		flags = unix.O_RDWR
	}
	c.Call("open", c.Text(m.Name), script.Int(flags|unix.O_CLOEXEC), zero).To(c.tmp).Says("open %s, which is mapped at %v", m.Name, m.Range)
	c.mmap(m, prot(m), unix.MAP_SHARED, c.tmp.Get(), m.Off)
	c.Call("close", c.tmp.Get())
}

// sharedFiles makes a memfd for each piece of memory that several mappings, or a
// descriptor, share.
func (c *compiler) sharedFiles() {
	for i := range c.s.Maps {
		m := &c.s.Maps[i]
		if !m.Anonymous() {
			continue
		}
		id := fileID{device(m.Dev), m.Inode}
		if _, ok := c.files[id]; ok {
			continue // or it is that of several processes
		}
		size := uint64(0)
		for j := range c.s.Maps {
			if o := &c.s.Maps[j]; o.Anonymous() && o.Inode == m.Inode && o.Dev == m.Dev {
				size = max(size, o.Off+o.Size)
			}
		}
		d := c.descriptorOf(id)
		name := "shared"
		seals := 0
		if d != nil {
			size = uint64(d.Size)
			name, seals = memfdName(d), d.Seals
		}
		c.files[id] = c.memfd(name, size, seals)
	}
}

func memfdName(d *capture.Descriptor) string {
	name := strings.TrimSuffix(d.Link, " (deleted)")
	if n, ok := strings.CutPrefix(name, "/memfd:"); ok {
		return n
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	return name[:min(len(name), 200)]
}

// device makes of "fe:00" what st_dev is.
func device(s string) uint64 {
	var major, minor uint32
	fmt.Sscanf(s, "%x:%x", &major, &minor)
	return unix.Mkdev(major, minor)
}

const (
	mfdCloexec = 1
	mfdSealing = 2
	sealSeal   = 1 // F_SEAL_SEAL: no seals can be added, as for one made without MFD_ALLOW_SEALING
)

// memfd makes a file without a name, which is ours until it is closed with the
// others.
func (c *compiler) memfd(name string, size uint64, seals int) script.Slot {
	flags := uint64(mfdCloexec | mfdSealing)
	c.Call("memfd_create", c.Text(name), script.Int(flags)).To(c.work).Says("memfd_create %s", name)
	s := c.own(c.work.Get(), "memfd "+name)
	c.Call("close", c.work.Get())
	c.Call("ftruncate", s.Get(), script.Int(size)).Says("memfd %s of %#x bytes", name, size)
	return s
}

func (c *compiler) descriptorOf(id fileID) *capture.Descriptor {
	for i := range c.s.Descriptors {
		if d := &c.s.Descriptors[i]; d.Dev == id.dev && d.Ino == id.ino && d.Mode&unix.S_IFMT == unix.S_IFREG {
			return d
		}
	}
	return nil
}

// sharedMap maps memory that is shared by nobody outside. Where a descriptor has
// it, too, its contents come from there.
func (c *compiler) sharedMap(m *capture.Map) {
	id := fileID{device(m.Dev), m.Inode}
	fd := c.files[id]
	if c.descriptorOf(id) != nil || len(m.Runs) == 0 || c.tree != nil && c.tree.memory[id] != nil {
		c.mmap(m, prot(m), unix.MAP_SHARED, fd.Get(), m.Off)
		return
	}
	c.mmap(m, readable, unix.MAP_SHARED, fd.Get(), m.Off)
	c.fill(m)
	c.protect(m, prot(m))
}

// bounds gives the kernel the bounds of code, data, heap, stack, arguments and
// environment, and the auxiliary vector.
func (c *compiler) bounds() {
	st := &c.s.Stat
	m := make([]byte, 0, mmMapSize)
	auxv := c.Data(c.s.Auxv, 16)
	for _, v := range []uint64{
		uint64(st.StartCode), uint64(st.EndCode), uint64(st.StartData), uint64(st.EndData), uint64(st.StartBrk), c.s.Brk, uint64(st.StartStack),
		uint64(st.ArgStart), uint64(st.ArgEnd), uint64(st.EnvStart), uint64(st.EnvEnd), auxv,
	} {
		m = binary.LittleEndian.AppendUint64(m, v)
	}
	m = binary.LittleEndian.AppendUint32(m, uint32(len(c.s.Auxv)))
	m = binary.LittleEndian.AppendUint32(m, ^uint32(0)) // exe_fd: with one a privilege would be needed
	c.Call("prctl", script.Int(prSetMM), script.Int(prSetMMMap), script.Int(c.Data(m, 16)), script.Int(len(m))).Says("bounds of the memory (PR_SET_MM_MAP)")
}
