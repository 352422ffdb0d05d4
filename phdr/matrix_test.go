package phdr_test

import (
	"debug/elf"
	"fmt"
	"hash/fnv"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// The types of the headers that tests add.
const (
	dataType  = elf.ProgType(0x65770001)
	arenaType = elf.ProgType(0x65770002)
)

const arenaSize = 1<<20 + 4096

// payload is bytes that no program has by chance.
func payload() []byte {
	b := make([]byte, 6000)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func dataHeader() phdr.Header {
	return phdr.Header{Type: dataType, Data: elffile.Buffer(payload())}
}

func arenaHeader() phdr.Header { return phdr.Header{Type: arenaType, Memsz: arenaSize} }

// add writes a file with headers added and returns the report.
func add(t *testing.T, from, to string, opt phdr.Options, headers ...phdr.Header) *phdr.Report {
	t.Helper()
	r, err := tryAdd(t, from, to, opt, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryAdd(t *testing.T, from, to string, opt phdr.Options, headers ...phdr.Header) (*phdr.Report, error) {
	t.Helper()
	return edit(t, from, to, func(f *elffile.File) (*phdr.Result, error) { return phdr.Add(f, headers, opt) })
}

// edit changes a file and writes the result.
func edit(t *testing.T, from, to string, do func(*elffile.File) (*phdr.Result, error)) (*phdr.Report, error) {
	t.Helper()
	f, err := elffile.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := do(f)
	if err != nil {
		return nil, err
	}
	if err := r.Body.WriteFile(to, f.Mode()); err != nil {
		t.Fatal(err)
	}
	return r.Report, nil
}

// A subject is a program of the matrix, and what its original writes.
type subject struct {
	samples.Program
	path   string
	out    string
	status int
	loose  bool // its segments are not where strip would put them
}

func newSubject(t *testing.T, p samples.Program) *subject {
	s := &subject{Program: p, path: p.Build(t)}
	s.out, s.status = p.Run(t, s.path, "go")
	if s.status != 0 || s.out == "" {
		t.Fatalf("the original ends with %d:\n%s", s.status, s.out)
	}
	return s
}

// same says whether an edited program does what the original does.
func (s *subject) same(t *testing.T, path string) bool {
	t.Helper()
	out, status := s.Run(t, path, "go")
	if out != s.out || status != s.status {
		t.Errorf("%s ends with %d:\n%s\nthe original with %d:\n%s", filepath.Base(path), status, out, s.status, s.out)
		return false
	}
	return true
}

// finds checks that the program finds its headers in memory.
func (s *subject) finds(t *testing.T, path string, data, arena bool) {
	t.Helper()
	if data {
		h := fnv.New32a()
		h.Write(payload())
		out, status := s.Run(t, path, "find", fmt.Sprintf("0x%x", uint32(dataType)))
		if status != 0 || !strings.Contains(out, fmt.Sprintf("%08x", h.Sum32())) {
			t.Errorf("%s: find ends with %d, and should print the checksum %08x:\n%s", filepath.Base(path), status, h.Sum32(), out)
		}
	}
	if arena {
		out, status := s.Run(t, path, "arena", fmt.Sprintf("0x%x", uint32(arenaType)))
		if status != 0 {
			t.Errorf("%s: arena ends with %d:\n%s", filepath.Base(path), status, out)
		}
	}
}

// TestMatrix edits every kind of program, runs the result, lets every tool work
// on it, and runs it again.
func TestMatrix(t *testing.T) {
	for i, p := range samples.Programs() {
		if testing.Short() && i%8 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			matrix(t, newSubject(t, p))
		})
	}
}

func matrix(t *testing.T, s *subject) {
	dir := t.TempDir()
	opt := phdr.Options{}
	if s.NoSections {
		opt.Overlay = phdr.OverlayStay // what section headers named
	}
	data, arena, both := filepath.Join(dir, "data"), filepath.Join(dir, "arena"), filepath.Join(dir, "both")
	s.edited(t, data, add(t, s.path, data, opt, dataHeader()), true, false)
	s.edited(t, arena, add(t, s.path, arena, opt, arenaHeader()), false, true)
	if r, err := tryAdd(t, data, both, opt, arenaHeader()); err == nil {
		s.edited(t, both, r, true, true)
		s.allTools(t, dir, both, true, true)
		return
	} else if !s.Narrow() {
		t.Fatal(err)
	}
	s.allTools(t, dir, data, true, false)
	s.allTools(t, dir, arena, false, true)
	if r, err := tryAdd(t, s.path, both, opt, dataHeader(), arenaHeader()); err == nil {
		s.edited(t, both, r, true, true)
		s.allTools(t, dir, both, true, true)
	}
}

// edited checks an edited program before any tool has seen it.
func (s *subject) edited(t *testing.T, path string, r *phdr.Report, data, arena bool) {
	t.Helper()
	t.Logf("%s by %s, %+d bytes", filepath.Base(path), r.Technique, r.Size.After-r.Size.Before)
	for _, w := range r.Warnings {
		t.Logf("%s: %v", filepath.Base(path), w)
	}
	s.same(t, path)
	s.finds(t, path, data, arena)
}

func (s *subject) allTools(t *testing.T, dir, path string, data, arena bool) {
	t.Helper()
	if s.NoSections {
		return // strip would leave nothing
	}
	lint(t, s.path, path)
	for _, k := range s.Editors() {
		if k.Name == "patchelf" && s.Narrow() {
			continue // it needs room for headers of its own, and takes it from .text
		}
		s.afterTool(t, k, dir, path, data, arena)
	}
}

// afterTool checks that what a tool makes of the edited file works as well as
// what it makes of the original; where it cannot handle that, nothing is asked.
func (s *subject) afterTool(t *testing.T, k samples.Tool, dir, edited string, data, arena bool) {
	t.Helper()
	plain, out := filepath.Join(dir, "plain."+k.Name), edited+"."+k.Name
	if _, ok := k.Apply(t, s.path, plain); !ok {
		return
	}
	got, status := s.Run(t, plain, "go")
	_, finds := s.Run(t, plain, "find", "0x1") // patchelf moves .dynamic, and a program may reckon with its address
	if got != s.out || status != s.status || finds != 0 {
		t.Logf("%s breaks the original", k.Name)
		return
	}
	if msg, ok := k.Apply(t, edited, out); !ok {
		t.Errorf("%s refuses the edited file: %s", k.Name, msg)
		return
	}
	if s.same(t, out) {
		s.finds(t, out, data, arena)
	}
	sameHeader(t, k.Name, edited, out, s.loose || k.Name == "patchelf")
}

// sameHeader checks that our header names the same bytes after a tool, at the same
// place in the file where the tool does not put anything in front of them.
func sameHeader(t *testing.T, name, before, after string, mayMove bool) {
	t.Helper()
	off, a := progBytes(t, before)
	to, b := progBytes(t, after)
	if string(a) != string(b) {
		t.Errorf("%s: the header names other bytes in the file", name)
	}
	if off != to && !mayMove {
		t.Errorf("%s: p_offset was 0x%x and is 0x%x", name, off, to)
	}
}

func progBytes(t *testing.T, path string) (uint64, []byte) {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i := slices.IndexFunc(f.Progs, func(p elffile.Prog) bool { return p.Type == dataType })
	if i < 0 {
		return 0, nil
	}
	b, err := f.ProgData(i)
	if err != nil {
		t.Fatal(err)
	}
	return f.Progs[i].Off, slices.Clone(b)
}

// lint checks that eu-elflint has nothing to say of the edited file that it did
// not say of the original.
func lint(t *testing.T, before, after string) {
	t.Helper()
	samples.Need(t, "eu-elflint")
	old := make(map[string]bool)
	for _, c := range complaints(before) {
		old[c] = true
	}
	for _, c := range complaints(after) {
		if !old[c] && !lintMistake(c) {
			t.Errorf("eu-elflint has a new complaint: %s", c)
		}
	}
}

// lintMistake says whether a complaint is about what was asked for, or comes
// from a slip of eu-elflint: it adds the size of a relocation's symbol to the
// place (check_one_reloc), and mold writes that size for undefined symbols, too,
// so that the last place before a read-only segment seems to reach into it.
func lintMistake(c string) bool {
	return strings.Contains(c, "unknown program header entry type") || strings.Contains(c, "read-only section modified")
}

var numbers = regexp.MustCompile(`\[ *[0-9]+\]`)

// complaints are eu-elflint's lines without the numbers of sections.
func complaints(path string) []string {
	out, _ := exec.Command("eu-elflint", "--gnu-ld", path).Output()
	var list []string
	for _, line := range strings.Split(string(out), "\n") {
		list = append(list, numbers.ReplaceAllString(line, ""))
	}
	return list
}
