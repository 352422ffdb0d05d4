package own_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestVDSO: the process has the vDSO among its objects and finds its functions, as
// it does without us; with another vDSO than the image was made for it goes without.
func TestVDSO(t *testing.T) {
	prog := samples.MakeFile(t, samples.Recipe{Out: "p", Files: map[string]string{"p.c": `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
static int each(struct dl_phdr_info *i, size_t n, void *p) { return printf("object %s, %d\n", i->dlpi_name, i->dlpi_phnum) < 0; }
int main(void)
{
	dl_iterate_phdr(each, NULL);
	void *h = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	Dl_info d = {0};
	if (h)
		dladdr(dlsym(h, "__vdso_time"), &d);
	printf("symbol %s\n", d.dli_sname ? d.dli_sname : "none");
	struct timeval v;
	struct timespec s;
	gettimeofday(&v, NULL);
	clock_gettime(CLOCK_REALTIME, &s);
	printf("clocks %d\n", s.tv_sec - v.tv_sec <= 1 && time(NULL) - v.tv_sec <= 2);
	return 0;
}
`[1:]}, Steps: [][]string{{"gcc", "-o", "p", "p.c"}}})
	vdso, err := own.VDSO()
	if err != nil {
		t.Skip(err)
	}
	run := func(file string) string {
		out, err := exec.Command(file).Output()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		return strings.ReplaceAll(string(out), filepath.Dir(file), "")
	}
	native := run(prog)
	_, image := build(t, prog, load.Options{}, own.Options{VDSO: vdso})
	if got := run(image); got != native || !strings.Contains(got, "symbol __vdso_time") {
		t.Errorf("%s\nwithout us:\n%s", got, native)
	}
	other := slices.Clone(vdso)
	other[len(other)/2] ^= 1
	_, image = build(t, prog, load.Options{}, own.Options{VDSO: other})
	if got := run(image); strings.Contains(got, "vdso") || !strings.Contains(got, "symbol none\nclocks 1\n") {
		t.Errorf("with another vDSO:\n%s", got)
	}
}
