package prelude_test

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/machine/all"
	"elfwright/phdr"
	"elfwright/prelude"
)

//go:embed testdata/probe.c
var probeC string

// probe is the recipe of testdata/probe.c.
func probe(cc string, flags ...string) samples.Recipe {
	return samples.Recipe{
		Files: map[string]string{"probe.c": probeC},
		Steps: [][]string{slices.Concat([]string{cc, "-O1", "-D_FILE_OFFSET_BITS=64", "probe.c", "-o", "probe"}, flags)},
		Out:   "probe",
	}
}

// openDir makes a directory that any user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "prelude-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// when is the time of all files in the tree of tests.
var when = time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)

// makeTree fills a directory with all kinds of files.
func makeTree(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	big := make([]byte, 300<<10+17)
	for i := range big {
		big[i] = byte(i>>8 ^ i*7)
	}
	must(os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	must(os.MkdirAll(filepath.Join(dir, "share", "a b"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "hello"), []byte("hello\n"), 0o644))
	must(os.WriteFile(filepath.Join(dir, "bin", "tool"), big, 0o755))
	must(os.WriteFile(filepath.Join(dir, "share", "a b", "empty"), nil, 0o444))
	must(os.WriteFile(filepath.Join(dir, "share", "secret"), []byte("x"), 0o640))
	must(os.Symlink("../hello", filepath.Join(dir, "share", "link")))
	must(os.Link(filepath.Join(dir, "hello"), filepath.Join(dir, "share", "again")))
	must(unix.Mkfifo(filepath.Join(dir, "fifo"), 0o622))
	must(os.Chmod(filepath.Join(dir, "share"), 0o555))
	must(unix.Setxattr(filepath.Join(dir, "hello"), "user.colour", []byte("blue"), 0))
	must(filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		ts := unix.NsecToTimespec(when.UnixNano())
		return errors.Join(err, unix.UtimesNanoAt(unix.AT_FDCWD, p, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
	}))
}

// entries reads a directory; content is appended to data, which begins at base in
// the executable.
func entries(t *testing.T, dir string, data *bytes.Buffer, base int64) []prelude.Entry {
	t.Helper()
	var list []prelude.Entry
	inodes := make(map[uint64]string)
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		e := prelude.Entry{Path: rel, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Mtime: time.Unix(st.Mtim.Unix()), Rdev: uint32(st.Rdev)}
		switch {
		case st.Mode&unix.S_IFMT == unix.S_IFLNK:
			e.Link, err = os.Readlink(p)
		case st.Mode&unix.S_IFMT == unix.S_IFREG && inodes[st.Ino] != "":
			e.Link, e.HardLink = inodes[st.Ino], true
		case st.Mode&unix.S_IFMT == unix.S_IFREG:
			inodes[st.Ino] = rel
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			e.Offset, e.Size = base+int64(data.Len()), int64(len(b))
			data.Write(b)
		}
		value := make([]byte, 100)
		if n, err := unix.Lgetxattr(p, "user.colour", value); err == nil {
			e.Xattrs = map[string][]byte{"user.colour": value[:n]}
		}
		list = append(list, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A bundle says what a program is to carry.
type bundle struct {
	tree    string // directory with the tree
	targets []string
	image   bool // an EROFS image
	files   bool // entries to copy
}

// bind writes a program that mounts what it carries. The trees are appended to the
// file, which package payload does better.
func (u bundle) bind(t *testing.T, from, to string) {
	t.Helper()
	f, err := elffile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var image []byte
	if u.image {
		samples.Need(t, "mkfs.erofs")
		name := filepath.Join(t.TempDir(), "image")
		if out, err := exec.Command("mkfs.erofs", name, u.tree).CombinedOutput(); err != nil {
			t.Fatalf("mkfs.erofs: %v\n%s", err, out)
		}
		if image, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	m := all.Lookup(f.Header.Machine, f.Class)
	base := int64(0)
	var r *phdr.Result
	var data bytes.Buffer
	for range 2 { // the file's size does not depend on base
		data.Reset()
		data.Write(image)
		var trees []prelude.Tree
		for _, target := range u.targets {
			tr := prelude.Tree{Target: target}
			if u.image {
				tr.Offset, tr.Size = base, int64(len(image))
			}
			if u.files {
				tr.Entries = entries(t, u.tree, &data, base)
			}
			trees = append(trees, tr)
		}
		script, err := prelude.Mounts(m, trees)
		if err != nil {
			t.Fatal(err)
		}
		if r, err = prelude.Install(f, script, phdr.Options{}); err != nil {
			t.Fatal(err)
		}
		base = (r.Body.Size() + 0xffff) &^ 0xffff
	}
	r.Body.Put(base, elffile.Buffer(data.Bytes()))
	if err := r.Body.WriteFile(to, f.Mode()); err != nil {
		t.Fatal(err)
	}
}

// nobody is an ordinary user.
const nobody = 65534

// run starts a program, perhaps as nobody, and returns what it wrote and its status.
func run(t *testing.T, user bool, dir string, argv ...string) (out, errs string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = []string{"SAMPLE=1", "PATH=" + os.Getenv("PATH")}
	if user {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("%v: %v", argv, err)
	} else if ok {
		status = exit.ExitCode()
	}
	return o.String(), e.String(), status
}

// needMounts skips where the kernel or a container forbids what the tests do.
func needMounts(t *testing.T, user bool) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, for tests as root and as another user")
	}
	args := []string{"unshare", "-m", "mount", "-t", "tmpfs", "x", "/mnt"}
	if user {
		args = []string{"unshare", "-Urm", "mount", "-t", "tmpfs", "x", "/mnt"}
	}
	if _, msg, status := run(t, user, "/", args...); status != 0 {
		t.Skipf("no mounts in a namespace here: %s", msg)
	}
}

// host is what must not change on the host: mounts and files in a directory.
func host(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	list := ""
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, dir) { // others mount, too, at the same time
			list += line
		}
	}
	err = filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		list += p + "\n"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A kind is a kind of program that carries trees.
type kind struct {
	name     string
	recipe   samples.Recipe
	emulator []string
}

func kinds() []kind {
	return []kind{
		{"dynamic", probe("gcc", "-pie", "-fPIE"), nil},
		{"no-pie", probe("gcc", "-no-pie", "-fno-pie"), nil},
		{"static", probe("gcc", "-static", "-no-pie", "-fno-pie"), nil},
		{"static-pie", probe("gcc", "-static-pie", "-fPIE"), nil},
		{"musl", probe("musl-gcc", "-static"), nil},
		{"i386", probe("i686-linux-gnu-gcc", "-static"), emulate("i386")},
		{"aarch64", probe("aarch64-linux-gnu-gcc", "-static"), emulate("aarch64")},
		{"aarch64-dynamic", probe("aarch64-linux-gnu-gcc"), append(emulate("aarch64"), "-L", "/usr/aarch64-linux-gnu")},
		{"arm", probe("arm-linux-gnueabihf-gcc", "-static", "-mthumb"), emulate("arm")},
		{"arm-a32", probe("arm-linux-gnueabihf-gcc", "-static", "-marm"), emulate("arm")},
		{"riscv64", probe("riscv64-linux-gnu-gcc", "-static"), emulate("riscv64")},
	}
}

// emulate is the emulator for a machine, where the kernel does not run its programs.
func emulate(name string) []string {
	if name == "i386" && runtime.GOARCH == "amd64" {
		if _, err := os.Stat("/proc/sys/abi/vsyscall32"); err == nil {
			return nil
		}
	}
	return []string{"qemu-" + name}
}

// want is what the probe prints of the tree in the root case: what it prints of the
// directory from which the tree was made.
func want(t *testing.T, p string, emulator []string, tree string) string {
	t.Helper()
	out, errs, status := run(t, false, "/", append(slices.Clone(emulator), p, tree)...)
	if status != 0 || errs != "" {
		t.Fatalf("the original ends with %d: %s", status, errs)
	}
	return out
}

// body cuts off the lines about the process.
func body(out string) string {
	_, rest, _ := strings.Cut(out, "cwd ")
	_, rest, _ = strings.Cut(rest, "\n")
	return rest
}

func head(out string) string { return strings.TrimSuffix(out, body(out)) }

func TestMounts(t *testing.T) {
	for _, k := range kinds() {
		for _, user := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/user=%v", k.name, user), func(t *testing.T) {
				needMounts(t, user)
				if user && len(k.emulator) > 0 {
					t.Skip("qemu-user has two threads, and unshare(CLONE_NEWUSER) is for processes with one: EINVAL")
				}
				testMounts(t, k, user)
			})
		}
	}
}

func testMounts(t *testing.T, k kind, user bool) {
	if len(k.emulator) > 0 {
		samples.Need(t, k.emulator[0])
	}
	original := samples.MakeFile(t, k.recipe)
	dir := openDir(t)
	tree := filepath.Join(dir, "tree")
	makeTree(t, tree)
	bare := filepath.Join(dir, "bare") // where nobody can read it
	if err := exec.Command("cp", original, bare).Run(); err != nil {
		t.Fatal(err)
	}
	there, missing, second := filepath.Join(dir, "there"), filepath.Join(dir, "missing", "deep", "app"), filepath.Join(dir, "missing", "two")
	if err := os.Mkdir(there, 0o755); err != nil {
		t.Fatal(err)
	}
	expected := want(t, bare, k.emulator, tree)
	for _, way := range []struct {
		name         string
		image, files bool
	}{{"erofs", true, false}, {"copy", false, true}, {"both", true, true}} {
		t.Run(way.name, func(t *testing.T) {
			program := filepath.Join(dir, "program-"+way.name)
			bundle{tree, []string{there, missing, second}, way.image, way.files}.bind(t, original, program)
			before := host(t, dir)
			argv := append(slices.Clone(k.emulator), program)
			for _, target := range []string{there, missing, second} {
				out, errs, status := run(t, user, "/", append(argv, target)...)
				if user && !way.files {
					if want := "elfwright: " + there + ": mount the image: errno 1\n"; errs != want || status != 125 || out != "" {
						t.Errorf("a user mounts EROFS: status %d, %q, want %q", status, errs, want)
					}
					break
				}
				if status != 0 || errs != "" {
					t.Fatalf("%s: status %d: %s", target, status, errs)
				}
				compare(t, target, user, out, expected)
			}
			out, errs, status := run(t, user, there, append(argv, "write", filepath.Join(dir, "new"))...)
			if way.files && (errs != "" || status != 0 || !strings.HasSuffix(out, "write: errno 30\n") || !strings.Contains(out, "cwd "+there+"\n")) {
				t.Errorf("write beside a cover: status %d: %s%s", status, out, errs)
			}
			if _, _, status := run(t, user, "/", append(argv, "exit", "7")...); way.files && status != 7 {
				t.Errorf("exit 7 gives %d", status)
			}
			if after := host(t, dir); after != before {
				t.Errorf("the host had\n%s\nand has\n%s", before, after)
			}
		})
	}
}

// compare holds what the program printed against what the original printed of the
// directory that the tree is from.
func compare(t *testing.T, target string, user bool, out, expected string) {
	t.Helper()
	wantHead, wantBody := head(expected), body(expected)
	if user {
		// Files of a copy belong to the user, who has no capabilities.
		wantBody = strings.ReplaceAll(wantBody, " 0:0 ", fmt.Sprintf(" %d:%d ", nobody, nobody))
		wantHead = strings.ReplaceAll(wantHead, "user 0 0 group 0 0", fmt.Sprintf("user %d %d group %d %d", nobody, nobody, nobody, nobody))
		for _, set := range []string{"CapPrm:\t", "CapEff:\t"} {
			_, rest, _ := strings.Cut(wantHead, set)
			value, _, _ := strings.Cut(rest, "\n")
			wantHead = strings.ReplaceAll(wantHead, set+value, set+strings.Repeat("0", len(value)))
		}
		wantHead = bnd.ReplaceAllString(wantHead, "$1")
		out = bnd.ReplaceAllString(out, "$1")
	}
	if head(out) != wantHead || body(out) != wantBody {
		t.Errorf("%s: the program prints\n%s\nwant\n%s%s", target, out, wantHead, wantBody)
	}
}

// bnd: a user namespace has a bounding set of its own, with every capability.
var bnd = regexp.MustCompile(`(CapBnd:).*`)
