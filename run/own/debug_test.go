package own_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestDebugger has gdb find the libraries of a running program, those that are
// loaded later as well, and walk up the stack from one of them.
func TestDebugger(t *testing.T) {
	samples.Need(t, ldSO, "gdb")
	dir := samples.Make(t, samples.Recipe{
		Files: map[string]string{
			"main.c": "#include <dlfcn.h>\nint lib(int);\nint main(void) { void *h = dlopen(\"libplug.so\", RTLD_NOW); return lib(h ? ((int (*)(void))dlsym(h, \"plug\"))() : 1); }\n",
			"lib.c":  "#include <stdlib.h>\nint lib(int x) { if (x == 6) abort(); return x; }\n",
			"plug.c": "int plug(void) { return 6; }\n",
		},
		Steps: [][]string{
			{"gcc", "-O0", "-g", "-fPIC", "-shared", "-Wl,-soname,liblib.so", "-o", "liblib.so", "lib.c"},
			{"gcc", "-O0", "-g", "-fPIC", "-shared", "-o", "libplug.so", "plug.c"},
			{"gcc", "-O0", "-g", "-Wl,-rpath,$ORIGIN", "-o", "main", "main.c", "liblib.so"},
		},
	})
	_, image := build(t, filepath.Join(dir, "main"), load.Options{}, own.Options{})
	cmd := exec.Command("gdb", "-nx", "-batch", "-ex", "run", "-ex", "info sharedlibrary", "-ex", "bt", image)
	cmd.Env = append(cmd.Environ(), "DEBUGINFOD_URLS=", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"liblib.so", "libplug.so", "libc.so.6", "ld-linux-x86-64.so.2", "in lib (x=6)"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("gdb does not say %q:\n%s", want, out)
		}
	}
}
