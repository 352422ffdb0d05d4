package ldcase

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elfwright/internal/samples"
)

//go:embed programs
var programs embed.FS

// A Program is built by a compiler and linked by two linkers: what it prints
// when it runs is known, and the same from both.
type Program struct {
	Name     string
	Compiler []string // with the flags for compiling
	Sources  []string
	Link     []string // flags for linking
	Run      []string // an emulator, or nothing
	Needs    []string // tools besides the compiler
	Says     string
}

const (
	bareSays = "order 123\nrecords 3\nsum 17\nweak 0\nstrong 2\ncommon 8\nzeros 0\naligned 9\ntwo two thrice\nswitch 7827\npointer 3c\ndata 2468\n"

	hostedSays = "order abc\nthread 149, here 42 0\nsorted 1 3 5 7 9\nlength 999, float 3.142, parsed 2500\n" +
		"locale C, year 1971\nchosen 21 24\narguments 2 word\ndestructor\n"

	cxxSays = "made global\ncounter 1231\nmade local\ngone local\ncaught from the depth 12\ncaught all\ncast 1 1 7\none=1 two=2 thread 11\ngone global\n"
)

// chain is a machine's compiler and emulator.
type chain struct {
	name, prefix, run string
	march             []string
	hosted, ifunc     bool
}

var chains = []chain{
	{name: "x86-64", hosted: true, ifunc: true},
	{name: "i386", prefix: "i686-linux-gnu-", run: "qemu-i386", hosted: true, ifunc: true},
	{name: "aarch64", prefix: "aarch64-linux-gnu-", run: "qemu-aarch64", hosted: true, ifunc: true},
	{name: "arm", prefix: "arm-linux-gnueabihf-", run: "qemu-arm", march: []string{"-marm"}, hosted: true},
	{name: "thumb", prefix: "arm-linux-gnueabihf-", run: "qemu-arm", march: []string{"-mthumb"}, hosted: true},
	{name: "riscv64", prefix: "riscv64-linux-gnu-", run: "qemu-riscv64", hosted: true},
	{name: "riscv32", prefix: "riscv64-linux-gnu-", run: "qemu-riscv32", march: []string{"-march=rv32imac", "-mabi=ilp32"}},
}

// Programs are all of them.
func Programs() []Program {
	var list []Program
	for _, c := range chains {
		list = append(list, c.barePrograms()...)
		if c.hosted {
			list = append(list, c.hostedPrograms()...)
		}
	}
	return append(list, Program{Name: "x86-64/musl", Compiler: []string{"musl-gcc", "-O1"}, Sources: []string{"hosted.c"},
		Link: []string{"-static"}, Says: hostedSays})
}

func (c *chain) program(name, compiler string, flags, link []string, says string, sources ...string) Program {
	p := Program{Name: c.name + "/" + name, Sources: sources, Link: link, Says: says}
	p.Compiler = slices.Concat([]string{c.prefix + compiler}, c.march, flags)
	if c.run != "" {
		p.Run, p.Needs = []string{c.run}, []string{c.run}
	}
	return p
}

// barePrograms are bare.c by the default script and by one of its own, and with
// the options that change how a link goes.
func (c *chain) barePrograms() []Program {
	compile := []string{"-ffreestanding", "-fno-stack-protector", "-fno-pie", "-fcommon", "-ffunction-sections", "-fdata-sections", "-fno-tree-loop-distribute-patterns"}
	link := []string{"-nostdlib", "-static", "-no-pie", "-Wl,--gc-sections"}
	one := func(name string, flags, more []string) Program {
		return c.program(name, "gcc", slices.Concat(compile, flags), slices.Concat(link, more), bareSays, "bare.c", "part.c")
	}
	return []Program{
		one("bare", []string{"-O1"}, nil),
		one("bare-O2-debug", []string{"-O2", "-g"}, []string{"-Wl,--build-id", "-Wl,-Map=map.txt"}),
		one("bare-O0", []string{"-O0"}, []string{"-Wl,--emit-relocs"}),
		one("bare-script", []string{"-Os", "-g"}, []string{"-Wl,-T,bare.lds"}),
		one("bare-relocatable", []string{"-O1"}, []string{"-Wl,-N"}),
		one("bare-no-relax", []string{"-O1"}, []string{"-Wl,--no-relax", "-Wl,-s", "-Wl,-z,noseparate-code"}),
	}
}

func (c *chain) hostedPrograms() []Program {
	var defines []string
	if c.ifunc {
		defines = []string{"-DIFUNC"}
	}
	return []Program{
		c.program("hosted", "gcc", slices.Concat([]string{"-O1", "-g", "-fno-pie"}, defines), []string{"-static"}, hostedSays, "hosted.c"),
		c.program("hosted-gc", "gcc", slices.Concat([]string{"-O2", "-ffunction-sections", "-fdata-sections", "-fno-pie"}, defines),
			[]string{"-static", "-Wl,--gc-sections", "-Wl,--build-id=sha1", "-Wl,-s"}, hostedSays, "hosted.c"),
		c.program("c++", "g++", []string{"-O1", "-std=c++17", "-fno-pie"}, []string{"-static"}, cxxSays, "cxx.cc", "cxx2.cc"),
	}
}

// RunPrograms builds, links and runs all programs. The linker under test is a
// command, words before ld's arguments; none means GNU ld alone. With all it runs
// those of every machine, else those of x86-64.
func RunPrograms(t *testing.T, under []string, all bool) {
	for _, p := range Programs() {
		if !all && !strings.HasPrefix(p.Name, "x86-64/") {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			samples.Need(t, append(p.Needs, p.Compiler[0])...)
			p.run(t, under)
		})
	}
}

func (p *Program) run(t *testing.T, under []string) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, programs); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "programs")
	p.tool(t, dir, slices.Concat(p.Compiler, []string{"-c"}, p.Sources))
	p.try(t, dir, "GNU ld", nil)
	if len(under) == 0 {
		return
	}
	// gcc runs the "ld" that it finds in the directory of -B.
	script := "#!/bin/sh\nexec"
	for _, w := range under {
		script += " '" + w + "'"
	}
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "ld"), []byte(script+" \"$@\"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	p.try(t, dir, "the linker under test", []string{"-B" + bin + "/"})
}

// try links and runs.
func (p *Program) try(t *testing.T, dir, linker string, more []string) {
	t.Helper()
	words := slices.Concat(p.Compiler, more, []string{"-o", "program"})
	for _, s := range p.Sources {
		words = append(words, strings.TrimSuffix(s, filepath.Ext(s))+".o")
	}
	p.tool(t, dir, append(words, p.Link...))
	said, err := p.output(dir)
	if err != nil {
		t.Fatalf("%s: %v; said:\n%s", linker, err, said)
	}
	if said != p.Says {
		t.Errorf("%s: the program says:\n%s\nwant:\n%s", linker, said, p.Says)
	}
}

func (p *Program) output(dir string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	words := append(slices.Clone(p.Run), "./program", "word")
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func (p *Program) tool(t *testing.T, dir string, words []string) {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, out))
	}
}
