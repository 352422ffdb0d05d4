package prelude

import "golang.org/x/sys/unix"

// search makes the directory of a tree's target, which openat did not find.
// Nothing is made in a file system of the host: the deepest directory above that
// is there is covered by an overlay of itself and a tmpfs.
func (s *mounter) search(i int, t *Tree) {
	absent, found := s.Label(), s.Label()
	s.Equal(s.r.Get(), Int(-int64(unix.ENOENT)), absent)
	s.Jump(s.die)
	s.Place(absent)
	for _, above := range ancestors(t.Target) {
		next, gone := s.Label(), s.Label()
		var list []Arg
		for _, p := range below(above, t.Target) {
			list = append(list, s.Text(p))
		}
		s.Set(s.list, s.Table(append(list, Int(0))...))
		s.Set(s.above, s.Text(above))
		s.Set(s.file, s.above.Get())
		s.Call("openat", s.r, next, Int(atFdcwd), s.above.Get(), Int(path0))
		s.Jump(found)
		s.Place(next)
		s.Equal(s.r.Get(), Int(-int64(unix.ENOENT)), gone)
		s.Jump(s.die)
		s.Place(gone)
	}
	s.Jump(s.rootless)
	s.Place(found)
	s.Set(s.dir, s.r.Get())
	s.cover(i)
}

// cover covers the directory above, which is open as dir, unless an earlier tree
// did, and makes the directories of the list in it.
func (s *mounter) cover(i int) {
	covered := s.Label()
	s.try("look at", "statx", s.dir.Get(), s.Text(""), Int(atEmpty), Int(statBasic), s.stat)
	s.devices(s.device)
	for _, c := range s.covers[:i] {
		s.ifCovered(c, covered)
	}
	s.refuseMounts()
	s.overlay()
	s.Set(s.covers[i].path, s.above.Get())
	s.try("open the cover of", "openat", Int(atFdcwd), s.above.Get(), Int(path0))
	s.Set(s.dir, s.r.Get())
	s.try("look at the cover of", "statx", s.dir.Get(), s.Text(""), Int(atEmpty), Int(statBasic), s.stat)
	s.devices(s.covers[i].device)
	s.Place(covered)
	s.try("close", "close", s.dir.Get())
	s.makeDirs()
}

// devices loads the device's number from the last statx: into one word, or two.
func (s *mounter) devices(to [2]Word) {
	s.Load(to[0], s.stat, Int(statxDev))
	if s.m.WordSize() == 4 {
		s.Load(to[1], s.stat, Int(statxDev+4))
	}
}

// ifCovered jumps if the directory at hand lies in a cover that was made: all
// directories of an overlay have its device (ovl_getattr).
func (s *mounter) ifCovered(c cover, covered Label) {
	same, other := s.Label(), s.Label()
	s.Equal(c.path.Get(), Int(0), other)
	s.Equal(s.device[0].Get(), c.device[0].Get(), same)
	s.Jump(other)
	s.Place(same)
	s.Equal(s.device[1].Get(), c.device[1].Get(), covered)
	s.Place(other)
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

// overlay mounts a tmpfs on the directory above, and on that an overlay of both.
// dir is what is covered, and is closed.
func (s *mounter) overlay() {
	user, mounted := s.Label(), s.Label()
	s.try("mount a tmpfs on", "mount", s.Text("tmpfs"), s.above.Get(), s.Text("tmpfs"), Int(quiet), s.Text("mode=0700"))
	s.try("open the tmpfs on", "openat", Int(atFdcwd), s.above.Get(), Int(path0))
	s.Set(s.tmp, s.r.Get())
	s.try("make a directory on", "mkdirat", s.tmp.Get(), s.Text("u"), Int(0o700))
	s.try("make a directory on", "mkdirat", s.tmp.Get(), s.Text("w"), Int(0o700))
	// The overlay's own directory has owner and mode of the upper one. Of these
	// fields the kernel takes the lower half of a word, as its types are narrower.
	s.Equal(s.userns.Get(), Int(1), user)
	s.Load(s.fd, s.stat, Int(statxUID))
	s.Load(s.n, s.stat, Int(statxGID))
	s.try("set the owner of the cover of", "fchownat", s.tmp.Get(), s.Text("u"), s.fd.Get(), s.n.Get(), Int(0))
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
	s.try("mount an overlay on", "mount", s.Text("overlay"), s.above.Get(), s.Text("overlay"), Int(quiet), s.text)
	s.try("close", "close", s.dir.Get())
	s.try("close", "close", s.tmp.Get())
}

// makeDirs makes the directories of the list.
func (s *mounter) makeDirs() {
	done := s.Label()
	again := s.Here()
	s.Load(s.file, s.list.Get(), Int(0))
	s.Equal(s.file.Get(), Int(0), done)
	s.Add(s.file, s.file.Get(), Base())
	s.try("make the directory", "mkdirat", Int(atFdcwd), s.file.Get(), Int(0o755))
	s.Add(s.list, s.list.Get(), Int(int64(s.m.WordSize())))
	s.Jump(again)
	s.Place(done)
}
