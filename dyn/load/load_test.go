package load_test

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"elfwright/dyn/load"
)

// TestAlone has programs for which nothing is searched.
func TestAlone(t *testing.T) {
	b := newTree(t, native)
	b.run("", "ld", "-o", b.path("static"), b.object(".globl _start\n_start: "+b.start))
	p, err := load.Load(b.path("static"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if len(p.Objects) != 1 || p.Ld != nil || p.Program() != p.Objects[0] || len(p.RelocationOrder()) != 1 || len(p.InitOrder()) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestRefused(t *testing.T) {
	b := newTree(t, native)
	b.write("text", strings.Repeat("text ", 100))
	b.write("short", "\x7fELF\x02\x01\x01")
	b.object("nop")
	for name, words := range map[string]string{
		"none": "no such file", "text": "text", "short": "short", ".0.o": "only ET_DYN and ET_EXEC can be loaded", ".": "not a regular file",
	} {
		_, err := load.Load(b.path(name), load.Options{})
		if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), b.dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := load.Load(b.path("none"), load.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := load.New(load.Options{Root: b.path("none")}); err == nil {
		t.Error("a root that is not there")
	}
}

// TestBareRoot has a tree without dynamic linker and cache: what is compiled into
// it is guessed, and ld.so.conf is read; both are told.
func TestBareRoot(t *testing.T) {
	b := newTree(t, native)
	b.libc = nil
	b.link("opt/lib/liba.so", "", "-soname=liba.so")
	b.link("usr/lib64/libb.so", "", "-soname=libb.so")
	b.link("bin/p", "", "opt/lib/liba.so", "usr/lib64/libb.so")
	b.write("etc/ld.so.conf", "include conf.d/*\n")
	b.write("etc/conf.d/a", "/opt/lib\n")
	p, err := load.Load("/bin/p", load.Options{Root: b.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if len(p.Objects) != 3 || p.Objects[1].Found.Rule != load.RuleConf || p.Objects[2].Path != "/usr/lib64/libb.so" || p.Objects[2].Found.Rule != load.RuleDefault {
		t.Errorf("%+v", p.Objects)
	}
	if p.Ld != nil || p.Interp.Err == nil || len(p.Interp.Tried) != 1 {
		t.Errorf("%+v", p.Interp)
	}
	notes := strings.Join(p.Notes, "\n")
	for _, words := range []string{"dynamic linker " + ldso + " is missing", "system directories are taken to be /lib64/ /usr/lib64/", "ld.so.conf"} {
		if !strings.Contains(notes, words) {
			t.Errorf("not told: %q\n%s", words, notes)
		}
	}
	if o := p.Objects[1].Object; o.Symbols == nil || o.Machine == nil || o.Machine.ELF != elf.EM_X86_64 {
		t.Errorf("%+v", o)
	}
}

// TestDamagedCache has a cache that can not be read: it is told, and the search
// goes on.
func TestDamagedCache(t *testing.T) {
	b := newTree(t, native)
	b.libc = nil
	b.link("lib64/liba.so", "", "-soname=liba.so")
	b.link("bin/p", "", "lib64/liba.so")
	b.write("etc/ld.so.cache", "nonsense")
	p, err := load.Load(b.path("bin/p"), load.Options{Root: b.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if len(p.Objects) != 2 || !strings.Contains(strings.Join(p.Notes, "\n"), "etc/ld.so.cache: header, magic") {
		t.Errorf("%d objects, %q", len(p.Objects), p.Notes)
	}
}

// TestGuard has a library that shrinks while it is read.
func TestGuard(t *testing.T) {
	b := newTree(t, native)
	b.link("liba.so", ".globl big\n.data\nbig: .space 100000, 1", "-soname=liba.so")
	b.link("p", "", "liba.so", both, "-rpath=$ORIGIN")
	p, err := load.Load(b.path("p"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := os.Truncate(b.path("liba.so"), 0); err != nil {
		t.Fatal(err)
	}
	err = p.Guard(func() error { return p.Objects[1].ReadSymbols() })
	if err == nil || !strings.Contains(err.Error(), "shrank") {
		t.Error(err)
	}
}
