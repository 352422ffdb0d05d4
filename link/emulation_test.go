package link_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"elfwright/link"
	"elfwright/link/options"
)

// What a link is for, told by its first object, wherever that is.
func TestEmulationOfInputs(t *testing.T) {
	dir := t.TempDir()
	obj := a64.assemble(t, dir, "a=.globl _start\n_start: ret")[0]
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("not an object\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	plain, thin, nested, mixed := filepath.Join(dir, "plain.a"), filepath.Join(dir, "thin.a"), filepath.Join(dir, "nested.a"), filepath.Join(dir, "mixed.a")
	run(t, "ar", "rcS", plain, obj)
	run(t, "ar", "rcST", thin, obj)
	run(t, "ar", "rcST", nested, plain)
	run(t, "ar", "rcST", mixed, text, obj)
	for _, args := range [][]string{
		{obj}, {plain}, {thin}, {nested}, {mixed}, {text, thin}, {"absent.o", obj}, {"--sysroot=" + dir, "=/a.o"},
		{"--format=binary", text, "--format=default", thin},
	} {
		opt, _, err := options.Parse(args, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := link.Emulation(opt); err != nil || e.Machine != elf.EM_AARCH64 {
			t.Errorf("%v: %v, %v", args, e, err)
		}
	}
	out := filepath.Join(dir, "out")
	run(t, append(command(t), "--whole-archive", thin, "-o", out)...)
	if f := open(t, out); f.Machine != elf.EM_AARCH64 {
		t.Errorf("%v", f.Machine)
	}
}

// The sysroot is put into -L for libraries and for scripts alike.
func TestSysrootOfScripts(t *testing.T) {
	dir := t.TempDir()
	obj := x64.assemble(t, dir, "a=.globl _start\n_start: ret")[0]
	if err := os.MkdirAll(filepath.Join(dir, "root/lib"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "root/lib/s.lds"), []byte("SECTIONS { .text 0x123000 : { *(.text) } }"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"-L=/lib", "-L$SYSROOT/lib"} {
		for _, ld := range [][]string{{"ld", "-melf_x86_64"}, command(t)} {
			out := filepath.Join(dir, "out")
			run(t, append(ld[:len(ld):len(ld)], "--sysroot="+filepath.Join(dir, "root"), d, "-Ts.lds", obj, "-o", out)...)
			if s := open(t, out).Section(".text"); s.Addr != 0x123000 {
				t.Errorf("%s: .text is at %#x", d, s.Addr)
			}
		}
	}
}
