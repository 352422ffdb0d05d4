package own_test

import (
	"os"
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// muslLibs are libraries of the program in testdata: two needs one.
var muslLibs = map[string]string{
	"one.c": `
#include <stdio.h>
__thread int tls = 10;
int shared = 5, order;
int *one_tls(void) { return &tls; }
int one(int x) { return x + 1; }
__attribute__((constructor)) static void begin(void) { puts("one begins"); order = order * 10 + 1; }
__attribute__((destructor)) static void end(void) { puts("one ends"); }
`,
	"two.c": `
#include <stdio.h>
extern int order, one(int);
__attribute__((constructor)) static void begin(void) { puts("two begins"); order = order * 10 + one(1); }
__attribute__((destructor)) static void end(void) { puts("two ends"); }
`,
	"plug.c": `
#include <stdio.h>
int one(int);
static __thread int more = 7;
__attribute__((constructor)) static void begin(void) { puts("plug begins"); }
int plug(int x) { return one(x) * more++; }
`,
}

// TestMusl runs a program of musl, and expects what it says when musl starts it.
func TestMusl(t *testing.T) {
	files := map[string]string{"main.c": source(t, "musl.c")}
	for name, text := range muslLibs {
		files[name] = text
	}
	dir := samples.Make(t, samples.Recipe{Files: files, Steps: [][]string{
		{"musl-gcc", "-O1", "-fPIC", "-shared", "-Wl,-soname,libone.so", "-o", "libone.so", "one.c"},
		{"musl-gcc", "-O1", "-fPIC", "-shared", "-Wl,-soname,libtwo.so", "-o", "libtwo.so", "two.c", "libone.so"},
		{"musl-gcc", "-O1", "-fPIC", "-shared", "-o", "libplug.so", "plug.c", "libone.so"},
		{"musl-gcc", "-O1", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-o", "main", "main.c", "libtwo.so", "libone.so"},
		{"musl-gcc", "-O1", "-no-pie", "-fno-pie", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-o", "fixed", "main.c", "libtwo.so", "libone.so"},
	}})
	for _, name := range []string{"main", "fixed"} {
		prog := filepath.Join(dir, name)
		want, status := output(t, prog, "x")
		r, image := build(t, prog, load.Options{}, own.Options{})
		if r.Libc != own.Musl {
			t.Fatalf("libc %v", r.Libc)
		}
		if got, status2 := output(t, image, "x"); got != want || status != status2 {
			t.Errorf("%s: status %d and %d\n%s", name, status, status2, diff(want, got))
		}
	}
}

// TestMuslAArch64 does the same under qemu-user, where Debian's musl for arm64 is
// installed.
func TestMuslAArch64(t *testing.T) {
	const inc, crt = "/usr/include/aarch64-linux-musl", "/usr/lib/aarch64-linux-musl"
	root := os.Getenv("ELFWRIGHT_MUSL_ARM64") // where its packages are unpacked, else "/"
	lib := filepath.Join(root, "/lib/aarch64-linux-musl/libc.so")
	if _, err := os.Stat(lib); err != nil {
		t.Skip("needs musl and musl-dev of arm64 (dpkg --add-architecture arm64)")
	}
	samples.Need(t, "aarch64-linux-gnu-gcc", "qemu-aarch64")
	gcc := func(args ...string) []string {
		return append([]string{"aarch64-linux-gnu-gcc", "-w", "-O1", "-fPIC", "-nostdinc", "-isystem", root + inc, "-fno-stack-protector", "-nostdlib", "-L" + filepath.Dir(lib), "-Wl,-rpath,$ORIGIN"}, args...)
	}
	files := map[string]string{"main.c": source(t, "musl.c")}
	for name, text := range muslLibs {
		files[name] = text
	}
	dir := samples.Make(t, samples.Recipe{Files: files, Steps: [][]string{
		gcc("-shared", "-Wl,-soname,libone.so", "-o", "libone.so", "one.c", "-l:libc.so"),
		gcc("-shared", "-Wl,-soname,libtwo.so", "-o", "libtwo.so", "two.c", "libone.so", "-l:libc.so"),
		gcc("-shared", "-o", "libplug.so", "plug.c", "libone.so", "-l:libc.so"),
		gcc("-pie", "-Wl,--no-as-needed", "-o", "main", root+crt+"/Scrt1.o", root+crt+"/crti.o", "main.c", "libtwo.so", "libone.so", "-l:libc.so",
			root+crt+"/crtn.o", "-Wl,--dynamic-linker=/lib/ld-musl-aarch64.so.1"),
	}})
	// The program's directory within the other root, as far as search rules go.
	prog := filepath.Join(dir, "main")
	want, status := output(t, "qemu-aarch64", "-L", root, prog, "x")
	lo := load.Options{}
	if root != "" {
		lo.Interp = filepath.Join(root, "lib/ld-musl-aarch64.so.1")
	}
	_, image := build(t, prog, lo, own.Options{})
	if got, status2 := output(t, "qemu-aarch64", "-L", root, image, "x"); got != want || status != status2 {
		t.Errorf("status %d and %d\n%s", status, status2, diff(want, got))
	}
}
