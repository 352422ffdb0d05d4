package own_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
	"elfwright/run/own"
	"elfwright/run/stage"
)

// keeper builds images that are kept of a program with a library.
type keeper struct {
	dir, image string
	machine    string
	variables  []string
}

func newKeeper(t *testing.T, machine, prefix string) *keeper {
	made := samples.Make(t, samples.Recipe{
		Files: map[string]string{"tiny.h": source(t, "tiny.h"), "lib.c": "int lib(void) { return 5; }\n", "main.c": `
#include "tiny.h"
int lib(void);
__attribute__((used)) void start(word *sp)
{
	number("lib", lib());
	for (word i = 0; i < sp[0]; i++) {
		say((char *)sp[i + 1]);
		say("\n");
	}
	call3(EXIT, 3, 0, 0);
}
__asm__(".globl _start\n" START);
`, "again": "#!/bin/sh\necho \"again: $*\"\n"},
		Steps: [][]string{
			{"chmod", "+x", "again"},
			{prefix + "gcc", "-shared", "-nostdlib", "-fPIC", "-o", "lib.so", "lib.c"},
			{prefix + "gcc", "-O1", "-pie", "-fPIE", "-ffreestanding", "-fno-stack-protector", "-nostdlib", "-Wl,-rpath,$ORIGIN/first:$ORIGIN", "-o", "main", "main.c", "lib.so"},
		},
	})
	dir := t.TempDir() // its files are changed
	if err := os.CopyFS(dir, os.DirFS(made)); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, filepath.Join(dir, "again"))
	return &keeper{dir: dir, image: filepath.Join(dir, "kept", "image"), machine: machine, variables: []string{"LD_FIRST=1", "LD_SECOND=2"}}
}

func (k *keeper) make(t *testing.T) {
	t.Helper()
	prog := filepath.Join(k.dir, "main")
	p, err := load.Load(prog, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := own.Entry(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := own.Build(p, b, own.Options{Keep: &own.Keep{Entry: e, Variables: k.variables, Again: stage.Again{
		Name: k.fresh(), Self: filepath.Join(k.dir, "again"), Native: prog,
		Stale: []string{"self", "stale", stage.Argv0}, Other: []string{"self", "other", stage.Argv0},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Image.File()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(k.image), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.Encode().WriteFile(k.image, 0o755); err != nil {
		t.Fatal(err)
	}
	samples.Settle(t, k.image)
}

func (k *keeper) fresh() string { return filepath.Dir(k.image) + "/./" + filepath.Base(k.image) }

func (k *keeper) start(t *testing.T, name string, env ...string) (string, int) {
	t.Helper()
	argv := emulated(k.machine, name, "a", "")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.Clone(env)
	if k.machine != "x86_64" { // qemu-user turns the order round
		slices.Reverse(cmd.Env)
	}
	return result(t, cmd)
}

// TestKeep starts images that are kept when everything is as it was, and when each
// of what they are made of is not.
func TestKeep(t *testing.T) {
	for _, m := range machines {
		if m.name != "x86_64" {
			samples.Need(t, "qemu-"+m.name)
		}
		k := newKeeper(t, m.name, m.prefix)
		in := func(name string) string { return filepath.Join(k.dir, name) }
		right := []string{"HOME=/", "LD_FIRST=1", "X=LD_", "LD_SECOND=2"}
		runs := func(name string) string { return "lib 5\n" + name + "\na\n\n" }
		touch := func(name string) func() error {
			return func() error { return os.Chtimes(in(name), time.Time{}, time.Unix(-1, 5)) }
		}
		stale := "again: stale " + k.image + " a \n"
		other := strings.Replace(stale, "stale", "other", 1)
		nothing := func() error { return nil }
		for _, c := range []struct {
			what   string
			change func() error
			env    []string
			want   string
			status int
		}{
			{"nothing", nothing, right, runs(k.image), 3},
			{"the library", touch("lib.so"), right, stale, 0},
			{"the program", touch("main"), right, stale, 0},
			{"a file found earlier", func() error { return os.Mkdir(in("first"), 0o755) }, right, stale, 0},
			{"a library that is gone", func() error { return os.Rename(in("lib.so"), in("away")) }, right, stale, 0},
			{"no variable", nothing, nil, other, 0},
			{"one variable less", nothing, right[:3], other, 0},
			{"one more", nothing, append(right, "LD_THIRD="), other, 0},
			{"another value", nothing, []string{"LD_FIRST=1", "LD_SECOND=23"}, other, 0},
			{"a shorter value", nothing, []string{"LD_FIRST=1", "LD_SECOND="}, other, 0},
			{"another order", nothing, []string{"LD_SECOND=2", "LD_FIRST=1"}, other, 0},
			{"tunables", nothing, append(right, "GLIBC_TUNABLES=x"), other, 0},
		} {
			os.Remove(in("first"))
			os.Rename(in("away"), in("lib.so"))
			k.make(t)
			if err := c.change(); err != nil {
				t.Fatal(err)
			}
			if out, status := k.start(t, k.image, c.env...); out != c.want || status != c.status {
				t.Errorf("%s, %s: status %d, %q, want %q", m.name, c.what, status, out, c.want)
			}
		}

		// Who has just made it is told so by the name, and asks for nothing again.
		k.make(t)
		if out, status := k.start(t, k.fresh(), "LD_X=1"); out != runs(k.fresh()) || status != 3 {
			t.Errorf("%s, fresh: status %d, %q", m.name, status, out)
		}
		if err := touch("lib.so")(); err != nil {
			t.Fatal(err)
		}
		native, code := runs(k.fresh()), 3
		if m.name != "x86_64" { // this machine does not execute it
			native, code = "elfwright: "+in("main")+": cannot be executed\n", 127
		}
		if out, status := k.start(t, k.fresh()); out != native || status != code {
			t.Errorf("%s, fresh and changed: status %d, %q, want %q", m.name, status, out, native)
		}
		// Without elfwright it is the program.
		os.Remove(in("again"))
		if out, status := k.start(t, k.image); out != strings.Replace(native, k.fresh(), k.image, 1) || status != code {
			t.Errorf("%s, without elfwright: status %d, %q", m.name, status, out)
		}
	}
}
