package bind

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// checkSound binds a process in several ways and asks the results everything: what
// they say must hold together, whatever the files are.
func checkSound(t *testing.T, files ...*elffile.File) {
	t.Helper()
	for _, libc := range []load.Libc{load.Glibc, load.Musl} {
		p := processOf(libc, files...)
		one, err1 := Bind(p, Options{Workers: 1})
		two, err2 := Bind(p, Options{Workers: 2})
		if !reflect.DeepEqual(one.Bindings, two.Bindings) || text(err1) != text(err2) {
			t.Errorf("one worker and two differ: %v, %v", err1, err2)
		}
		for _, e := range elffile.Leaves(err1) {
			if !strings.Contains(e.Error(), ".so: ") && !strings.Contains(e.Error(), "more such faults") {
				t.Errorf("no file in the error: %v", e)
			}
		}
		trace, _ := Bind(p, Options{Order: Trace, Now: true})
		for _, r := range []*Result{one, trace} {
			soundBindings(t, r)
			for _, x := range r.Interposed() {
				if x.Object < 0 || int(x.Object) >= len(p.Objects) || x.By < 0 {
					t.Errorf("interposition %+v", x)
				}
			}
			r.Providers("answer")
			r.Used()
			for range r.Named("puts") {
			}
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func soundBindings(t *testing.T, r *Result) {
	t.Helper()
	objects := r.Process.Objects
	n := 0
	for _, o := range objects {
		n += len(r.Of(o))
	}
	if n != len(r.Bindings) {
		t.Errorf("%d bindings by object, %d in all", n, len(r.Bindings))
	}
	for _, b := range r.Bindings {
		if int(b.Symbol) >= objects[b.From].Symbols.Len() || b.Symbol == 0 {
			t.Fatalf("%+v: no such symbol", b)
		}
		if nowhere := b.Rule == WeakZero || b.Rule == Undefined; nowhere != (b.To < 0) {
			t.Fatalf("%+v: rule and target do not fit", b)
		}
		if b.To >= 0 && int(b.Def) >= objects[b.To].Symbols.Len() {
			t.Fatalf("%+v: no such definition", b)
		}
		if b.Rule > LFS64 {
			t.Fatalf("%+v: no such rule", b)
		}
		r.Version(b)
		r.Symbol(b)
		def, ok := r.Definition(b)
		if name := r.Name(b); ok && b.Rule != Local && b.Rule != LFS64 && string(objects[b.To].Symbols.Name(def)) != string(name) {
			t.Fatalf("%+v: %q is bound to %q", b, name, objects[b.To].Symbols.Name(def))
		}
	}
}

// FuzzBind: a process of a program and a library, both of any bytes.
func FuzzBind(f *testing.F) {
	for _, k := range elftest.Kinds() {
		lib := elftest.Shared(k).Bytes()
		prog := asking(k, "answer", "ELFTEST_1", 2).Bytes()
		f.Add(prog, lib)
		f.Add(lib, prog)
		f.Add(without(elftest.Shared(k), 4).Bytes(), prog)
	}
	f.Fuzz(func(t *testing.T, prog, lib []byte) {
		a, err1 := elffile.Parse("a.so", prog)
		b, err2 := elffile.Parse("b.so", lib)
		if err1 != nil || err2 != nil {
			return
		}
		checkSound(t, a, b)
	})
}

// TestMutants binds processes with a broken neighbour of a good library: 150 of
// each kind, with ELFWRIGHT_SWEEP=1 all of them.
func TestMutants(t *testing.T) {
	limit := 150
	if sweep() {
		limit = 1 << 30
	}
	for _, k := range elftest.Kinds() {
		lib := elftest.Shared(k).Bytes()
		prog := parse(t, "prog.so", asking(k, "answer", "ELFTEST_1", 2).Bytes())
		n := 0
		for name, data := range elftest.Mutate(7, lib) {
			if n++; n > limit {
				break
			}
			f, err := elffile.Parse("mutant.so", data)
			if err != nil {
				continue
			}
			if checkSound(t, prog, f); t.Failed() {
				t.Fatalf("%s: %s", k.Name, name)
			}
		}
	}
}

// TestCircle: a DT_HASH chain that runs in a circle ends.
func TestCircle(t *testing.T) {
	for _, k := range elftest.Kinds() {
		d := without(elftest.Shared(k), 0x6ffffef5)
		d.Set = map[string]uint64{}
		for _, f := range elftest.Fields(d.Bytes()) {
			if strings.HasPrefix(f.Name, ".hash.chain[") && f.Name != ".hash.chain[0]" {
				d.Set[f.Name] = 3
			}
		}
		if len(d.Set) == 0 {
			t.Fatal("no chain")
		}
		checkSound(t, parse(t, "asking.so", asking(k, "nowhere", "ELFTEST_1", 2).Bytes()), parse(t, "circle.so", d.Bytes()))
	}
}

// TestWorkers: the result of a large process does not depend on the workers.
func TestWorkers(t *testing.T) {
	p, err := load.Load("/proc/self/exe", load.Options{})
	if path := "/usr/bin/gdb"; err != nil || len(p.Objects) < 10 {
		p, err = load.Load(path, load.Options{})
	}
	if err != nil {
		t.Skip(err)
	}
	defer p.Close()
	first, err := Bind(p, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 2, 5} {
		r, err := Bind(p, Options{Workers: n})
		if err != nil || !slices.Equal(r.Bindings, first.Bindings) {
			t.Errorf("%d workers: %v, other bindings", n, err)
		}
	}
}
