package page

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/elffile"
	"elfwright/freeze/note"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/picture"
	"elfwright/plan"
)

func Example() {
	f, err := elffile.Parse("exit42", elftest.Exec(elftest.Kinds()[0]).Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	var page strings.Builder
	report, err := Write(&page, []Subject{{Image: image.FromFile(f), File: f}}, Options{})
	fmt.Println(err, report.Faults, strings.Contains(page.String(), "<title>exit42</title>"))
	// Output: <nil> [] true
}

func subject(t testing.TB, name string, data []byte) Subject {
	t.Helper()
	f, err := elffile.Parse(name, data)
	if err != nil {
		t.Skip(err)
	}
	return subjectOf(f)
}

func subjectOf(f *elffile.File) Subject {
	s := Subject{Image: image.FromFile(f), File: f}
	if p, err := plan.Map(s.Image, plan.Options{}); err == nil {
		s.Steps = Steps(p)
	}
	return s
}

// open takes a page apart: its index, and its chunks.
func open(t testing.TB, html []byte) (index indexJSON, chunks [][]byte) {
	t.Helper()
	parts := regexp.MustCompile(`(?s)<script type="application/json" id="index">(.*?)</script>`).FindSubmatch(html)
	if parts == nil {
		t.Fatal("the page has no index")
	}
	if err := json.Unmarshal(parts[1], &index); err != nil {
		t.Fatal(err)
	}
	for i, c := range regexp.MustCompile(`(?s)<script type="application/octet-stream" id="chunk-(\d+)">(.*?)</script>`).FindAllSubmatch(html, -1) {
		if string(c[1]) != fmt.Sprint(i) {
			t.Fatalf("chunk %d is called %s", i, c[1])
		}
		packed, err := base64.StdEncoding.DecodeString(string(c[2]))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, raw)
	}
	return index, chunks
}

// checkTable: a table's columns fill its chunk, and its names lie in its text.
func checkTable(t testing.TB, x *table, chunks [][]byte) {
	t.Helper()
	if x == nil || x.Rows == 0 {
		return
	}
	size, at := 0, 0
	for _, c := range x.Cols {
		if c.Name == "name" {
			at = size
		}
		size += c.Bits / 8 * x.Rows
	}
	if got := len(chunks[x.Chunk]); got != size {
		t.Fatalf("a table of %d bytes has %d", size, got)
	}
	if x.Text < 0 {
		return
	}
	last := uint32(0)
	for i := range x.Rows {
		off := binary.LittleEndian.Uint32(chunks[x.Chunk][at+4*i:])
		if int(off) >= len(chunks[x.Text]) || off < last {
			t.Fatalf("row %d: name at 0x%x after 0x%x, of 0x%x", i, off, last, len(chunks[x.Text]))
		}
		last = off
	}
}

func check(t testing.TB, s Subject, opt Options) indexJSON {
	t.Helper()
	var out, again bytes.Buffer
	report, err := Write(&out, []Subject{s}, opt)
	if err != nil {
		t.Fatal(err)
	}
	if report.Size != int64(out.Len()) {
		t.Errorf("%d bytes are reported, %d written", report.Size, out.Len())
	}
	if _, err := Write(&again, []Subject{s}, opt); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("a second page of the same image differs")
	}
	index, chunks := open(t, out.Bytes())
	for _, x := range []*table{index.Images[0].Symbols, index.Images[0].Relocs, index.Images[0].Strings} {
		checkTable(t, x, chunks)
	}
	return index
}

func TestCorpus(t *testing.T) {
	n := 0
	for name, data := range elftest.Corpus() {
		if f, err := elffile.Parse(name, data); err == nil {
			check(t, subjectOf(f), Options{})
		}
		if n++; testing.Short() && n == 100 {
			return
		}
	}
}

// TestLimit: a page is cut to its limit, and says what is missing.
func TestLimit(t *testing.T) {
	var symbols elftest.Symbols
	for i := range 60000 {
		symbols = append(symbols, elftest.Symbol{Name: fmt.Sprintf("name_%x_%x", i*7919, i), Section: ".text", Value: uint64(i), Size: 1})
	}
	file := elftest.ExecSections(elftest.Kinds()[0])
	for i := range file.Sections {
		if file.Sections[i].Name == ".symtab" {
			file.Sections[i].Content = symbols
		}
	}
	s := subject(t, "many", file.Bytes())
	whole := check(t, s, Options{}).Images[0]
	if whole.Symbols.Rows != whole.Symbols.Of || whole.Symbols.Of < 60000 {
		t.Fatalf("%d of %d symbols", whole.Symbols.Rows, whole.Symbols.Of)
	}
	const limit = 900_000
	cut := check(t, s, Options{Limit: limit}).Images[0]
	if cut.Symbols.Rows == 0 || cut.Symbols.Rows >= 60000 || cut.Symbols.Of != whole.Symbols.Of {
		t.Errorf("%d of %d symbols", cut.Symbols.Rows, cut.Symbols.Of)
	}
	if !strings.Contains(strings.Join(cut.Notes, "\n"), "there was room for") {
		t.Errorf("nothing says that symbols are missing: %q", cut.Notes)
	}
	var out bytes.Buffer
	if Write(&out, []Subject{s, s, s}, Options{Limit: 3 * limit}); out.Len() > 3*limit {
		t.Errorf("%d bytes for a limit of %d", out.Len(), 3*limit)
	}
}

// TestNames: what a file calls its parts can not end the script that has it.
func TestNames(t *testing.T) {
	file := elftest.ExecSections(elftest.Kinds()[0])
	const evil = "</script><script>alert(1)</script>\u2028\xff"
	file.Sections[0].Key, file.Sections[0].Name = file.Sections[0].Name, evil
	var out bytes.Buffer
	if _, err := Write(&out, []Subject{subject(t, evil, file.Bytes())}, Options{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<script>alert") || strings.Count(out.String(), "</title>") != 1 {
		t.Error("a name became markup")
	}
	if index, _ := open(t, out.Bytes()); index.Images[0].Headers.Shname[1] != strings.ToValidUTF8(evil, "\uFFFD") {
		t.Errorf("the section is called %q", index.Images[0].Headers.Shname[1])
	}
}

// TestSources: DWARF names the source files of functions and of variables.
func TestSources(t *testing.T) {
	for _, flags := range []string{"-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz"} {
		args := append([]string{"gcc", "-g", "-O1", "-no-pie", "-nostdlib", "-static"}, strings.Fields(flags)...)
		file := samples.MakeFile(t, samples.Recipe{
			Files: map[string]string{
				"one.c": "int apples[50] = {1};\nint two(int);\nvoid _start(void) { apples[1] = two(3); for (;;); }\n",
				"two.c": "static int pears[9];\nint two(int n) { return pears[n]++; }\n",
			},
			Steps: [][]string{append(args, "-o", "out", "one.c", "two.c")},
			Out:   "out",
		})
		f, err := elffile.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var out bytes.Buffer
		if report, err := Write(&out, []Subject{subjectOf(f)}, Options{}); err != nil || len(report.Faults) > 0 {
			t.Fatal(err, report.Faults)
		}
		index, chunks := open(t, out.Bytes())
		for name, want := range map[string]string{"_start": "one.c", "apples": "one.c", "two": "two.c", "pears": "two.c"} {
			if got := sourceOf(index.Images[0], chunks, name); path.Base(got) != want {
				t.Errorf("%s: %s is from %q, want %s", flags, name, got, want)
			}
		}
	}
}

// sourceOf reads the source file of a symbol from the chunks.
func sourceOf(img imageJSON, chunks [][]byte, name string) string {
	x := img.Symbols
	at := 0
	cols := make(map[string]int)
	for _, c := range x.Cols {
		cols[c.Name] = at
		at += c.Bits / 8 * x.Rows
	}
	raw := chunks[x.Chunk]
	for i := range x.Rows {
		off := binary.LittleEndian.Uint32(raw[cols["name"]+4*i:])
		if s, _ := elffile.CString(chunks[x.Text], uint64(off)); string(s) == name {
			if n := binary.LittleEndian.Uint32(raw[cols["source"]+4*i:]); n > 0 {
				return img.Sources[n-1]
			}
		}
	}
	return ""
}

// TestMaps: a process's mappings are in the index, and in the picture.
func TestMaps(t *testing.T) {
	s := subject(t, "process", elftest.Exec(elftest.Kinds()[0]).Bytes())
	s.Maps = []picture.Map{{Range: image.Range{Start: 0x7ffffff00000, Size: 0x21000}, Prot: "rw-p", Path: "[stack]", Header: -1}}
	img := check(t, s, Options{}).Images[0]
	if len(img.Maps) != 1 || img.Maps[0].Path != "[stack]" || len(img.Scales[1]) != 6 {
		t.Errorf("%+v %+v", img.Maps, img.Scales[1])
	}
}

// TestExplained: each mapping of the program lights up what it is in the image.
func TestExplained(t *testing.T) {
	data := elftest.ExecSections(elftest.Kinds()[0]).Bytes()
	s := subject(t, "program", data)
	program, err := plan.Read("program", s.File.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Exec(plan.Call{Path: "program", Args: []string{"program"}, Program: program}, plan.Host{})
	s.Steps = Explained(p)
	lit := 0
	for _, step := range s.Steps {
		for _, r := range step.Ranges {
			lit++
			if p.At(r.Start+p.Bias) == nil || step.Header < 0 {
				t.Errorf("%q: %v is not mapped by header %d", step.Title, r, step.Header)
			}
		}
	}
	if last := s.Steps[len(s.Steps)-1]; lit < 3 || last.Phase != "outcome" {
		t.Errorf("%d ranges; the last step is %+v", lit, last)
	}
	if img := check(t, s, Options{}).Images[0]; len(img.Steps) != len(s.Steps) {
		t.Errorf("%d of %d steps", len(img.Steps), len(s.Steps))
	}
}

// TestProcess: a process's image is at its load bias, and has no physical
// addresses.
func TestProcess(t *testing.T) {
	s := subject(t, "process", elftest.ExecSections(elftest.Kinds()[0]).Bytes())
	s.Bias = 0x555555154000
	s.Maps = []picture.Map{{Range: image.Range{Start: 0x555555554000, Size: 0x1000}, Prot: "r-xp", Path: "/x", Header: 1}}
	img := check(t, s, Options{}).Images[0]
	if img.Bias != "0x555555154000" || len(img.Scales[2]) != 0 || img.Scales[1][0][0] != "0x555555554000" {
		t.Errorf("bias %s, scales %v", img.Bias, img.Scales)
	}
	if s.Image.Segments[0].Vaddr != 0x400000 {
		t.Error("the subject was changed")
	}
}

// TestSystem makes pages of some of the system's files.
func TestSystem(t *testing.T) {
	n := 40
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		n = 1 << 20
	} else if testing.Short() {
		n = 8
	}
	for file := range samples.Some(samples.SystemELFs("/usr/bin", "/usr/lib"), n, 7) {
		f, err := elffile.Open(file)
		if err != nil {
			continue
		}
		if f.Body.Size() < 8<<20 || n > 100 {
			var out bytes.Buffer
			if _, err := Write(&out, []Subject{subjectOf(f)}, Options{}); err != nil || out.Len() > DefaultLimit {
				t.Errorf("%s: %d bytes, %v", file, out.Len(), err)
			}
			open(t, out.Bytes())
		}
		f.Close()
	}
}

func FuzzWrite(f *testing.F) {
	n := 0
	for _, data := range elftest.Corpus() {
		if n++; len(data) < 1<<14 && n%8 == 0 { // TestCorpus has them all
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := elffile.Parse("fuzz", data); err == nil {
			check(t, subjectOf(file), Options{})
		}
	})
}

// TestFrozenPieces: a mapping is its pieces in the file and the room between.
func TestFrozenPieces(t *testing.T) {
	m := &note.Map{Range: note.Range{Start: 0x1000, Size: 0x5000}, Stored: []note.Run{{Range: note.Range{Start: 0x2000, Size: 0x1000}, At: 0x300}, {Range: note.Range{Start: 0x3000, Size: 0x1000}, At: 0x900}}}
	want := []picture.Stored{
		{Range: image.Range{Start: 0x1000, Size: 0x1000}}, {Range: image.Range{Start: 0x2000, Size: 0x1000}, Off: 0x300, Size: 0x1000},
		{Range: image.Range{Start: 0x3000, Size: 0x1000}, Off: 0x900, Size: 0x1000}, {Range: image.Range{Start: 0x4000, Size: 0x2000}},
	}
	if d := cmp.Diff(want, pieces(m)); d != "" {
		t.Error(d)
	}
}
