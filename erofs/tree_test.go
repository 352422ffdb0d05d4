package erofs

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"

	"golang.org/x/sys/unix"
)

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isRoot() bool { return os.Geteuid() == 0 }

// oddTree makes a tree of all that a file system can have. The order in which
// files are made is that of seed; what they are is not.
func oddTree(t testing.TB, seed int64) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tree")
	must(t, os.Mkdir(root, 0o755))
	at := func(name string) string { return filepath.Join(root, name) }
	steps := append(regulars(t, at), links(t, at)...)
	steps = append(steps, specials(t, at)...)
	for _, dir := range []string{"d", "d/many", "d/empty", "d/deep/er/and/deeper", "!first", "d/sticky", "links"} {
		must(t, os.MkdirAll(at(dir), 0o755))
	}
	rand.New(rand.NewSource(seed)).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	for _, step := range steps {
		step()
	}
	hardLinks(t, at)
	attributes(t, at)
	return root
}

func random(seed int64, n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(seed)).Read(b)
	return b
}

func regulars(t testing.TB, at func(string) string) (steps []func()) {
	for i, size := range []int{0, 1, 4095, 4096, 4097, 70_000, 3 << 20} {
		steps = append(steps, func() {
			must(t, os.WriteFile(at(fmt.Sprintf("d/f%d", size)), random(int64(i), size), 0o644))
		})
	}
	for i := range 300 {
		steps = append(steps, func() {
			name := fmt.Sprintf("d/many/%s%d", strings.Repeat("n", i%200), i)
			must(t, os.WriteFile(at(name), random(int64(i), i%40), 0o600))
		})
	}
	for _, name := range []string{"d/!before the dots", "d/\xff\xfe not utf-8", "d/new\nline", "d/-n", "d/" + strings.Repeat("x", 255), "!first/.hidden"} {
		steps = append(steps, func() { must(t, os.WriteFile(at(name), []byte(name), 0o644)) })
	}
	return append(steps, func() {
		f, err := os.Create(at("d/holes"))
		must(t, err)
		defer f.Close()
		_, err = f.WriteAt([]byte("in the middle"), 1<<20)
		must(t, err)
		must(t, f.Truncate(3<<20))
	})
}

func links(t testing.TB, at func(string) string) (steps []func()) {
	for name, target := range map[string]string{
		"links/short": "../d/f1", "links/dir": "../d", "links/absolute": "/d/f4097", "links/dangling": "nowhere",
		"links/self": "self", "links/long": strings.Repeat("./", 2000) + "end", "links/out": "../../../../etc/passwd",
	} {
		steps = append(steps, func() { must(t, os.Symlink(target, at(name))) })
	}
	return steps
}

func specials(t testing.TB, at func(string) string) (steps []func()) {
	steps = append(steps,
		func() { must(t, unix.Mkfifo(at("d/fifo"), 0o640)) },
		func() { must(t, unix.Mknod(at("d/socket"), unix.S_IFSOCK|0o755, 0)) })
	if isRoot() {
		steps = append(steps,
			func() { must(t, unix.Mknod(at("d/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))) },
			func() { must(t, unix.Mknod(at("d/disk"), unix.S_IFBLK|0o600, int(unix.Mkdev(4095, 0xfffff)))) })
	}
	return steps
}

func hardLinks(t testing.TB, at func(string) string) {
	for _, l := range [][2]string{{"d/f70000", "!first/other"}, {"d/f70000", "d/deep/er/third"}, {"links/short", "links/z"}, {"d/fifo", "d/fifo2"}, {"d/f0", "d/f0 too"}} {
		must(t, os.Link(at(l[0]), at(l[1])))
	}
}

// acl is a POSIX ACL as Linux has it in an attribute (posix_acl_xattr.h): the
// owner, user 7, the group, the mask, others.
func acl() []byte {
	b := le.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{1, 7, noBlock}, {2, 5, 7}, {4, 5, noBlock}, {16, 7, noBlock}, {32, 4, noBlock}} {
		b = le.AppendUint16(le.AppendUint16(b, uint16(e[0])), uint16(e[1]))
		b = le.AppendUint32(b, e[2])
	}
	return b
}

func setXattr(t testing.TB, path, name string, value []byte) {
	t.Helper()
	if err := unix.Lsetxattr(path, name, value, 0); err == unix.ENOTSUP {
		t.Logf("%s: this file system has no %s", path, name)
	} else if err != nil {
		t.Fatalf("lsetxattr %s of %s: %v", name, path, err)
	}
}

func attributes(t testing.TB, at func(string) string) {
	setXattr(t, at("d/f1"), "user.one", []byte("1"))
	setXattr(t, at("d/f1"), "user.empty", nil)
	setXattr(t, at("d/f4096"), "user.large", random(1, 3000))
	setXattr(t, at("d/empty"), "user.dir", []byte("of an empty directory"))
	setXattr(t, at("d/many"), "user.one", []byte("1"))
	setXattr(t, at("d/f4097"), "system.posix_acl_access", acl())
	setXattr(t, at("d/empty"), "system.posix_acl_default", acl())
	if isRoot() {
		// VFS_CAP_REVISION_2, effective; CAP_NET_RAW permitted.
		capability := binary.LittleEndian.AppendUint32(nil, 0x02000001)
		capability = append(capability, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		must(t, os.Chown(at("d/f4095"), 0x12345678, 4_000_000_000))
		must(t, os.Lchown(at("links/dangling"), 1000, 70_000))
		must(t, os.Chown(at("d/null"), 5, 6))
		setXattr(t, at("d/f4095"), "security.capability", capability)
		setXattr(t, at("d"), "trusted.overlay.opaque", []byte("y"))
		setXattr(t, at("links/dangling"), "trusted.link", []byte("a link's"))
		setXattr(t, at("links/long"), "trusted.link", random(2, 200))
		setXattr(t, at("d/fifo"), "trusted.pipe", []byte("a pipe's"))
	}
	for name, mode := range map[string]uint32{"d/f1": 0o4755, "d/f4096": 0o2711, "d/sticky": 0o1777, "d/many": 0o2750, "d/f70000": 0o400, "d/f4095": 0o6711} {
		must(t, unix.Chmod(at(name), mode))
	}
	setTimes(t, at(""))
	for name, ts := range map[string]unix.Timespec{"d/f0": {Sec: -1234567, Nsec: 999_999_999}, "d/f1": {Sec: 1<<33 + 5, Nsec: 1}, "links/dangling": {Sec: 77, Nsec: 88}} {
		must(t, unix.UtimesNanoAt(unix.AT_FDCWD, at(name), []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
	}
}

// setTimes gives every file a time that depends on its name alone.
func setTimes(t testing.TB, root string) {
	must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		ts := unix.Timespec{Sec: 1_600_000_000 + int64(len(path)-len(root)), Nsec: 123_456_789}
		return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
	}))
}

// facts are all that is known of the files of a tree, a line for each path.
type facts map[string]string

type fact struct {
	mode, uid, gid, nlink, rdev uint32
	size                        int64
	sec                         int64
	nsec                        int
	xattrs                      map[string][]byte
	contents                    string // a sum, or a link's target
	first                       string // path of the file with the same inode
}

// String leaves out what is no part of a tree: the size and the links of a
// directory are the file system's.
func (f fact) String() string {
	s := fmt.Sprintf("mode %o owner %d:%d time %d.%09d", f.mode, f.uid, f.gid, f.sec, f.nsec)
	if f.mode&unix.S_IFMT != unix.S_IFDIR {
		s += fmt.Sprintf(" links %d rdev %x size %d is %s: %s", f.nlink, f.rdev, f.size, f.first, f.contents)
	}
	for _, name := range slices.Sorted(maps.Keys(f.xattrs)) {
		s += fmt.Sprintf("\n\t%s=%x", name, f.xattrs[name])
	}
	return s
}

// factsOf looks at a tree with system calls.
func factsOf(t testing.TB, root string) facts {
	t.Helper()
	all, seen := make(facts), make(map[uint64]string)
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := "." + strings.TrimPrefix(path, root)
		var st unix.Stat_t
		must(t, unix.Lstat(path, &st))
		f := fact{mode: st.Mode, uid: st.Uid, gid: st.Gid, nlink: uint32(st.Nlink), rdev: uint32(st.Rdev), size: st.Size}
		sec, nsec := st.Mtim.Unix()
		f.sec, f.nsec = sec, int(nsec)
		names, err := listXattrs(path)
		must(t, err)
		f.xattrs = make(map[string][]byte)
		for _, name := range names {
			f.xattrs[name], err = getXattr(path, name)
			must(t, err)
		}
		switch d.Type() {
		case 0:
			b, err := os.ReadFile(path)
			must(t, err)
			f.contents = fmt.Sprintf("%x", sha256.Sum256(b))
		case fs.ModeSymlink:
			f.contents, err = os.Readlink(path)
			must(t, err)
		}
		f.first = firstOf(seen, st.Ino, rel)
		all[rel] = f.String()
		return nil
	}))
	return all
}

func firstOf(seen map[uint64]string, ino uint64, path string) string {
	if seen[ino] == "" {
		seen[ino] = path
	}
	return seen[ino]
}

// factsIn looks at a tree with Open.
func factsIn(t testing.TB, img *FS) facts {
	t.Helper()
	all, seen := make(facts), make(map[uint64]string)
	must(t, fs.WalkDir(img, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := "./" + path
		if path == "." {
			rel = "."
		}
		i, err := d.Info()
		must(t, err)
		a := i.Sys().(*Attr)
		f := fact{mode: a.Mode, uid: a.UID, gid: a.GID, nlink: a.Nlink, rdev: a.Rdev, size: i.Size(),
			sec: i.ModTime().Unix(), nsec: i.ModTime().Nanosecond(), xattrs: a.Xattrs, first: firstOf(seen, a.Ino, rel)}
		switch d.Type() {
		case 0:
			b, err := img.ReadFile(path)
			must(t, err)
			f.contents = fmt.Sprintf("%x", sha256.Sum256(b))
		case fs.ModeSymlink:
			f.contents, err = img.ReadLink(path)
			must(t, err)
		default:
			f.size = statSize(d, f.size)
		}
		all[rel] = f.String()
		return nil
	}))
	return all
}

// statSize is 0 for what has no contents.
func statSize(d fs.DirEntry, size int64) int64 {
	if d.IsDir() {
		return size
	}
	return 0
}

// same compares two trees.
func same(t testing.TB, what string, got, want facts) {
	t.Helper()
	bad := 0
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			if bad++; bad <= 5 {
				t.Errorf("%s: %q is\n%s\nnot\n%s", what, path, got[path], want[path])
			}
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s: %q is new: %s", what, path, got[path])
		}
	}
	if bad > 5 {
		t.Errorf("%s: and %d more", what, bad-5)
	}
}

// write builds an image and writes it to a file.
func write(t testing.TB, dir string, opt Options) (path string, img *Image) {
	t.Helper()
	img, err := Build(dir, opt)
	must(t, err)
	t.Cleanup(func() { img.Close() })
	path = filepath.Join(t.TempDir(), "image")
	must(t, elffile.NewBody(img.Data).WriteFile(path, 0o644))
	return path, img
}

// open reads an image from a file.
func open(t testing.TB, path string) *FS {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	must(t, err)
	img, err := Open(f, st.Size())
	must(t, err)
	return img
}

// run runs a tool and returns what it prints.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	samples.Need(t, name)
	out, err := command(name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// readAll reads Data through.
func readAll(t testing.TB, d elffile.Data) []byte {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(d, 0, d.Size()))
	must(t, err)
	return b
}
