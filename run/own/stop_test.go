package own_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestStop has programs stop before their first instruction, when the constructors of
// their libraries have run, or before main, and lets them go on.
func TestStop(t *testing.T) {
	alone := samples.Make(t, aloneRecipe(t, "x86_64-linux-gnu-", true, false, []string{"-mtls-dialect=gnu"}))
	files := map[string]string{"lib.c": `
#include <unistd.h>
int lib(void) { return 7; }
__attribute__((constructor)) static void begin(void) { write(1, "library\n", 8); }
`, "main.c": `
#include <unistd.h>
int lib(void);
__attribute__((constructor)) static void begin(void) { write(1, "program\n", 8); }
int main(void) { write(1, "main\n", 5); return lib(); }
`}
	steps := func(gcc string) [][]string {
		return [][]string{{gcc, "-fPIC", "-shared", "-Wl,-soname,liblib.so", "-o", "liblib.so", "lib.c"}, {gcc, "-Wl,-rpath,$ORIGIN", "-o", "main", "main.c", "liblib.so"}}
	}
	glibc := samples.Make(t, samples.Recipe{Files: files, Steps: steps("gcc")})
	musl := samples.Make(t, samples.Recipe{Files: files, Steps: steps("musl-gcc")})
	for _, c := range []struct {
		dir          string
		opt          own.Options
		before, last string
	}{
		{alone, own.Options{Stop: true}, "preinit\nargc 2\nb begins\na begins 2\n", "b ends\n"},
		{glibc, own.Options{Stop: true}, "library\n", "main\n"},
		{glibc, own.Options{StopMain: true}, "library\nprogram\n", "main\n"},
		{musl, own.Options{Stop: true}, "library\n", "main\n"},
		{musl, own.Options{StopMain: true}, "library\nprogram\n", "main\n"},
	} {
		_, image := build(t, filepath.Join(c.dir, "main"), load.Options{}, c.opt)
		stopped(t, image, c.before, c.last)
	}
}

// TestStopOld has a program that was linked as with an old glibc: it calls its own
// constructors, so that it would not stop before main, and that is said.
func TestStopOld(t *testing.T) {
	dir := samples.Make(t, samples.Recipe{
		Files: map[string]string{"main.c": `
__asm__(".symver __libc_start_main,__libc_start_main@GLIBC_2.2.5");
int __libc_start_main(int (*)(int, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
int main(int argc, char **argv) { return 7; }
static void init(void) {}
__attribute__((constructor)) static void begin(void) {}
__attribute__((used)) void start(long *sp) { __libc_start_main(main, *sp, (char **)(sp + 1), init, init, 0, sp); }
__asm__(".globl _start\n_start: mov %rsp, %rdi; and $-16, %rsp; call start");
`},
		Steps: [][]string{{"gcc", "-nostartfiles", "-o", "main", "main.c"}},
	})
	prog := filepath.Join(dir, "main")
	if out, status := output(t, prog); status != 7 {
		t.Fatalf("status %d, %s", status, out)
	}
	p, err := load.Load(prog, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Build(p, b, own.Options{StopMain: true}); err == nil || !strings.Contains(err.Error(), "it was linked with a glibc before 2.34") {
		t.Errorf("%v", err)
	}
}

// stopped starts a program that stops itself, and lets it go on.
func stopped(t *testing.T, image, before, last string) {
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(image, "x")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var ws syscall.WaitStatus
	timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if _, err := syscall.Wait4(cmd.Process.Pid, &ws, syscall.WUNTRACED, nil); err != nil || !ws.Stopped() {
		t.Fatalf("it did not stop: %v, %v", ws, err)
	}
	text := func() string {
		b, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := text(); got != before {
		t.Errorf("when it stops it has said %q", got)
	}
	cmd.Process.Signal(syscall.SIGCONT)
	cmd.Wait()
	if got := text(); !strings.HasSuffix(got, last) || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("status %d, %q", cmd.ProcessState.ExitCode(), got)
	}
}
