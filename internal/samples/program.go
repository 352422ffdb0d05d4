package samples

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Program is one kind of program. All are made from the same source in its
// language and understand the same arguments:
//
//	(any others)   test everything that must not change when the file is edited,
//	               print the results, "done", and exit with 0
//	headers        print the program headers that dl_iterate_phdr gives (C only)
//	find TYPE      find headers of a type by dl_iterate_phdr and by AT_PHDR, print
//	               vaddr, size and FNV-1a checksum of what they cover; exit with 1
//	               if there is none
//	arena TYPE     check that what the header covers is zero, then write all of it
//	exit N         exit with N
//	crash          abort (C and C++)
//	wait           print "waiting" and sleep for ever (C)
type Program struct {
	Name    string
	Machine elf.Machine
	Recipe  Recipe

	Lang    string // "c", "c++", "nolibc", "go", "rust"
	Libc    string // "glibc", "musl", "" for none
	PIE     bool   // ET_DYN
	Static  bool   // no PT_INTERP
	Library bool   // a shared library, run by a driver beside it

	NoSections bool // no section header table
	Stripped   bool // no .symtab

	// emulator runs the program if the kernel does not; sysroot has its libraries.
	emulator, sysroot string
}

// Build builds the program, or finds it built, and returns the file's path. It
// must not be written to. A missing tool skips the test, see [Need].
func (p Program) Build(t testing.TB) string {
	t.Helper()
	return MakeFile(t, p.Recipe)
}

// Tools are the commands that Build and Run need.
func (p Program) Tools() []string {
	list := p.Recipe.tools()
	if p.emulator != "" && !p.native() {
		list = append(list, p.emulator)
	}
	return list
}

// runTime is how long a program may run; emulators on a loaded machine are slow.
const runTime = 60 * time.Second

// Run runs path, a program made by Build or an edited copy of it, and returns
// what it wrote to standard output and its exit status: 128 + N if signal N
// ended it, as in a shell. The environment has SAMPLE_ENV=present and little
// else, so equal programs write the same.
func (p Program) Run(t testing.TB, path string, args ...string) (stdout string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	var out, errs bytes.Buffer
	cmd, err := p.run(ctx, t, path, args, &out, &errs)
	if ctx.Err() != nil {
		t.Fatalf("%v: still running after %v\n%s%s", cmd.Args, runTime, out.String(), errs.String())
	}
	if errs.Len() > 0 {
		t.Logf("%v: %s", cmd.Args, errs.String())
	}
	status, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return out.String(), 0
	case !ok:
		// The kernel refused the file: a shell says 126.
		t.Logf("%v: %v", cmd.Args, err)
		return out.String(), 126
	}
	// Sys returns what wait4 said in a type of package syscall.
	if w := unix.WaitStatus(reflect.ValueOf(status.Sys()).Uint()); w.Signaled() {
		return out.String(), 128 + int(w.Signal())
	}
	return out.String(), status.ExitCode()
}

// run starts the command, again while the file is busy: a test that runs beside
// this one and starts a program at the moment when path is written keeps it open
// for writing until its own exec.
func (p Program) run(ctx context.Context, t testing.TB, path string, args []string, out, errs *bytes.Buffer) (*exec.Cmd, error) {
	t.Helper()
	for {
		cmd := p.Command(ctx, t, path, args...)
		cmd.Stdout, cmd.Stderr = out, errs
		if err := cmd.Run(); !errors.Is(err, unix.ETXTBSY) || ctx.Err() != nil {
			return cmd, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Command returns the command that Run would run.
func (p Program) Command(ctx context.Context, t testing.TB, path string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SAMPLE_ENV=present", "PATH=" + os.Getenv("PATH")}
	if p.Library {
		dir := t.TempDir()
		if err := os.Symlink(path, filepath.Join(dir, libraryName)); err != nil {
			t.Fatal(err)
		}
		env = append(env, "LD_LIBRARY_PATH="+dir)
		path = filepath.Join(filepath.Dir(p.Build(t)), driverName)
	}
	argv := append([]string{path}, args...)
	if p.emulator != "" && !p.native() {
		Need(t, p.emulator)
		front := []string{p.emulator}
		if p.sysroot != "" {
			front = append(front, "-L", p.sysroot)
		}
		argv = append(front, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	return cmd
}

// native says whether this machine's kernel runs the program without help. An
// x86-64 kernel runs i386 programs unless it was built without.
func (p Program) native() bool {
	switch p.Machine {
	case elf.EM_X86_64:
		return runtime.GOARCH == "amd64"
	case elf.EM_AARCH64:
		return runtime.GOARCH == "arm64"
	case elf.EM_386:
		return runtime.GOARCH == "amd64" && kernelRuns386()
	}
	return false
}

// kernelRuns386 asks for the vsyscall setting that only exists with 32-bit
// support (Linux arch/x86/entry/vdso/vdso32-setup.c).
func kernelRuns386() bool {
	_, err := os.Stat("/proc/sys/abi/vsyscall32")
	return err == nil
}

// Find returns the program of a name.
func Find(t testing.TB, name string) Program {
	t.Helper()
	all := slices.Concat(Programs(), BigEndian())
	i := slices.IndexFunc(all, func(p Program) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no sample program %q", name)
	}
	return all[i]
}
