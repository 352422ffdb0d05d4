package freeze_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"elfwright/freeze"
	"elfwright/freeze/script"
	"elfwright/internal/samples"
	"elfwright/machine/amd64"
)

// root skips a test that needs more than an ordinary user may.
func root(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// cases is the program of all cases, which is made once.
func cases(t *testing.T) string {
	t.Helper()
	if prog := prebuilt([]string{"testdata/resources.c"}); prog != "" {
		return prog
	}
	samples.Need(t, "gcc", "bash")
	once.Do(func() {
		built = filepath.Join(scratch, "cases")
		built = build(t, built, "-O1", "testdata/resources.c", "-pthread")
		samples.Settle(t, built)
	})
	return built
}

var (
	once           sync.Once
	built, scratch string // scratch is a directory that TestMain makes
)

// terminal makes a pseudoterminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no pseudoterminals: ", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close(); slave.Close() })
	return master, slave
}

// within starts a program as the leader of a terminal.
func within(t *testing.T, slave *os.File, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slow := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	t.Cleanup(func() { slow.Stop() })
	return cmd
}

// untilStopped waits until a process has stopped itself.
func untilStopped(t *testing.T, pid int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || time.Since(began) > 10*time.Second {
			t.Fatalf("process %d does not stop: %q, %v", pid, b, err)
		}
		if strings.Contains(string(b), ") T ") {
			return
		}
	}
}

// TestTerminal freezes a program that has set up its terminal, and thaws it in
// another one.
func TestTerminal(t *testing.T) {
	samples.Need(t, "bash")
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	_, slave := terminal(t)
	cmd := within(t, slave, dir, prog, "terminal")
	untilStopped(t, cmd.Process.Pid)
	_, err := freeze.Freeze(cmd.Process.Pid, frozen, freeze.Options{})
	unix.Kill(cmd.Process.Pid, unix.SIGCONT)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); err != nil || code != 3 {
		t.Fatalf("the process that goes on: %v; %v", cmd.ProcessState, err)
	}
	master, slave := terminal(t)
	cmd = within(t, slave, dir, frozen)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		b := make([]byte, 4096)
		n, _ := master.Read(b)
		t.Errorf("thawed: %v, %q", cmd.ProcessState, b[:n])
	}
	if out, code := shell(t, dir, "setsid ./frozen </dev/null"); code != 125 || !strings.Contains(out, "open /dev/tty: ENXIO") {
		t.Errorf("without a terminal: exit code %d, %q", code, out)
	}
}

// TestStrict thaws where a limit cannot be what it was.
func TestStrict(t *testing.T) {
	samples.Need(t, "bash")
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if out, code, err := run(t, dir, frozen, freeze.Options{Strict: true}, prog, "umask"); err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	thawed(t, dir, frozen, 3, "umask is as it was\n")
	out, code := shell(t, dir, "ulimit -n 64; ./frozen")
	if code != 125 || !strings.HasPrefix(out, "thaw: RLIMIT_NOFILE: ") || strings.Count(out, "\n") != 1 {
		t.Errorf("exit code %d, %q", code, out)
	}
	// Nobody reads what it says, and it goes on.
	if _, _, err := run(t, dir, frozen, freeze.Options{}, prog, "umask"); err != nil {
		t.Fatal(err)
	}
	if out, code := shell(t, dir, "ulimit -n 64; ( sleep 0.2; ./frozen; echo $? >code ) 2>&1 >out | true; sleep 0.1; until [ -s code ]; do sleep 0.05; done; cat code out"); out != "3\numask is as it was\n" {
		t.Errorf("exit code %d, %q", code, out)
	}
}

// TestNear freezes a process that has a pipe together with a child.
func TestNear(t *testing.T) {
	prog, dir := cases(t), t.TempDir()
	report, out, code, err := start(t, dir, filepath.Join(dir, "frozen"), freeze.Options{Orphan: true}, prog, "pipe_near")
	if err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	if w := strings.Join(report.Warnings, "\n"); !strings.Contains(w, "has it open, too; the thawed process has one of its own") {
		t.Errorf("warnings %q", w)
	}
}

// TestWithoutProc thaws where there is no /proc.
func TestWithoutProc(t *testing.T) {
	root(t)
	samples.Need(t, "bash", "unshare")
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if out, code, err := run(t, dir, frozen, freeze.Options{}, prog, "score"); err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	out, _ := shell(t, dir, "unshare -m sh -c 'mount -t tmpfs none /proc && exec ./frozen'")
	if !strings.Contains(out, "thaw: oom_score_adj 500 is not permitted here, the one here stays\n") {
		t.Errorf("%q", out)
	}
}

// TestKeep thaws with the old number, which must be free then.
func TestKeep(t *testing.T) {
	samples.Need(t, "bash")
	root(t)
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if _, _, err := run(t, dir, frozen, freeze.Options{PIDs: freeze.PIDKeep, Kill: true}, prog, "pid"); err != nil {
		t.Fatal(err)
	}
	thawed(t, dir, frozen, 3, "pid is as it was\n")
	thawed(t, dir, frozen, 3, "pid is as it was\n")
	cmd := exec.Command(prog, "pid")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	untilStopped(t, cmd.Process.Pid)
	if _, err := freeze.Freeze(cmd.Process.Pid, frozen, freeze.Options{PIDs: freeze.PIDKeep}); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, frozen)
	if out, code := shell(t, dir, "./frozen"); code != 125 || !strings.Contains(out, fmt.Sprintf("thaw: process %d, with that number: EEXIST", cmd.Process.Pid)) {
		t.Errorf("the number is in use: exit code %d, %q", code, out)
	}
}

// TestTerminated sends a signal while the thaw goes on: it ends the process before
// it is there, or is handled by it.
func TestTerminated(t *testing.T) {
	samples.Need(t, "bash")
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if out, code, err := run(t, dir, frozen, freeze.Options{PIDs: freeze.PIDNew}, prog, "terminated"); err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	handled := 0
	for i := range 10 {
		cmd := exec.Command(frozen)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		unix.Kill(cmd.Process.Pid, unix.SIGTERM)
		cmd.Wait()
		ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
		switch {
		case ws.Exited() && ws.ExitStatus() == 3 && out.String() == "terminated is as it was\n":
			handled++
		case ws.Signaled() && ws.Signal() == syscall.SIGTERM && out.Len() == 0:
		default:
			t.Errorf("after %d ms: %v, %q", i, cmd.ProcessState, out.String())
		}
	}
	if handled == 0 {
		t.Error("no signal was handled")
	}
}

// TestDiskFull freezes to a disk without room: there is no file, and the process
// goes on.
func TestDiskFull(t *testing.T) {
	samples.Need(t, "bash")
	root(t)
	prog, dir := cases(t), t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("a small disk: ", err)
	}
	defer unix.Unmount(disk, unix.MNT_DETACH)
	cmd := exec.Command(prog, "terminated")
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	untilStopped(t, cmd.Process.Pid)
	_, err := freeze.Freeze(cmd.Process.Pid, filepath.Join(disk, "frozen"), freeze.Options{Kill: true})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(disk); len(left) != 0 {
		t.Errorf("there is %v", left)
	}
	unix.Kill(cmd.Process.Pid, unix.SIGCONT)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("the process: %v, %q", cmd.ProcessState, out.String())
	}
}

// asOther is set where this program is the freezer of an ordinary user.
const asOther = "ELFWRIGHT_TEST_FREEZE"

// freezeOther freezes the case that the arguments tell.
func freezeOther() int {
	r := freeze.Run{Args: os.Args[1:3], Env: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Options: freeze.Options{Kill: os.Args[4] == "alone"}}
	if os.Args[4] == "ns" {
		r.Options.PIDs = freeze.PIDNS
	}
	_, code, err := r.Start(os.Args[3])
	if err != nil {
		fmt.Println(err)
		return 2
	}
	return code
}

// TestOtherUser has a user without any privilege freeze what is his, and thaw it.
func TestOtherUser(t *testing.T) {
	root(t)
	samples.Need(t, "bash", "setpriv")
	prog := cases(t)
	list, _ := exec.Command(prog).Output()
	base := t.TempDir()
	for dir := base; dir != filepath.Dir(dir) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
	for from, to := range map[string]string{os.Args[0]: "freezer", prog: "prog"} {
		copyFile(t, from, filepath.Join(base, to))
	}
	for line := range strings.Lines(string(list)) {
		name, how, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if how != "" && how != "alone" && how != "ns" || testing.Short() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(base, "of-"+name)
			os.Mkdir(dir, 0o700)
			os.Chown(dir, 65534, 65534)
			as := "setpriv --reuid=65534 --regid=65534 --clear-groups "
			out, code := shell(t, dir, fmt.Sprintf("%s env %s=1 ../freezer ../prog %s frozen %q </dev/null", as, asOther, name, how))
			switch {
			case strings.Contains(out, needs) || strings.Contains(out, "setup, "):
				t.Skip(out) // he may not
			case how == "alone" && code != 0, how != "alone" && (code != 3 || out != name+" is as it was\n"):
				t.Fatalf("freezing: exit code %d, %q", code, out)
			}
			samples.Settle(t, filepath.Join(dir, "frozen"))
			if out, code := shell(t, dir, as+" ./frozen"); code != 3 || out != name+" is as it was\n" {
				t.Errorf("thawed: exit code %d, %q", code, out)
			}
		})
	}
}

// TestLacks thaws, as a user without any privilege, what root has frozen: what he may
// not have is told, and the process goes on; or not, where that is asked for.
func TestLacks(t *testing.T) {
	root(t)
	samples.Need(t, "bash", "setpriv")
	prog := cases(t)
	base := t.TempDir()
	for dir := base; dir != filepath.Dir(dir) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
	for name, want := range map[string]string{
		"lock_memory": "memory that was locked is not, RLIMIT_MEMLOCK is too low or it is not permitted",
		"lock_future": "memory that the process maps from now on is not locked (MCL_FUTURE), RLIMIT_MEMLOCK is too low or it is not permitted",
		"nice_raised": "its scheduling or nice value is not permitted here, it has that of who starts it",
		"realtime":    "its scheduling or nice value is not permitted here, it has that of who starts it",
		"secure_bits": "PR_SET_SECUREBITS 0x4 is not permitted here",
	} {
		for _, strict := range []bool{false, true} {
			dir := filepath.Join(base, fmt.Sprint(name, strict))
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			frozen := filepath.Join(dir, "frozen")
			_, out, code, err := start(t, dir, frozen, freeze.Options{Strict: strict, Kill: true, Mode: 0o755}, prog, name)
			if err != nil && strings.Contains(err.Error(), needs) {
				continue // neither may root
			}
			if err != nil {
				t.Fatal(name, code, out, err)
			}
			limit := ""
			if strings.HasPrefix(name, "lock_") {
				limit = "ulimit -l 0; "
			}
			out, code = shell(t, dir, limit+"setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all ./frozen")
			// The process looks, and finds that it is not as it was.
			right := strings.Contains(out, want+"\n")
			if strict {
				right = right && code == 125 && strings.Count(out, "\n") == 1
			} else {
				right = right && code == 1 && strings.Contains(out, "testdata/resources/")
			}
			if !right {
				t.Errorf("%s, strict %v: exit code %d, %q", name, strict, code, out)
			}
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, to)
}

// TestProcessor makes each check of the processor ask for what is not there.
func TestProcessor(t *testing.T) {
	samples.Need(t, "bash")
	prog, dir := cases(t), t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if out, code, err := run(t, dir, frozen, freeze.Options{}, prog, "umask"); err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	whole, err := os.ReadFile(frozen)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte(script.Magic))
	o := binary.LittleEndian
	base := o.Uint64(whole[at+8:]) + 0x1000
	s, err := script.Parse(amd64.Machine, base, whole[at:])
	if err != nil {
		t.Fatal(err)
	}
	checks := 0
	for i := 1; i < len(s.Records); i++ {
		r, test := &s.Records[i], &s.Records[i-1]
		if r.Op != script.Fail || r.Msg == 0 || test.Op != script.Bits4 {
			continue
		}
		text := string(s.Bytes[r.Msg+4:][:o.Uint32(s.Bytes[r.Msg:])])
		if !strings.HasPrefix(text, "thaw: this processor has no ") && !strings.HasPrefix(text, "thaw: this kernel does not keep all registers") {
			continue
		}
		checks++
		b := bytes.Clone(whole)
		const secondOperand = 32
		record := at + int(s.First-base) + (i-1)*script.RecordSize
		o.PutUint64(b[record+secondOperand:], 0xffffffff) // no word of CPUID has all bits
		name := filepath.Join(dir, fmt.Sprint("asks", i))
		if err := os.WriteFile(name, b, 0o700); err != nil {
			t.Fatal(err)
		}
		samples.Settle(t, name)
		if out, code := shell(t, dir, name); code != 125 || out != text+"\n" {
			t.Errorf("%s: exit code %d, %q", text, code, out)
		}
		os.Remove(name)
	}
	if checks < 10 {
		t.Errorf("only %d checks", checks)
	}
}

// TestTable holds the table of resources against the cases: each is in it, and all
// that it names is there.
func TestTable(t *testing.T) {
	list, err := exec.Command(cases(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("../docs/freeze-resources.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], "---") {
			continue
		}
		for word := range strings.FieldsSeq(cells[3]) {
			named[strings.Trim(word, "`")] = true
		}
	}
	there := map[string]bool{"tests": true, "all": true, "cases": true}
	for line := range strings.Lines(string(list)) {
		name, _, _ := strings.Cut(line, "\t")
		there[name] = true
		if !named[name] {
			t.Errorf("case %s is not in docs/freeze-resources.md", name)
		}
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "func Test"); ok {
				test, _, _ := strings.Cut(rest, "(")
				there["Test"+test] = true
			}
		}
	}
	for name := range named {
		if !there[name] {
			t.Errorf("docs/freeze-resources.md names %s, which is no test", name)
		}
	}
}
