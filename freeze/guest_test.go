package freeze_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/internal/samples"
)

// The tests of this package on AArch64: a kernel of Debian is booted under
// qemu-system-aarch64 (qemu-user has no ptrace), and /init is this test itself,
// made for that machine. The programs are made here, since there is no compiler
// there.

// programs is where they are in the guest, by what says how they are linked.
const programs = "/programs"

// prebuilt is the program that a call of the compiler would make; empty: not in
// the guest.
func prebuilt(args []string) string {
	if _, err := os.Stat(programs); err != nil {
		return ""
	}
	source := args[slices.IndexFunc(args, func(a string) bool { return strings.HasSuffix(a, ".c") })]
	name := strings.TrimSuffix(filepath.Base(source), ".c")
	for _, how := range []string{"-static", "-no-pie"} {
		if slices.Contains(args, how) {
			name += how
		}
	}
	return filepath.Join(programs, name)
}

// guestPrograms are made for the guest: the sources, and how they are linked.
var guestPrograms = [][]string{
	{"-pthread", "testdata/resources.c"}, {"-pthread", "-static", "testdata/resources.c"}, {"-pthread", "-no-pie", "testdata/resources.c"},
	{"-pthread", "-static", "testdata/aarch64.c"}, {"-static", "testdata/sleeps.c"},
	{"-pthread", "testdata/tree.c"},
}

// patience is how long a thawed process may take.
func patience() time.Duration {
	if _, err := os.Stat(programs); err == nil {
		return 2 * time.Minute // an emulator, perhaps on a machine that has much to do
	}
	return 20 * time.Second
}

// guestCases are those in which a structure, a number or a call of the kernel is
// another than on x86-64, or may be. ELFWRIGHT_SWEEP runs all; what the guest's
// kernel has not is a failure there.
const guestCases = "anonymous|private_file|shared_file|shared_anonymous|memfd|brk|stack_grows|executable|grows_down|handler|pending|alternate_stack|" +
	"fault_handler|within_handler|handler_mask|file_position|deleted_file|directory|file_direct|path_file|pipe|fifo|eventfd|epoll|signalfd|watches|pidfd|" +
	"tcp_listen|accepted_abstract|unix_path|shutdown|unread_descriptor|options_socket|flock|ofd_lock|owner_group|limits|scheduling|personality|bounds|" +
	"auxiliary_vector|membarrier|directory_and_umask|threads|thread_pending|robust_mutex|blocked_read|pid|sleep|itimer|posix_timer|timerfd|timer_thread|" +
	"child|seccomp"

// guestTrees are trees of processes.
const guestTrees = "pipes|shared_memory|session|group|mutex|threads|zombies|sysv"

// tools of the guest: env for the tests; gcc, so that what needs it is not
// skipped: what it would make is there.
const guestTool = `#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc < 4 || chdir(argv[2]) != 0)
		return 127;
	execv(argv[3], argv + 3);
	return 126;
}
`

// TestAArch64 runs tests in the guest. Each of them is one here.
func TestAArch64(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a machine")
	}
	samples.Need(t, "qemu-system-aarch64", "aarch64-linux-gnu-gcc", "/usr/aarch64-linux-gnu/lib/libc.so.6", "go")
	kernel := samples.Arm64Kernel(t)
	dir := t.TempDir()
	initrd := filepath.Join(dir, "initrd")
	writeArchive(t, initrd, guestFiles(t, dir, filepath.Join(filepath.Dir(kernel), "unix_diag.ko")))
	run := "^(TestOnAArch64|TestTwice)$|^TestWays$/^(other_vDSO|libraries)$/^dynamic$|^TestResources$"
	if os.Getenv("ELFWRIGHT_SWEEP") == "" {
		run += "/^(" + guestCases + ")$|^TestTrees$/^(" + guestTrees + ")$"
	}
	cmd := exec.Command("timeout", "540", "qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on", "-smp", "2", "-m", "1024",
		"-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
		"-append", "console=ttyAMA0 quiet panic=-1 -- -test.v -test.parallel=3 -test.run="+run)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	text, passed := results(t, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("qemu: %v\n%s", err, errs.Bytes())
	}
	if passed < 70 || !strings.Contains(text, "guest: end\n") {
		t.Errorf("only %d tests passed in the guest, or it did not come to its end:\n%s", passed, text)
	}
	t.Logf("%d tests passed in the guest in %.0f s", passed, time.Since(began).Seconds())
}

// results makes of each line that tells of a test one here.
func results(t *testing.T, out io.Reader) (text string, passed int) {
	var all strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		fmt.Fprintln(&all, line)
		how, name, ok := strings.Cut(strings.TrimLeft(line, " "), ": ")
		if !ok || !strings.HasPrefix(how, "--- ") {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		switch how {
		case "--- PASS":
			passed++
		case "--- FAIL":
			t.Errorf("%s", name)
		}
	}
	if t.Failed() || testing.Verbose() {
		t.Log(all.String())
	}
	return all.String(), passed
}

// guestFiles makes what the guest has, by path.
func guestFiles(t *testing.T, dir, module string) map[string]string {
	t.Helper()
	files := map[string]string{
		"docs/freeze-trees.md":      "../docs/freeze-trees.md", // which a test compares with the cases
		"lib/unix_diag.ko":          module,
		"lib/ld-linux-aarch64.so.1": "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1",
		"lib/libgcc_s.so.1":         "/usr/aarch64-linux-gnu/lib/libgcc_s.so.1", // for the cancellation of threads
		"lib/libc.so.6":             "/usr/aarch64-linux-gnu/lib/libc.so.6",
		"init":                      filepath.Join(dir, "init"),
		"usr/bin/env":               filepath.Join(dir, "env"),
		"bin/gcc":                   filepath.Join(dir, "env"),
	}
	build := func(env []string, args ...string) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	build([]string{"GOARCH=arm64", "GOOS=linux", "CGO_ENABLED=0"}, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", files["init"], ".")
	source := filepath.Join(dir, "env.c")
	if err := os.WriteFile(source, []byte(guestTool), 0o600); err != nil {
		t.Fatal(err)
	}
	const gcc = "aarch64-linux-gnu-gcc"
	build(nil, gcc, "-static", "-O1", "-o", files["usr/bin/env"], source)
	for _, p := range guestPrograms {
		name := "programs/" + strings.TrimSuffix(filepath.Base(p[len(p)-1]), ".c")
		for _, how := range p[:len(p)-1] {
			if how != "-pthread" {
				name += how
			}
		}
		files[name] = filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		build(nil, append([]string{gcc, "-O1", "-o", files[name]}, p...)...)
	}
	return files
}

// writeArchive writes files as the kernel wants an initramfs: a cpio archive
// (Documentation/driver-api/early-userspace/buffer-format.rst).
func writeArchive(t *testing.T, name string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	entry := func(path string, mode, dev int, data []byte) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
			b.Len()+1, mode, 0, 0, 1, 0, len(data), 0, 0, dev>>8, dev&0xff, len(path)+1, 0, path)
		pad(&b)
		b.Write(data)
		pad(&b)
	}
	for _, dir := range []string{"bin", "dev", "docs", "lib", "proc", "programs", "sys", "testdata", "tmp", "usr", "usr/bin"} {
		entry(dir, unix.S_IFDIR|0o755, 0, nil)
	}
	entry("dev/console", unix.S_IFCHR|0o600, 0x501, nil) // before there is a /dev
	for _, path := range slices.Sorted(maps.Keys(files)) {
		data, err := os.ReadFile(files[path])
		if err != nil {
			t.Fatal(err)
		}
		entry(path, unix.S_IFREG|0o755, 0, data)
	}
	entry("TRAILER!!!", 0, 0, nil)
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pad(b *bytes.Buffer) { b.Write(make([]byte, -b.Len()&3)) }

// guest is what the first process of the guest does: it makes the place ready,
// has the tests run by a second one, and turns the machine off.
func guest() {
	defer unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			fmt.Println("guest:", m[1], err)
		}
	}
	if f, err := os.Open("/lib/unix_diag.ko"); err == nil {
		if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil {
			fmt.Println("guest: unix_diag:", err)
		}
		f.Close()
	}
	if err := loopback(); err != nil {
		fmt.Println("guest: network:", err)
	}
	cmd := exec.Command("/init", os.Args[1:]...)
	cmd.Env = []string{"PATH=/bin:/usr/bin", "TMPDIR=/tmp", "HOME=/tmp"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the first process is in no group
	fmt.Println("guest:", cmd.Run())
	fmt.Println("guest: end")
	unix.Sync()
	time.Sleep(100 * time.Millisecond) // until all is written
}

// loopback brings up the network of this machine alone.
func loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req)
}
