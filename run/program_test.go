package run_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/run"
)

func source(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// saved prepares a program and keeps what would be started.
func saved(t *testing.T, p run.Program) string {
	t.Helper()
	p.Engine, p.Save = run.Interp, true
	r, err := run.Prepare(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := filepath.Join(t.TempDir(), filepath.Base(p.Args[0]))
	if err := r.Save(out); err != nil {
		t.Fatal(err)
	}
	return out
}

// output runs a program with a file open as descriptor 7.
func output(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd.ExtraFiles = []*os.File{null, null, null, null, null}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String() + cmd.ProcessState.String()
}

// TestLook: a program sees of its start what it sees without us, on two machines, at
// an address of its own and at any, with variables for the dynamic linker and
// without.
func TestLook(t *testing.T) {
	for _, m := range []struct{ prefix, emulator, root string }{
		{"", "", ""},
		{"aarch64-linux-gnu-", "qemu-aarch64", "/usr/aarch64-linux-gnu"},
	} {
		samples.Need(t, m.prefix+"gcc")
		var native, ours []string
		if m.emulator != "" {
			samples.Need(t, m.emulator)
			native, ours = []string{m.emulator, "-L", m.root}, []string{m.emulator}
		}
		dir := samples.Make(t, samples.Recipe{
			Files: map[string]string{"look.c": source(t, "testdata/look.c")},
			Steps: [][]string{{m.prefix + "gcc", "-O1", "-o", "look", "look.c"}, {m.prefix + "gcc", "-O1", "-no-pie", "-o", "fixed", "look.c"}},
		})
		for _, name := range []string{"look", "fixed"} {
			prog := filepath.Join(dir, name)
			for i, p := range []run.Program{{}, {LibraryPath: "/nowhere"}, {LibraryPath: "/nowhere", Preload: preload(m.root)}} {
				p.Args, p.Root = []string{prog}, m.root
				image := saved(t, p)
				for _, env := range [][]string{
					{"PATH=/bin", "A=b"},
					{"PATH=/bin", "LD_LIBRARY_PATH=/none:/neither", "C=d"},
				} {
					want := output(t, env, append(append(native, prog), "x", "a b")...)
					got := output(t, env, append(append(ours, image), "x", "a b")...)
					if m.emulator != "" { // which has a name of its own, and orders variables as it likes
						want = strings.ReplaceAll(want, "name "+m.emulator+"\n", "name "+name+"\n")
						got, want = inOrder(got), inOrder(want)
					}
					if got != want {
						t.Errorf("%s%s, case %d, %v:\n%s\nwithout us:\n%s", m.prefix, name, i, env, got, want)
					}
				}
			}
		}
	}
}

func inOrder(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func preload(root string) string {
	if root != "" {
		return "libdl.so.2"
	}
	return "libm.so.6"
}

// TestTorture runs a program that asks much of its dynamic linker.
func TestTorture(t *testing.T) {
	samples.Need(t, "g++")
	dir := samples.Make(t, samples.Recipe{
		Files: map[string]string{"torture.cc": source(t, "own/testdata/torture.cc"), "thrower.cc": source(t, "own/testdata/thrower.cc"),
			"plug.cc": source(t, "own/testdata/plug.cc"), "plain.c": "int plain(void) { return 8; }\n"},
		Steps: [][]string{
			{"g++", "-O1", "-fPIC", "-shared", "-Wl,-soname,libthrower.so", "-o", "libthrower.so", "thrower.cc"},
			{"g++", "-O1", "-fPIC", "-shared", "-o", "libplug.so", "plug.cc"},
			{"gcc", "-O1", "-fPIC", "-shared", "-o", "libplain.so", "plain.c"},
			{"g++", "-O1", "-rdynamic", "-Wl,-rpath,$ORIGIN", "-o", "torture", "torture.cc", "libthrower.so"},
			{"g++", "-O1", "-rdynamic", "-no-pie", "-fno-pie", "-Wl,-z,now", "-Wl,-rpath,$ORIGIN", "-o", "fixed", "torture.cc", "libthrower.so"},
		},
	})
	for _, name := range []string{"torture", "fixed"} {
		prog := filepath.Join(dir, name)
		want := output(t, os.Environ(), prog, "x", "last")
		image := saved(t, run.Program{Args: []string{prog}})
		if got := output(t, os.Environ(), image, "x", "last"); got != want {
			t.Errorf("%s:\n%s\nwithout us:\n%s", name, got, want)
		}
	}
}

// TestRefusals: machines and files that are not supported are named.
func TestRefusals(t *testing.T) {
	samples.Need(t, "arm-linux-gnueabihf-gcc")
	dir := samples.Make(t, samples.Recipe{
		Files: map[string]string{"a.c": "int main(void) { return 0; }\n"},
		Steps: [][]string{{"arm-linux-gnueabihf-gcc", "-o", "arm", "a.c"}, {"gcc", "-o", "here", "a.c"}},
	})
	for _, c := range []struct {
		p    run.Program
		why  string
		code int
	}{
		{run.Program{Args: []string{dir + "/arm"}, Root: "/usr/arm-linux-gnueabihf"}, "arm: ELF header, e_machine at 0x12: ARM, ELFCLASS32, ELFDATA2LSB: no code that starts a dynamic linker on this machine yet", 126},
		{run.Program{Args: []string{dir + "/here"}, Root: dir}, "here: PT_INTERP: " + dir + "/lib64/ld-linux-x86-64.so.2: no such file or directory", 127},
		{run.Program{Args: []string{dir + "/here"}, Root: dir + "/none"}, "none: no such file or directory", 127},
		{run.Program{Args: []string{dir + "/gone"}}, "gone: no such file or directory", 127},
	} {
		c.p.Engine = run.Interp
		_, err := run.Prepare(c.p)
		if err == nil || !strings.Contains(err.Error(), c.why) || run.ExitCode(err) != c.code {
			t.Errorf("%v: %v, exit code %d; want %s, %d", c.p.Args, err, run.ExitCode(err), c.why, c.code)
		}
	}
}

func Example() {
	r, err := run.Prepare(run.Program{Args: []string{"true"}, Path: "/bin", Engine: run.Interp})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	fmt.Println(r.Source.Path, r.Engine, r.Ld.Name)
	// Output: /bin/true interp /lib64/ld-linux-x86-64.so.2
}
