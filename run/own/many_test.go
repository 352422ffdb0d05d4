package own_test

import (
	"path/filepath"
	"testing"

	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// TestMany runs a program of 150 libraries, which have more segments than an image
// may have program headers.
func TestMany(t *testing.T) {
	dir := samples.Make(t, samples.Recipe{
		Files: map[string]string{
			"tiny.h": source(t, "tiny.h"),
			"lib.c": "extern int total;\nint bss[3000];\nstatic int n = 1, *p = &n;\n" +
				"__attribute__((constructor)) static void begin(void) { total += *p + bss[2999]; bss[1]++; }\n",
			"main.c": `
#include "tiny.h"
int total;
extern int bss[3000];
__attribute__((used)) void start(word *sp)
{
	number("total", total);
	number("bss", bss[1]);
	call3(EXIT, 0, 0, 0);
}
__asm__(".globl _start\n" START);
`,
		},
		Steps: [][]string{
			{"gcc", "-O1", "-fPIC", "-ffreestanding", "-fno-stack-protector", "-c", "lib.c"},
			{"gcc", "-O1", "-fPIE", "-ffreestanding", "-fno-stack-protector", "-c", "main.c"},
			{"sh", "-c", "for i in $(seq 150); do ld -shared -soname libn$i.so -o libn$i.so lib.o || exit 1; done; " +
				"ld -pie --dynamic-linker /lib64/ld-linux-x86-64.so.2 --export-dynamic --no-as-needed -rpath '$ORIGIN' -o main main.o libn*.so"},
		},
	})
	for _, embed := range []bool{false, true} {
		r, image := build(t, filepath.Join(dir, "main"), load.Options{}, own.Options{Embed: embed})
		if n := len(r.Image.Segments) + len(r.Image.Headers); n > 4096/56 {
			t.Errorf("%d program headers", n)
		}
		if out, status := output(t, image); out != "total 150\nbss 150\n" || status != 0 {
			t.Errorf("embed %v: status %d, %q", embed, status, out)
		}
	}
}
