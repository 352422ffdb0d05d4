package erofs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/samples"

	"golang.org/x/sys/unix"
)

func command(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// mount has the kernel show an image, or returns "" where it cannot.
func mount(t *testing.T, image string) string {
	t.Helper()
	if status, _ := os.ReadFile("/proc/self/status"); !mayMount(string(status)) {
		if os.Getenv("CI") == "true" && isRoot() {
			t.Log("root may not mount here (no CAP_SYS_ADMIN); fsck.erofs looks at the image instead")
			return ""
		}
		t.Skip("needs root, to mount an image")
	}
	dir := t.TempDir()
	err := unix.Mount(image, dir, "erofs", unix.MS_RDONLY, "")
	if err == unix.ENODEV {
		t.Log("this kernel has no EROFS; fsck.erofs looks at the image instead")
		return ""
	}
	if err == unix.ENOTBLK { // before Linux 6.12
		out, loopErr := command("mount", "-t", "erofs", "-o", "ro,loop", image, dir)
		if err = loopErr; err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		t.Fatalf("mount %s: %v", image, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// mayMount finds CAP_SYS_ADMIN in /proc/self/status.
func mayMount(status string) bool {
	var caps uint64
	if _, after, ok := strings.Cut(status, "CapEff:"); ok {
		fmt.Sscanf(strings.TrimSpace(after), "%x", &caps)
	}
	return caps&(1<<unix.CAP_SYS_ADMIN) != 0
}

func TestKernelAgrees(t *testing.T) {
	tree := oddTree(t, 1)
	image, _ := write(t, tree, Options{})
	want := factsOf(t, tree)
	t.Run("fsck", func(t *testing.T) { run(t, "fsck.erofs", image) })
	t.Run("Open", func(t *testing.T) { same(t, "the image", factsIn(t, open(t, image)), want) })
	t.Run("mount", func(t *testing.T) {
		dir := mount(t, image)
		if dir == "" {
			return
		}
		same(t, "the mounted image", factsOf(t, dir), want)
		lookUp(t, dir, want)
	})
	t.Run("fsck extracts", func(t *testing.T) { fsckExtracts(t, tree, image, want) })
}

// TestWithin mounts an image where it lies in a larger file, as in a program.
func TestWithin(t *testing.T) {
	tree := oddTree(t, 1)
	_, img := write(t, tree, Options{})
	const off = 0x13000
	outer := elffile.NewBody(elffile.Buffer("a program"))
	outer.Put(off, img.Data)
	file := filepath.Join(t.TempDir(), "outer")
	must(t, outer.WriteFile(file, 0o644))
	if status, _ := os.ReadFile("/proc/self/status"); !mayMount(string(status)) {
		t.Skip("needs root, to mount an image")
	}
	dir := t.TempDir()
	if err := unix.Mount(file, dir, "erofs", unix.MS_RDONLY, fmt.Sprintf("fsoffset=%d", off)); err == unix.EINVAL || err == unix.ENODEV || err == unix.ENOTBLK {
		t.Skipf("this kernel mounts nothing from within a file: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
	same(t, "the image within a file", factsOf(t, dir), factsOf(t, tree))
}

// lookUp finds every file by its whole name: the kernel's bisection, not its
// readdir.
func lookUp(t *testing.T, dir string, want facts) {
	for path := range want {
		if _, err := os.Lstat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, path+"\x01")); !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ENAMETOOLONG) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// fsckExtracts compares what fsck.erofs writes out: it knows neither hard links nor
// extended attributes.
func fsckExtracts(t *testing.T, tree, image string, want facts) {
	out := filepath.Join(t.TempDir(), "out")
	run(t, "fsck.erofs", "--extract="+out, image)
	for path, line := range want {
		if !regexp.MustCompile(`^mode 10[0-7]{4} `).MatchString(line) || !strings.Contains(line, "is "+path+":") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(tree, path))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(out, path))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%q: %v, or other contents", path, err)
		}
	}
}

func TestDumpAgrees(t *testing.T) {
	tree := oddTree(t, 1)
	image, img := write(t, tree, Options{})
	out := run(t, "dump.erofs", "-s", image)
	for _, want := range []string{
		fmt.Sprintf(`inode count: +%d\n`, img.Files+img.Dirs+img.Symlinks+img.Specials),
		fmt.Sprintf(`blocks: +%d\n`, img.Data.Size()>>blockBits),
		`features: +sb_csum mtime`,
		`UUID: +00000000-0000-0000-0000-000000000000`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("dump.erofs -s lacks %q:\n%s", want, out)
		}
	}
	out = run(t, "dump.erofs", "--path=/d/f70000", image)
	for _, want := range []string{`Size: 70000 `, `Layout: 0 `, `Links: 3 `, `Access: 0400`, `Xattr size: 0`} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.TrimSpace(want)) {
			t.Errorf("dump.erofs --path lacks %q:\n%s", want, out)
		}
	}
}

// TestManyNames is a directory of many blocks.
func TestManyNames(t *testing.T) {
	tree := t.TempDir()
	for i := range 10_000 {
		must(t, os.WriteFile(filepath.Join(tree, fmt.Sprintf("%x-%d", i*2654435761%(1<<32), i)), nil, 0o644))
	}
	image, img := write(t, tree, Options{})
	if img.Files != 10_000 || img.Dirs != 1 || img.ContentBytes != 0 {
		t.Errorf("%+v", img)
	}
	run(t, "fsck.erofs", image)
	x := open(t, image)
	want := factsOf(t, tree)
	same(t, "the image", factsIn(t, x), want)
	for path := range want {
		if _, err := x.Lstat(strings.TrimPrefix(path, "./")); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Lstat(strings.TrimPrefix(path, "./") + "?"); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%q?: %v", path, err)
		}
	}
	if dir := mount(t, image); dir != "" {
		same(t, "the mounted image", factsOf(t, dir), want)
		lookUp(t, dir, want)
	}
}

// TestSameBytes builds two copies whose files were made in another order.
func TestSameBytes(t *testing.T) {
	a, b := oddTree(t, 1), oddTree(t, 2)
	_, imgA := write(t, a, Options{})
	_, imgB := write(t, b, Options{})
	if !bytes.Equal(readAll(t, imgA.Data), readAll(t, imgB.Data)) {
		t.Error("two copies of a tree give different images")
	}
	if imgA.Links != 5 || imgA.Files < 300 || imgA.Symlinks != 7 || imgA.Dirs != 11 {
		t.Errorf("%+v", imgA)
	}
}

func TestOptions(t *testing.T) {
	tree := oddTree(t, 1)
	when := time.Unix(1234567890, 42)
	image, _ := write(t, tree, Options{Mtime: &when, Owner: &Owner{77, 88}, NoXattrs: true})
	for path, line := range factsIn(t, open(t, image)) {
		if !strings.Contains(line, "owner 77:88 time 1234567890.000000042") || strings.Contains(line, "\n\t") {
			t.Errorf("%q: %s", path, line)
		}
	}
}

// TestWindows has the contents as windows on the files: Build reads none.
func TestWindows(t *testing.T) {
	tree := t.TempDir()
	f, err := os.Create(filepath.Join(tree, "large"))
	must(t, err)
	_, err = f.WriteAt([]byte("end"), 5<<30) // past 4 GiB, and 20 KiB on a disk
	must(t, err)
	must(t, f.Close())
	image, img := write(t, tree, Options{})
	var st unix.Stat_t
	must(t, unix.Stat(image, &st))
	if st.Size != img.Data.Size() || st.Size < 5<<30 || st.Blocks > 1<<10 {
		t.Errorf("the image has 0x%x bytes in %d sectors", st.Size, st.Blocks)
	}
	off, size, err := open(t, image).Extent("large")
	must(t, err)
	end := make([]byte, 3)
	if _, err := img.Data.ReadAt(end, off+size-3); err != nil || string(end) != "end" {
		t.Errorf("%q, %v", end, err)
	}
	if dir := mount(t, image); dir != "" {
		in, err := os.Open(filepath.Join(dir, "large"))
		must(t, err)
		defer in.Close()
		if _, err := in.ReadAt(end, 5<<30); err != nil || string(end) != "end" {
			t.Errorf("%q, %v", end, err)
		}
	}
}

func TestExtent(t *testing.T) {
	tree := oddTree(t, 1)
	image, img := write(t, tree, Options{})
	x := open(t, image)
	whole := readAll(t, img.Data)
	for path := range factsIn(t, x) {
		st, err := os.Lstat(filepath.Join(tree, path))
		must(t, err)
		path = strings.TrimPrefix(path, "./")
		if !st.Mode().IsRegular() {
			continue
		}
		off, size, err := x.Extent(path)
		must(t, err)
		want, err := os.ReadFile(filepath.Join(tree, path))
		must(t, err)
		if off%4096 != 0 || !bytes.Equal(whole[off:off+size], want) {
			t.Errorf("%q is not at 0x%x", path, off)
		}
	}
	if _, _, err := x.Extent("d"); err == nil {
		t.Error("a directory has an extent")
	}
}

func TestBuildFailures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, []byte("contents"), 0o644))
	if _, err := Build(file, Options{}); err == nil {
		t.Error("a file is no tree")
	}
	if _, err := Build(filepath.Join(dir, "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for _, change := range []struct {
		what string
		do   func() error
		says string
	}{
		{"longer", func() error { return os.WriteFile(file, []byte("other contents"), 0o644) }, "0xe bytes, were 0x8"},
		{"modified", func() error { return os.Chtimes(file, time.Time{}, time.Unix(1, 2)) }, "modified at 1.000000002"},
		{"gone", func() error { return os.Remove(file) }, "no such file"},
	} {
		must(t, os.WriteFile(file, []byte("contents"), 0o644))
		img, err := Build(dir, Options{})
		must(t, err)
		must(t, change.do())
		out := filepath.Join(t.TempDir(), "image")
		err = elffile.NewBody(img.Data).WriteFile(out, 0o644)
		if err == nil || !strings.Contains(err.Error(), change.says) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", change.what, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: an image was left", change.what)
		}
		must(t, img.Close())
	}
}

func TestClosed(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("contents"), 0o644))
	img, err := Build(dir, Options{})
	must(t, err)
	must(t, img.Close())
	if _, err := img.Data.ReadAt(make([]byte, 10), blockSize); err == nil {
		t.Error("a closed image is read")
	}
}

// TestRoot is a tree named by a symbolic link.
func TestRoot(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "tree"), 0o751))
	must(t, os.Symlink("tree", filepath.Join(dir, "link")))
	image, _ := write(t, filepath.Join(dir, "link"), Options{})
	same(t, "the image", factsIn(t, open(t, image)), factsOf(t, filepath.Join(dir, "tree")))
}

// TestSystem is trees of this machine.
func TestSystem(t *testing.T) {
	trees := []string{"/etc"}
	if os.Getenv("ELFWRIGHT_SWEEP") == "1" {
		trees = append(trees, "/usr/bin", "/usr/share", "/usr/lib/gcc", "/var/lib/dpkg")
	}
	if !isRoot() {
		t.Skip("needs root, to read all of /etc")
	}
	samples.Need(t, "fsck.erofs")
	for _, tree := range trees {
		image, _ := write(t, tree, Options{})
		run(t, "fsck.erofs", image)
		x := factsIn(t, open(t, image))
		if dir := mount(t, image); dir != "" {
			same(t, tree, x, factsOf(t, dir))
		}
	}
}
