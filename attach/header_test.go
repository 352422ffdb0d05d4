package attach_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/payload"
)

// run runs a command in a directory and returns what it prints.
func run(t *testing.T, dir string, argv ...string) string {
	t.Helper()
	samples.Need(t, argv[0])
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestHeaderCompiles: payload.h is C99 and C++, without a warning, and its first
// half needs no C library.
func TestHeaderCompiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "payload.h", payload.Header)
	write(t, dir, "hosted.c", "#ifndef _GNU_SOURCE\n#define _GNU_SOURCE\n#endif\n#include \"payload.h\"\nvoid *use(void);\nvoid *use(void) { return payload_dlopen(\"x\", 1); }\n")
	write(t, dir, "bare.c", "#include \"payload.h\"\nint use(const void *d, struct payload *p);\nint use(const void *d, struct payload *p) { return payload_find_in(payload_check(d), \"x\", p); }\n")
	for _, cc := range [][]string{
		{"gcc", "-std=c99"}, {"gcc", "-std=c11"}, {"gcc", "-std=gnu17"}, {"musl-gcc", "-std=c99"},
		{"g++", "-xc++", "-std=c++98"}, {"g++", "-xc++", "-std=c++11"}, {"g++", "-xc++", "-std=c++20"},
		{"i686-linux-gnu-gcc", "-std=c99"}, {"arm-linux-gnueabihf-gcc", "-std=c99"}, {"riscv64-linux-gnu-gcc", "-std=c99"},
	} {
		run(t, dir, append(cc, "-Wall", "-Wextra", "-Wno-long-long", "-Wshadow", "-Werror", "-O2", "-c", "hosted.c")...)
		run(t, dir, append(cc, "-ffreestanding", "-DPAYLOAD_FREESTANDING", "-Wall", "-Wextra", "-Wpedantic", "-Wno-long-long", "-Werror", "-O2", "-c", "bare.c")...)
		for _, line := range strings.Split(run(t, dir, "nm", "-u", "bare.o"), "\n") {
			if f := strings.Fields(line); len(f) == 2 && f[1] != "_GLOBAL_OFFSET_TABLE_" {
				t.Errorf("%v: without a C library it needs %s", cc, f[1])
			}
		}
	}
}

// TestHeaderRuns: programs of each machine find what they carry by payload.h, and
// by the code that docs/payload-format.md has.
func TestHeaderRuns(t *testing.T) {
	doc, err := os.ReadFile("../docs/payload-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(doc), "```c\n")
	code, _, _ = strings.Cut(code, "```")
	if n := strings.Count(strings.TrimSpace(code), "\n") + 1; n > 30 {
		t.Errorf("the code in the documentation has %d lines", n)
	}
	for _, tc := range []struct {
		sample string
		cc     []string
	}{
		{"x86-64-pie", []string{"gcc"}}, {"i386-static", []string{"i686-linux-gnu-gcc", "-static"}}, {"aarch64-pie", []string{"aarch64-linux-gnu-gcc"}},
		{"arm-pie", []string{"arm-linux-gnueabihf-gcc"}}, {"riscv64-pie", []string{"riscv64-linux-gnu-gcc"}},
	} {
		t.Run(tc.sample, func(t *testing.T) {
			t.Parallel()
			p, dir := samples.Find(t, tc.sample), t.TempDir()
			write(t, dir, "payload.h", payload.Header)
			write(t, dir, "list.c", mustRead(t, "../examples/payload/list.c"))
			write(t, dir, "doc.c", "#define _GNU_SOURCE\n#include <link.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n"+code+
				"int main(int c, char **v) { uint64_t n = 0; const void *p = find(v[c - 1], &n); return !p || fwrite(p, 1, n, stdout) != n; }\n")
			for _, program := range []string{"list", "doc"} {
				plain, with := filepath.Join(dir, program), filepath.Join(dir, program+".with")
				run(t, dir, append(tc.cc, "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, program+".c")...)
				_, err := add(t, plain, with, attach.Options{},
					attach.Item{Name: "a", Kind: payload.File, Data: elffile.Buffer("first\n")},
					attach.Item{Name: "b", Kind: payload.File, Data: elffile.Buffer(pattern(5000))})
				if err != nil {
					t.Fatal(err)
				}
				if out, status := p.Run(t, with, "a"); out != "first\n" || status != 0 {
					t.Errorf("%s prints %q and ends with %d", program, out, status)
				}
				if out, status := p.Run(t, with, "b"); out != string(pattern(5000)) || status != 0 {
					t.Errorf("%s: other bytes, and it ends with %d", program, status)
				}
				if out, status := p.Run(t, with, "c"); out != "" || status != 1 {
					t.Errorf("%s finds what is not there: %q, %d", program, out, status)
				}
			}
		})
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
