package phdr_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// debugged are programs that a debugger can look at here.
var debugged = []string{
	"x86-64-pie", "x86-64-nopie", "x86-64-static", "x86-64-static-pie", "x86-64-c++",
	"x86-64-gold-pie", "x86-64-lld-nopie", "x86-64-mold-pie", "x86-64-musl-pie", "x86-64-musl-static",
}

// TestDebuggers: a core dump of the edited program names its build-id, and gdb
// shows the same backtrace, from the core and from a breakpoint.
func TestDebuggers(t *testing.T) {
	samples.Need(t, "gdb", "eu-unstrip", "sh")
	for i, name := range debugged {
		if testing.Short() && i != 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := samples.Find(t, name)
			s := newSubject(t, p)
			edited := filepath.Join(t.TempDir(), "sample")
			r := add(t, s.path, edited, phdr.Options{}, dataHeader(), arenaHeader())
			t.Logf("edited by %s", r.Technique)
			core(t, p, s.path, edited)
			breakpoint(t, s.path, edited)
		})
	}
}

// core lets both programs crash and reads what the kernel wrote.
func core(t *testing.T, p samples.Program, plain, edited string) {
	want, got := crash(t, p, plain), crash(t, p, edited)
	if want == "" || got == "" {
		t.Log("no core file here")
		return
	}
	f, err := elffile.Open(edited)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	id := hex.EncodeToString(f.BuildID())
	out, err := exec.Command("eu-unstrip", "-n", "--core="+got).CombinedOutput()
	if err != nil || id == "" || !strings.Contains(string(out), id) {
		t.Errorf("eu-unstrip does not find build-id %s in the core file: %v\n%s", id, err, out)
	}
	a, b := functions(gdb(t, plain, "bt", want)), functions(gdb(t, edited, "bt", got))
	if a == "" || a != b {
		t.Errorf("gdb's backtrace from the core file is\n%s\nthat of the original\n%s", b, a)
	}
}

// crash returns the core file of a program, or "".
func crash(t *testing.T, p samples.Program, path string) string {
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern), "|/") {
		return ""
	}
	dir := t.TempDir()
	run := p.Command(t.Context(), t, path, "crash")
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -c unlimited && "$@"; exit 0`, "sh"}, run.Args...)...)
	cmd.Dir, cmd.Env = dir, run.Env
	cmd.Run()
	found, _ := filepath.Glob(filepath.Join(dir, "core*"))
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// functions are the names in a backtrace.
func functions(bt string) string {
	var names []string
	for line := range strings.Lines(bt) {
		w := strings.Fields(line)
		for i := range w {
			if strings.HasPrefix(line, "#") && strings.HasPrefix(w[i], "(") {
				names = append(names, w[i-1])
				break
			}
		}
	}
	return strings.Join(names, " ")
}

// breakpoint stops both programs at the same place.
func breakpoint(t *testing.T, plain, edited string) {
	var bt [2]string
	for i, path := range []string{plain, edited} {
		out := gdb(t, path, "set startup-with-shell off", "break main", "run go", "bt", "info symbol main", "continue")
		if strings.Contains(out, "ptrace: Operation not permitted") {
			t.Log("gdb may not trace here")
			return
		}
		for line := range strings.Lines(out) {
			w := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "#"):
				bt[i] += w[1] + " " + w[len(w)-1] + "\n" // function, file and line
			case strings.Contains(line, "in section"):
				bt[i] += strings.Join(w[:4], " ") + "\n"
			case strings.HasPrefix(line, "[Inferior") && strings.Contains(line, "exited"): // threads end in any order
				bt[i] += "exited" + strings.SplitAfter(line, "exited")[1]
			}
		}
	}
	if bt[0] == "" || bt[0] != bt[1] {
		t.Errorf("gdb says of the edited program\n%s\nand of the original\n%s", bt[1], bt[0])
	}
}

// gdb runs commands on a program, the last argument being a core file if it is
// one.
func gdb(t *testing.T, program string, commands ...string) string {
	t.Helper()
	args := []string{"-nx", "-batch", "-ex", "set debuginfod enabled off"}
	corefile := ""
	if last := commands[len(commands)-1]; filepath.IsAbs(last) {
		corefile, commands = last, commands[:len(commands)-1]
	}
	for _, c := range commands {
		args = append(args, "-ex", c)
	}
	args = append(args, program)
	if corefile != "" {
		args = append(args, corefile)
	}
	cmd := exec.Command("gdb", args...)
	cmd.Env = append(os.Environ(), "SAMPLE_ENV=present", "LC_ALL=C")
	out, _ := cmd.CombinedOutput()
	return string(out)
}
