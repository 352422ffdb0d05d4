package freeze_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elfwright/freeze"
	"elfwright/internal/samples"
)

// TestWays freezes and thaws in every way that there is.
func TestWays(t *testing.T) {
	samples.Need(t, "gcc")
	prog := cases(t)
	static := compile(t, "-O1", "-static", "testdata/resources.c", "-pthread")
	fixed := compile(t, "-O1", "-no-pie", "testdata/resources.c", "-pthread")
	for _, way := range []struct {
		name string
		opt  freeze.Options
	}{
		{"plain", freeze.Options{}}, {"other vDSO", freeze.Options{OtherVDSO: true}}, {"lazy", freeze.Options{Lazy: true}},
		{"libraries", freeze.Options{Libs: freeze.Ref}}, {"namespace", freeze.Options{PIDs: freeze.PIDNS}}, {"new numbers", freeze.Options{PIDs: freeze.PIDNew}},
	} {
		for kind, prog := range map[string]string{"dynamic": prog, "static": static, "fixed": fixed} {
			for _, name := range []string{"sleep", "brk", "stack_grows", "pipe", "threads"} {
				if name == "threads" && way.opt.PIDs == freeze.PIDNew {
					name = "blocked_read" // a recursive mutex knows its thread by the number
				}
				t.Run(way.name+"/"+kind+"/"+name, func(t *testing.T) {
					t.Parallel()
					dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
					if out, code, err := run(t, dir, frozen, way.opt, prog, name); err != nil || code != 3 {
						t.Fatal(code, out, err)
					}
					thawed(t, dir, frozen, 3, name+" is as it was\n")
				})
			}
		}
	}
}

// shell runs a line in a directory.
func shell(t *testing.T, dir, line string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir = dir
	b, _ := cmd.CombinedOutput()
	return string(b), cmd.ProcessState.ExitCode()
}

// TestSurroundings thaws one file where much is otherwise.
func TestSurroundings(t *testing.T) {
	samples.Need(t, "gcc", "bash", "setarch")
	prog := cases(t)
	dir := t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if out, code, err := run(t, dir, frozen, freeze.Options{}, prog, "threads"); err != nil || code != 3 {
		t.Fatal(code, out, err)
	}
	for _, line := range []string{
		"./frozen", "setarch -R ./frozen", "ulimit -s 100; ./frozen", "ulimit -s unlimited; ./frozen", "./frozen 3</dev/null 5</dev/null 9</dev/null",
		`for i in 1 2 3 4 5 6 7 8 9; do export "v$i=$(printf %0100000d 0)"; done; ./frozen`, "./frozen </dev/null & ./frozen </dev/null >/dev/null; wait $!",
		"trap '' TERM INT; ./frozen", "ln frozen other; mv frozen away; ./other; r=$?; mv away frozen; exit $r", "ulimit -n 64; ./frozen",
	} {
		out, code := shell(t, dir, line)
		if _, limit, ok := strings.Cut(line, "ulimit -"); ok && limit[2:5] != "unl" {
			name := map[byte]string{'s': "STACK", 'n': "NOFILE"}[limit[0]]
			var said string
			if said, out, _ = strings.Cut(out, "\n"); !strings.HasPrefix(said, "thaw: RLIMIT_"+name+": ") {
				t.Errorf("%s: nobody says that the limit is lower: %q", line, said)
			}
		}
		if code != 3 || out != "threads is as it was\n" {
			t.Errorf("%.60s: exit code %d, %q", line, code, out)
		}
	}
	for range 40 {
		if out, code := shell(t, dir, "./frozen"); code != 3 {
			t.Fatalf("exit code %d, %q", code, out)
		}
	}
}

// TestMissing takes away what the thaw needs: it ends with 125 and says what.
func TestMissing(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	prog := cases(t)
	for _, c := range []struct{ name, line, want string }{
		{"file_position", "mv position p; mkdir position; ./frozen", "position: EISDIR"},
		{"file_position", "rm -rf position; ./frozen", "position: ENOENT"},
		{"directory", "rm -rf dir; ./frozen", "dir: ENOENT"},
		{"directory_and_umask", "rmdir below; ./frozen", "working directory"},
		{"shared_file", "rm shared; ./frozen", "which is mapped at"},
		{"fifo", "rm fifo; echo x > fifo; ./frozen", "is not a FIFO any more"},
		{"anonymous", "ulimit -v 30000; ./frozen", "map [0x"},
		{"anonymous", "truncate -s 20000 frozen; ./frozen", ""},
	} {
		dir := t.TempDir()
		frozen := filepath.Join(dir, "frozen")
		if out, code, err := run(t, dir, frozen, freeze.Options{}, prog, c.name); err != nil || code != 3 {
			t.Fatal(c.name, code, out, err)
		}
		out, code := shell(t, dir, c.line)
		if c.want == "" {
			if code == 3 || strings.Contains(out, "as it was") {
				t.Errorf("%s: exit code %d, %q", c.line, code, out)
			}
		} else if code != 125 || !strings.Contains(out, "thaw: ") || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, %q; want 125 and %q", c.line, code, out, c.want)
		}
	}
}

// TestLibraryChanged replaces a library that a frozen file leaves where it is.
func TestLibraryChanged(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"lib.c":  "int answer(void) { return ANSWER; }\n",
		"main.c": "#include <signal.h>\nint answer(void);\nint main(void) { raise(SIGSTOP); return answer(); }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := shell(t, dir, "gcc -DANSWER=42 -shared -fPIC -o libanswer.so lib.c && gcc -o prog main.c -L. -lanswer -Wl,-rpath,$PWD"); code != 0 {
		t.Fatal(out)
	}
	frozen := filepath.Join(dir, "frozen")
	if _, code, err := run(t, dir, frozen, freeze.Options{Libs: freeze.Ref}, filepath.Join(dir, "prog")); err != nil || code != 42 {
		t.Fatal(code, err)
	}
	if out, code := shell(t, dir, "./frozen"); code != 42 {
		t.Errorf("with its library: exit code %d, %q", code, out)
	}
	if out, code := shell(t, dir, "gcc -DANSWER=43 -shared -fPIC -o l lib.c && mv l libanswer.so && ./frozen"); code != 125 || !strings.Contains(out, "is not the one that the process was frozen with") {
		t.Errorf("with another: exit code %d, %q", code, out)
	}
	if out, code := shell(t, dir, "rm libanswer.so; ./frozen"); code != 125 || !strings.Contains(out, "libanswer.so: ENOENT") {
		t.Errorf("without: exit code %d, %q", code, out)
	}
}

// TestAgain freezes what was thawed, some times over.
func TestAgain(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	dir := t.TempDir()
	src := "#include <signal.h>\n#include <stdio.h>\nint main(void) { for (int i = 0; i < 4; i++) { raise(SIGSTOP); printf(\"%d\\n\", i); fflush(stdout); } return 7; }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.c"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := shell(t, dir, "gcc -o f0 main.c"); code != 0 {
		t.Fatal(out)
	}
	var sizes []int64
	for i := range 4 {
		from, to := filepath.Join(dir, fmt.Sprint("f", i)), filepath.Join(dir, fmt.Sprint("f", i+1))
		out, _, err := run(t, dir, to, freeze.Options{Kill: true}, from)
		want := ""
		if i > 0 {
			want = fmt.Sprintln(i - 1)
		}
		if err != nil || out != want {
			t.Fatal(i, out, err)
		}
		st, err := os.Stat(to)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, st.Size())
	}
	if out, code := shell(t, dir, "./f4"); out != "3\n" || code != 7 {
		t.Errorf("exit code %d, %q", code, out)
	}
	if sizes[3] > sizes[1]+64<<10 {
		t.Errorf("the file grows: %d", sizes)
	}
}

// TestArguments reads the arguments of the thaw in the thawed program.
func TestArguments(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	frozen := filepath.Join(dir, "frozen")
	if _, _, err := run(t, dir, frozen, freeze.Options{Kill: true, ArgsFD: 5}, "bash", "-c", `exec 5</dev/null; kill -STOP $$; tail -c +5 <&5 | tr '\0' '\n'`); err != nil {
		t.Fatal(err)
	}
	out, code := shell(t, dir, "env -i VAR=value ./frozen one 'two words'")
	if code != 0 || out != "./frozen\none\ntwo words\nVAR=value\n" {
		t.Errorf("exit code %d, %q", code, out)
	}
}

// standing starts a process that stops itself, and ends with 9 when it goes on.
func standing(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("bash", "-c", "kill -STOP $$; exit 9")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for stat := ""; !strings.Contains(stat, ") T "); time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		stat = string(b)
	}
	return cmd
}

// TestSame freezes a stopped process twice: the files are equal.
func TestSame(t *testing.T) {
	samples.Need(t, "bash")
	dir := t.TempDir()
	cmd := standing(t)
	var files [2][]byte
	for i := range files {
		name := filepath.Join(dir, fmt.Sprint(i))
		if _, err := freeze.Freeze(cmd.Process.Pid, name, freeze.Options{}); err != nil {
			t.Fatal(err)
		}
		files[i], _ = os.ReadFile(name)
	}
	shell(t, dir, fmt.Sprint("kill -CONT ", cmd.Process.Pid))
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 9 {
		t.Errorf("the process: exit code %d", code)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same process makes two different files")
	}
	if st, _ := os.Stat(filepath.Join(dir, "0")); st.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", st.Mode())
	}
}

// TestKill kills processes of several threads, of which the file is made: those that
// are children of ours, and those that are not. Their ends are told.
func TestKill(t *testing.T) {
	samples.Need(t, "gcc", "bash")
	prog := compile(t, "-O1", "testdata/resources.c", "-pthread")
	for i := range 10 {
		dir, frozen := t.TempDir(), filepath.Join(t.TempDir(), "frozen")
		slow := time.AfterFunc(20*time.Second, func() { panic("a process that was killed is waited for without end") })
		if _, code, err := run(t, dir, frozen, freeze.Options{Kill: true}, prog, "threads"); err != nil || code != 0 {
			t.Fatal(i, code, err)
		}
		cmd := exec.Command("bash", "-c", `"$0" threads & echo $!; wait $!; echo $?`, prog)
		cmd.Dir = dir
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var pid, code int
		if _, err := fmt.Fscan(out, &pid); err != nil {
			t.Fatal(err)
		}
		for state := ""; !strings.HasPrefix(state, "T"); time.Sleep(time.Millisecond) {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if err != nil {
				t.Fatal(err)
			}
			_, state, _ = strings.Cut(string(b), ") ")
		}
		if _, err := freeze.Freeze(pid, frozen, freeze.Options{Kill: true, FDs: map[int]string{1: freeze.Inherit}}); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscan(out, &code); err != nil || code != 128+9 {
			t.Errorf("who started it hears %d, %v", code, err)
		}
		cmd.Wait()
		slow.Stop()
	}
}
