package samples

import (
	"bytes"
	"debug/elf"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPrograms builds and runs every program of the matrix, and checks that each
// is what it is said to be.
func TestPrograms(t *testing.T) {
	for _, p := range slices.Concat(Programs(), BigEndian()) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			path := p.Build(t)
			checkFile(t, p, path)
			checkRun(t, p, path)
		})
	}
}

func checkFile(t *testing.T, p Program, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	interp := slices.ContainsFunc(f.Progs, func(h *elf.Prog) bool { return h.Type == elf.PT_INTERP })
	got := Program{Machine: f.Machine, PIE: f.Type == elf.ET_DYN, Static: !interp && !p.Library,
		NoSections: len(f.Sections) == 0, Stripped: f.Section(".symtab") == nil}
	want := Program{Machine: p.Machine, PIE: p.PIE, Static: p.Static, NoSections: p.NoSections, Stripped: p.Stripped}
	if got.Machine != want.Machine || got.PIE != want.PIE || got.Static != want.Static ||
		got.NoSections != want.NoSections || got.Stripped != want.Stripped {
		t.Errorf("the file has machine %v, PIE %t, static %t, no sections %t, stripped %t; want %v %t %t %t %t",
			got.Machine, got.PIE, got.Static, got.NoSections, got.Stripped,
			want.Machine, want.PIE, want.Static, want.NoSections, want.Stripped)
	}
}

// TestForms checks that the linker options have the effect they are there for.
func TestForms(t *testing.T) {
	segments := func(f *elf.File, kind elf.ProgType) (n int) {
		for _, h := range f.Progs {
			if h.Type == kind {
				n++
			}
		}
		return n
	}
	tag := func(f *elf.File, tag elf.DynTag) bool {
		v, err := f.DynValue(tag)
		return err == nil && len(v) > 0
	}
	for name, ok := range map[string]func(f *elf.File) bool{
		"x86-64-pie":                   func(f *elf.File) bool { return segments(f, elf.PT_GNU_STACK) == 1 && tag(f, elf.DT_GNU_HASH) },
		"x86-64-nognustack":            func(f *elf.File) bool { return segments(f, elf.PT_GNU_STACK) == 0 },
		"x86-64-norelro":               func(f *elf.File) bool { return segments(f, elf.PT_GNU_RELRO) == 0 },
		"x86-64-noseparate-code":       func(f *elf.File) bool { return segments(f, elf.PT_LOAD) == 2 },
		"x86-64-noseparate-code-nopie": func(f *elf.File) bool { return segments(f, elf.PT_LOAD) == 2 },
		"x86-64-relr":                  func(f *elf.File) bool { return tag(f, 36) }, // DT_RELR
		"x86-64-sysv-hash":             func(f *elf.File) bool { return tag(f, elf.DT_HASH) && !tag(f, elf.DT_GNU_HASH) },
		"x86-64-both-hashes":           func(f *elf.File) bool { return tag(f, elf.DT_HASH) && tag(f, elf.DT_GNU_HASH) },
		"x86-64-page-2M":               func(f *elf.File) bool { return firstLoad(f).Align == 2<<20 },
		"x86-64-now":                   func(f *elf.File) bool { return tag(f, elf.DT_FLAGS_1) },
		"x86-64-no-build-id":           func(f *elf.File) bool { return f.Section(".note.gnu.build-id") == nil },
		"x86-64-prelinked-address":     func(f *elf.File) bool { return firstLoad(f).Vaddr == 0x10000 },
		"x86-64-nolibc-spare":          func(f *elf.File) bool { return segments(f, elf.PT_NULL) == 4 },
		"x86-64-mold-pie":              func(f *elf.File) bool { return comment(f, "mold") },
		"x86-64-lld-pie":               func(f *elf.File) bool { return comment(f, "LLD") },
		"x86-64-gold-pie":              func(f *elf.File) bool { return f.Section(".note.gnu.gold-version") != nil },
	} {
		t.Run(name, func(t *testing.T) {
			f, err := elf.Open(Find(t, name).Build(t))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if !ok(f) {
				t.Errorf("the program is not what its name says: %v", f.Progs)
			}
		})
	}
}

func firstLoad(f *elf.File) *elf.Prog {
	return f.Progs[slices.IndexFunc(f.Progs, func(h *elf.Prog) bool { return h.Type == elf.PT_LOAD })]
}

// comment says whether the tools named in .comment include one.
func comment(f *elf.File, tool string) bool {
	s := f.Section(".comment")
	if s == nil {
		return false
	}
	data, err := s.Data()
	return err == nil && bytes.Contains(data, []byte(tool))
}

func checkRun(t *testing.T, p Program, path string) {
	t.Helper()
	out, exit := p.Run(t, path, "one", "two")
	if exit != 0 || !strings.Contains(out, "args 2: one two\nenv present\n") || !strings.Contains(out, "done\n") {
		t.Fatalf("exit status %d, output:\n%s", exit, out)
	}
	if again, _ := p.Run(t, path, "one", "two"); again != out {
		t.Errorf("two runs differ:\n%s\n%s", out, again)
	}
	if _, exit := p.Run(t, path, "exit", "7"); exit != 7 {
		t.Errorf("mode exit 7: exit status %d", exit)
	}
	if out, exit := p.Run(t, path, "find", "0x12345678"); exit != 1 || !strings.Contains(out, "not found") {
		t.Errorf("mode find, type that is not there: exit status %d, output %q", exit, out)
	}
	if out, exit := p.Run(t, path, "find", "1"); exit != 0 || !strings.Contains(out, "getauxval vaddr 0x") && !p.Library {
		t.Errorf("mode find, PT_LOAD: exit status %d, output %q", exit, out)
	}
}

// TestFindSeesContent changes a note in the file and expects find to see it.
func TestFindSeesContent(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-nopie", "x86-64-shared", "x86-64-go-pie", "x86-64-nolibc-static", "arm-pie"} {
		t.Run(name, func(t *testing.T) {
			p := Find(t, name)
			path := p.Build(t)
			before, exit := p.Run(t, path, "find", "4")
			if exit != 0 {
				t.Fatalf("no PT_NOTE: %s", before)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.NewFile(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range f.Progs {
				if h.Type == elf.PT_NOTE {
					data[h.Off+h.Filesz-1] ^= 1
				}
			}
			edited := filepath.Join(t.TempDir(), "edited")
			if err := os.WriteFile(edited, data, 0o755); err != nil {
				t.Fatal(err)
			}
			after, _ := p.Run(t, edited, "find", "4")
			if after == before || len(after) != len(before) {
				t.Errorf("before: %safter: %s", before, after)
			}
		})
	}
}

// TestBuildsAreReproducible builds a recipe again, elsewhere.
func TestBuildsAreReproducible(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "x86-64-nolibc-spare"} {
		p := Find(t, name)
		want, err := os.ReadFile(p.Build(t))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		p.Recipe.build(t, dir)
		got, err := os.ReadFile(filepath.Join(dir, p.Recipe.Out))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: two builds differ", name)
		}
	}
}

func TestMakeOnce(t *testing.T) {
	r := Recipe{Files: map[string]string{"in": t.Name()}, Steps: [][]string{{"sh", "-c", "date +%N >> in; cp in out"}}, Out: "out"}
	a := MakeFile(t, r)
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(a)); os.Remove(filepath.Dir(a) + ".lock") })
	before, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if b := MakeFile(t, r); b != a {
		t.Errorf("the same recipe is at %s and %s", a, b)
	}
	if after, _ := os.ReadFile(a); !bytes.Equal(before, after) {
		t.Error("the recipe was built twice")
	}
	r.Files["in"] += "!"
	if r.key(t) == filepath.Base(filepath.Dir(a)) {
		t.Error("a changed file does not change the key")
	}
}

func TestMissing(t *testing.T) {
	if got := Missing("sh", "/bin"); got != "" {
		t.Errorf("Missing of what is there = %q", got)
	}
	want := "needs no-such-tool, ld.nothing (Debian: no-such-tool ld.nothing)"
	if got := Missing("sh", "no-such-tool", "ld.nothing"); got != want {
		t.Errorf("Missing = %q, want %q", got, want)
	}
	for tool, pkg := range map[string]string{"aarch64-linux-gnu-strip": "binutils-aarch64-linux-gnu",
		"qemu-arm": "qemu-user", "readelf": "binutils", "gdb": "gdb", "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu",
		"arm-linux-gnueabihf-g++": "g++-arm-linux-gnueabihf"} {
		if got := DebianPackage(tool); got != pkg {
			t.Errorf("DebianPackage(%q) = %q, want %q", tool, got, pkg)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range slices.Concat(Programs(), BigEndian()) {
		if seen[p.Name] {
			t.Errorf("two programs are called %s", p.Name)
		}
		seen[p.Name] = true
	}
	if n := len(Programs()); n < 24 {
		t.Errorf("%d programs, want at least 24", n)
	}
}

func TestSystemELFs(t *testing.T) {
	dir := t.TempDir()
	elfFile, text := []byte(elf.ELFMAG+"rest"), []byte("text")
	for name, data := range map[string][]byte{"b/x": elfFile, "a": elfFile, "t": text, "short": text[:2], "b/y": elfFile} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b/again")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got := slices.Collect(SystemELFs(dir, filepath.Join(dir, "b"), "/no/such/root"))
	want := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b/x"), filepath.Join(dir, "b/y")}
	if !slices.Equal(got, want) {
		t.Errorf("SystemELFs = %q, want %q", got, want)
	}
}

func TestSome(t *testing.T) {
	all := make([]string, 100)
	for i := range all {
		all[i] = string(rune('0' + i))
	}
	a := slices.Collect(Some(slices.Values(all), 10, 1))
	b := slices.Collect(Some(slices.Values(all), 10, 1))
	c := slices.Collect(Some(slices.Values(all), 10, 2))
	if len(a) != 10 || !slices.IsSorted(a) || !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("seeds 1, 1, 2 give %q, %q, %q", a, b, c)
	}
	if n := len(slices.Collect(Some(slices.Values(all), 1000, 1))); n != len(all) {
		t.Errorf("Some of more than there is gives %d", n)
	}
}

func TestCore(t *testing.T) {
	core, program := Core(t)
	f, err := elf.Open(core)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Type != elf.ET_CORE {
		t.Errorf("%s has type %v", core, f.Type)
	}
	out, err := exec.Command("gdb", "-nx", "-batch", "-ex", "info threads", program, core).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("terminated with signal SIGABRT")) { // names of functions need libc's debug symbols
		t.Errorf("gdb does not know the core file: %v\n%s", err, out)
	}
	if threads := bytes.Count(out, []byte("Thread 0x")) + bytes.Count(out, []byte("LWP")); threads < 2 {
		t.Errorf("gdb sees %d threads:\n%s", threads, out)
	}
}

func TestKernelCores(t *testing.T) {
	for _, name := range []string{"x86-64-pie", "i386-pie", "aarch64-pie", "arm-static"} {
		t.Run(name, func(t *testing.T) {
			p := Find(t, name)
			f, err := elf.Open(KernelCore(t, p))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Type != elf.ET_CORE || f.Machine != p.Machine {
				t.Errorf("type %v, machine %v", f.Type, f.Machine)
			}
		})
	}
}

func TestWait(t *testing.T) {
	p := Find(t, "x86-64-pie")
	path := p.Build(t)
	pid := Wait(t, p, path)
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "maps"))
	if err != nil || !bytes.Contains(maps, []byte(path)) {
		t.Errorf("process %d: %v\n%s", pid, err, maps)
	}
}

func TestMatrixCoversMachines(t *testing.T) {
	count := map[elf.Machine]int{}
	for _, p := range Programs() {
		count[p.Machine]++
	}
	for _, m := range []elf.Machine{elf.EM_X86_64, elf.EM_386, elf.EM_AARCH64, elf.EM_ARM, elf.EM_RISCV} {
		if count[m] < 4 {
			t.Errorf("%d programs for %v; have %v", count[m], m, slices.Collect(maps.Keys(count)))
		}
	}
}
