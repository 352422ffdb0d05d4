package bind

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/machine/all"
)

// processOf puts a process together of files in load order.
func processOf(libc load.Libc, files ...*elffile.File) *load.Process {
	p := &load.Process{Libc: libc}
	for i, f := range files {
		o, _ := object.Read(f)
		p.Objects = append(p.Objects, &load.Object{Object: o, Index: i, Path: f.Name, Asked: f.Name})
	}
	return p
}

func parse(t testing.TB, name string, b []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// asking is a library that needs a symbol with a version of libelftest.so.1, and
// defines none of the names that this one has.
func asking(k elftest.Kind, symbol, version string, typ elf.SymType) elftest.File {
	d := elftest.Shared(k)
	for i := range d.Sections {
		s := &d.Sections[i]
		switch c := s.Content.(type) {
		case elftest.Symbols:
			list := slices.Clone(c)
			for j := range list {
				if list[j].Name == "puts" {
					list[j].Name, list[j].Type = symbol, typ
				} else {
					list[j].Name = "own_" + list[j].Name
				}
			}
			s.Content = elftest.SortGNU(3, list)
		case elftest.Verneed:
			s.Content = elftest.Verneed{{File: "libelftest.so.1", Versions: []elftest.NeededVersion{{Name: version, Flags: 0, Index: 4}}}}
		case elftest.Rela:
			s.Content = elftest.Rela(renamed(c, symbol))
		case elftest.Rel:
			s.Content = elftest.Rel(renamed(c, symbol))
		case elftest.Dynamic:
			list := slices.Clone(c)
			for j := range list {
				if list[j].Tag == elf.DT_SONAME {
					list[j].Str = "asking.so"
				}
			}
			s.Content = list
		}
	}
	return d
}

func renamed(list []elftest.Reloc, symbol string) []elftest.Reloc {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Sym == "puts" {
			list[i].Sym = symbol
		}
	}
	return list
}

// without drops a dynamic tag.
func without(d elftest.File, tag elf.DynTag) elftest.File {
	for i := range d.Sections {
		if c, ok := d.Sections[i].Content.(elftest.Dynamic); ok {
			d.Sections[i].Content = slices.DeleteFunc(slices.Clone(c), func(e elftest.Dyn) bool { return e.Tag == tag })
		}
	}
	return d
}

// TestKinds binds in both classes and byte orders, by either hash table: a
// reference finds its symbol with the right version, and only with that.
func TestKinds(t *testing.T) {
	for _, k := range elftest.Kinds() {
		for _, tag := range []elf.DynTag{elf.DT_HASH, elf.DT_GNU_HASH} {
			t.Run(fmt.Sprintf("%s/without %v", k.Name, tag), func(t *testing.T) {
				lib := parse(t, "libelftest.so.1", without(elftest.Shared(k), tag).Bytes())
				o, err := object.Read(lib)
				if err != nil {
					t.Fatal(err)
				}
				for i := 2; i < o.Symbols.Len(); i++ {
					s := o.Symbols.At(i)
					x, _ := o.Versions.Symbol(i)
					for _, version := range []string{"ELFTEST_1", "ELFTEST_2"} {
						has := string(o.Versions.Name(x)) == version
						oneKind(t, k, lib, i, string(o.Symbols.Name(s)), version, s.Type(), has)
					}
				}
			})
		}
	}
}

func oneKind(t *testing.T, k elftest.Kind, lib *elffile.File, def int, name, version string, typ elf.SymType, has bool) {
	p := processOf(load.Glibc, parse(t, "asking.so", asking(k, name, version, typ).Bytes()), lib)
	r, err := Bind(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range r.Of(p.Objects[0]) {
		if string(r.Name(b)) != name {
			continue
		}
		want := Binding{From: 0, To: -1, Symbol: b.Symbol, Rule: Undefined}
		if has {
			want.To, want.Def, want.Rule = 1, uint32(def), Scope
		}
		if b != want {
			t.Errorf("%s, version %s: %+v, want %+v", name, version, b, want)
		}
		if v, file := r.Version(b); v != version || file != "libelftest.so.1" {
			t.Errorf("version %q of %q", v, file)
		}
		// Both versions are defined; libc.so.6, which the library needs, is not there.
		for _, v := range r.Versions {
			if v.By != p.Objects[1] || v.Of != nil || v.File != "libc.so.6" {
				t.Errorf("version fault %+v", v)
			}
		}
		return
	}
	t.Errorf("%s is not asked for", name)
}

// TestTypeNames: every row names a relocation of its machine.
func TestTypeNames(t *testing.T) {
	for _, m := range all.All() {
		list := typesOf(m)
		if len(list) == 0 {
			t.Errorf("%s: no rows", m.Name)
		}
		for _, r := range list {
			if row := m.Relocs.ByName(r.name); row == nil {
				t.Errorf("%s has no %s", m.Name, r.name)
			}
		}
		for _, libc := range []load.Libc{load.Glibc, load.Musl} {
			if a := newActions(m, &load.Process{Libc: libc}); m.Relocs.Lookup(a.slot) == nil || !strings.HasSuffix(m.Relocs.Name(a.slot), "JUMP_SLOT") {
				t.Errorf("%s: slots are %s", m.Name, m.Relocs.Name(a.slot))
			}
		}
	}
}

// TestFaults: what is damaged is told with its place, and the rest is bound.
func TestFaults(t *testing.T) {
	for _, k := range elftest.Kinds() {
		typ := map[elf.Machine]uint64{elf.EM_X86_64: 1, elf.EM_386: 1, elf.EM_AARCH64: 257, elf.EM_ARM: 2}[k.Machine]
		for _, tc := range []struct {
			set   map[string]uint64
			words []string
		}{
			{map[string]uint64{".gnu.hash.bloomsize": 3}, []string{"GNU hash table, maskwords at 0x", "3 words of Bloom filter"}},
			{map[string]uint64{".gnu.version[1]": 0x7ff0}, []string{"version of symbol 1 at 0x", "index 32752 is beyond the highest version, 5"}},
			{map[string]uint64{".dynsym[1].st_name": 0xfffff}, []string{"symbol 1, st_name at 0x", "0xfffff is beyond the string table"}},
			{map[string]uint64{".rela.dyn[1].r_info": 77<<32 | typ, ".rel.dyn[1].r_info": 77<<8 | typ}, []string{"[1], r_info at 0x", "symbol 77: the table has 6 symbols"}},
			{map[string]uint64{".rela.dyn[1].r_offset": 0x99000, ".rel.dyn[1].r_offset": 0x99000}, []string{"[1], r_offset at 0x", "0x99000 is in no segment"}},
			{map[string]uint64{".rela.dyn[1].r_info": 1<<32 | 253, ".rel.dyn[1].r_info": 1<<8 | 253}, []string{"[1], r_info at 0x", "is not one that the dynamic linker of glibc takes"}},
		} {
			d := elftest.Shared(k)
			have := map[string]bool{}
			for _, f := range elftest.Fields(d.Bytes()) {
				have[f.Name] = true
			}
			d.Set = map[string]uint64{}
			for name, v := range tc.set {
				if have[name] {
					d.Set[name] = v
				}
			}
			if len(d.Set) == 0 {
				t.Fatalf("no field of %v", tc.set)
			}
			r, err := Bind(processOf(load.Glibc, parse(t, "libelftest.so.1", d.Bytes())), Options{})
			if err == nil || r == nil {
				t.Errorf("%v: no error", d.Set)
				continue
			}
			for _, w := range append(tc.words, "libelftest.so.1: ") {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v: %v; want %q", d.Set, err, w)
				}
			}
		}
	}
}

// TestLFS64: musl takes open64 for open of libc where there is no open64, and
// glibc does not.
func TestLFS64(t *testing.T) {
	for _, k := range elftest.Kinds() {
		d := elftest.Shared(k)
		for i := range d.Sections {
			if c, ok := d.Sections[i].Content.(elftest.Symbols); ok {
				list := slices.Clone(c)
				for j := range list {
					if list[j].Name == "answer" {
						list[j].Name = "open"
					}
				}
				d.Sections[i].Content = elftest.SortGNU(3, list)
			}
		}
		lib := parse(t, "libc.so", d.Bytes())
		for _, tc := range []struct {
			libc load.Libc
			name string
			rule Rule
		}{{load.Musl, "open64", LFS64}, {load.Musl, "open", Scope}, {load.Musl, "close64", Undefined}, {load.Glibc, "open64", Undefined}} {
			p := processOf(tc.libc, parse(t, "asking.so", asking(k, tc.name, "ELFTEST_1", elf.STT_FUNC).Bytes()), lib)
			p.Ld = p.Objects[1]
			r, err := Bind(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for b := range r.Named(tc.name) {
				if b.Rule != tc.rule || (b.To == 1) != (tc.rule != Undefined) {
					t.Errorf("%s: %+v", tc.name, b)
				}
			}
			if len(slices.Collect(r.Named(tc.name))) == 0 {
				t.Errorf("%s is not asked for", tc.name)
			}
		}
	}
}

// TestSieve: a process of many objects finds the same with the sieve and without,
// also behind the 64th object, and in objects that have DT_HASH alone.
func TestSieve(t *testing.T) {
	k := elftest.Kinds()[0]
	o, _ := object.Read(parse(t, "libelftest.so.1", elftest.Shared(k).Bytes()))
	i, _ := o.Gnu.Lookup("answer")
	x, _ := o.Versions.Symbol(i)
	version := string(o.Versions.Name(x))
	for _, n := range []int{1, 63, 64, 130} {
		files := []*elffile.File{parse(t, "asking.so", asking(k, "answer", version, elf.STT_FUNC).Bytes())}
		for i := range n {
			files = append(files, parse(t, fmt.Sprintf("other%d.so", i), asking(k, "question", "ELFTEST_1", elf.STT_OBJECT).Bytes()))
		}
		for _, tag := range []elf.DynTag{elf.DT_HASH, elf.DT_GNU_HASH} {
			p := processOf(load.Glibc, append(files, parse(t, "libelftest.so.1", without(elftest.Shared(k), tag).Bytes()))...)
			r, err := Bind(p, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if r.scope.sieve == nil != (n == 1) {
				t.Errorf("%d objects: sieve %v", n+2, r.scope.sieve)
			}
			for b := range r.Named("answer") {
				if int(b.To) != n+1 {
					t.Errorf("%d objects: %+v", n+2, b)
				}
			}
			with := slices.Clone(r.Bindings)
			r.scope.sieve = nil
			for i := range r.Bindings {
				r.Bindings[i].To = -1
			}
			if err := r.resolve(1); err != nil || !slices.Equal(with, r.Bindings) {
				t.Errorf("%d objects: other bindings without the sieve", n+2)
			}
		}
	}
}

// TestLazy: slots of a program wait for their first call unless it, or the caller,
// wants them at once; what is no slot never waits.
func TestLazy(t *testing.T) {
	samples.Need(t, "gcc")
	dir := t.TempDir()
	source := filepath.Join(dir, "a.c")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\nint main(int argc, char **argv) { puts(argv[0]); return getchar(); }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		flag string
		now  bool
		lazy bool
	}{{"lazy", false, true}, {"lazy", true, false}, {"now", false, false}} {
		prog := filepath.Join(dir, tc.flag)
		if out, err := exec.Command("gcc", "-Wl,-z,"+tc.flag, "-o", prog, source).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p, err := load.Load(prog, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Bind(p, Options{Now: tc.now})
		if err != nil {
			t.Error(err)
		}
		slots := 0
		for _, b := range r.Of(p.Program()) {
			if name := string(r.Name(b)); name == "puts" || name == "getchar" {
				slots++
				if b.Lazy != tc.lazy {
					t.Errorf("-z %s, now %v: %s: lazy %v", tc.flag, tc.now, name, b.Lazy)
				}
			} else if b.Lazy {
				t.Errorf("%s is no slot, and lazy", name)
			}
		}
		if slots != 2 {
			t.Errorf("%d slots", slots)
		}
		p.Close()
	}
}

// TestBudget: symbols whose names are tails of one long string, and symbols of one
// long chain, do not make the look-ups take for ever.
func TestBudget(t *testing.T) {
	k := elftest.Kinds()[0]
	p := processOf(load.Glibc, parse(t, "asking.so", asking(k, "answer", "ELFTEST_1", elf.STT_FUNC).Bytes()))
	r, err := Bind(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	one := r.Bindings[0]
	r.Bindings = make([]Binding, 200)
	for i := range r.Bindings {
		r.Bindings[i] = one
	}
	r.scope.tables[0].strings = bytes.Repeat([]byte("x"), 1<<20)
	r.scope.tables[0].strings[1<<20-1] = 0
	err = r.resolve(2)
	if err == nil || r.Bindings != nil || !strings.Contains(err.Error(), "asking.so: the names of the symbols") {
		t.Errorf("%d bindings, %v", len(r.Bindings), err)
	}
}
