package own_test

import (
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestOrigin has a library that is a symbolic link into another directory, and opens
// another by $ORIGIN: that is the directory of the link.
func TestOrigin(t *testing.T) {
	for _, cc := range []string{"gcc", "musl-gcc"} {
		dir := samples.Make(t, samples.Recipe{
			Files: map[string]string{
				"plug.c": "int plug(void) { return N; }\n",
				"lib.c": `#include <dlfcn.h>
int lib(void)
{
	void *h = dlopen("plug.so", RTLD_NOW);
	int (*f)(void) = h ? (int (*)(void))dlsym(h, "plug") : 0;
	return f ? f() : -1;
}
`,
				"main.c": "#include <stdio.h>\nint lib(void);\nint main(void) { printf(\"%d\\n\", lib()); return 0; }\n",
			},
			Steps: [][]string{
				{"mkdir", "a", "b"},
				{cc, "-shared", "-fPIC", "-DN=1", "-o", "a/plug.so", "plug.c"},
				{cc, "-shared", "-fPIC", "-DN=2", "-o", "b/plug.so", "plug.c"},
				{cc, "-shared", "-fPIC", "-Wl,-rpath,$ORIGIN", "-Wl,-soname,lib.so", "-o", "b/lib.so", "lib.c"},
				{"ln", "-s", "../b/lib.so", "a/lib.so"},
				{cc, "-Wl,-rpath,$ORIGIN/a", "-o", "main", "main.c", "a/lib.so"},
			},
		})
		prog := filepath.Join(dir, "main")
		want, _ := output(t, prog)
		_, image := build(t, prog, load.Options{}, own.Options{})
		if got, _ := output(t, image); got != want || got != "1\n" {
			t.Errorf("%s: %q, natively %q", cc, got, want)
		}
	}
}
