package mount

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/erofs"
	"elfwright/internal/samples"
)

// Words that make this test binary something else than a test.
const (
	wordHelper  = "mount-helper"  // what Self runs
	wordRun     = "mount-run"     // starts a Run, given as JSON
	wordPrepare = "mount-prepare" // becomes an ordinary user who may open /dev/fuse, and then a command
	wordClosed  = "mount-closed"  // the same for one who may not
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case wordHelper:
			os.Exit(Helper(os.Environ()))
		case wordRun:
			os.Exit(runJSON(os.Args[2]))
		case wordPrepare, wordClosed:
			fmt.Fprintln(os.Stderr, prepare(os.Args[2:], os.Args[1] == wordPrepare))
			os.Exit(99)
		}
	}
	if len(os.Args) > 0 && filepath.Base(os.Args[0]) == carried {
		os.Exit(subject(os.Args[1:]))
	}
	code := m.Run()
	for _, c := range carriers {
		os.RemoveAll(c.dir)
	}
	os.Exit(code)
}

func testSelf() []string { return []string{"mount.test", wordHelper} }

// runJSON is a program of one line around a Run.
func runJSON(text string) int {
	var r Run
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	r.Env, r.Self = os.Environ(), testSelf()
	code, err := r.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// nobody is the user without rights.
const nobody = 65534

// prepare makes /dev/fuse what it is on most systems, open to all, in a mount
// namespace that the caller has made, or closed, and becomes an ordinary user.
func prepare(command []string, open bool) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("none", "/dev/shm", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	node := "/dev/shm/fuse"
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))); err != nil {
		return err
	}
	mode := uint32(0o600)
	if open {
		mode = 0o666
	}
	if err := unix.Chmod(node, mode); err != nil {
		return err
	}
	if err := unix.Mount(node, "/dev/fuse", "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(nobody, nobody, nobody); err != nil {
		return err
	}
	if err := syscall.Setresuid(nobody, nobody, nobody); err != nil {
		return err
	}
	return unix.Exec(command[0], command, os.Environ())
}

// asNobody is a command of this test binary as an ordinary user.
func asNobody(args ...string) *exec.Cmd { return prepared(wordPrepare, args...) }

func prepared(word string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{word, "/proc/self/exe"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	return cmd
}

// insideTests is the environment variable that a test finds which another has
// started as an ordinary user: the directory of the image.
const insideTests = "ELFWRIGHT_MOUNT_INSIDE"

// runInside runs a test of this package again as an ordinary user.
func runInside(t *testing.T, test string, dir string) {
	t.Helper()
	cmd := asNobody("-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideTests+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+test)) {
		t.Fatalf("%s as user %d: %v\n%s", test, nobody, err, out)
	}
}

// needRoot skips where the kernel, or who runs the tests, does not allow mounts.
func needRoot(t testing.TB) {
	t.Helper()
	if !capable(unix.CAP_SYS_ADMIN) {
		t.Skip("needs CAP_SYS_ADMIN")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip(err)
	}
	fs, err := os.ReadFile("/proc/filesystems")
	if err != nil || !bytes.Contains(fs, []byte("\terofs\n")) {
		t.Skip("the kernel has no EROFS")
	}
	samples.Need(t, "mkfs.erofs", "fusermount3")
}

// A carrier is a file with an image inside, and the tree that it was made from.
type carrier struct {
	dir  string // of all
	file string
	src  Source
	tree string
}

const carried = "carrier"

// makers make images of trees.
var makers = map[string]func(t testing.TB, tree, image string){"mkfs": byMkfs, "build": byBuild}

// carriers are those made so far, by maker.
var carriers = make(map[string]*carrier)

// carrierBy returns a copy of this test binary that carries a tree, which no test
// may change.
func carrierBy(t testing.TB, maker string) *carrier {
	t.Helper()
	c := carriers[maker]
	if c == nil {
		c = newCarrier(t, maker)
		carriers[maker] = c
	}
	return c
}

func newCarrier(t testing.TB, maker string) *carrier {
	t.Helper()
	dir, err := os.MkdirTemp("", "elfwright-mount")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	c := &carrier{dir: dir, file: filepath.Join(dir, carried), tree: filepath.Join(dir, "tree")}
	plant(t, c.tree)
	image := filepath.Join(dir, "image")
	makers[maker](t, c.tree, image)
	off, size := appendFile(t, "/proc/self/exe", image, c.file)
	c.src = Source{Path: c.file, Offset: off, Size: size}
	return c
}

// appendFile makes a program of a program and an image behind it, at a page.
func appendFile(t testing.TB, program, image, to string) (off, size int64) {
	t.Helper()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	must(t, err)
	defer out.Close()
	for _, name := range []string{program, image} {
		in, err := os.Open(name)
		must(t, err)
		off = (off + size + 4095) &^ 4095
		_, err = out.Seek(off, io.SeekStart)
		must(t, err)
		size, err = io.Copy(out, in)
		must(t, err)
		in.Close()
	}
	return off, size
}

func byMkfs(t testing.TB, tree, image string) {
	t.Helper()
	if out, err := exec.Command("mkfs.erofs", "--quiet", "-x", "1", image, tree).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.erofs: %v\n%s", err, out)
	}
}

func byBuild(t testing.TB, tree, image string) {
	t.Helper()
	img, err := erofs.Build(tree, erofs.Options{})
	must(t, err)
	defer img.Close()
	out, err := os.Create(image)
	must(t, err)
	defer out.Close()
	_, err = io.Copy(out, io.NewSectionReader(img.Data, 0, img.Data.Size()))
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plant makes a tree with all kinds of files.
func plant(t testing.TB, dir string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.MkdirAll(at("d/e/f"), 0o755))
	for i, n := range []int{0, 1, 100, 4095, 4096, 4097, 100_000, 1<<20 + 123} {
		must(t, os.WriteFile(at(fmt.Sprintf("d/size%d", n)), pattern(n, i), 0o644))
	}
	must(t, os.MkdirAll(at("many"), 0o755))
	for i := range 600 {
		must(t, os.WriteFile(at(fmt.Sprintf("many/%s-%d", strings.Repeat("n", i%50), i)), pattern(i, i), 0o644))
	}
	must(t, os.Chmod(at("many/-0"), 0o640))
	must(t, os.Link(at("d/size4097"), at("d/e/hard")))
	must(t, os.Link(at("d/size4097"), at("many/harder")))
	must(t, os.Symlink("../d/size100", at("d/link")))
	must(t, os.Symlink("/no/such/place/"+strings.Repeat("x", 300), at("d/dangling")))
	must(t, os.WriteFile(at("d/not\xffutf8 \n"), []byte("x"), 0o600))
	must(t, os.WriteFile(at("d/none"), []byte("x"), 0))
	copyFile(t, "/proc/self/exe", at("d/subject"), 0o755)
	must(t, unix.Setxattr(at("d/size100"), "user.mime_type", []byte("text/plain"), 0))
	must(t, unix.Setxattr(at("d/size100"), "user.long", bytes.Repeat([]byte("v"), 900), 0))
	must(t, unix.Setxattr(at("d/e"), "user.of-a-directory", nil, 0))
	if os.Geteuid() == 0 {
		must(t, unix.Mknod(at("d/null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		must(t, unix.Mknod(at("d/block"), unix.S_IFBLK|0o600, int(unix.Mkdev(259, 70000))))
		must(t, unix.Setxattr(at("d/size1"), "trusted.mark", []byte("root's"), 0))
		must(t, os.Chown(at("d/size1"), 1234, 70_000))
	}
	must(t, unix.Mkfifo(at("d/fifo"), 0o644))
	must(t, os.WriteFile(at("d/setuid"), []byte("x"), 0o755))
	must(t, os.Chmod(at("d/setuid"), 0o4755|os.ModeSetuid))
	must(t, os.Chmod(at("d/e"), 0o777|os.ModeSticky))
	must(t, os.Chtimes(at("d/size4096"), time.Time{}, time.Unix(1_000_000_000, 123_456_789)))
}

func copyFile(t testing.TB, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, mode))
}

// pattern is n bytes that differ by place and by seed.
func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13 + seed*31)
	}
	return b
}
