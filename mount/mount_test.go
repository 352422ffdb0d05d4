package mount

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"elfwright/elffile"
)

// mountinfo is what is mounted, without what the tests of other packages, which
// run at the same time, mount on their directories.
func mountinfo(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	root, _, _ := strings.Cut(t.Name(), "/")
	var own []string
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, "/Test") || strings.Contains(line, "/"+root) {
			own = append(own, line)
		}
	}
	return strings.Join(own, "")
}

func alive(pid int) bool { return unix.Kill(pid, 0) == nil && !zombie(pid) }

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(b, []byte(") Z "))
}

// eventually fails the test unless ok becomes true within some seconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("not within 30 s: %s", what)
}

// mounted mounts a source on a new directory and unmounts it when the test ends.
func mounted(t testing.TB, src Source, opt Options) *Mounted {
	t.Helper()
	before := mountinfo(t)
	m, err := Mount(src, t.TempDir(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		must(t, m.Unmount())
		if after := mountinfo(t); after != before {
			t.Errorf("mounts are left:\n%s", cmp.Diff(before, after))
		}
		if m.Server != 0 && m.Server != os.Getpid() {
			eventually(t, "the server ends", func() bool { return !alive(m.Server) })
		}
	})
	return m
}

// TestEveryWay mounts images of two makers in every way that root has, and
// compares all that can be seen with the tree.
func TestEveryWay(t *testing.T) {
	needRoot(t)
	for name := range makers {
		c := carrierBy(t, name)
		for _, via := range Ways() {
			t.Run(name+"/"+string(via), func(t *testing.T) {
				m := mounted(t, c.src, Options{Via: via, Self: testSelf()})
				if m.Via != via {
					t.Skipf("by %s", m.Via)
				}
				sameTree(t, c.tree, m.Dir, true)
				executes(t, m.Dir)
				refusesToChange(t, m.Dir)
			})
		}
	}
}

// executes runs a program from the mount: this test binary, which is mapped and
// paged in from there.
func executes(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "d/subject"), "exit", "7")
	cmd.Args[0] = carried
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("a program from the mount: %v", err)
	}
}

func refusesToChange(t *testing.T, dir string) {
	t.Helper()
	for what, err := range map[string]error{
		"create": os.WriteFile(filepath.Join(dir, "new"), nil, 0o644),
		"write":  os.WriteFile(filepath.Join(dir, "d/size100"), nil, 0o644),
		"mkdir":  os.Mkdir(filepath.Join(dir, "d/new"), 0o755),
		"remove": os.Remove(filepath.Join(dir, "d/size100")),
		"rename": os.Rename(filepath.Join(dir, "d/size100"), filepath.Join(dir, "d/other")),
		"chmod":  os.Chmod(filepath.Join(dir, "d/size100"), 0o600),
		"xattr":  unix.Setxattr(filepath.Join(dir, "d/size100"), "user.new", nil, 0),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v, want EROFS", what, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "no/such")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a name that is not there: %v", err)
	}
}

// TestFUSEAsTheKernel compares every field of stat and every entry of readdir
// with the kernel's EROFS.
func TestFUSEAsTheKernel(t *testing.T) {
	needRoot(t)
	for name := range makers {
		t.Run(name, func(t *testing.T) {
			c := carrierBy(t, name)
			kernel := mounted(t, c.src, Options{Via: Kernel})
			served := mounted(t, c.src, Options{Via: FUSE, Self: testSelf()})
			fields := func(root, name string) string {
				var st unix.Stat_t
				must(t, unix.Lstat(filepath.Join(root, name), &st))
				st.Dev = 0
				if st.Mode&unix.S_IFMT != unix.S_IFREG {
					st.Blocks = 0 // of directories the kernel counts its own way
				}
				return fmt.Sprintf("%+v", st)
			}
			for name := range look(t, kernel.Dir, true) {
				if k, f := fields(kernel.Dir, name), fields(served.Dir, name); k != f {
					t.Errorf("%q:\n fuse   %s\n kernel %s", name, f, k)
				}
			}
		})
	}
}

// TestManyReaders reads all of it from many goroutines at once.
func TestManyReaders(t *testing.T) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	m := mounted(t, c.src, Options{Via: FUSE, Self: testSelf()})
	files, _ := filepath.Glob(filepath.Join(c.tree, "*/*"))
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := range files {
				want := files[(i*7+worker*41)%len(files)]
				rel, _ := filepath.Rel(c.tree, want)
				if st, err := os.Lstat(want); err != nil || !st.Mode().IsRegular() {
					continue
				}
				a, errA := os.ReadFile(want)
				b, errB := os.ReadFile(filepath.Join(m.Dir, rel))
				if errA != nil || errB != nil || !bytes.Equal(a, b) {
					t.Errorf("%s: %v, %v, %d and %d bytes", rel, errA, errB, len(a), len(b))
				}
			}
			if list, err := os.ReadDir(filepath.Join(m.Dir, "many")); err != nil || len(list) != 601 {
				t.Errorf("many: %d entries, %v", len(list), err)
			}
		})
	}
	wg.Wait()
}

// TestOrdinaryUser mounts by fusermount3.
func TestOrdinaryUser(t *testing.T) {
	if dir := os.Getenv(insideTests); dir != "" {
		ordinaryUser(t, dir)
		return
	}
	needRoot(t)
	c := carrierBy(t, "mkfs")
	must(t, os.MkdirAll(filepath.Join(c.dir, "mnt"), 0o755))
	must(t, os.Chown(filepath.Join(c.dir, "mnt"), nobody, nobody))
	runInside(t, "TestOrdinaryUser", c.dir)
}

func ordinaryUser(t *testing.T, dir string) {
	if os.Geteuid() != nobody {
		t.Fatalf("user %d", os.Geteuid())
	}
	src := inside(t, dir)
	before := mountinfo(t)
	m, err := Mount(src, filepath.Join(dir, "mnt"), Options{Self: testSelf()})
	must(t, err)
	if got := m.Command(); m.Via != FUSE || got[0] != "fusermount3" || len(m.Passed) != 2 {
		t.Errorf("by %s, unmounted by %s, passed %v", m.Via, got, m.Passed)
	}
	readable(t, filepath.Join(dir, "tree"), m.Dir)
	executes(t, m.Dir)
	if out, err := exec.Command(m.Command()[0], m.Command()[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v %s", m.Command(), err, out)
	}
	if after := mountinfo(t); after != before {
		t.Errorf("mounts are left:\n%s", cmp.Diff(before, after))
	}
	eventually(t, "the server ends", func() bool { return !alive(m.Server) })

	// Refusals that only such a user gets.
	for _, via := range []Via{Kernel, Loop} {
		if _, err := Mount(src, m.Dir, Options{Via: via}); !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
			t.Errorf("by %s: %v", via, err)
		}
	}
	if _, err := Mount(src, "/root", Options{Self: testSelf()}); err == nil {
		t.Error("mounted on a directory of root's")
	}
	// In this process, unmounted by a call.
	m, err = Mount(src, filepath.Join(dir, "mnt"), Options{})
	must(t, err)
	if _, err := os.ReadFile("/proc/self/mountinfo"); err != nil || m.Server != os.Getpid() {
		t.Error(err, m.Server)
	}
	must(t, m.Unmount())
	must(t, m.Wait())
}

// inside is the source in the directory of a carrier that another test made.
func inside(t *testing.T, dir string) Source {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "image"))
	must(t, err)
	defer f.Close()
	st, err := f.Stat()
	must(t, err)
	whole, err := os.Stat(filepath.Join(dir, carried))
	must(t, err)
	return Source{Path: filepath.Join(dir, carried), Offset: whole.Size() - st.Size()}
}

// readable compares what an ordinary user can see of the tree: the owners are
// shown, and modes do not keep him from reading his own file's tree.
func readable(t *testing.T, want, got string) {
	t.Helper()
	w, g := look(t, want, true), look(t, got, true)
	for name, v := range w {
		if g[name] != v {
			t.Errorf("%q:\n got %+v\nwant %+v", name, g[name], v)
		}
	}
	sameContents(t, want, got, w)
	if b, err := os.ReadFile(filepath.Join(got, "d/none")); err != nil || string(b) != "x" {
		t.Errorf("a file of mode 0: %q, %v", b, err)
	}
}

// TestOtherUsers holds root's FUSE mount to modes and owners, for others.
func TestOtherUsers(t *testing.T) {
	needRoot(t)
	c := carrierBy(t, "mkfs")
	m := mounted(t, c.src, Options{Via: FUSE, Self: testSelf()})
	must(t, os.Chmod(filepath.Dir(m.Dir), 0o755))
	for name, want := range map[string]bool{"d/size100": true, "d/none": false, "d/not\xffutf8 \n": false, "many/-0": false} {
		cmd := asNobody("-test.run=^$")
		cmd.Args = append(cmd.Args[:2], "/bin/cat", filepath.Join(m.Dir, name))
		out, err := cmd.CombinedOutput()
		if (err == nil) != want {
			t.Errorf("%q: cat as user %d: %v, %.60s", name, nobody, err, out)
		}
	}
}

// TestImageCutOff shortens the file under a mount: reading fails, and gives no
// zeros.
func TestImageCutOff(t *testing.T) {
	needRoot(t)
	c := newCarrier(t, "build")
	defer os.RemoveAll(c.dir)
	m := mounted(t, c.src, Options{Via: FUSE, Self: testSelf()})
	_, err := os.ReadDir(filepath.Join(m.Dir, "d"))
	must(t, err)
	must(t, os.Truncate(c.file, c.src.Offset+8192))
	if b, err := os.ReadFile(filepath.Join(m.Dir, "d/size100000")); !errors.Is(err, unix.EIO) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestCompressedImage: the kernel reads it, and we do not; by FUSE it is refused
// at once.
func TestCompressedImage(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	must(t, os.Mkdir(filepath.Join(dir, "tree"), 0o755))
	want := bytes.Repeat([]byte("compress me "), 10_000)
	must(t, os.WriteFile(filepath.Join(dir, "tree/file"), want, 0o644))
	if out, err := exec.Command("mkfs.erofs", "--quiet", "-zlz4", image, filepath.Join(dir, "tree")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := mounted(t, Source{Path: image}, Options{Via: Kernel})
	if b, err := os.ReadFile(filepath.Join(m.Dir, "file")); err != nil || !bytes.Equal(b, want) {
		t.Errorf("by the kernel: %d bytes, %v", len(b), err)
	}
	_, err := Mount(Source{Path: image}, t.TempDir(), Options{Via: FUSE})
	if no, ok := errors.AsType[*Refusal](err); !ok || !no.No() || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("by FUSE: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	image := superblock(12, 4)
	must(t, os.WriteFile(file, slices.Concat(make([]byte, 4096), image), 0o644))
	for _, tc := range []struct {
		src    Source
		dir    string
		no     bool
		reason string
	}{
		{Source{Path: filepath.Join(dir, "none")}, dir, false, "no such file"},
		{Source{Path: dir}, dir, false, "is not a regular file"},
		{Source{Path: file, Offset: 4096}, filepath.Join(dir, "none"), false, "no such file"},
		{Source{Path: file, Offset: 4096}, file, false, "not a directory"},
		{Source{Path: file}, dir, true, "EROFS superblock, magic at 0x400: 0x0 is not 0xe0f5e1e2"},
		{Source{Path: file, Offset: 1 << 40}, dir, true, "past the end of the file"},
		{Source{Path: file, Offset: 4096, Size: 1 << 40}, dir, true, "past the end of the file"},
		{Source{Path: file, Offset: -1}, dir, true, "past the end of the file"},
		{Source{Path: file, Offset: 4096 * 5}, dir, true, "the file ends before it"},
		{Source{Path: file, Offset: 4096, Size: 8192}, dir, true, "blocks at 0x1424: the image is of 0x4000 bytes, and 0x2000 are there"},
	} {
		_, err := Mount(tc.src, tc.dir, Options{})
		no, refused := errors.AsType[*Refusal](err)
		if err == nil || !strings.Contains(err.Error(), tc.reason) || refused != tc.no || refused && !no.No() {
			t.Errorf("%+v on %s: %v, want %q", tc.src, tc.dir, err, tc.reason)
		}
		if e, ok := errors.AsType[*elffile.Error](err); tc.no && (!ok || e.File != tc.src.Path) {
			t.Errorf("%+v: the error has no place: %v", tc.src, err)
		}
	}
}

// superblock is an image of nothing but a superblock.
func superblock(blockBits byte, blocks uint32) []byte {
	b := make([]byte, int64(blocks)<<blockBits)
	copy(b[superOffset:], []byte{0xe2, 0xe1, 0xf5, 0xe0})
	b[superOffset+fieldBlockBits] = blockBits
	b[superOffset+fieldBlocks] = byte(blocks)
	return b
}

func TestReport(t *testing.T) {
	m := &Mounted{Source: Source{Path: "/a b/prog", Offset: 0x1000, Size: 0x2000}, Dir: "/it's", Via: FUSE, Server: 12, user: true,
		Passed: []Passed{{Kernel, unix.EPERM}}}
	var out strings.Builder
	must(t, m.Report().WriteText(&out))
	want := `/a b/prog: 0x2000 bytes at 0x1000 are mounted on /it's, by FUSE, served by process 12
to unmount: fusermount3 -u '/it'\''s'
`
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
	if r := m.Report(); len(r.Tried) != 1 || r.Tried[0].Reason != "operation not permitted" {
		t.Errorf("%+v", r)
	}
}
