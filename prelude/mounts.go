package prelude

import (
	"golang.org/x/sys/unix"

	"elfwright/machine"
)

// failed is the exit status of a program whose script failed: what a shell and
// env(1) take for "could not be prepared".
const failed = 125

// Numbers that are the same on every machine here, in the kernel's headers.
const (
	atFdcwd   = unix.AT_FDCWD
	path0     = unix.O_PATH | unix.O_CLOEXEC
	atEmpty   = unix.AT_EMPTY_PATH
	noFollow  = unix.AT_SYMLINK_NOFOLLOW
	quiet     = unix.MS_NODEV | unix.MS_NOSUID
	readOnly  = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | quiet
	statBasic = unix.STATX_BASIC_STATS

	// Offsets in struct statx.
	statxSize = 256
	statxUID  = 0x14
	statxGID  = 0x18
	statxMode = 0x1c
	statxDev  = 0x88 // stx_dev_major, then stx_dev_minor, 32 bits each

	openFlags = unix.O_RDONLY | unix.O_CLOEXEC
	newFile   = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC

	// mountinfoSize is how much of /proc/self/mountinfo is looked at; a longer one
	// is a failure.
	mountinfoSize = 4 << 20
)

// Mounts makes the script of a program that mounts trees it carries when it is
// started, in a mount namespace of its own, so that nobody else sees them and
// nothing is left when the process ends. For each tree it
//
//   - mounts on the target if that is there; else covers the deepest directory
//     above it that is there by an overlay of it, and makes the rest in that. The
//     overlay is read-only in the end: what is written there would be lost. A
//     directory with mounts below it is not covered, since that would hide them;
//   - mounts the EROFS image in the executable, which needs Linux 6.16 and root, or
//     else copies the entries to a tmpfs, which is then made read-only.
//
// Without the right to make a mount namespace it makes a user namespace first, in
// which user and group keep their numbers, and gives up all capabilities in the
// end. All files of a copy belong to the user then. The root directory cannot be
// covered. A step that fails ends the program with a message and status 125.
//
// The length of a script does not depend on the offsets in the trees.
func Mounts(m *machine.Machine, trees []Tree) ([]byte, error) {
	return mounts(m, trees, part)
}

// mounts is Mounts with a size of the parts in which files are copied.
func mounts(m *machine.Machine, trees []Tree, part int64) ([]byte, error) {
	if err := checkTrees(trees); err != nil {
		return nil, err
	}
	b := NewBuilder(m)
	if b.err != nil {
		return nil, b.err
	}
	s := newMounter(b, len(trees))
	s.part = part
	s.Set(s.target, s.Text(trees[0].Target))
	s.open()
	s.namespaces()
	s.steps(trees)
	s.leave()
	b.End()
	s.ending()
	b.End() // never reached
	return b.Script()
}

// A mounter writes the parts of the script. It keeps in words of scratch memory
// what the parts tell each other.
type mounter struct {
	*Builder
	die, rootless Label
	part          int64

	target, what, file Word // texts for the message; file may be 0
	r                  Word // result of the last call
	at                 Word // end of a string that is being made
	exe, exePath       Word // the executable: descriptor, address of its path in /proc
	uid, gid, userns   Word // userns: 1 in a user namespace
	umask, cwd         Word
	fd, dir, tmp, n, x Word
	step, action       Word // the row of the steps at hand, and what it asks for
	table              Word // what else is gone through: mountinfo, entries, a list
	coversEnd          Word
	covers             Arg // for each cover that was made its path and device
	text, long         Arg // buffers
	cwdText, stat      Arg
}

func newMounter(b *Builder, trees int) *mounter {
	s := &mounter{Builder: b, die: b.Label(), rootless: b.Label()}
	for _, w := range []*Word{&s.target, &s.what, &s.file, &s.r, &s.at, &s.exe, &s.exePath, &s.uid, &s.gid, &s.userns, &s.umask, &s.cwd,
		&s.fd, &s.dir, &s.tmp, &s.n, &s.x, &s.step, &s.action, &s.table, &s.coversEnd} {
		*w = b.Word()
	}
	s.text = b.Buffer(256)
	s.long = b.Buffer(3*unix.PathMax + 256) // a message: target, file, words
	s.cwdText = b.Buffer(unix.PathMax)
	s.stat = b.Buffer(statxSize)
	s.covers = b.Buffer(trees * coverWords * b.m.WordSize())
	return s
}

// wide names a call that has another name where words have 32 bits.
func (s *mounter) wide(name, name32 string) string {
	if s.m.WordSize() == 4 {
		return name32
	}
	return name
}

// try is a system call whose failure ends the program, with these words.
func (s *mounter) try(what, name string, args ...Arg) {
	s.Set(s.what, s.Text(what))
	s.Call(name, s.r, s.die, args...)
}

// begin begins a string at an address; str and num add to it.
func (s *mounter) begin(at Arg) { s.Set(s.at, at) }

func (s *mounter) str(texts ...Arg) {
	for _, t := range texts {
		s.Copy(s.at, s.at.Get(), t)
	}
}

func (s *mounter) num(w Word) { s.Decimal(s.at, s.at.Get(), w.Get()) }

// open opens the executable and keeps what is changed meanwhile.
func (s *mounter) open() {
	exePath := s.Buffer(64)
	s.Call("umask", s.umask, 0, Int(0))
	s.Call("getcwd", s.cwd, 0, s.cwdText, Int(unix.PathMax))
	s.try("open /proc/self/exe", "openat", Int(atFdcwd), s.Text("/proc/self/exe"), Int(openFlags|int64(s.m.Linux.LargeFile)))
	s.Set(s.exe, s.r.Get())
	s.begin(exePath)
	s.str(s.Text("/proc/self/fd/"))
	s.num(s.exe)
	s.Set(s.exePath, exePath)
	s.same()
}

// same makes sure that the executable is the file that this script is from, laid
// out as it was: it is the dynamic linker if that was told to start the program,
// and a tool may have moved what is in the file.
func (s *mounter) same() {
	head, words := s.Buffer(scriptHead), 8/s.m.WordSize()
	s.Load(s.n, Base(), Int(offsetField))
	if words == 2 {
		s.Load(s.x, Base(), Int(offsetField+4))
	}
	s.seek("look into /proc/self/exe")
	s.try("read /proc/self/exe", "read", s.exe.Get(), head, Int(scriptHead))
	s.Set(s.what, s.Text("/proc/self/exe is not, or not any more, the file that this program was put into"))
	s.Set(s.r, Int(-int64(unix.ENOEXEC)))
	for i := range words {
		equal, off := s.Label(), Int(int64(sumField+i*s.m.WordSize()))
		s.Load(s.n, Base(), off)
		s.Load(s.x, head, off)
		s.Equal(s.n.Get(), s.x.Get(), equal)
		s.Jump(s.die)
		s.Place(equal)
	}
}

// seek goes to an offset in the executable: n is its low word, x the high one where
// words have 32 bits.
func (s *mounter) seek(what string) {
	if s.m.WordSize() == 8 {
		s.try(what, "lseek", s.exe.Get(), s.n.Get(), Int(unix.SEEK_SET))
		return
	}
	s.try(what, "_llseek", s.exe.Get(), s.x.Get(), s.n.Get(), s.text, Int(unix.SEEK_SET))
}

// namespaces makes a mount namespace, and a user namespace if there is no other way.
func (s *mounter) namespaces() {
	denied, user, done := s.Label(), s.Label(), s.Label()
	s.Call(s.wide("geteuid", "geteuid32"), s.uid, 0)
	s.Call(s.wide("getegid", "getegid32"), s.gid, 0)
	s.Set(s.what, s.Text("make a mount namespace"))
	s.Call("unshare", s.r, denied, Int(unix.CLONE_NEWNS))
	s.Jump(done)
	s.Place(denied)
	s.Equal(s.r.Get(), Int(-int64(unix.EPERM)), user)
	s.Jump(s.die)
	s.Place(user)
	s.try("make a user namespace", "unshare", Int(unix.CLONE_NEWUSER|unix.CLONE_NEWNS))
	s.Set(s.userns, Int(1))
	s.begin(s.text)
	s.str(s.Text("deny"))
	s.write("/proc/self/setgroups")
	s.writeMap("/proc/self/uid_map", s.uid)
	s.writeMap("/proc/self/gid_map", s.gid)
	s.Place(done)
	// A slave: what the host unmounts goes here, too, and is not kept busy.
	s.try("take / from its peers", "mount", Int(0), s.Text("/"), Int(0), Int(unix.MS_REC|unix.MS_SLAVE), Int(0))
}

// write writes the string that was made in s.text to a file.
func (s *mounter) write(name string) {
	s.try("open "+name, "openat", Int(atFdcwd), s.Text(name), Int(unix.O_WRONLY|unix.O_CLOEXEC))
	s.Set(s.fd, s.r.Get())
	s.Sub(s.n, s.at.Get(), s.text)
	s.try("write to "+name, "write", s.fd.Get(), s.text, s.n.Get())
	s.try("close "+name, "close", s.fd.Get())
}

// writeMap gives a user or group its own number.
func (s *mounter) writeMap(name string, id Word) {
	s.begin(s.text)
	s.num(id)
	s.str(s.Text(" "))
	s.num(id)
	s.str(s.Text(" 1"))
	s.write(name)
}

// leave puts back what was changed.
func (s *mounter) leave() {
	s.closeCovers()
	// The directory may have been covered, and its path leads to what covers it. One
	// that has no path or may not be entered by it stays what it is.
	s.Call("chdir", s.r, 0, s.cwdText)
	s.try("close /proc/self/exe", "close", s.exe.Get())
	root := s.Label()
	s.Equal(s.userns.Get(), Int(0), root)
	// struct __user_cap_header_struct, version 3, this thread; no capability.
	s.try("clear the ambient capabilities", "prctl", Int(unix.PR_CAP_AMBIENT), Int(unix.PR_CAP_AMBIENT_CLEAR_ALL))
	s.try("give up capabilities", "capset", s.Bytes([]byte{0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0}), s.Bytes(make([]byte, 24)))
	s.Place(root)
	s.Call("umask", s.r, 0, s.umask.Get())
}

// ending prints the message and ends the program.
func (s *mounter) ending() {
	write, nameless := s.Label(), s.Label()
	s.Place(s.rootless)
	s.begin(s.long)
	s.str(s.Text("elfwright: "), s.target.Get(), s.Text(" does not exist and / cannot be covered: make it, or start the program with 'elfwright mount --run'\n"))
	s.Jump(write)
	s.Place(s.die)
	s.Sub(s.r, Int(0), s.r.Get())
	s.begin(s.long)
	s.str(s.Text("elfwright: "), s.target.Get(), s.Text(": "), s.what.Get())
	s.Equal(s.file.Get(), Int(0), nameless)
	s.str(s.Text(" "), s.file.Get())
	s.Place(nameless)
	s.str(s.Text(": errno "))
	s.num(s.r)
	s.str(s.Text("\n"))
	s.Place(write)
	s.Sub(s.n, s.at.Get(), s.long)
	s.Call("write", s.r, 0, Int(2), s.long, s.n.Get())
	s.Call("exit_group", s.r, 0, Int(failed))
}
