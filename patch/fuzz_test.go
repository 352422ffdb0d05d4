package patch_test

import (
	"errors"
	"os"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/patch"
)

// FuzzParseSet: whatever is written, it is a set or an error.
func FuzzParseSet(f *testing.F) {
	for _, s := range append(changes, "x=hex:00:ff", "{a::operator=(int)}.b[3]=&{c d}-8", "a.c:b=segment[1].size+4", "x:f32=-inf", "x='\\n'", "x=\"a,b\",\"c\"",
		"0x10:u8=1K", "a[0x10][]=1,-2,'c'", ".data+0x10:ptr=&x", "x=@file", "=1", "x=", "::=1", "a:=1", "{=1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := patch.ParseSet(s, noFile)
		if err == nil && set.Place == "" {
			t.Errorf("%q: neither a place nor an error", s)
		}
	})
}

// FuzzParseFile: the same of a JSON file.
func FuzzParseFile(f *testing.F) {
	f.Add([]byte(`[{"name":"x","type":"u32","value":1},{"section":".data","value":{"hex":"00"}}]`))
	f.Add([]byte(`{"version":1,"set":[{"between":["a","b"],"value":[1,{"text":"x"}]}],"outputs":[{"output":"o","set":[]}]}`))
	f.Add([]byte(`{"set":[{"name":"x:u8","value":{"address":"y+1"}},{"name":"x","value":{"fact":"image.end"}},{"name":"x","value":{"number":"0x10"}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		patch.ParseFile("fuzz.json", b, noFile)
	})
}

// FuzzApply patches broken files: a result that can be read, or an error.
func FuzzApply(f *testing.F) {
	for _, b := range elftest.Corpus() {
		f.Add(b, "buffer+8:u32=1")
	}
	for _, s := range shapes {
		b, err := elffile.Bytes(s.build(formats[0]).Encode().Window(0, 0x3000))
		if err == nil {
			f.Add(b, "0x20010:u64=1")
		}
	}
	// A program with debugging information of every version, as small as gcc makes
	// it.
	for _, flag := range []string{"-gdwarf-2", "-gdwarf-5"} {
		prog := compile(f, "struct { int a : 3; enum { X, Y } e; union { double d; int m[2][3]; }; char *s; } v = {1}; void _start(void) {}", flag, "-nostdlib", "-static", "-Wl,--build-id=none", "-O1", "-fno-asynchronous-unwind-tables")
		b, err := os.ReadFile(prog.Name)
		if err != nil {
			f.Fatal(err)
		}
		for _, set := range []string{"v.a=2", "v.e=Y", "v.m[1][2]=1", "v.d=1.5", "v.s=&v.m[1]", "w.x=1"} {
			f.Add(b, set)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, s string) {
		img, err := elffile.Parse("fuzz", b)
		if err != nil {
			return
		}
		set, err := patch.ParseSet(s, noFile)
		if err != nil {
			return
		}
		r, err := patch.Apply(img, []patch.Set{set}, patch.Options{Overlay: "move", Force: len(b)%2 == 0})
		if (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
		if err != nil {
			return
		}
		if r.Body.Size() > 1<<32 {
			return
		}
		now, err := elffile.ParseBody("fuzz", r.Body)
		if err = errors.Join(err); err != nil || len(now.Progs) != len(img.Progs) {
			t.Errorf("%v", err)
		}
	})
}
