package bind

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// TestAsk: two libraries define a name; the second one lost, both provide it, and
// only the first is used.
func TestAsk(t *testing.T) {
	for _, k := range elftest.Kinds() {
		lib := elftest.Shared(k).Bytes()
		one, two := parse(t, "one.so", lib), parse(t, "two.so", lib)
		p := processOf(load.Musl, parse(t, "asking.so", asking(k, "answer", "ELFTEST_1", elf.STT_FUNC).Bytes()), one, two)
		r, err := Bind(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		providers := r.Providers("answer")
		if len(providers) != 2 || providers[0].Object != 1 || providers[1].Object != 2 {
			t.Errorf("%s: providers %+v", k.Name, providers)
		}
		lost := slices.DeleteFunc(r.Interposed(), func(x Interposition) bool {
			return string(r.scope.nameOf(x.Object, x.Symbol)) != "answer"
		})
		if len(lost) != 1 || lost[0].Object != 2 || lost[0].By != 1 || lost[0].Symbol != lost[0].Def {
			t.Errorf("%s: lost %+v", k.Name, lost)
		}
		if used := r.Used(); !slices.Equal(used, []bool{false, true, false}) {
			t.Errorf("%s: used %v", k.Name, used)
		}
		var missing []string
		for b := range r.Unresolved(true) {
			missing = append(missing, string(r.Name(b)))
		}
		if !slices.Equal(missing, []string{"puts", "puts"}) { // both libraries want it
			t.Errorf("%s: missing %q", k.Name, missing)
		}
		if r.Of(&load.Object{}) != nil || len(slices.Collect(r.Copies())) != 0 {
			t.Errorf("%s: bindings of what is not there", k.Name)
		}
	}
}

// TestProviderVersions: glibc's libc.so.6 has memcpy twice on x86-64, the old
// version hidden.
func TestProviderVersions(t *testing.T) {
	const libc = "/lib/x86_64-linux-gnu/libc.so.6"
	if runtime.GOARCH != "amd64" {
		t.Skip("needs the libc of x86-64")
	}
	samples.Need(t, libc)
	f, err := elffile.Open(libc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, _ := Bind(processOf(load.Glibc, f), Options{})
	var got []string
	for _, p := range r.Providers("memcpy") {
		s := p.Version
		if p.Hidden {
			s += " hidden"
		}
		got = append(got, s)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"GLIBC_2.14", "GLIBC_2.2.5 hidden"}) {
		t.Errorf("memcpy: %q", got)
	}
}

// TestWideHash: DT_HASH of 64-bit s390 has words of eight bytes. Its relocations are
// not known here, and that is said.
func TestWideHash(t *testing.T) {
	const gcc = "s390x-linux-gnu-gcc"
	samples.Need(t, gcc)
	dir := t.TempDir()
	source, lib := filepath.Join(dir, "a.c"), filepath.Join(dir, "liba.so")
	if err := os.WriteFile(source, []byte("int one(void) { return 1; } int two(void) { return 2; } int three = 3;"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-shared", "-fPIC", "-nostdlib", "-Wl,--hash-style=sysv", "-o", lib, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := elffile.Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := Bind(processOf(load.Glibc, f), Options{})
	if err == nil || !strings.Contains(err.Error(), "liba.so: the relocations of machine EM_S390, ELFCLASS64 are not known") {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"one", "two", "three"} {
		if list := r.Providers(name); len(list) != 1 {
			t.Errorf("%s: %+v", name, list)
		}
	}
	if list := r.Providers("four"); len(list) != 0 {
		t.Errorf("four: %+v", list)
	}
}
