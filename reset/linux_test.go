package reset_test

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/match"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/reset"
)

// A platform is a toolchain for Linux programs and what runs them; emulator is
// empty where the kernel does. glibc 2.36 has no static PIEs for Arm and RISC-V.
type platform struct {
	name, prefix, emulator string
	links                  []string
}

var platforms = []platform{
	{"x86-64", "x86_64-linux-gnu-", "", []string{"static", "static-pie"}},
	{"i386", "i686-linux-gnu-", "qemu-i386", []string{"static", "static-pie"}},
	{"aarch64", "aarch64-linux-gnu-", "qemu-aarch64", []string{"static", "static-pie"}},
	{"arm", "arm-linux-gnueabihf-", "qemu-arm", []string{"static"}},
	{"riscv64", "riscv64-linux-gnu-", "qemu-riscv64", []string{"static"}},
}

// recipe builds a source of testdata.
func (p platform) recipe(source string, flags ...string) samples.Recipe {
	cc := "gcc"
	if strings.HasSuffix(source, ".cc") {
		cc = "g++"
	}
	step := append([]string{p.prefix + cc, "-O2", source, "-o", "prog"}, flags...)
	return samples.Recipe{Files: map[string]string{source: read(source)}, Steps: [][]string{step}, Out: "prog"}
}

func read(name string) string {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		panic(err) // a misspelt name
	}
	return string(b)
}

// musl are static programs of musl; its gcc specs know no -static-pie.
func musl(pie bool) samples.Recipe {
	const lib = "/usr/lib/x86_64-linux-musl/"
	step := []string{"musl-gcc", "-O2", "-static", "count.c", "-o", "prog"}
	if pie {
		step = []string{"musl-gcc", "-O2", "-fPIE", "-static", "-nostartfiles", "-Wl,-pie,--no-dynamic-linker,-z,text",
			lib + "rcrt1.o", lib + "crti.o", "count.c", "-o", "prog", lib + "crtn.o"}
	}
	return samples.Recipe{Files: map[string]string{"count.c": read("count.c")}, Steps: [][]string{step}, Needs: []string{lib + "libc.a"}, Out: "prog"}
}

// program is a program that counts, and how it is run.
type program struct {
	name     string
	recipe   samples.Recipe
	emulator string
	want     string // what a line has before its persistent number
}

const (
	wantC   = "5 0 5 7 text 0 first 11 0 3 heap 2 named argument"
	wantCXX = "5 constructed at the first start 3 thread 2 0 caught"
)

// linuxPrograms are the table: every machine, C library, language and linking.
func linuxPrograms() []program {
	var list []program
	for _, p := range platforms {
		for _, link := range p.links {
			list = append(list,
				program{p.name + "/glibc-" + link, p.recipe("count.c", "-"+link), p.emulator, wantC},
				program{p.name + "/c++-" + link, p.recipe("count.cc", "-"+link), p.emulator, wantCXX})
		}
	}
	return append(list,
		program{"x86-64/musl-static", musl(false), "", wantC},
		program{"x86-64/musl-static-pie", musl(true), "", wantC})
}

// TestLinux makes each program resettable in both shapes and runs it: it resets
// itself three times, and prints the same four times.
func TestLinux(t *testing.T) {
	for _, p := range linuxPrograms() {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(p.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				linuxRounds(t, p, shape)
			})
		}
	}
}

// linuxRounds runs four rounds of one program in one shape.
func linuxRounds(t *testing.T, p program, shape reset.Shape) {
	t.Helper()
	out, r := apply(t, samples.MakeFile(t, p.recipe), reset.Options{Shape: shape})
	if r.Check == nil || r.Check.Restored == 0 {
		t.Errorf("the report has no check: %+v", r.Check)
	}
	fourRounds(t, run(t, p.emulator, out, "argument"), p.want)
	if p.emulator == "qemu-i386" && kernelRuns386() {
		fourRounds(t, run(t, "", out, "argument"), p.want)
	}
}

// apply makes the program in a file resettable and returns the new file, which
// reset.Verify has held against the old one.
func apply(t *testing.T, path string, opt reset.Options) (string, *reset.Report) {
	t.Helper()
	f := open(t, path)
	r, err := reset.Apply(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "resettable")
	save(t, out, r.Body)
	if _, err := reset.Verify(open(t, out), f); err != nil {
		t.Fatal(err)
	}
	return out, r.Report
}

// run runs a program, by its emulator if there is one, and returns what it prints.
func run(t *testing.T, emulator, path string, args ...string) string {
	t.Helper()
	argv := append([]string{path}, args...)
	if emulator != "" {
		samples.Need(t, emulator)
		argv = append([]string{emulator}, argv...)
	} else {
		samples.Settle(t, path)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

func open(t *testing.T, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func save(t *testing.T, path string, body *elffile.Body) {
	t.Helper()
	var b bytes.Buffer
	if _, err := body.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
}

// kernelRuns386 says whether an x86-64 kernel was built to run i386 programs (Linux
// arch/x86/entry/vdso/vdso32-setup.c).
func kernelRuns386() bool {
	_, err := os.Stat("/proc/sys/abi/vsyscall32")
	return err == nil
}

// fourRounds checks lines that are the same but for their last number.
func fourRounds(t *testing.T, out, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if wanted := fmt.Sprintf("%s|%d", want, i+1); line != wanted {
			t.Errorf("round %d: %q, want %q", i+1, line, wanted)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%d rounds, want 4: %q", len(lines), out)
	}
}

// rawPrograms are machines and byte orders for which there is no C library here.
var rawPrograms = []struct {
	name, compiler, emulator string
	flags                    []string
}{
	{"aarch64-be", "aarch64-linux-gnu-gcc", "qemu-aarch64_be", []string{"-mbig-endian"}},
	{"arm-be8", "arm-linux-gnueabihf-gcc", "qemu-armeb", []string{"-mbig-endian", "-marm", "-Wl,--be8"}},
	{"arm-be32", "arm-linux-gnueabihf-gcc", "qemu-armeb", []string{"-mbig-endian", "-marm", "-march=armv5te", "-mfloat-abi=soft"}},
	{"thumb-be8", "arm-linux-gnueabihf-gcc", "qemu-armeb", []string{"-mbig-endian", "-mthumb", "-Wl,--be8"}},
	{"arm", "arm-linux-gnueabihf-gcc", "qemu-arm", []string{"-marm"}},
	{"thumb", "arm-linux-gnueabihf-gcc", "qemu-arm", []string{"-mthumb"}},
	{"riscv32", "riscv64-unknown-elf-gcc", "qemu-riscv32", []string{"-march=rv32imac", "-mabi=ilp32"}},
	{"riscv64", "riscv64-unknown-elf-gcc", "qemu-riscv64", nil},
}

// TestRaw runs them as TestLinux does.
func TestRaw(t *testing.T) {
	for _, p := range rawPrograms {
		step := append([]string{p.compiler, "-O2", "-ffreestanding", "-fno-pie", "-static", "-nostdlib", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns", "-Wl,--build-id", "raw.c", "-o", "prog"}, p.flags...)
		recipe := samples.Recipe{Files: map[string]string{"raw.c": read("raw.c")}, Steps: [][]string{step}, Out: "prog"}
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(p.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				out, _ := apply(t, samples.MakeFile(t, recipe), reset.Options{Shape: shape, OS: reset.Linux})
				fourRounds(t, run(t, p.emulator, out), "5 0 5 5 1")
			})
		}
	}
}

// TestCode: code that a program changes is restored, and run as it was.
func TestCode(t *testing.T) {
	for _, p := range platforms {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(p.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				out, r := apply(t, samples.MakeFile(t, p.recipe("code.c", "-static", "-Wl,--no-warn-rwx-segments")), reset.Options{Shape: shape})
				fourRounds(t, run(t, p.emulator, out), "5 7")
				if warned := slices.ContainsFunc(r.Warnings, func(w phdr.Warning) bool { return w.Code == "caches" }); warned != (p.name == "arm") {
					t.Errorf("a warning of caches: %v", warned)
				}
			})
		}
	}
}

// TestStrip: strip and objcopy make program headers anew of sections; what was added
// survives that.
func TestStrip(t *testing.T) {
	for _, p := range platforms {
		for _, link := range p.links {
			for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
				for _, tool := range []string{"strip", "objcopy"} {
					t.Run(p.name+"/"+link+"/"+string(shape)+"/"+tool, func(t *testing.T) {
						t.Parallel()
						samples.Need(t, p.prefix+tool)
						path := samples.MakeFile(t, p.recipe("count.c", "-"+link))
						out, r := apply(t, path, reset.Options{Shape: shape})
						if slices.ContainsFunc(r.Warnings, func(w phdr.Warning) bool { return w.Code == "far-table" }) {
							t.Errorf("the program header table is not where strip looks for it: %v", r.Warnings)
						}
						changed := out + "." + tool
						argv := []string{out, changed}
						if tool == "strip" {
							argv = []string{"-o", changed, out}
						}
						if msg, err := exec.Command(p.prefix+tool, argv...).CombinedOutput(); err != nil || len(msg) > 0 {
							t.Fatalf("%s: %v: %s", tool, err, msg)
						}
						fourRounds(t, run(t, p.emulator, changed, "argument"), wantC)
						if _, err := reset.Verify(open(t, changed), nil); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}

// TestPatched patches resettable programs with a value that is longer than the spare
// bytes, in memory that was zero, by the names in the original.
func TestPatched(t *testing.T) {
	long := append(bytes.Repeat([]byte{7}, 4999), 9)
	for _, p := range platforms {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(p.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				was := open(t, samples.MakeFile(t, p.recipe("count.c", "-static")))
				f := resettable(t, was, reset.Options{Shape: shape})
				sets := []patch.Set{
					{Place: "buffer", Value: patch.Value{Kind: patch.Bytes, Data: elffile.Buffer(long)}},
					{Place: "zero", Value: patch.Value{Kind: patch.Number, Int: big.NewInt(3)}},
					{Place: "data", Value: patch.Value{Kind: patch.Number, Int: big.NewInt(6)}},
				}
				r, err := patch.Apply(f, sets, patch.Options{Symbols: []*elffile.File{was}})
				if err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(t.TempDir(), "patched")
				save(t, out, r.Body)
				fourRounds(t, run(t, p.emulator, out, "argument"), "6 3 6 7 text 9 first 11 0 3 heap 2 named argument")
				now := open(t, out)
				if _, err := reset.Verify(now, nil); err != nil {
					t.Error(err)
				}
				if m := match.Files(now, was); m.Err() != nil && !strings.Contains(m.Err().Error(), "entry") {
					t.Errorf("it is not known any more: %v", m.Err())
				}
			})
		}
	}
}
