package reset_test

import (
	"path/filepath"
	"slices"
	"testing"

	"elfwright/internal/samples"
	"elfwright/reset"
)

// muslStep links count.c with a musl whose directories are in root, by a compiler for
// glibc. Not each of them knows -static-pie: the linker is told.
func muslStep(root, compiler string, pie bool) []string {
	text := "text"
	if compiler == "riscv64-linux-gnu-gcc" {
		text = "notext" // ld 2.40 takes thread-local variables for relocations of code, and writes R_RISCV_NONE for each
	}
	lib := func(name string) string { return filepath.Join(root, "lib", name) }
	step := []string{compiler, "-O2", "-nostdinc", "-isystem", filepath.Join(root, "include"), "-static", "-nostdlib", "-o", "prog"}
	if pie {
		step = append(step, "-fPIE", "-Wl,-pie,--no-dynamic-linker,-z,"+text, lib("rcrt1.o"))
	} else {
		step = append(step, "-fno-pie", "-no-pie", lib("crt1.o"))
	}
	return append(step, lib("crti.o"), "count.c", "-Wl,--start-group", lib("libc.a"), "-lgcc", "-lgcc_eh", "-Wl,--end-group", lib("crtn.o"))
}

// muslRecipe is a static program of musl for a platform.
func muslRecipe(t *testing.T, p platform, pie bool) samples.Recipe {
	root := samples.MuslRoot(t, p.name)
	return samples.Recipe{Files: map[string]string{"count.c": read("count.c")}, Steps: [][]string{muslStep(root, p.prefix+"gcc", pie)},
		Needs: []string{filepath.Join(root, "lib", "libc.a")}, Out: "prog"}
}

// TestMusl does as TestLinux with programs of musl for the other machines.
func TestMusl(t *testing.T) {
	others := slices.DeleteFunc(slices.Clone(platforms), func(p platform) bool { return p.emulator == "" })
	for _, p := range others {
		for _, link := range []string{"static", "static-pie"} {
			for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
				t.Run(p.name+"/"+link+"/"+string(shape), func(t *testing.T) {
					t.Parallel()
					linuxRounds(t, program{recipe: muslRecipe(t, p, link == "static-pie"), emulator: p.emulator, want: wantC}, shape)
				})
			}
		}
	}
}
