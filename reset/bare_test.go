package reset_test

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/patch"
	"elfwright/reset"
	"elfwright/reset/table"
)

// A board is a machine without an operating system, and how a program for it is
// built and booted; FILE stands for the program.
type board struct {
	name, compiler, source string
	flags                  []string
	run                    []string
	opt                    reset.Options
	status                 int // of the emulator, when the program stops it
}

var boards = []board{
	{name: "aarch64", compiler: "aarch64-linux-gnu-gcc", source: "aarch64.S", flags: []string{"-Wl,-Ttext-segment=0x40100000"},
		run: []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-semihosting", "-kernel", "FILE"}},
	{name: "arm", compiler: "arm-linux-gnueabihf-gcc", source: "arm.S", flags: []string{"-marm", "-Wl,-Ttext-segment=0x40100000"},
		run: []string{"qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-net", "none", "-semihosting", "-kernel", "FILE"}},
	{name: "thumb", compiler: "arm-linux-gnueabihf-gcc", source: "arm.S", flags: []string{"-mthumb", "-DTHUMB", "-Wl,-Ttext-segment=0x40100000"},
		run: []string{"qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-net", "none", "-semihosting", "-kernel", "FILE"}},
	{name: "thumb-halfway", compiler: "arm-linux-gnueabihf-gcc", source: "arm.S", flags: []string{"-mthumb", "-DTHUMB", "-DHALFWAY", "-Wl,-Ttext-segment=0x40100000"},
		run: []string{"qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15", "-net", "none", "-semihosting", "-kernel", "FILE"}},
	// M-profile starts where its vector table says, whatever e_entry is.
	{name: "arm-m", compiler: "arm-linux-gnueabihf-gcc", source: "armm.S", flags: []string{"-mcpu=cortex-m3", "-mfloat-abi=soft", "-mthumb", "-Wl,-T,flash.lds"},
		run: []string{"qemu-system-arm", "-M", "mps2-an385", "-semihosting", "-kernel", "FILE"}, opt: reset.Options{HookEntry: true}},
	{name: "riscv64", compiler: "riscv64-unknown-elf-gcc", source: "riscv.S", flags: []string{"-mcmodel=medany", "-Wl,--defsym=RAM=0x80000000,-T,ram.lds"},
		run: []string{"qemu-system-riscv64", "-M", "virt", "-bios", "none", "-device", "loader,file=FILE,cpu-num=0"}},
	{name: "riscv32", compiler: "riscv64-unknown-elf-gcc", source: "riscv.S", flags: []string{"-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany", "-Wl,--defsym=RAM=0x80000000,-T,ram.lds"},
		run: []string{"qemu-system-riscv32", "-M", "virt", "-bios", "none", "-device", "loader,file=FILE,cpu-num=0"}},
	{name: "x86-multiboot", compiler: "i686-linux-gnu-gcc", source: "i386.S", flags: []string{"-fno-pie", "-no-pie", "-Wl,-z,noseparate-code", "-Wl,-Ttext-segment=0x100000"},
		run: []string{"qemu-system-i386", "-debugcon", "stdio", "-device", "isa-debug-exit", "-kernel", "FILE"}, status: 1},
}

const wantBare = "5 0 5 77 1234 13 0"

func (b board) recipe() samples.Recipe {
	step := slices.Concat([]string{b.compiler, "-O2", "-ffreestanding", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", "-Wl,--build-id"},
		b.flags, []string{b.source, "bare.c", "-o", "prog", "-lgcc"})
	return samples.Recipe{Files: map[string]string{b.source: read("bare/" + b.source), "bare.c": read("bare/bare.c"), "ram.lds": read("bare/ram.lds"), "flash.lds": read("bare/flash.lds")}, Steps: [][]string{step}, Out: "prog"}
}

// boot runs a program on a board and returns what it prints.
func (b board) boot(t *testing.T, path string) string {
	t.Helper()
	argv := []string{b.run[0], "-display", "none", "-monitor", "none", "-no-reboot"}
	if b.name != "x86-multiboot" {
		argv = append(argv, "-serial", "stdio")
	}
	for _, a := range b.run[1:] {
		argv = append(argv, strings.ReplaceAll(a, "FILE", path))
	}
	samples.Need(t, argv[0])
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != b.status {
		t.Errorf("%v: exit status %d, want %d: %s", argv, cmd.ProcessState.ExitCode(), b.status, out)
	}
	return string(out)
}

// bareProgram makes the program resettable, tells it where to jump to, and patches
// two words of it, one of them in .bss.
func (b board) bareProgram(t *testing.T, opt reset.Options) string {
	t.Helper()
	f := open(t, samples.MakeFile(t, b.recipe()))
	r, err := reset.Apply(f, opt)
	if err != nil {
		t.Fatal(err)
	}
	var sets []patch.Set
	for _, s := range []string{"patched=77", "patchedZero=1234", fmt.Sprintf("again=0x%x", uint64(r.Report.Entry))} {
		set, err := patch.ParseSet(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
	}
	p, err := patch.Apply(parseBody(t, f.Name, r.Body), sets, patch.Options{Symbols: []*elffile.File{f}})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "prog")
	save(t, out, p.Body)
	if _, err := reset.Verify(open(t, out), nil); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestBare boots the program on each board, in both shapes, for four rounds.
func TestBare(t *testing.T) {
	for _, b := range boards {
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(b.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				opt := b.opt
				opt.Shape = shape
				fourRounds(t, b.boot(t, b.bareProgram(t, opt)), wantBare)
			})
		}
	}
}

// TestHook boots programs by loaders that do not look at e_entry: it is set back to
// what it was, and RISC-V's machine starts with the first byte of its RAM.
func TestHook(t *testing.T) {
	for _, b := range boards {
		if strings.HasPrefix(b.name, "riscv") {
			b.run = []string{b.run[0], "-M", "virt", "-bios", "none", "-kernel", "FILE"}
		}
		for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
			t.Run(b.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				path := b.bareProgram(t, reset.Options{Shape: shape, HookEntry: true})
				was := open(t, samples.MakeFile(t, b.recipe()))
				f := open(t, path)
				f.Header.Entry = was.Header.Entry
				out := filepath.Join(t.TempDir(), "hooked")
				save(t, out, f.Encode())
				fourRounds(t, b.boot(t, out), wantBare)
			})
		}
	}
}

// TestHeap: new segments where a heap begins are refused, and --at puts them
// elsewhere.
func TestHeap(t *testing.T) {
	b := boards[0]
	recipe := b.recipe()
	recipe.Files["bare.c"] = read("bare/heap.c")
	f := open(t, samples.MakeFile(t, recipe))
	if _, err := reset.Apply(f, reset.Options{}); err == nil || !strings.Contains(err.Error(), "end, 0x40") || !strings.Contains(err.Error(), "say with --at") {
		t.Fatalf("a heap behind the program: %v", err)
	}
	r, err := reset.Apply(f, reset.Options{At: 0x40400000})
	if err != nil {
		t.Fatal(err)
	}
	set, err := patch.ParseSet(fmt.Sprintf("again=0x%x", uint64(r.Report.Entry)), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := patch.Apply(parseBody(t, f.Name, r.Body), []patch.Set{set}, patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "prog")
	save(t, out, p.Body)
	fourRounds(t, b.boot(t, out), "5")
}

// TestDirtySlot: memory that no loader has cleared is not taken for the registers of
// a start before.
func TestDirtySlot(t *testing.T) {
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			opt := b.opt
			opt.Shape = reset.Deflate
			f := open(t, b.bareProgram(t, opt))
			tab, err := table.Find(f)
			if err != nil {
				t.Fatal(err)
			}
			for i := range f.Progs {
				if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Vaddr == tab.Slot {
					p.Filesz, p.Off = p.Memsz, (uint64(f.Body.Size())+0xffff)&^0xffff
					f.Body.Put(int64(p.Off), elffile.Buffer(bytes.Repeat([]byte{0xa5}, int(p.Memsz))))
				}
			}
			out := filepath.Join(t.TempDir(), "dirty")
			save(t, out, f.Encode())
			fourRounds(t, b.boot(t, out), wantBare)
		})
	}
}

// TestZero: memory outside the program is cleared at each start, if that is asked for.
func TestZero(t *testing.T) {
	b := boards[0]
	recipe := b.recipe()
	recipe.Files["bare.c"] = strings.NewReplacer("extern char end[];", "#define end ((char *)0x40600000)", "'0' + data", "'0' + data + *end").Replace(read("bare/heap.c"))
	f := open(t, samples.MakeFile(t, recipe))
	for _, zero := range [][]string{nil, {"0x40600000..0x40610000"}} {
		r, err := reset.Apply(f, reset.Options{Zero: zero, Shape: reset.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		set, err := patch.ParseSet(fmt.Sprintf("again=0x%x", uint64(r.Report.Entry)), nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := patch.Apply(parseBody(t, f.Name, r.Body), []patch.Set{set}, patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "prog")
		save(t, out, p.Body)
		if have := b.boot(t, out); (have == "5|1\n5|2\n5|3\n5|4\n") != (zero != nil) {
			t.Errorf("cleared %v: %q", zero, have)
		}
	}
	for _, tc := range []struct{ zero, want string }{
		{"0x40100000..0x40100010", "is that of program header"},
		{"0x40600000", "there is no section"},
	} {
		if _, err := reset.Apply(f, reset.Options{Zero: []string{tc.zero}}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.zero, err, tc.want)
		}
	}
	pie := synthetic(elf.EM_AARCH64, kinds[2].format)
	pie.Header.Type = elf.ET_DYN
	if _, err := reset.Apply(parseBody(t, pie.Name, pie.Encode()), reset.Options{Zero: []string{"0x40000..0x50000"}}); err == nil || !strings.Contains(err.Error(), "is loaded anywhere") {
		t.Errorf("a PIE: %v", err)
	}
}
