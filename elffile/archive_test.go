package elffile

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

func TestArchive(t *testing.T) {
	obj := elftest.Object(elftest.Kinds()[0]).Bytes()
	members := []elftest.Member{
		{Name: "a.o", Data: obj, Date: 1700000000, UID: 1000, GID: 100, Mode: 0o755, Symbols: []string{"foo", "bar"}},
		{Name: "odd", Data: []byte("odd"), Symbols: []string{"baz"}},
		{Name: "a member with a name that is long.o", Data: obj},
	}
	for _, names := range []elftest.Names{elftest.GNUNames, elftest.BSDNames} {
		for _, index := range []elftest.Index{elftest.NoIndex, elftest.Index32, elftest.Index64, elftest.IndexBSD} {
			data := elftest.Archive{Names: names, Index: index, Members: members}.Bytes()
			a, err := ParseArchive("lib.a", data)
			if err != nil {
				t.Fatalf("names %d, index %d: %v", names, index, err)
			}
			if len(a.Members) != len(members) || a.Thin {
				t.Fatalf("names %d, index %d: members %+v", names, index, a.Members)
			}
			for i, want := range members {
				m := a.Members[i]
				if m.Name != want.Name || !bytes.Equal(m.Data(), want.Data) || m.Date != want.Date || m.UID != want.UID || m.GID != want.GID ||
					m.Size != int64(len(want.Data)) || !bytes.Equal(data[m.DataOff:m.DataOff+m.Size], want.Data) {
					t.Errorf("names %d, index %d: member %d: %s at 0x%x", names, index, i, m.Name, m.HeaderOff)
				}
			}
			if a.Members[0].Mode&0o7777 != 0o755 {
				t.Errorf("mode %o", a.Members[0].Mode)
			}
			var got []string
			for _, s := range a.Symbols {
				got = append(got, fmt.Sprintf("%s in %d", s.Name, s.Member))
			}
			if want := map[bool]string{true: "[foo in 0 bar in 0 baz in 1]", false: "[]"}[index != elftest.NoIndex]; fmt.Sprint(got) != want {
				t.Errorf("names %d, index %d: symbols %s, want %s", names, index, got, want)
			}
			f, err := a.OpenMember(2)
			if err != nil || f.Name != "lib.a(a member with a name that is long.o)" || f.Header.Type != elf.ET_REL {
				t.Errorf("member 2: %v", err)
			}
			_, err = a.OpenMember(1)
			wantError(t, err, "lib.a(odd): ELF header", "needs 0x10 bytes, the file has 0x3")
		}
	}
}

func TestArchiveFaults(t *testing.T) {
	good := elftest.Archive{Index: elftest.Index32, Members: []elftest.Member{{Name: "a", Data: []byte("aaaa"), Symbols: []string{"s"}}, {Name: "b", Data: []byte("bb")}}}
	data := good.Bytes()
	a, err := ParseArchive("", data)
	if err != nil {
		t.Fatal(err)
	}
	first := uint64(a.Members[0].HeaderOff)
	for _, tc := range []struct {
		name    string
		patch   []elftest.Patch
		cut     int
		members int
		words   string
	}{
		{"size no number", []elftest.Patch{{Off: first + 48, Bytes: []byte("12x")}}, 0, 0, `ar_size at`},
		{"size negative", []elftest.Patch{{Off: first + 48, Bytes: []byte("-1")}}, 0, 0, `ar_size at`},
		{"size past the end", []elftest.Patch{{Off: first + 48, Bytes: []byte("9999999999")}}, 0, 1, "9999999999 bytes are past the end of the archive"},
		{"date no number", []elftest.Patch{{Off: first + 16, Bytes: []byte("x")}}, 0, 2, "ar_date at"},
		{"no header end", []elftest.Patch{{Off: first + 58, Bytes: []byte("xx")}}, 0, 0, "does not end a member's header"},
		{"cut header", nil, -30, 1, "bytes are left, a member's header has 0x3c"},
		{"no table of names", []elftest.Patch{{Off: first, Bytes: []byte("/7 ")}}, 0, 2, `"/7" is not in the table of long names, which has 0x0 bytes`},
		{"name longer than the member", []elftest.Patch{{Off: first, Bytes: []byte("#1/99")}}, 0, 2, `"#1/99": the member has 0x4 bytes`},
		{"index count", []elftest.Patch{{Off: 68, Bytes: []byte{0xff, 0xff, 0xff, 0xff}}}, 0, 2, "4294967295 symbols are more than"},
	} {
		x := good
		x.Patch, x.Truncate = tc.patch, tc.cut
		a, err := ParseArchive("lib.a", x.Bytes())
		t.Run(tc.name, func(t *testing.T) {
			wantError(t, err, "lib.a: archive member", tc.words)
			if a == nil || len(a.Members) < tc.members {
				t.Errorf("members %+v", a)
			}
		})
	}
	for _, no := range []string{"", "!<arch>", "\x7fELF", "<bigaf>\n"} {
		if a, err := ParseArchive("x", []byte(no)); a != nil || err == nil {
			t.Errorf("%q: %v, %v", no, a, err)
		}
	}
}

// TestArchiveLongName: a member's name does not grow with the table of names.
func TestArchiveLongName(t *testing.T) {
	name := strings.Repeat("n", 1<<16)
	a, err := ParseArchive("x", elftest.Archive{Members: []elftest.Member{{Name: name}, {Name: name + "2"}}}.Bytes())
	wantError(t, err, "ar_name", "a name of more than 0x1000 bytes")
	if len(a.Members) != 2 || len(a.Members[0].Name) > maxMemberName {
		t.Errorf("names of %d bytes", len(a.Members[0].Name))
	}
}

func TestArchiveCorpus(t *testing.T) {
	t.Parallel()
	for name, data := range elftest.ArchiveCorpus() {
		visitArchive(t, name, data)
		left := 300
		for what, mutant := range elftest.Mutate(2, data) {
			if left--; left < 0 && !sweep() {
				break
			}
			visitArchive(t, name+": "+what, mutant)
		}
	}
}

// visitArchive looks at everything an archive has.
func visitArchive(t testing.TB, name string, data []byte) {
	t.Helper()
	a, err := ParseArchive(name, data)
	if a == nil {
		if err == nil {
			t.Errorf("%s: neither archive nor error", name)
		}
		return
	}
	for _, s := range a.Symbols {
		if s.Member >= len(a.Members) {
			t.Errorf("%s: symbol %s of member %d of %d", name, s.Name, s.Member, len(a.Members))
		}
	}
	for i := range a.Members {
		m := &a.Members[i]
		if !a.Thin && (m.DataOff < 0 || m.DataOff+int64(len(m.Data())) > int64(len(data))) {
			t.Errorf("%s: member %d is not in the archive: %+v", name, i, m)
		}
		if a.Thin || i > 50 {
			continue // its files are elsewhere
		}
		if f, err := a.OpenMember(i); err == nil {
			v := &visitor{limit: 100, contents: 1 << 16}
			v.visit(f)
		}
	}
}

// TestArchiveTools reads what ar and llvm-ar make: GNU's, BSD's and thin ones,
// with members in folders, with long names, and of other archives.
func TestArchiveTools(t *testing.T) {
	samples.Need(t, "ar", "gcc", "llvm-ar-14")
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	names := []string{"a.o", "sub/a member with a very long name.o", "c.o"}
	for i, n := range names {
		src := fmt.Sprintf("int f%d(void) { return %d; } int g%d;", i, i, i)
		if err := os.WriteFile(filepath.Join(dir, "x.c"), []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
		run("gcc", "-c", "x.c", "-o", n)
	}
	run(append([]string{"ar", "rc", "gnu.a"}, names...)...)
	run(append([]string{"ar", "rcT", "thin.a"}, names...)...)
	run("ar", "rcT", "outer.a", "gnu.a", "a.o")
	run(append([]string{"llvm-ar-14", "--format=gnu", "rc", "llvm.a"}, names...)...)
	run(append([]string{"llvm-ar-14", "--format=bsd", "rc", "bsd.a"}, names...)...)
	run(append([]string{"llvm-ar-14", "--format=darwin", "rc", "darwin.a"}, names...)...)
	run(append([]string{"llvm-ar-14", "rcT", "llvmthin.a"}, names...)...)
	for _, n := range []string{"gnu.a", "thin.a", "outer.a", "llvm.a", "bsd.a", "darwin.a", "llvmthin.a"} {
		m, err := Map(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		a, err := ParseArchive(m.Name, m.Bytes())
		if err != nil {
			t.Errorf("%s: %v", n, err)
		}
		var got []string
		for i := range a.Members {
			f, err := a.OpenMember(i)
			if err != nil {
				t.Errorf("%s: member %d: %v", n, i, err)
				continue
			}
			got = append(got, filepath.Base(a.Members[i].Name)+" "+strings.Join(functions(t, f), " "))
			f.Close()
		}
		want := "[a.o f0 a member with a very long name.o f1 c.o f2]"
		if n == "outer.a" {
			want = "[a.o f0 gnu.a f1 gnu.a f2]" // the name a.o is there once
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %s, want %s", n, got, want)
		}
		var index []string
		for _, s := range a.Symbols {
			index = append(index, fmt.Sprintf("%s:%d", s.Name, s.Member))
		}
		if n != "outer.a" && n != "darwin.a" && fmt.Sprint(index) != "[f0:0 g0:0 f1:1 g1:1 f2:2 g2:2]" {
			t.Errorf("%s: index %s", n, index)
		}
		m.Close()
	}
}

// TestThinCircle: a thin archive whose member is in that archive itself, and one
// whose member is not there.
func TestThinCircle(t *testing.T) {
	dir := t.TempDir()
	thin := func(name, member, ref string) *Archive {
		long := member + "/\n"
		long += strings.Repeat("\n", len(long)&1)
		head := func(name string, size int) string {
			return fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "644", size)
		}
		text := arThin + head("//", len(long)) + long + head(ref, 100)
		path := write(t, filepath.Join(dir, name), text)
		a, err := ParseArchive(path, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := thin("self.a", "self.a", "/0:76")
	if a.Members[0].Nested != 76 || a.Members[0].HeaderOff != 76 {
		t.Fatalf("%+v", a.Members[0])
	}
	_, err := a.OpenMember(0)
	wantError(t, err, "self.a(self.a): thin archive", "ar_name at 0x4c", "the member is in yet another archive, self.a")
	_, err = thin("other.a", "self.a", "/0:99").OpenMember(0)
	wantError(t, err, "no member begins here")
	_, err = thin("gone.a", "gone.o", "/0").OpenMember(0)
	wantError(t, err, "gone.a(gone.o)", "no such file")
	if err := os.WriteFile(filepath.Join(dir, "there.o"), elftest.Object(elftest.Kinds()[1]).Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	inner := thin("inner.a", "there.o", "/0")
	f, err := thin("outer.a", "inner.a", fmt.Sprintf("/0:%d", inner.Members[0].HeaderOff)).OpenMember(0)
	if err != nil || f.Header.Type != elf.ET_REL || f.Close() != nil {
		t.Errorf("a file beside a thin archive in a thin archive: %v", err)
	}
}

// functions are the names of the functions that an object file defines.
func functions(t *testing.T, f *File) []string {
	t.Helper()
	tab, err := f.SymbolTable(f.SectionByType(elf.SHT_SYMTAB))
	if err != nil {
		t.Error(err)
	}
	var names []string
	for i := range tab.Len() {
		if s := tab.At(i); s.Type() == elf.STT_FUNC {
			names = append(names, string(tab.Name(s)))
		}
	}
	return names
}
