package prelude_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
	"elfwright/phdr"
	"elfwright/prelude"
)

// static is the program of tests for which the kind does not matter.
func static(t *testing.T) string {
	t.Helper()
	return samples.MakeFile(t, probe("gcc", "-static", "-no-pie", "-fno-pie"))
}

// install writes a program with a script for given trees.
func install(t *testing.T, from, to string, trees []prelude.Tree) {
	t.Helper()
	script, err := prelude.Mounts(amd64.Machine, trees)
	if err != nil {
		t.Fatal(err)
	}
	installScript(t, from, to, script)
}

func installScript(t *testing.T, from, to string, script []byte) {
	t.Helper()
	f, err := elffile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := prelude.Install(f, script, phdr.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.WriteFile(to, f.Mode()); err != nil {
		t.Fatal(err)
	}
}

// TestFailures: a script that fails says what failed, and ends the program.
func TestFailures(t *testing.T) {
	dir := openDir(t)
	program := filepath.Join(dir, "program")
	there := filepath.Join(dir, "there")
	file := filepath.Join(dir, "file")
	write(t, file, []byte("x"))
	if err := os.Mkdir(there, 0o755); err != nil {
		t.Fatal(err)
	}
	empty := []prelude.Entry{}
	shell := func(script string) []string { return []string{"unshare", "-m", "sh", "-c", script, "sh", program} }
	for _, c := range []struct {
		name string
		user bool
		tree prelude.Tree
		argv []string
		want string
	}{
		{"root", false, prelude.Tree{Target: "/no-such-directory/a", Entries: empty}, []string{program},
			"/no-such-directory/a does not exist and / cannot be covered: make it, or start the program with 'elfwright mount --run'"},
		{"root, user", true, prelude.Tree{Target: "/no-such-directory", Entries: empty}, []string{program},
			"/no-such-directory does not exist and / cannot be covered: make it, or start the program with 'elfwright mount --run'"},
		{"file", false, prelude.Tree{Target: file + "/a", Entries: empty}, []string{program}, file + "/a: look for " + file + "/a: errno 20"},
		{"target is a file", false, prelude.Tree{Target: file, Entries: empty}, []string{program}, file + ": mount a tmpfs: errno 20"},
		{"no image there", false, prelude.Tree{Target: there, Offset: 0, Size: 4096}, []string{program}, there + ": mount the image: errno 22"},
		{"no image, user", true, prelude.Tree{Target: there, Offset: 0, Size: 4096}, []string{program}, there + ": mount the image: errno 1"},
		{"cut", false, prelude.Tree{Target: there, Entries: []prelude.Entry{{Path: "a", Mode: unix.S_IFREG | 0o644, Offset: 1 << 40, Size: 5}}},
			[]string{program}, there + ": the executable ends before what belongs to a: errno 5"},
		{"device, user", true, prelude.Tree{Target: there, Entries: []prelude.Entry{{Path: "null", Mode: unix.S_IFCHR | 0o666, Rdev: 0x103}}},
			[]string{program}, there + ": make the special file null: errno 1"},
		{"no /proc", false, prelude.Tree{Target: there, Entries: empty}, shell(`mount -t tmpfs x /proc && exec "$1"`), there + ": open /proc/self/exe: errno 2"},
		{"mounts below", false, prelude.Tree{Target: dir + "/a/b", Entries: empty}, shell(`mount -t tmpfs x ` + there + ` && exec "$1"`),
			dir + "/a/b: mounts would be hidden by a cover of " + dir + ": errno 16"},
		{"mounts below, user", true, prelude.Tree{Target: dir + "/a/b", Entries: empty}, shell(`mount -t tmpfs x ` + there + ` && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$1"`),
			dir + "/a/b: mounts would be hidden by a cover of " + dir + ": errno 16"},
		{"no user namespaces", true, prelude.Tree{Target: there, Entries: empty},
			[]string{"unshare", "-Ur", "sh", "-c", `echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$1"`, "sh", program},
			there + ": make a user namespace: errno 28"},
		// The image is none, which a kernel without EROFS says, too; a tmpfs wants a directory.
		{"no EROFS, no tmpfs", false, prelude.Tree{Target: file, Size: 4096, Entries: empty}, []string{program}, file + ": mount a tmpfs: errno 20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			needMounts(t, c.user)
			samples.Need(t, "unshare", "setpriv")
			install(t, static(t), program, []prelude.Tree{c.tree})
			before := host(t, dir)
			user := c.user && !strings.Contains(strings.Join(c.argv, " "), "setpriv --reuid")
			out, errs, status := run(t, user, "/", c.argv...)
			if want := "elfwright: " + c.want + "\n"; status != 125 || errs != want || out != "" {
				t.Errorf("status %d, %q%s, want 125 and %q", status, errs, out, want)
			}
			if after := host(t, dir); after != before {
				t.Errorf("the host had\n%s\nand has\n%s", before, after)
			}
		})
	}
}

// TestKilled: nothing is left of a program that gets no chance to tidy up, and
// while it runs nobody else sees its mounts, even where mounts are shared.
func TestKilled(t *testing.T) {
	dir := openDir(t)
	makeTree(t, filepath.Join(dir, "tree"))
	there := filepath.Join(dir, "there")
	if err := os.Mkdir(there, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	targets := []string{there, filepath.Join(dir, "missing", "app")}
	bundle{filepath.Join(dir, "tree"), targets, true, true}.bind(t, static(t), program)
	for _, user := range []bool{false, true} {
		t.Run(fmt.Sprintf("user=%v", user), func(t *testing.T) {
			needMounts(t, user)
			before := host(t, dir)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "unshare", "-m", "--propagation", "shared", "sh", "-c", `cat /proc/self/mountinfo; "$@" & read line; cat /proc/self/mountinfo; kill -9 $!; wait; cat /proc/self/mountinfo`,
				"sh", program, "wait")
			if user {
				cmd.Args = slices.Insert(cmd.Args, 8, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
			}
			testKilled(t, cmd, dir, targets)
			if after := host(t, dir); after != before {
				t.Errorf("the host had\n%s\nand has\n%s", before, after)
			}
		})
	}
}

func testKilled(t *testing.T, cmd *exec.Cmd, dir string, targets []string) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "waiting" {
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := os.ReadFile("/proc/" + strings.TrimSpace(string(children)) + "/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if !strings.Contains(string(inside), " "+target+" ro,nosuid,nodev") {
			t.Errorf("%s is not mounted read-only:\n%s", target, inside)
		}
	}
	if strings.Contains(string(inside), "shared:") {
		t.Errorf("what the program mounts others could see:\n%s", inside)
	}
	fmt.Fprintln(in)
	for lines.Scan() {
		for _, target := range append(targets, dir) {
			if strings.Contains(lines.Text(), " "+target+" ") {
				t.Errorf("seen outside: %s", lines.Text())
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestOtherFile: /proc/self/exe is the dynamic linker when that was told to start
// the program, and a tool may have moved what is in the file. Nothing is read then
// from where the trees should be.
func TestOtherFile(t *testing.T) {
	needMounts(t, false)
	dir := openDir(t)
	program := filepath.Join(dir, "program")
	install(t, samples.MakeFile(t, probe("gcc", "-pie", "-fPIE")), program, []prelude.Tree{{Target: dir, Entries: []prelude.Entry{}}})
	want := "elfwright: " + dir + ": /proc/self/exe is not, or not any more, the file that this program was put into: errno 8\n"
	for _, argv := range [][]string{{"/lib64/ld-linux-x86-64.so.2", program}, {program}} {
		if len(argv) == 1 {
			spoil(t, program)
		}
		if out, errs, status := run(t, false, "/", argv...); status != 125 || errs != want || out != "" {
			t.Errorf("%v: status %d, %q%s, want %q", argv, status, errs, out, want)
		}
	}
}

// spoil has the file's script say that it is elsewhere in the file.
func spoil(t *testing.T, program string) {
	t.Helper()
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte("EWS1"))
	b[at+24] += 64
	write(t, program, b)
}
