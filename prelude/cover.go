package prelude

import "golang.org/x/sys/unix"

// What is kept of a cover, in words.
const (
	coverPath   = iota
	coverDevice // two words on machines of 32 bits
	_
	coverWords
)

// look looks for a directory. If it is not there, the one above is covered by an
// overlay of itself and a tmpfs, and in that the directory is made, and what is
// wanted in it. Nothing is made in a file system of the host.
func (s *mounter) look(next Label) {
	missing, absent, cover, covered, made := s.Label(), s.Label(), s.Label(), s.Label(), s.Label()
	s.Set(s.what, s.Text("look for"))
	s.stepText(s.file, stepPath)
	s.Call("openat", s.r, missing, Int(atFdcwd), s.file.Get(), Int(path0))
	s.try("close", "close", s.r.Get())
	s.Jump(next)
	s.Place(missing)
	s.Equal(s.r.Get(), Int(-int64(unix.ENOENT)), absent)
	s.Jump(s.die)
	s.Place(absent)
	s.stepText(s.file, stepAbove)
	s.Equal(s.file.Get(), Int(0), s.rootless)
	s.try("open", "openat", Int(atFdcwd), s.file.Get(), Int(path0))
	s.Set(s.dir, s.r.Get())
	s.statx()
	s.ifCovered(covered)
	s.Place(cover)
	s.refuseMounts()
	s.overlay()
	s.keep()
	s.try("close", "close", s.dir.Get())
	s.stepText(s.table, stepTable)
	s.makeDirs()
	s.Jump(next)
	s.Place(covered)
	s.makeFirst(cover, made)
	s.Place(made)
	s.try("close", "close", s.dir.Get())
	s.stepText(s.table, stepTable)
	s.Add(s.table, s.table.Get(), Int(int64(s.m.WordSize())))
	s.makeDirs()
}

// makeFirst makes the first directory of the step's list in a cover, or jumps to
// make one more cover: in a directory that the overlay shows as it is on the host,
// a user who is not its owner may make nothing, not even with all capabilities.
func (s *mounter) makeFirst(cover, made Label) {
	denied := s.Label()
	s.Set(s.what, s.Text("make a directory in"))
	s.stepText(s.x, stepPath)
	s.Call("mkdirat", s.r, denied, Int(atFdcwd), s.x.Get(), Int(0o755))
	s.Jump(made)
	s.Place(denied)
	s.Equal(s.r.Get(), Int(-int64(unix.EACCES)), cover)
	s.Jump(s.die)
}

// statx looks at dir.
func (s *mounter) statx() {
	s.try("look at", "statx", s.dir.Get(), s.Text(""), Int(atEmpty), Int(statBasic), s.stat)
}

// devices are the columns of a cover that have its device, and where struct statx
// has them.
func (s *mounter) devices(do func(column, offset int)) {
	do(coverDevice, statxDev)
	if s.m.WordSize() == 4 {
		do(coverDevice+1, statxDev+4)
	}
}

// ifCovered jumps if dir lies in a cover that was made: all directories of an
// overlay have its device (ovl_getattr).
func (s *mounter) ifCovered(covered Label) {
	none, other := s.Label(), s.Label()
	s.Set(s.table, s.covers)
	again := s.Here()
	s.Equal(s.table.Get(), s.coversEnd.Get(), none)
	s.devices(func(column, offset int) {
		same := s.Label()
		s.Load(s.n, s.table.Get(), Int(int64(column*s.m.WordSize())))
		s.Load(s.x, s.stat, Int(int64(offset)))
		s.Equal(s.n.Get(), s.x.Get(), same)
		s.Jump(other)
		s.Place(same)
	})
	s.Jump(covered)
	s.Place(other)
	s.Add(s.table, s.table.Get(), Int(int64(coverWords*s.m.WordSize())))
	s.Jump(again)
	s.Place(none)
}

// keep notes the cover that was made, and opens it as dir.
func (s *mounter) keep() {
	s.try("open the cover of", "openat", Int(atFdcwd), s.file.Get(), Int(path0))
	s.Set(s.dir, s.r.Get())
	s.statx()
	s.Store(s.coversEnd.Get(), s.file.Get())
	s.devices(func(column, offset int) {
		s.Add(s.at, s.coversEnd.Get(), Int(int64(column*s.m.WordSize())))
		s.Load(s.x, s.stat, Int(int64(offset)))
		s.Store(s.at.Get(), s.x.Get())
	})
	s.Add(s.coversEnd, s.coversEnd.Get(), Int(int64(coverWords*s.m.WordSize())))
}

// closeCovers makes the covers read-only.
func (s *mounter) closeCovers() {
	done := s.Label()
	s.Set(s.table, s.covers)
	again := s.Here()
	s.Equal(s.table.Get(), s.coversEnd.Get(), done)
	s.Load(s.file, s.table.Get(), Int(0))
	s.try("make read-only the cover of", "mount", Int(0), s.file.Get(), Int(0), Int(readOnly), Int(0))
	s.Add(s.table, s.table.Get(), Int(int64(coverWords*s.m.WordSize())))
	s.Jump(again)
	s.Place(done)
	s.Set(s.file, Int(0))
}

// refuseMounts ends the program if there are mounts below dir: its overlay would
// not have them. (In a user namespace the kernel itself refuses since 5.14:
// clone_private_mount. Root it lets hide them.)
func (s *mounter) refuseMounts() {
	name := s.Buffer(unix.PathMax + 16)
	rest := name
	rest.value++
	s.begin(s.text)
	s.str(s.Text("/proc/self/fd/"))
	s.num(s.dir)
	s.begin(name)
	s.str(s.Text(" "))
	s.try("find the name of", "readlinkat", Int(atFdcwd), s.text, rest, Int(unix.PathMax))
	s.Add(s.at, rest, s.r.Get())
	s.str(s.Text("/"))
	s.Find(s.n, name, s.Text("//")) // it is / under another name
	root, odd := s.Label(), s.Label()
	s.Equal(s.n.Get(), Int(0), root)
	s.Jump(s.rootless)
	s.Place(root)
	// mountinfo writes these as octal numbers (show_mountinfo).
	s.Set(s.what, s.Text("mounts cannot be looked for, because of a blank or backslash, below"))
	s.Set(s.r, Int(-int64(unix.EINVAL)))
	for _, c := range []string{" ", "\t", "\n", `\`} {
		none := s.Label()
		s.Find(s.n, rest, s.Text(c))
		s.Equal(s.n.Get(), Int(0), none)
		s.Jump(s.die)
		s.Place(none)
	}
	s.readMountinfo()
	s.Set(s.what, s.Text("mounts would be hidden by a cover of"))
	s.Set(s.r, Int(-int64(unix.EBUSY)))
	s.Find(s.n, s.table.Get(), name)
	s.Equal(s.n.Get(), Int(0), odd)
	s.Jump(s.die)
	s.Place(odd)
	s.try("unmap a buffer", "munmap", s.table.Get(), Int(mountinfoSize))
}

// readMountinfo maps memory and reads /proc/self/mountinfo to it.
func (s *mounter) readMountinfo() {
	s.try("map a buffer", s.wide("mmap", "mmap2"), Int(0), Int(mountinfoSize), Int(unix.PROT_READ|unix.PROT_WRITE), Int(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS), Int(-1), Int(0))
	s.Set(s.table, s.r.Get())
	s.try("open /proc/self/mountinfo", "openat", Int(atFdcwd), s.Text("/proc/self/mountinfo"), Int(openFlags))
	s.Set(s.fd, s.r.Get())
	s.Set(s.at, s.table.Get())
	room, done := s.Label(), s.Label()
	again := s.Here()
	s.Sub(s.n, s.at.Get(), s.table.Get())
	s.Sub(s.n, Int(mountinfoSize-1), s.n.Get())
	s.Set(s.what, s.Text("too many mounts to look for those below"))
	s.Set(s.r, Int(-int64(unix.E2BIG)))
	s.Below(Int(0), s.n.Get(), room)
	s.Jump(s.die)
	s.Place(room)
	s.try("read /proc/self/mountinfo", "read", s.fd.Get(), s.at.Get(), s.n.Get())
	s.Equal(s.r.Get(), Int(0), done)
	s.Add(s.at, s.at.Get(), s.r.Get())
	s.Jump(again)
	s.Place(done)
	s.try("close /proc/self/mountinfo", "close", s.fd.Get())
}

// overlay mounts a tmpfs on the directory file, and on that an overlay of both.
// dir is what is covered, and is closed.
func (s *mounter) overlay() {
	user, mounted := s.Label(), s.Label()
	s.try("mount a tmpfs on", "mount", s.Text("tmpfs"), s.file.Get(), s.Text("tmpfs"), Int(quiet), s.Text("mode=0700"))
	s.try("open the tmpfs on", "openat", Int(atFdcwd), s.file.Get(), Int(path0))
	s.Set(s.tmp, s.r.Get())
	s.try("make a directory on", "mkdirat", s.tmp.Get(), s.Text("u"), Int(0o700))
	s.try("make a directory on", "mkdirat", s.tmp.Get(), s.Text("w"), Int(0o700))
	// The overlay's own directory has owner and mode of the upper one. Of these
	// fields the kernel takes the lower half of a word, as its types are narrower.
	s.Equal(s.userns.Get(), Int(1), user)
	s.Load(s.x, s.stat, Int(statxUID))
	s.Load(s.n, s.stat, Int(statxGID))
	s.try("set the owner of the cover of", "fchownat", s.tmp.Get(), s.Text("u"), s.x.Get(), s.n.Get(), Int(0))
	s.Place(user)
	s.Load(s.n, s.stat, Int(statxMode))
	s.try("set the mode of the cover of", "fchmodat", s.tmp.Get(), s.Text("u"), s.n.Get())
	s.begin(s.text)
	s.str(s.Text("lowerdir=/proc/self/fd/"))
	s.num(s.dir)
	s.str(s.Text(",upperdir=/proc/self/fd/"))
	s.num(s.tmp)
	s.str(s.Text("/u,workdir=/proc/self/fd/"))
	s.num(s.tmp)
	s.str(s.Text("/w"))
	s.Equal(s.userns.Get(), Int(0), mounted)
	s.str(s.Text(",userxattr")) // trusted.* is not for user namespaces
	s.Place(mounted)
	s.try("mount an overlay on", "mount", s.Text("overlay"), s.file.Get(), s.Text("overlay"), Int(quiet), s.text)
	s.try("close", "close", s.dir.Get())
	s.try("close", "close", s.tmp.Get())
}

// makeDirs makes the directories of a list.
func (s *mounter) makeDirs() {
	done := s.Label()
	again := s.Here()
	s.Load(s.file, s.table.Get(), Int(0))
	s.Equal(s.file.Get(), Int(0), done)
	s.Add(s.file, s.file.Get(), Base())
	s.try("make the directory", "mkdirat", Int(atFdcwd), s.file.Get(), Int(0o755))
	s.Add(s.table, s.table.Get(), Int(int64(s.m.WordSize())))
	s.Jump(again)
	s.Place(done)
}
