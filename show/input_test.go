package show_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/show"
)

func Example() {
	file := elftest.Exec(elftest.Kinds()[0])
	f, err := elffile.Parse("hello", file.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	var b bytes.Buffer
	report, err := show.Print(&b, f, show.Options{})
	if err != nil || len(report.Faults) > 0 {
		fmt.Println(err, report.Faults)
	}
	line, _, _ := strings.Cut(b.String(), "\n")
	fmt.Println(line)
	// Output: hello: ELF 64-bit little-endian, EXEC (Executable file), Advanced Micro Devices X86-64
}

// archive writes an archive with two members that are ELF files, one of them
// twice, and one that is text.
func archive(t *testing.T) string {
	t.Helper()
	object := elftest.Object(elftest.Kinds()[0]).Bytes()
	a := elftest.Archive{Members: []elftest.Member{
		{Name: "one.o", Data: object}, {Name: "a long name (really).o", Data: object},
		{Name: "readme", Data: []byte("text\n")}, {Name: "one.o", Data: object},
	}}
	path := filepath.Join(t.TempDir(), "lib.a")
	if err := os.WriteFile(path, a.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPath(t *testing.T) {
	lib := archive(t)
	dir := filepath.Dir(lib)
	odd := filepath.Join(dir, "odd(name)")
	exec := elftest.Exec(elftest.Kinds()[0]).Bytes()
	text := filepath.Join(dir, "text")
	for path, data := range map[string][]byte{odd: exec, text: []byte("#!/bin/sh\necho hello\n"), filepath.Join(dir, "empty"): nil} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path   string
		files  int    // headers printed
		faults int    // of the report
		err    string // or this error
	}{
		{lib, 3, 1, ""},
		{lib + "(one.o)", 2, 0, ""},
		{lib + "(a long name (really).o)", 1, 0, ""},
		{lib + "(two.o)", 0, 0, `lib.a: the archive has no member "two.o"`},
		{odd, 1, 0, ""},
		{odd + "(x)", 0, 0, "is not an archive"},
		{dir, 0, 0, "is a directory"},
		{text, 0, 0, `the first bytes are "#!/b"`},
		{filepath.Join(dir, "empty"), 0, 0, "the file has 0x0"},
		{filepath.Join(dir, "nothing"), 0, 0, "nothing: no such file or directory"},
		{filepath.Join(dir, "nothing(x.o)"), 0, 0, "nothing: no such file or directory"},
		{os.DevNull, 0, 0, "not a regular file"},
	} {
		var b bytes.Buffer
		r, err := show.Path(&b, show.Input{Path: c.path}, show.Options{Views: show.FileHeader})
		if got := strings.Count(b.String(), "ELF Header:"); got != c.files || len(r.Faults) != c.faults {
			t.Errorf("%s: %d files, faults %v", c.path, got, r.Faults)
		}
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", c.path, err, c.err)
		}
	}
}

func TestStdin(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want string
	}{
		{elftest.Exec(elftest.Kinds()[1]).Bytes(), "ELF Header:"},
		{elftest.Archive{Members: []elftest.Member{{Name: "x.o", Data: elftest.Object(elftest.Kinds()[2]).Bytes()}}}.Bytes(), "File: -(x.o)"},
	} {
		var b bytes.Buffer
		_, err := show.Path(&b, show.Input{Path: "-", Stdin: bytes.NewReader(c.data)}, show.Options{Views: show.FileHeader})
		if err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%v:\n%s", err, b.String())
		}
	}
	// A file instead of a pipe is mapped, and named the same.
	f, err := os.Open(archive(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := show.Path(&b, show.Input{Path: "-", Stdin: f}, show.Options{Views: show.FileHeader}); err != nil || !strings.Contains(b.String(), "File: -(one.o)") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	if _, err := show.Path(new(bytes.Buffer), show.Input{Path: "-"}, show.Options{}); err == nil {
		t.Error("no standard input, no error")
	}
}

// A member's document says where it is from.
func TestMemberJSON(t *testing.T) {
	lib := archive(t)
	var b bytes.Buffer
	if _, err := show.Path(&b, show.Input{Path: lib + "(one.o)"}, show.Options{Views: show.FileHeader, JSON: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"member":"one.o"`, `"member_offset":"0x`, `"archive":"` + lib + `"`} {
		if strings.Count(b.String(), want) != 2 {
			t.Errorf("%s is not there twice:\n%s", want, b.String())
		}
	}
}
