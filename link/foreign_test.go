package link_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

// Programs whose objects are those of other compilers and assemblers than GCC:
// each is linked and run.

// linkerIn makes a directory in which gcc finds our linker with -B. used says
// whether it has been called.
func linkerIn(t *testing.T) (dir string, used func()) {
	t.Helper()
	dir = t.TempDir()
	called := filepath.Join(dir, "called")
	text := "#!/bin/sh\n: >" + called + "\nexec env " + asLinker + "=1 " + os.Args[0] + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "ld"), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		if _, err := os.Stat(called); err != nil {
			t.Error("another linker was called")
		}
	}
}

func wantOutput(t *testing.T, want string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%v: %v, output %q, want %q", args, err, out, want)
	}
}

func TestNasm(t *testing.T) {
	samples.Need(t, "nasm")
	for _, c := range []struct{ format, bits, emulation string }{{"elf64", "64", "elf_x86_64"}, {"elf32", "32", "elf_i386"}} {
		dir := t.TempDir()
		var objs []string
		for _, name := range []string{"hello", "put"} {
			obj := filepath.Join(dir, name+".o")
			run(t, "nasm", "-f", c.format, "-g", "-o", obj, filepath.Join("testdata/foreign", name+c.bits+".asm"))
			objs = append(objs, obj)
		}
		for _, args := range [][]string{nil, {"--gc-sections"}, {"-pie", "--no-dynamic-linker", "-z", "notext"}} {
			if args != nil && args[0] == "-pie" && c.bits == "32" {
				continue // relocates no code of its own
			}
			out := filepath.Join(dir, "out")
			run(t, append(append(command(t), args...), append(objs, "-m", c.emulation, "-o", out)...)...)
			if args == nil || args[0] != "-pie" {
				wantOutput(t, "nasm ok\n", out)
			}
		}
	}
}

func TestClang(t *testing.T) {
	for _, m := range []struct{ triple, qemu string }{
		{"x86_64-linux-gnu", ""}, {"i686-linux-gnu", ""}, {"aarch64-linux-gnu", "qemu-aarch64"},
		{"arm-linux-gnueabihf", "qemu-arm"}, {"riscv64-linux-gnu", "qemu-riscv64"},
	} {
		for _, args := range []string{"-static -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections", "-static-pie -fPIE -g"} {
			if strings.HasPrefix(args, "-static-pie") && (m.qemu == "qemu-arm" || m.qemu == "qemu-riscv64") {
				continue // their C library has no rcrt1.o
			}
			t.Run(m.triple+strings.Fields(args)[0], func(t *testing.T) {
				t.Parallel()
				clang(t, m.triple, m.qemu, strings.Fields(args))
			})
		}
	}
}

// clang compiles the program with clang++ and links it through g++, with our
// linker.
func clang(t *testing.T, triple, qemu string, args []string) {
	samples.Need(t, "clang++-14", triple+"-g++")
	dir, used := linkerIn(t)
	obj, out := filepath.Join(dir, "program.o"), filepath.Join(dir, "program")
	cc := []string{"clang++-14", "--target=" + triple, "-c", "-o", obj, "testdata/program.cc"}
	if triple == "riscv64-linux-gnu" { // whose headers this clang does not look for
		cc = append(cc, "-march=rv64gc", "-mabi=lp64d")
		for _, d := range []string{"/include/c++/12", "/include/c++/12/" + triple, "/include"} {
			cc = append(cc, "-isystem", "/usr/"+triple+d)
		}
	}
	for _, a := range args {
		if !strings.HasPrefix(a, "-static") && !strings.HasPrefix(a, "-Wl") {
			cc = append(cc, a)
		}
	}
	run(t, cc...)
	run(t, append([]string{triple + "-g++", "-B" + dir, "-pthread", "-o", out, obj}, args...)...)
	used()
	program := []string{out}
	if qemu != "" {
		samples.Need(t, qemu)
		program = []string{qemu, out}
	}
	wantOutput(t, "3 5.5 boom 4\n", program...)
}

func TestRust(t *testing.T) {
	const rustc = "/usr/bin/rustc" // Debian's: it has the library for static programs
	for _, c := range []struct{ source, args, want string }{
		{"bare.rs", "-C panic=abort -C relocation-model=static -C link-arg=-nostartfiles -C link-arg=-nostdlib -C link-arg=-static", "rust [3, 1, 2] 6\n"},
		{"std.rs", "-C target-feature=+crt-static", "std 6\ntrue\n"},
		{"std.rs", "-C target-feature=+crt-static -C relocation-model=static", "std 6\ntrue\n"},
	} {
		t.Run(c.source+" "+c.args, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, rustc, "gcc")
			dir, used := linkerIn(t)
			out := filepath.Join(dir, "program")
			args := append(strings.Fields(c.args), "-O", "--edition=2021", "-C", "linker=gcc", "-C", "link-arg=-B"+dir, "-o", out, filepath.Join("testdata/foreign", c.source))
			run(t, append([]string{rustc}, args...)...)
			used()
			wantOutput(t, c.want, out)
		})
	}
}

// goBuild builds a source of testdata with cgo.
func goBuild(t *testing.T, dir, source string, args ...string) {
	t.Helper()
	samples.Need(t, "go", "gcc")
	text, err := os.ReadFile(filepath.Join("testdata/foreign", source+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, source)
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append(append([]string{"build"}, args...), file)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GO111MODULE=off", "GOFLAGS=", "GOOS=linux", "GOARCH=amd64", "CC=gcc")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// A program of Go whose C part goes through gcc, and so through our linker.
func TestCgoProgram(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"-static", "-static-pie"} {
		dir, used := linkerIn(t)
		out := filepath.Join(dir, "program")
		args := []string{"-o", out, "-ldflags=-linkmode external -extldflags '" + more + " -B" + dir + "'"}
		if more == "-static-pie" {
			args = append(args, "-buildmode=pie")
		}
		goBuild(t, dir, "prog.go", args...)
		used()
		wantOutput(t, "cgo 1.5\n", out)
	}
}

// A library of Go in a program of C.
func TestCgoArchive(t *testing.T) {
	t.Parallel()
	dir, used := linkerIn(t)
	lib, out := filepath.Join(dir, "libgo.a"), filepath.Join(dir, "program")
	goBuild(t, dir, "lib.go", "-buildmode=c-archive", "-o", lib)
	run(t, "gcc", "-static", "-pthread", "-B"+dir, "-I"+dir, "-o", out, "testdata/foreign/main.c", lib)
	used()
	wantOutput(t, "42 go map[n:7]\n", out)
}
