package object_test

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// shared is a shared object of elftest with more dynamic entries.
func shared(k elftest.Kind, more ...elftest.Dyn) elftest.File {
	d := elftest.Shared(k)
	for i := range d.Sections {
		if dyn, ok := d.Sections[i].Content.(elftest.Dynamic); ok {
			d.Sections[i].Content = append(slices.Clone(dyn), more...)
		}
	}
	return d
}

func read(t testing.TB, d elftest.File) (*object.Object, error) {
	t.Helper()
	f, err := elffile.Parse("lib.so", d.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return object.Read(f)
}

func TestRead(t *testing.T) {
	for _, k := range elftest.Kinds() {
		for _, bare := range []bool{false, true} { // section headers do not count
			d := shared(k, elftest.Dyn{Tag: elf.DT_NEEDED, Str: "libm.so.6"}, elftest.Dyn{Tag: elf.DT_RPATH, Str: ""},
				elftest.Dyn{Tag: elf.DT_AUXILIARY, Str: "libaux.so"}, elftest.Dyn{Tag: elf.DT_FILTER, Str: "libf.so"},
				elftest.Dyn{Tag: elf.DT_AUDIT, Str: "a:b"}, elftest.Dyn{Tag: elf.DT_DEPAUDIT, Str: "c"},
				elftest.Dyn{Tag: elf.DT_FLAGS, Val: uint64(elf.DF_SYMBOLIC | elf.DF_TEXTREL)}, elftest.Dyn{Tag: elf.DT_SONAME, Str: "second"})
			d.NoSectionHeaders = bare
			o, err := read(t, d)
			if err != nil {
				t.Fatal(k, err)
			}
			if !slices.Equal(o.Needed, []string{"libc.so.6", "libm.so.6"}) || o.Soname != "second" || o.Audit != "a:b" || o.Depaudit != "c" {
				t.Errorf("%v: %q %q", k, o.Needed, o.Soname)
			}
			if o.Rpath != (object.Path{Set: true}) || o.Runpath != (object.Path{Text: "$ORIGIN/../lib", Set: true}) {
				t.Errorf("%v: %+v %+v", k, o.Rpath, o.Runpath)
			}
			if !slices.Equal(o.Filtees, []object.Filtee{{Name: "libaux.so", Auxiliary: true}, {Name: "libf.so"}}) {
				t.Errorf("%v: %+v", k, o.Filtees)
			}
			if !o.Symbolic || !o.Textrel || !o.BindNow || o.TLS == nil || o.TLS.Memsz != 4 || o.Interp != "" {
				t.Errorf("%v: %+v", k, o)
			}
			if o.Symbols.Len() != 6 || len(o.Relocs) != 2 || o.Versions.Len() != 6 {
				t.Errorf("%v: %d symbols, %d tables, %d versions", k, o.Symbols.Len(), len(o.Relocs), o.Versions.Len())
			}
			for _, name := range []string{"answer", "question", "counter"} {
				g, gok := o.Gnu.Lookup(name)
				s, sok := o.Sysv.Lookup(name)
				if !gok || !sok || g != s {
					t.Errorf("%v: %s is %d %v and %d %v", k, name, g, gok, s, sok)
				}
			}
		}
	}
}

// TestDamaged has parts that are damaged: the others are there, and the error
// names what is not.
func TestDamaged(t *testing.T) {
	for _, k := range elftest.Kinds() {
		for _, tc := range []struct {
			more  elftest.Dyn
			words string
			check func(o *object.Object) bool
		}{
			{elftest.Dyn{Tag: elf.DT_NEEDED, Val: 0xffffff}, "dynamic entry NEEDED, d_val at", func(o *object.Object) bool { return len(o.Needed) == 2 && o.Needed[1] == "" }},
			{elftest.Dyn{Tag: elf.DT_RUNPATH, Val: 0xffffff}, "dynamic entry RUNPATH, d_val at", func(o *object.Object) bool { return o.Runpath == object.Path{Set: true} }},
			{elftest.Dyn{Tag: elf.DT_GNU_HASH, Val: 0xfffffff}, "is in the file bytes of no PT_LOAD", func(o *object.Object) bool { return o.Gnu == nil && o.Sysv != nil }},
			{elftest.Dyn{Tag: elf.DT_VERSYM, Val: 0xfffffff}, "dynamic entry VERSYM", func(o *object.Object) bool { return o.Symbols.Len() == 6 }},
			{elftest.Dyn{Tag: elftest.DT_RELRSZ, Val: 0xfffffff}, "only 0x", func(o *object.Object) bool { return len(o.Relocs) == 2 }},
		} {
			o, err := read(t, shared(k, tc.more))
			if err == nil || !strings.Contains(err.Error(), tc.words) || !strings.HasPrefix(err.Error(), "lib.so: ") {
				t.Errorf("%v, %v: %v", k, tc.more.Tag, err)
			}
			if !tc.check(o) || len(o.Needed) == 0 || o.Soname != "libelftest.so.1" {
				t.Errorf("%v, %v: something else is missing: %+v", k, tc.more.Tag, o)
			}
			if n := strings.Count(err.Error(), "\n"); n > 3 {
				t.Errorf("%v, %v: one fault is told %d times:\n%v", k, tc.more.Tag, n+1, err)
			}
		}
	}
}

// TestManyNames has entries that all name one long string: the names must not take
// more memory than the file.
func TestManyNames(t *testing.T) {
	k := elftest.Kinds()[0]
	long := strings.Repeat("x", 100000)
	more := []elftest.Dyn{{Tag: elf.DT_NEEDED, Str: long}}
	d := shared(k, more...)
	o, err := read(t, d)
	if err != nil || o.Needed[1] != long {
		t.Fatal(err)
	}
	at, _ := o.Dynamic.Value(elf.DT_NEEDED)
	for range 5000 {
		more = append(more, elftest.Dyn{Tag: elf.DT_NEEDED, Val: at})
	}
	o, err = read(t, shared(k, more...))
	total := 0
	for _, n := range o.Needed {
		total += len(n)
	}
	if len(o.Needed) != 5002 || total > 1<<20 || err == nil || !strings.Contains(err.Error(), "together") {
		t.Errorf("%d names of %d bytes, %v", len(o.Needed), total, err)
	}
}

// TestStatic has programs without dynamic section: nothing of section headers is
// taken in its place.
func TestStatic(t *testing.T) {
	for _, k := range elftest.Kinds() {
		o, err := read(t, elftest.ExecSections(k))
		if err != nil || o.Dynamic == nil || o.Dynamic.Prog != -1 || o.Versions == nil || o.Symbols != nil || o.Gnu != nil || o.Relocs != nil {
			t.Errorf("%v: %+v, %v", k, o, err)
		}
		d := elftest.Shared(k)
		d.Segments = slices.DeleteFunc(slices.Clone(d.Segments), func(s elftest.Segment) bool { return s.Type == elf.PT_DYNAMIC })
		if o, err = read(t, d); err != nil || o.Needed != nil || o.Symbols != nil || len(o.Versions.Defs) != 0 {
			t.Errorf("%v: %+v, %v", k, o, err)
		}
	}
}

func ExampleRead() {
	f, err := elffile.Parse("libelftest.so", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	o, err := object.Read(f)
	fmt.Println(o.Soname, o.Needed, o.Runpath.Text, o.Symbols.Len(), err)
	// Output: libelftest.so.1 [libc.so.6] $ORIGIN/../lib 6 <nil>
}

func FuzzRead(f *testing.F) {
	for _, data := range elftest.Corpus() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := elffile.Parse("fuzz", data)
		if err != nil {
			return
		}
		o, err := object.Read(file)
		if o == nil || o.Dynamic == nil || o.Versions == nil {
			t.Fatalf("parts are nil: %+v, %v", o, err)
		}
		total := 0
		for _, s := range o.Needed {
			total += len(s)
		}
		if len(o.Interp) > 4096 || len(o.Needed) > len(data) {
			t.Errorf("%d names of %d bytes, PT_INTERP of %d", len(o.Needed), total, len(o.Interp))
		}
	})
}
