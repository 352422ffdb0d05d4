package phdr_test

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/phdr"
)

// TestKinds edits small files of both classes and byte orders in every way that
// they allow, and looks at the result through another reader.
func TestKinds(t *testing.T) {
	for _, tc := range []struct {
		file      func(elftest.Kind) elftest.File
		technique string
		overlay   phdr.Overlay
	}{
		{elftest.Exec, "front", ""},
		{elftest.ExecSections, "front", phdr.OverlayMove},
		{elftest.Shared, "evict", ""},
		{elftest.Shared, "extend", ""},
		{elftest.Shared, "far", ""},
		{elftest.Shared, "evict-notes", ""},
	} {
		for _, k := range elftest.Kinds() {
			t.Run(tc.technique+"-"+k.Name, func(t *testing.T) {
				b := tc.file(k).Bytes()
				f := parse(t, b)
				r, err := phdr.Add(f, []phdr.Header{dataHeader(), arenaHeader()}, phdr.Options{PageSize: 4096, Technique: tc.technique, Overlay: tc.overlay})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(whole(t, f.Encode()), b) {
					t.Error("the input has changed")
				}
				secondOpinion(t, whole(t, r.Body))
				dynamicNames(t, b, whole(t, r.Body))
			})
		}
	}
}

func parse(t *testing.T, b []byte) *elffile.File {
	t.Helper()
	f, err := elffile.Parse("small", b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func whole(t *testing.T, body *elffile.Body) []byte {
	t.Helper()
	var buf bytes.Buffer
	if _, err := body.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// secondOpinion reads our headers by the standard library.
func secondOpinion(t *testing.T, b []byte) {
	t.Helper()
	e, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range e.Progs {
		switch p.Type {
		case dataType:
			got := make([]byte, p.Filesz)
			if _, err := p.ReadAt(got, 0); err != nil || !bytes.Equal(got, payload()) {
				t.Errorf("the data header leads to other bytes: %v", err)
			}
			found++
		case arenaType:
			if p.Memsz != arenaSize || p.Filesz != 0 {
				t.Errorf("arena: %+v", p.ProgHeader)
			}
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of our 2 headers are there", found)
	}
}

// dynamicNames compares the dynamic symbols that both readers find.
func dynamicNames(t *testing.T, before, after []byte) {
	t.Helper()
	list := func(b []byte) []string {
		f := parse(t, b)
		tab, err := f.DynamicSymbolTable()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i := range tab.Len() {
			names = append(names, string(tab.Name(tab.At(i))))
		}
		return names
	}
	if a, b := list(before), list(after); !slices.Equal(a, b) {
		t.Errorf("dynamic symbols were %q and are %q", a, b)
	}
}

// TestBigEndian edits programs of machines that are known by number only.
func TestBigEndian(t *testing.T) {
	for i, p := range samples.BigEndian() {
		if testing.Short() && i > 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, p)
			edited := filepath.Join(t.TempDir(), "edited")
			if _, err := tryAdd(t, s.path, edited, phdr.Options{}, dataHeader()); err == nil {
				t.Error("edited without a page size")
			}
			r := add(t, s.path, edited, phdr.Options{PageSize: 0x10000}, dataHeader(), arenaHeader())
			t.Logf("edited by %s", r.Technique)
			if s.same(t, edited) {
				s.finds(t, edited, true, true)
			}
		})
	}
}

// TestPatchedFirst edits files that patchelf has edited before.
func TestPatchedFirst(t *testing.T) {
	patchelf := samples.Program{}.Editors()[6]
	for i, name := range []string{"x86-64-pie", "x86-64-shared", "x86-64-nopie", "x86-64-lld-pie", "aarch64-pie"} {
		if testing.Short() && i > 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, samples.Find(t, name))
			dir := t.TempDir()
			patched := filepath.Join(dir, "patched")
			if msg, ok := patchelf.Apply(t, s.path, patched); !ok {
				t.Skip(msg)
			}
			if out, status := s.Run(t, patched, "go"); out != s.out || status != 0 {
				t.Skipf("patchelf breaks the original: %s", out)
			}
			s.path, s.loose = patched, true // patchelf puts a segment at the end of the file
			matrix(t, s)
		})
	}
}

// TestRemove takes away what was added, in both ways, and adds again.
func TestRemove(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-static", "x86-64-go"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, samples.Find(t, name))
			dir := t.TempDir()
			added := filepath.Join(dir, "added")
			n := add(t, s.path, added, phdr.Options{}, dataHeader(), phdr.Header{Type: elf.PT_LOAD, Memsz: arenaSize}).Table.Entries
			s.removed(t, added, filepath.Join(dir, "null"), phdr.Options{}, n, "slots")
			s.removed(t, added, filepath.Join(dir, "compact"), phdr.Options{Compact: true}, n-2, "slack")
		})
	}
}

// removed removes our headers, and adds one again, which takes their room.
func (s *subject) removed(t *testing.T, from, to string, opt phdr.Options, entries int, technique string) {
	t.Helper()
	r, err := edit(t, from, to, func(f *elffile.File) (*phdr.Result, error) {
		return phdr.Remove(f, ours(f), opt)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Table.Entries != entries {
		t.Errorf("%s: %d entries, should be %d", to, r.Table.Entries, entries)
	}
	s.same(t, to)
	if _, status := s.Run(t, to, "find", fmt.Sprint(uint32(dataType))); status == 0 {
		t.Errorf("%s: the header is still found", to)
	}
	for _, k := range s.Editors()[:4] {
		s.afterTool(t, k, filepath.Dir(to), to, false, false)
	}
	lint(t, s.path, to)
	if r := add(t, to, to+".again", phdr.Options{}, dataHeader()); r.Technique != technique {
		t.Errorf("%s: the room of the removed entries is not taken, but %s", to, r.Technique)
	}
	s.same(t, to+".again")
	s.finds(t, to+".again", true, false)
}

// ours are the private header and the arena.
func ours(f *elffile.File) []int {
	var list []int
	for i, p := range f.Progs {
		if p.Type == dataType || p.Type == elf.PT_LOAD && p.Memsz == arenaSize {
			list = append(list, i)
		}
	}
	return list
}

func TestRemoveRefuses(t *testing.T) {
	p := samples.Find(t, "x86-64-pie")
	f := open(t, p.Build(t))
	for i, h := range f.Progs {
		_, err := phdr.Remove(f, []int{i}, phdr.Options{})
		_, refused := errors.AsType[*phdr.Refusal](err)
		needed := true
		switch h.Type {
		case elf.PT_NOTE, elf.PT_GNU_STACK, elf.PT_GNU_RELRO, elf.PT_GNU_PROPERTY:
			needed = false
		}
		if refused != needed {
			t.Errorf("program header %d (%v): %v", i, h.Type, err)
		}
	}
}

func open(t *testing.T, path string) *elffile.File {
	t.Helper()
	f, err := elffile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSet(t *testing.T) {
	s := newSubject(t, samples.Find(t, "x86-64-pie"))
	dir := t.TempDir()
	added, changed := filepath.Join(dir, "added"), filepath.Join(dir, "changed")
	add(t, s.path, added, phdr.Options{}, arenaHeader(), dataHeader())
	find := func(f *elffile.File, want func(*elffile.Prog) bool) int {
		return slices.IndexFunc(f.Progs, func(p elffile.Prog) bool { return want(&p) })
	}
	set := func(want func(*elffile.Prog) bool, c phdr.Change) (*phdr.Report, error) {
		return edit(t, added, changed, func(f *elffile.File) (*phdr.Result, error) {
			return phdr.Set(f, find(f, want), c, phdr.Options{})
		})
	}
	arenaLoad := func(p *elffile.Prog) bool { return p.Type == elf.PT_LOAD && p.Memsz == arenaSize }
	stack := func(p *elffile.Prog) bool { return p.Type == elf.PT_GNU_STACK }
	data := func(p *elffile.Prog) bool { return p.Type == dataType }
	firstLoad := func(p *elffile.Prog) bool { return p.Type == elf.PT_LOAD }

	size, huge, odd := uint64(4<<20), uint64(1<<47), uint64(3)
	other := elf.ProgType(0x65770009)
	load, far := elf.PT_LOAD, image.Addr(0x10000000)
	r, x := elf.PF_R, elf.PF_R|elf.PF_W|elf.PF_X
	within := image.Range{Start: 0x40, Size: 8}
	for _, tc := range []struct {
		name  string
		which func(*elffile.Prog) bool
		c     phdr.Change
		ok    bool
	}{
		{"larger arena", arenaLoad, phdr.Change{Memsz: &size}, true},
		{"arena elsewhere", arenaLoad, phdr.Change{Vaddr: &far}, true},
		{"another type", data, phdr.Change{Type: &other}, true},
		{"another range", data, phdr.Change{Range: &within}, true},
		{"stack size", stack, phdr.Change{Memsz: &size}, true},
		{"executable stack", stack, phdr.Change{Flags: &x}, true},
		{"the same flags", firstLoad, phdr.Change{Flags: &r}, true},
		{"too large", arenaLoad, phdr.Change{Memsz: &huge}, false},
		{"over the next", firstLoad, phdr.Change{Memsz: &size}, false},
		{"no power of two", arenaLoad, phdr.Change{Align: &odd}, false},
		{"a second PT_LOAD over the first", data, phdr.Change{Type: &load}, false},
		{"bytes elsewhere", firstLoad, phdr.Change{Vaddr: &far}, false},
	} {
		rep, err := set(tc.which, tc.c)
		if tc.ok != (err == nil) {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if err != nil {
			if _, refused := errors.AsType[*phdr.Refusal](err); !refused {
				t.Errorf("%s: not a refusal: %v", tc.name, err)
			}
			continue
		}
		if len(rep.Headers) != 1 && tc.name != "the same flags" {
			t.Errorf("%s: headers %v", tc.name, rep.Headers)
		}
		if tc.name != "arena elsewhere" {
			s.same(t, changed)
		}
	}
}

// TestRange names what is there.
func TestRange(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-static", "arm-pie"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSubject(t, samples.Find(t, name))
			to := filepath.Join(t.TempDir(), "named")
			for _, section := range []string{".rodata", ".bss", ".data", ".note.gnu.build-id", ".dynsym", ".interp"} {
				f := open(t, s.path)
				r, err := phdr.FindRange(f, section)
				if err != nil {
					continue // a static program has no .dynsym
				}
				rep := add(t, s.path, to, phdr.Options{}, phdr.Header{Type: dataType, Range: &r})
				g := open(t, to)
				i := slices.IndexFunc(g.Progs, func(p elffile.Prog) bool { return p.Type == dataType })
				k := g.SectionByName(section)
				if g.Progs[i].Vaddr != g.Sections()[k].Addr || g.Progs[i].Memsz != g.Sections()[k].Size {
					t.Errorf("%s by %s: the header names [0x%x, +0x%x), the section is at 0x%x", section, rep.Technique, g.Progs[i].Vaddr, g.Progs[i].Memsz, g.Sections()[k].Addr)
				}
				s.same(t, to)
			}
		})
	}
}

// TestAddress asks for addresses.
func TestAddress(t *testing.T) {
	s := newSubject(t, samples.Find(t, "x86-64-nopie"))
	to := filepath.Join(t.TempDir(), "edited")
	for _, tc := range []struct {
		h  phdr.Header
		ok bool
	}{
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 20, Vaddr: 0x10000000}, true},
		{phdr.Header{Type: elf.PT_LOAD, Data: elffile.Buffer(payload()), Memsz: 1 << 20, Vaddr: 0x10000678, Flags: elf.PF_R | elf.PF_W}, true},
		{phdr.Header{Type: dataType, Data: elffile.Buffer(payload()), Vaddr: 0x7ff000010, Align: 16}, true},
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 20, Align: 1 << 21}, true},
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 20, Vaddr: 0x401000}, false},         // taken
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 12, Vaddr: 0x20000}, false},          // before the first
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 12, Vaddr: 0x7ffffffff000}, false},   // beyond the end
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 1 << 47}, false},                          // too much
		{phdr.Header{Type: elf.PT_INTERP, Data: elffile.Buffer("/bin/true\x00")}, false}, // there is one
		{phdr.Header{Type: elf.PT_LOAD, Memsz: 5, Align: 3}, false},
		{phdr.Header{Type: dataType}, false},
		{phdr.Header{Type: dataType, Data: elffile.Buffer{}}, false},
		{phdr.Header{Type: elf.PT_NULL, Memsz: 1}, false},
	} {
		r, err := tryAdd(t, s.path, to, phdr.Options{}, tc.h)
		if tc.ok != (err == nil) {
			t.Errorf("%+v: %v", tc.h, err)
			continue
		}
		if err != nil {
			continue
		}
		s.same(t, to)
		f := open(t, to)
		if e := r.Headers[len(r.Headers)-1]; tc.h.Vaddr != 0 && !slices.ContainsFunc(f.Progs, func(p elffile.Prog) bool { return p.Vaddr == uint64(tc.h.Vaddr) }) {
			t.Errorf("0x%x was asked for, got %+v", tc.h.Vaddr, e)
		}
		if tc.h.Align < 1<<21 { // beyond that eu-elflint would want a hole of megabytes
			lint(t, s.path, to)
		}
	}
}

// TestOverlay edits a program with an archive behind it.
func TestOverlay(t *testing.T) {
	s := newSubject(t, samples.Find(t, "x86-64-pie"))
	dir := t.TempDir()
	b, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	tail := []byte(strings.Repeat("an archive that the program looks for ", 100))
	with, to := filepath.Join(dir, "with"), filepath.Join(dir, "edited")
	if err := os.WriteFile(with, append(slices.Clone(b), tail...), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := tryAdd(t, with, to, phdr.Options{}, dataHeader()); err == nil {
		t.Error("edited without being told what to do with the overlay")
	}
	for _, o := range []phdr.Overlay{phdr.OverlayStay, phdr.OverlayMove} {
		r := add(t, with, to, phdr.Options{Overlay: o}, dataHeader(), arenaHeader())
		if len(r.Warnings) == 0 || r.Warnings[0].Code != "overlay" {
			t.Errorf("%s: no warning: %v", o, r.Warnings)
		}
		got, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(got, tail); o == phdr.OverlayStay && at != len(b) || o == phdr.OverlayMove && at != len(got)-len(tail) {
			t.Errorf("%s: the overlay is at 0x%x of 0x%x, and was at 0x%x", o, at, len(got), len(b))
		}
		s.same(t, to)
		s.finds(t, to, true, true)
		if _, err := tryAdd(t, with, to, phdr.Options{Overlay: o, Strict: true}, dataHeader()); err == nil {
			t.Errorf("%s: --strict lets the warning pass", o)
		}
	}
}

// TestRefusals: each file that must not be edited is refused with its reason.
func TestRefusals(t *testing.T) {
	kind := elftest.Kinds()[0]
	unknown := elftest.Exec(kind)
	unknown.Machine = elf.EM_ALPHA
	files := map[string][]byte{
		"relocatable": elftest.Object(kind).Bytes(),
		"core dump":   elftest.Core(kind).Bytes(),
		"page size":   unknown.Bytes(),
	}
	for want, b := range files {
		_, err := phdr.Add(parse(t, b), []phdr.Header{dataHeader()}, phdr.Options{})
		if _, ok := errors.AsType[*phdr.Refusal](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("should be refused with %q: %v", want, err)
		}
	}
	paths := map[string]string{"dynamic linker (its name": "/lib64/ld-linux-x86-64.so.2", "as musl's does": "/usr/lib/x86_64-linux-musl/libc.so"}
	for want, path := range paths {
		samples.Need(t, path)
		f := open(t, path)
		_, err := phdr.Add(f, []phdr.Header{dataHeader()}, phdr.Options{})
		if _, ok := errors.AsType[*phdr.Refusal](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s should be refused with %q: %v", path, want, err)
		}
		if _, err := phdr.Add(f, []phdr.Header{dataHeader()}, phdr.Options{Force: true}); err != nil {
			t.Errorf("%s: forced: %v", path, err)
		}
	}
}

func TestDebugFileIsRefused(t *testing.T) {
	samples.Need(t, "objcopy")
	p := samples.Find(t, "x86-64-pie")
	to := filepath.Join(t.TempDir(), "sample.debug")
	if out, err := exec.Command("objcopy", "--only-keep-debug", p.Build(t), to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err := phdr.Add(open(t, to), []phdr.Header{dataHeader()}, phdr.Options{})
	if err == nil || !strings.Contains(err.Error(), "debug file") {
		t.Errorf("%v", err)
	}
}

// TestReport: the JSON form holds what the text says, and lists are never null.
func TestReport(t *testing.T) {
	p := samples.Find(t, "x86-64-pie")
	r := add(t, p.Build(t), filepath.Join(t.TempDir(), "edited"), phdr.Options{}, dataHeader())
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "null") {
		t.Errorf("a null in %s", b)
	}
	var back phdr.Report
	if err := json.Unmarshal(b, &back); err != nil || back.Technique != "evict" || len(back.Headers) < 2 || len(back.Moves) == 0 || back.Size.After <= back.Size.Before {
		t.Errorf("%v: %s", err, b)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"add by evict", "not slots", "not slack", "new header", "moved .interp", "proved:"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}

// TestNothingIsCopied: bytes that stay are windows on the input.
func TestNothingIsCopied(t *testing.T) {
	p := samples.Find(t, "x86-64-go")
	f := open(t, p.Build(t))
	r, err := phdr.Add(f, []phdr.Header{dataHeader()}, phdr.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var own, all int64
	elffile.Extents(r.Body, func(_ int64, d elffile.Data) bool {
		all += d.Size()
		if _, buffer := d.(elffile.Buffer); buffer {
			own += d.Size()
		}
		return true
	})
	symtab := int64(0)
	for _, s := range f.Sections() {
		if s.Type == elf.SHT_SYMTAB {
			symtab += int64(s.Size)
		}
	}
	if limit := symtab + 64<<10; own > limit {
		t.Errorf("%d of %d bytes are copies; the symbols and what is new are less than %d", own, all, limit)
	}
}
