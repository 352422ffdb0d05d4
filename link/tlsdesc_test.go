package link_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

// tlsLibrary has thread-local variables of every kind: of its own, in the block
// that local dynamic finds, and of others.
const tlsLibrary = `
static __thread int a = 5, b, c[3] = { 1, 2, 3 };
__thread int ext = 9;
__attribute__((visibility("hidden"))) __thread int hid = 3;
extern __thread int other;
int *pa(void) { return &a; }
int *pb(void) { return &b; }
int sum(int i) { return c[i] + a + b + hid++; }
int *pext(void) { return &ext; }
int *pother(void) { return &other; }
`

const tlsMain = `
#include <pthread.h>
#include <stdio.h>
__thread int other = 42;
extern __thread int ext;
int *pa(void), *pb(void), *pext(void), *pother(void), sum(int);
static void *body(void *p) {
	*pb() += 7; ext += 2; *pother() += 1; *pa() += *(int *)p;
	int first = sum(1), second = sum(2);
	printf("%d %d %d %d %d %d\n", *pa(), *pb(), *pext(), other, first, second);
	return 0;
}
int main(void) {
	int n = 100;
	pthread_t t;
	pthread_create(&t, 0, body, &n);
	pthread_join(t, 0);
	n = 1;
	body(&n);
	return 0;
}
`

// Shared objects whose variables are found by descriptors: those of ours in a
// program of GNU ld's.
func TestTLSDescriptors(t *testing.T) {
	const want = "105 7 11 43 117 119\n6 7 11 43 18 20\n"
	for _, c := range []struct{ name, triple, qemu, flags string }{
		{"x86-64", "x86_64-linux-gnu", "", "-mtls-dialect=gnu2"},
		{"i386", "i686-linux-gnu", "", "-mtls-dialect=gnu2"},
		{"aarch64", "aarch64-linux-gnu", "qemu-aarch64", "-mtls-dialect=desc"},
		{"arm", "arm-linux-gnueabihf", "qemu-arm", "-mtls-dialect=gnu2 -marm"},
		{"thumb", "arm-linux-gnueabihf", "qemu-arm", "-mtls-dialect=gnu2 -mthumb"},
	} {
		for _, local := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s local dynamic %v", c.name, local), func(t *testing.T) {
				t.Parallel()
				runTLS(t, c.triple, c.qemu, strings.Fields(c.flags), local, want)
			})
		}
	}
}

func runTLS(t *testing.T, triple, qemu string, flags []string, localDynamic bool, want string) {
	gcc := triple + "-gcc"
	samples.Need(t, gcc)
	if qemu != "" {
		samples.Need(t, qemu)
	}
	dir := t.TempDir()
	in := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	lib, main := tlsLibrary, in("main.c", tlsMain)
	if localDynamic { // for what is in the library's own block
		lib = strings.NewReplacer("static __thread int a", `static __attribute__((tls_model("local-dynamic"))) __thread int a`,
			"hidden\")", "hidden\"), tls_model(\"local-dynamic\")").Replace(lib)
	}
	obj, so, program := filepath.Join(dir, "lib.o"), filepath.Join(dir, "libours.so"), filepath.Join(dir, "program")
	run(t, append([]string{gcc, "-O1", "-fPIC", "-c", "-o", obj, in("lib.c", lib)}, flags...)...)
	m := &crossTools{prefix: triple + "-"}
	if _, err := m.try("-shared", "-soname=libours.so", obj, "-o", so); err != nil {
		t.Fatal(err)
	}
	run(t, gcc, "-o", program, main, so, "-Wl,-rpath,"+dir)
	args := []string{program}
	switch root := "/usr/" + triple; {
	case triple == "i686-linux-gnu": // without an emulator, whose threads hang
		args = []string{root + "/lib/ld-linux.so.2", "--library-path", root + "/lib", program}
	case qemu != "":
		args = []string{qemu, "-L", root, program}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%v: %v\n%s\nwant\n%s", args, err, out, want)
	}
}
