package elffile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"elfwright/internal/elftest"
	"golang.org/x/sys/unix"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// onlyFiles checks which files a folder has: no temporary one is left.
func onlyFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %q, want %q", dir, got, names)
	}
}

func content(t *testing.T, name, want string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil || string(b) != want {
		t.Errorf("%s: %q, %v; want %q", name, b, err, want)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	body := NewBody(Buffer("hello"))
	for _, mode := range []os.FileMode{0o644, 0o755, 0o600, 0o444, 0o4755, 0o2755 &^ 0o2000, 0o1755 &^ 0o1000} {
		mode = mode&0o777 | map[bool]os.FileMode{true: os.ModeSetuid}[mode&0o4000 != 0]
		if err := body.WriteFile(name, mode); err != nil {
			t.Fatal(err)
		}
		content(t, name, "hello")
		st, err := os.Stat(name)
		if err != nil || st.Mode() != mode {
			t.Errorf("mode %v, want %v", st.Mode(), mode)
		}
		onlyFiles(t, dir, "out")
	}
	f, err := Parse("x", elftest.Exec(elftest.Kinds()[0]).Bytes())
	if err != nil || f.Mode() != 0o644 {
		t.Errorf("mode %v, %v", f.Mode(), err)
	}
}

// TestWriteFileHere writes to a name without folder while the folder for
// temporary files is on another file system, or not there.
func TestWriteFileHere(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", "/nowhere")
	if err := NewBody(Buffer("here")).WriteFile("out", 0o644); err != nil {
		t.Fatal(err)
	}
	content(t, "out", "here")
	long := strings.Repeat("n", 255) // the longest name there can be
	if err := NewBody(Buffer("long")).WriteFile(long, 0o644); err != nil {
		t.Fatal(err)
	}
	content(t, long, "long")
	onlyFiles(t, ".", long, "out")
}

func TestWriteFileLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	if err := errors.Join(os.Mkdir(at("d"), 0o777), os.Symlink("d/target", at("link")), os.Symlink(at("link"), at("linklink")),
		os.Symlink("loop", at("loop")), os.Symlink("d/../d/other", at("dots"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "linklink"} { // at first it points nowhere
		if err := NewBody(Buffer(name)).WriteFile(at(name), 0o644); err != nil {
			t.Fatal(err)
		}
		content(t, at("d/target"), name)
		if st, err := os.Lstat(at(name)); err != nil || st.Mode().Type() != fs.ModeSymlink {
			t.Errorf("%s is no link any more: %v, %v", name, st.Mode(), err)
		}
	}
	if err := NewBody(Buffer("dots")).WriteFile(at("dots"), 0o644); err != nil {
		t.Fatal(err)
	}
	content(t, at("d/other"), "dots")
	if err := NewBody(Buffer("x")).WriteFile(at("loop"), 0o644); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
	onlyFiles(t, dir, "d", "dots", "link", "linklink", "loop")
}

// TestWriteFileDevice: what is no regular file is written to, not replaced.
func TestWriteFileDevice(t *testing.T) {
	if err := NewBody(Buffer("x")).WriteFile("/dev/null", 0o644); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat("/dev/null"); err != nil || st.Mode().Type() != fs.ModeDevice|fs.ModeCharDevice {
		t.Fatalf("/dev/null is now %v, %v", st.Mode(), err)
	}
	if err := NewBody(Buffer("x")).WriteFile("/dev/full", 0o644); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("/dev/full: %v", err)
	}
	dir := t.TempDir()
	if err := NewBody(Buffer("x")).WriteFile(dir, 0o644); !errors.Is(err, unix.EISDIR) {
		t.Errorf("a folder: %v", err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		b, err := os.ReadFile(pipe)
		if err != nil {
			b = []byte(err.Error())
		}
		got <- string(b)
	}()
	body := NewBody(Buffer("through"))
	body.Insert(3, 3)
	if err := body.WriteFile(pipe, 0o644); err != nil {
		t.Error(err)
	}
	if s := <-got; s != "thr\x00\x00\x00ough" {
		t.Errorf("out of the pipe came %q", s)
	}
	// Reading one that nobody writes to must not wait.
	_, err := Open(pipe)
	wantError(t, err, pipe, "not a regular file")
	_, err = Open(dir)
	wantError(t, err, dir, "not a regular file")
}

func TestWriteFileRefused(t *testing.T) {
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "out"), "old")
	left := 0
	body := NewBody(Buffer("0123456789"))
	body.Put(4, Reader{failing{Buffer("xxxx"), &left}, 0, 4})
	if err := body.WriteFile(name, 0o644); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), name) {
		t.Errorf("a reader that fails: %v", err)
	}
	content(t, name, "old")
	onlyFiles(t, dir, "out")
	if err := body.WriteFile(filepath.Join(dir, "nowhere", "out"), 0o644); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// inChild runs the rest of a test in a process of its own, which may change
// limits or mounts, and reports what it says.
func inChild(t *testing.T, attr *syscall.SysProcAttr) (child bool) {
	if os.Getenv("ELFFILE_CHILD") == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "ELFFILE_CHILD="+t.Name())
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Skipf("can not start a process of its own: %v", err)
	}
	if bytes.Contains(out, []byte("--- SKIP")) {
		t.Skipf("%s", out)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// TestWriteFileLimit writes more than the process may (setrlimit(2),
// RLIMIT_FSIZE), which also raises SIGXFSZ.
func TestWriteFileLimit(t *testing.T) {
	if !inChild(t, nil) {
		return
	}
	dir := t.TempDir()
	name := write(t, filepath.Join(dir, "out"), "old")
	from := write(t, filepath.Join(dir, "from"), strings.Repeat("x", 1<<20))
	m, err := Map(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 16, Max: 1 << 16}); err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]Data{"mapped": m.Data(), "memory": Buffer(m.Bytes()), "zeros": Zeros(1 << 20)} {
		if err := NewBody(d).WriteFile(name, 0o644); !errors.Is(err, unix.EFBIG) {
			t.Errorf("%s: %v", what, err)
		}
		content(t, name, "old")
		onlyFiles(t, dir, "from", "out")
	}
}

// TestWriteFileFull writes to a file system that is full.
func TestWriteFileFull(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}) {
		return
	}
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mount: %v", err)
	}
	defer unix.Unmount(dir, 0)
	name := write(t, filepath.Join(dir, "out"), "old")
	from := write(t, filepath.Join(t.TempDir(), "from"), strings.Repeat("x", 1<<20))
	m, err := Map(from)
	if err != nil {
		t.Fatal(err)
	}
	for what, d := range map[string]Data{"mapped": m.Data(), "memory": Buffer(m.Bytes()), "reader": readerOnly{bytes.NewReader(m.Bytes())}} {
		if err := NewBody(d).WriteFile(name, 0o644); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%s: %v", what, err)
		}
		content(t, name, "old")
		onlyFiles(t, dir, "out")
	}
	if err := NewBody(Zeros(1<<40)).WriteFile(name, 0o644); err != nil {
		t.Errorf("a hole needs no room: %v", err)
	}
}

// TestWriteFileHoles: what was a hole stays one, in the middle of a mapped file,
// around what was put into it, and at the end.
func TestWriteFileHoles(t *testing.T) {
	const gib = 1 << 30
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{0, gib / 2, gib - 4096} {
		if _, err := f.WriteAt(bytes.Repeat([]byte{0xaa}, 4096), off); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(gib+12345), f.Close()); err != nil {
		t.Fatal(err)
	}
	m, err := Map(from)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	body := NewBody(m.Data())
	body.Insert(gib/4, gib)
	body.Put(gib/3, Buffer("in the hole"))
	body.Truncate(body.Size() + gib)
	out := filepath.Join(dir, "out")
	if err := body.WriteFile(out, 0o644); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(out)
	if err != nil || st.Size() != 3*gib+12345 {
		t.Fatalf("size 0x%x, %v", st.Size(), err)
	}
	if used := st.Sys().(*syscall.Stat_t).Blocks * 512; used > 1<<20 {
		t.Skipf("0x%x bytes in use: this file system keeps no holes", used)
	}
	got, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	want := map[int64]string{0: "\xaa", 4095: "\xaa", 4096: "\x00", gib / 3: "in the hole", gib + gib/2: "\xaa", 2*gib - 1: "\xaa", 2 * gib: "\x00", 3*gib + 12344: "\x00"}
	for off, s := range want {
		b := make([]byte, len(s))
		if _, err := got.ReadAt(b, off); err != nil && err != io.EOF || string(b) != s {
			t.Errorf("at 0x%x: %q, %v; want %q", off, b, err, s)
		}
	}
}

// TestWriteFileCopies checks the bytes of a mapped file that is cut up and put
// together in another order, on this and to another file system.
func TestWriteFileCopies(t *testing.T) {
	data := make([]byte, 300000)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	dir := t.TempDir()
	m, err := Map(write(t, filepath.Join(dir, "from"), string(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	outs := []string{filepath.Join(dir, "out")}
	if shm, err := os.MkdirTemp("/dev/shm", "elffile"); err == nil {
		defer os.RemoveAll(shm)
		outs = append(outs, filepath.Join(shm, "out"))
	}
	body := NewBody(Slice(m.Data(), 100001, 99999))
	body.Insert(5000, 777)
	body.Put(body.Size(), Slice(m.Data(), 0, 100001))
	body.Put(300, NewBody(Slice(m.Data(), 200000, 1234)))
	want, err := Bytes(body)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range outs {
		if err := body.WriteFile(out, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: differs at 0x%x, %v", out, firstDiff(got, want), err)
		}
	}
}

func TestUmasked(t *testing.T) {
	old := unix.Umask(0o027)
	defer unix.Umask(old)
	if m := Umasked(0o777); m != 0o750 {
		t.Errorf("with umask 027: %o, want 750", m)
	}
}
