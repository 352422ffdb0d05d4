package show

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

// The tests of this file compare the JSON with what GNU readelf and nm print of
// the same file, by meaning: both sides are turned into lists of facts, a line
// each, and the lists are compared. The parsers of readelf's text are in
// readelfparse_test.go, what it is compared with in readelfjson_test.go.
//
// With ELFWRIGHT_SWEEP=1 TestReadelfSystem goes over every ELF file and archive
// below /usr/bin and /usr/lib, else over a sample of them.

// differential is one view, as readelf prints it and as we do.
type differential struct {
	name   string
	args   []string // of readelf
	theirs func(text string) []string
	ours   func(d *jsonDocument) []string
}

var differentials = []differential{
	{"header", []string{"-h"}, readelfHeader, jsonHeader},
	{"sections", []string{"-S"}, readelfSections, jsonSections},
	{"groups", []string{"-g"}, readelfGroups, jsonGroups},
	{"segments", []string{"-l"}, readelfSegments, jsonSegments},
	{"dynamic", []string{"-d"}, readelfDynamic, jsonDynamic},
	{"relocations", []string{"-r"}, readelfRelocs, jsonRelocs},
	{"symbols", []string{"-s"}, readelfSymbols, func(d *jsonDocument) []string { return jsonSymbols(d, d.Symbols) }},
	{"dynamic symbols", []string{"--dyn-syms"}, readelfSymbols, func(d *jsonDocument) []string { return jsonSymbols(d, d.DynamicSymbols) }},
	{"versions", []string{"-V"}, readelfVersions, jsonVersions},
	{"notes", []string{"-n"}, readelfNotes, jsonNotes},
	{"histogram", []string{"-I"}, readelfHistogram, jsonHistogram},
}

// readelf runs a tool in a locale in which it prints UTF-8 as it is.
func readelf(tool string, args ...string) (stdout string, warnings string, err error) {
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil // a file with a fault
	}
	return out.String(), errs.String(), err
}

// documents gives the JSON of a file, or of each member of an archive.
func documents(path string, opt Options) (docs []*jsonDocument, report *Report, err error) {
	opt.JSON = true
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		var err error
		report, err = Path(w, Input{Path: path}, opt)
		w.CloseWithError(err)
		done <- err
	}()
	dec := json.NewDecoder(r)
	for {
		d := new(jsonDocument)
		if derr := dec.Decode(d); derr != nil {
			if derr != io.EOF {
				err = derr
				r.CloseWithError(derr)
			}
			break
		}
		docs = append(docs, d)
	}
	if perr := <-done; err == nil {
		err = perr
	}
	return docs, report, err
}

// comparison collects the differences of many files.
type comparison struct {
	t     testing.TB
	mu    sync.Mutex
	files atomic.Int64
	docs  atomic.Int64
	bad   map[string]int // differences of each view
	facts map[string]int // facts of each view, so that none is compared with nothing
}

// maxShown is how many differences of a view are printed.
const maxShown = 12

// count adds up what readelf said.
func (c *comparison) count(view string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.facts == nil {
		c.facts = map[string]int{}
	}
	c.facts[view] += n
}

// differ notes a difference.
func (c *comparison) differ(view, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bad == nil {
		c.bad = map[string]int{}
	}
	if c.bad[view]++; c.bad[view] <= maxShown {
		c.t.Errorf("%s: %s", view, fmt.Sprintf(format, args...))
	}
}

// finish says how many were compared.
func (c *comparison) finish() {
	for view, n := range c.bad {
		if n > maxShown {
			c.t.Errorf("%s: %d differences in all", view, n)
		}
	}
	c.t.Logf("%d files, %d of them or of their members compared; facts: %v", c.files.Load(), c.docs.Load(), c.facts)
}

// file compares one file, or one archive, with a readelf.
func (c *comparison) file(tool, path string) {
	c.files.Add(1)
	docs, report, err := documents(path, Options{Views: All | DynSyms})
	if err != nil {
		c.differ("document", "%s: %v", path, err)
		return
	}
	c.docs.Add(int64(len(docs)))
	warned := false
	for _, v := range differentials {
		text, warnings, err := readelf(tool, append(append([]string{"-W"}, v.args...), path)...)
		if err != nil {
			c.t.Fatal(err)
		}
		warned = warned || warnings != ""
		parts := splitMembers(text, docs)
		if len(parts) != len(docs) {
			c.differ(v.name, "%s: readelf shows %d members, ours %d", path, len(parts), len(docs))
			continue
		}
		for i, d := range docs {
			c.compare(v.name, d.File, v.theirs(parts[i]), v.ours(d))
		}
	}
	c.nm(path, docs)
	c.dumps(tool, path, docs)
	if !warned && len(report.Faults) > 0 {
		c.differ("faults", "%s: readelf has no complaint, and ours are %v", path, report.Faults[0])
	}
}

// nm compares the symbols with those of nm. Of an archive all members are one
// list.
func (c *comparison) nm(path string, docs []*jsonDocument) {
	tool := ""
	if len(docs) > 0 {
		tool = nmTools[docs[0].Header.Machine]
	}
	if tool == "" || samples.Missing(tool) != "" {
		return // nm knows the machines it was built for
	}
	for _, d := range docs {
		if slices.ContainsFunc(d.Sections, func(s jsonSection) bool { return strings.HasPrefix(s.Name, ".gnu.lto_") }) {
			return // nm asks the compiler's plugin for the symbols that there will be
		}
	}
	text, warnings, err := readelf(tool, path)
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.Contains(warnings, "no group info") || strings.Contains(warnings, "not recognized") || strings.Contains(warnings, "BFD:") {
		return
	}
	docs, _, err = documents(path, Options{Views: NM})
	if err != nil {
		c.differ("nm", "%s: %v", path, err)
	}
	var ours []string
	for _, d := range docs {
		ours = append(ours, jsonNM(d)...)
	}
	theirs := nmSymbols(text)
	slices.Sort(ours)
	slices.Sort(theirs)
	c.compare("nm", path, theirs, ours)
}

// nmTools are the programs that know a machine's letters.
var nmTools = map[int]string{
	int(elf.EM_X86_64): "nm", int(elf.EM_386): "nm", int(elf.EM_AARCH64): "aarch64-linux-gnu-nm",
	int(elf.EM_ARM): "arm-linux-gnueabihf-nm", int(elf.EM_RISCV): "riscv64-linux-gnu-nm",
}

// dumpSections are sections that are short and in most files; of those that are
// text, the strings are compared too. In other bytes readelf leaves out what
// does not look like text to it.
var dumpSections = map[string]string{".comment": "-p", ".interp": "-p", ".gnu_debuglink": "-x", ".note.gnu.build-id": "-x"}

// dumps compares hexadecimal and string dumps of a file that is no archive.
func (c *comparison) dumps(tool, path string, docs []*jsonDocument) {
	if len(docs) != 1 || docs[0].Archive != "" {
		return
	}
	var args, names, texts []string
	for _, s := range docs[0].Sections {
		if form := dumpSections[s.Name]; form != "" && !slices.Contains(names, s.Name) && s.Size > 0 {
			args = append(args, "-x", s.Name)
			names = append(names, s.Name)
			if form == "-p" {
				args = append(args, form, s.Name)
				texts = append(texts, s.Name)
			}
		}
	}
	if len(names) == 0 {
		return
	}
	text, warnings, err := readelf(tool, append(args, path)...)
	if err != nil {
		c.t.Fatal(err)
	}
	if warnings != "" {
		return
	}
	docs, _, err = documents(path, Options{HexDump: names, StringDump: texts})
	if err != nil || len(docs) != 1 {
		c.differ("dumps", "%s: %v", path, err)
		return
	}
	// readelf dumps section after section, each in both ways.
	theirs, ours := readelfDumps(text), jsonDumps(docs[0])
	slices.Sort(theirs)
	slices.Sort(ours)
	c.compare("dumps", path, theirs, ours)
}

// compare compares two lists of facts.
func (c *comparison) compare(view, file string, theirs, ours []string) {
	c.count(view, len(theirs))
	for i := range max(len(theirs), len(ours)) {
		a, b := "nothing", "nothing"
		if i < len(theirs) {
			a = theirs[i]
		}
		if i < len(ours) {
			b = ours[i]
		}
		if known, ok := strings.CutSuffix(a, " ?"); ok && strings.HasPrefix(b, known) {
			continue // a note of a type that this readelf does not know
		}
		if a != b {
			c.differ(view, "%s: fact %d\nreadelf %s\nours    %s", file, i, a, b)
			return
		}
	}
}

// splitMembers cuts the output for an archive at its members. Of one file all is
// one part.
func splitMembers(text string, docs []*jsonDocument) []string {
	if len(docs) > 0 && docs[0].Archive == "" {
		return []string{text}
	}
	parts := strings.Split("\n"+text, "\nFile: ")
	if len(parts) > 0 && strings.TrimSpace(parts[0]) == "" {
		parts = parts[1:]
	}
	return slices.DeleteFunc(parts, func(p string) bool {
		name, rest, _ := strings.Cut(p, "\n")
		// Members that are no ELF files have only their name.
		return strings.TrimSpace(rest) == "" && !slices.ContainsFunc(docs, func(d *jsonDocument) bool { return d.File == name })
	})
}

// all compares many files, two at a time.
func (c *comparison) all(tool string, paths []string) {
	next := make(chan string)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for path := range next {
				c.file(tool, path)
			}
		})
	}
	for _, path := range paths {
		next <- path
	}
	close(next)
	workers.Wait()
	c.finish()
}

// sweep says whether every file is to be compared.
func sweep() bool { return os.Getenv("ELFWRIGHT_SWEEP") == "1" }

// systemFiles are ELF files and archives of this system, all or a sample.
func systemFiles(t *testing.T) []string {
	files := slices.Collect(samples.SystemELFs("/usr/bin", "/usr/lib"))
	archives := systemArchives()
	if sweep() {
		return append(files, archives...)
	}
	small := func(limit int64) func(string) bool {
		return func(path string) bool {
			st, err := os.Stat(path)
			return err != nil || st.Size() > limit
		}
	}
	files = slices.DeleteFunc(files, small(1<<20))
	archives = slices.DeleteFunc(archives, small(64<<10))
	list := slices.Collect(samples.Some(slices.Values(files), 56, 1))
	return append(list, slices.Collect(samples.Some(slices.Values(archives), 4, 1))...)
}

// systemArchives are the archives of libraries below /usr/lib.
func systemArchives() []string {
	var list []string
	filepath.WalkDir("/usr/lib", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".a") {
			if b, err := os.ReadFile(path); err == nil && elffile.IsArchive(b) && bytes.Contains(b, []byte(elf.ELFMAG)) {
				list = append(list, path)
			}
		}
		return nil
	})
	return list
}

func TestReadelfSystem(t *testing.T) {
	samples.Need(t, "readelf")
	c := &comparison{t: t}
	c.all("readelf", systemFiles(t))
	for _, v := range differentials {
		if v.name != "groups" && c.facts[v.name] < 100 { // few archives have groups
			t.Errorf("%s: only %d facts were compared", v.name, c.facts[v.name])
		}
	}
}

// TestReadelfPrograms compares programs of all machines, which the compilers
// here make, and objects among them.
func TestReadelfPrograms(t *testing.T) {
	samples.Need(t, "readelf")
	list := append(samples.Programs(), samples.BigEndian()...)
	if !sweep() {
		list = slices.DeleteFunc(list, func(p samples.Program) bool { return !slices.Contains(quickPrograms, p.Name) })
	}
	c := &comparison{t: t}
	var paths []string
	for _, p := range list {
		t.Run(p.Name, func(t *testing.T) { paths = append(paths, p.Build(t)) })
	}
	c.all("readelf", paths)
}

// quickPrograms are those compared in every run.
var quickPrograms = []string{"i386-pie", "aarch64-pie", "arm-pie", "riscv64-pie", "s390x-go"}

// TestReadelfObjects compares relocatable files of each machine: groups,
// relocations of C and C++, debug information, TLS.
func TestReadelfObjects(t *testing.T) {
	samples.Need(t, "readelf")
	c := &comparison{t: t}
	dir := t.TempDir()
	var paths []string
	for _, triple := range []string{"x86_64", "i686", "aarch64", "arm", "riscv64"} {
		tool := triple + "-linux-gnu" + map[bool]string{true: "eabihf"}[triple == "arm"] + "-gcc"
		object := filepath.Join(dir, triple+".o")
		t.Run(triple, func(t *testing.T) {
			samples.Need(t, tool)
			cmd := exec.Command(tool, "-c", "-g", "-O1", "-ffunction-sections", "-o", object, filepath.Join("testdata", "code.c"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			paths = append(paths, object)
		})
	}
	c.all("readelf", paths)
}

// TestReadelfCrafted compares files made of bytes, in both classes and orders,
// for machines of which there is no compiler here.
func TestReadelfCrafted(t *testing.T) {
	samples.Need(t, "readelf")
	c := &comparison{t: t}
	dir := t.TempDir()
	var paths []string
	for _, k := range elftest.Kinds() {
		for name, f := range map[string]elftest.File{
			"shared": elftest.Shared(k), "object": elftest.Object(k), "core": elftest.Core(k),
			"exec": elftest.Exec(k), "sections": elftest.ExecSections(k),
		} {
			path := filepath.Join(dir, k.Name+"-"+name)
			if err := os.WriteFile(path, f.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	c.all("readelf", paths)
}

// TestReadelfCore compares core files: the kernel's, qemu's, and gdb's.
func TestReadelfCore(t *testing.T) {
	samples.Need(t, "readelf")
	c := &comparison{t: t}
	for _, name := range []string{"x86-64-pie", "aarch64-pie"} {
		t.Run(name, func(t *testing.T) {
			c.all("readelf", []string{samples.KernelCore(t, samples.Find(t, name))})
		})
	}
	t.Run("gdb", func(t *testing.T) {
		if !sweep() {
			t.Skip("takes some seconds")
		}
		core, _ := samples.Core(t)
		c.all("readelf", []string{core})
	})
}
