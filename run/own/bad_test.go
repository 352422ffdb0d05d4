package own_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/run/own"
)

// relocOf finds a relocation of a type in a library, and where it is in the file.
func relocOf(t testing.TB, name, table string, typ uint32) (index int, off int64) {
	t.Helper()
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tables, err := f.DynamicRelocTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tables {
		for i := range x.Len() {
			if x.Name == table && x.At(i).Type == typ {
				return i, x.Offset + int64(24*i)
			}
		}
	}
	t.Fatalf("%s: no relocation of type %d in %s", name, typ, table)
	return 0, 0
}

// copyTree copies the files of a recipe to where they can be changed.
func copyTree(t testing.TB, from string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"main", "liba.so", "libb.so"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// link loads, binds and builds, and returns the first error.
func link(prog string) error {
	p, err := load.Load(prog, load.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	b, err := bind.Bind(p, bind.Options{})
	if err != nil {
		return err
	}
	r, err := own.Build(p, b, own.Options{})
	if err != nil {
		return err
	}
	_, err = r.Image.File()
	return err
}

// TestBad changes a library a little, and expects to be told where.
func TestBad(t *testing.T) {
	from := samples.Make(t, aloneRecipe(t, "x86_64-linux-gnu-", true, false, []string{"-mtls-dialect=gnu"}))
	const relative, jumpSlot, dtpmod = 8, 7, 16
	for _, c := range []struct {
		name, table string
		typ         uint32
		at          int64 // in the entry
		value       uint64
		want        []string
	}{
		{"outside", "RELA", relative, 0, 0x99000, []string{"liba.so: RELA[0], r_offset at 0x", "0x99000 is in no segment"}},
		{"far outside", "RELA", relative, 0, ^uint64(7), []string{"liba.so: RELA[0], r_offset", "0xfffffffffffffff8 is in no segment"}},
		{"in the code", "RELA", relative, 0, 0x1000, []string{"RELA[0]", "0x1000 is in a segment without PF_W", "no DT_TEXTREL"}},
		{"no such type", "RELA", relative, 8, 99, []string{"RELA[0], r_info", "99"}},
		{"static type", "RELA", relative, 8, 4, []string{"RELA[0], r_info", "R_X86_64_PLT32 is none that a dynamic linker carries out"}},
		{"no such symbol", "JMPREL", jumpSlot, 8, 0xffff<<32 | jumpSlot, []string{"JMPREL[", "r_info"}},
		{"not thread-local", "RELA", dtpmod, 8, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copyTree(t, from)
			lib := filepath.Join(dir, "liba.so")
			_, off := relocOf(t, lib, c.table, c.typ)
			f, err := os.OpenFile(lib, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.WriteAt(binary.LittleEndian.AppendUint64(nil, c.value), off+c.at)
			f.Close()
			err = link(filepath.Join(dir, "main"))
			if c.want == nil {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

// TestMissing takes away a library, and a symbol.
func TestMissing(t *testing.T) {
	from := samples.Make(t, aloneRecipe(t, "x86_64-linux-gnu-", true, false, []string{"-mtls-dialect=gnu"}))
	dir := copyTree(t, from)
	if err := os.Remove(filepath.Join(dir, "libb.so")); err != nil {
		t.Fatal(err)
	}
	if err := link(filepath.Join(dir, "main")); err == nil || !strings.Contains(err.Error(), "needs libb.so: ") {
		t.Errorf("error %v", err)
	}
	dir = copyTree(t, from)
	b, err := os.ReadFile(filepath.Join(dir, "libb.so"))
	if err != nil {
		t.Fatal(err)
	}
	b = []byte(strings.Replace(string(b), "\x00choice\x00", "\x00chance\x00", 1))
	if err := os.WriteFile(filepath.Join(dir, "libb.so"), b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := link(filepath.Join(dir, "main")); err == nil || !strings.Contains(err.Error(), "undefined symbol: choice") {
		t.Errorf("error %v", err)
	}
}

// FuzzBuild changes words of a library: never a panic, and no image of what cannot
// be carried out.
func FuzzBuild(f *testing.F) {
	if missing := samples.Missing("x86_64-linux-gnu-gcc"); missing != "" {
		f.Skip(missing)
	}
	from := samples.Make(f, aloneRecipe(f, "x86_64-linux-gnu-", false, false, []string{"-mtls-dialect=gnu"}))
	lib, err := os.ReadFile(filepath.Join(from, "liba.so"))
	if err != nil {
		f.Fatal(err)
	}
	_, off := relocOf(f, filepath.Join(from, "liba.so"), "RELA", 8)
	f.Add(uint32(off), uint64(0x99000), uint32(off+8), uint64(1))
	for i := uint32(64); i < 64+56*8; i += 28 {
		f.Add(i, uint64(1)<<(i%64), i+8, ^uint64(0))
	}
	f.Fuzz(func(t *testing.T, at1 uint32, v1 uint64, at2 uint32, v2 uint64) {
		dir := copyTree(t, from)
		b := append([]byte(nil), lib...)
		for _, e := range []struct {
			at uint32
			v  uint64
		}{{at1, v1}, {at2, v2}} {
			binary.LittleEndian.PutUint64(b[int(e.at)%(len(b)-8):], e.v)
		}
		if err := os.WriteFile(filepath.Join(dir, "liba.so"), b, 0o755); err != nil {
			t.Fatal(err)
		}
		link(filepath.Join(dir, "main"))
	})
}
