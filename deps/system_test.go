package deps

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
	"elfwright/internal/samples"
)

const ldso = "/lib64/ld-linux-x86-64.so.2"

// programs are some dynamic programs of this machine, all of them in a sweep.
func programs(t *testing.T, n int, seed uint64) []string {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("needs programs of x86-64")
	}
	samples.Need(t, ldso)
	names := slices.Clone(dynamic())
	if os.Getenv("ELFWRIGHT_SWEEP") != "" {
		return names
	}
	return slices.Collect(samples.Some(slices.Values(names), n, seed))
}

// dynamic are the programs of /usr/bin that this dynamic linker starts.
var dynamic = sync.OnceValue(func() []string {
	names, _ := filepath.Glob("/usr/bin/*")
	return slices.DeleteFunc(names, func(name string) bool {
		real, err := filepath.EvalSymlinks(name)
		if err != nil || real != name {
			return true
		}
		f, err := elf.Open(name)
		if err != nil {
			return true
		}
		defer f.Close()
		s := f.Section(".interp")
		if s == nil {
			return true
		}
		b, err := s.Data()
		return err != nil || strings.TrimRight(string(b), "\x00") != ldso
	})
})

// subjectOf loads a file; nil if it is none to load.
func subjectOf(t testing.TB, name string, opt load.Options, symbols bool) *Subject {
	t.Helper()
	l, err := load.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s, err := Open(l, name, symbols, bind.Options{Order: bind.Trace, Now: true})
	if err != nil {
		return nil
	}
	return s
}

// trace asks the dynamic linker, which carries out nothing of the file in this mode.
func trace(t testing.TB, file string, env ...string) string {
	t.Helper()
	cmd := exec.Command(ldso, file)
	cmd.Env = append([]string{"LD_TRACE_LOADED_OBJECTS=1"}, env...)
	out, _ := cmd.CombinedOutput() // a library that is missing makes it fail
	return string(out)
}

var address = regexp.MustCompile(` \(0x[0-9a-f]+\)$`)

// traced is the list of the dynamic linker without the vDSO and the addresses.
func traced(t testing.TB, file string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(trace(t, file)) {
		line = address.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")
		if !strings.Contains(line, "linux-vdso") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// TestList holds the list against that of the dynamic linker.
func TestList(t *testing.T) {
	for _, name := range programs(t, 25, 1) {
		var b bytes.Buffer
		subjectOf(t, name, load.Options{NamesOnly: true}, false).List(&b)
		if got, want := b.String(), traced(t, name); got != want {
			t.Errorf("%s:\n%sthe dynamic linker:\n%s", name, got, want)
		}
	}
}

var binding = regexp.MustCompile("binding file (.*) \\[0\\] to (.*) \\[0\\]: (?:normal|protected) symbol `(.*)'(?: \\[(.*)\\])?$")

// account are the bindings of the dynamic linker's own, sorted.
func account(t testing.TB, file string) []bindingJSON {
	var list []bindingJSON
	for line := range strings.Lines(trace(t, file, "LD_WARN=1", "LD_BIND_NOW=1", "LD_DEBUG=bindings")) {
		if m := binding.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil && m[1] != "linux-vdso.so.1" {
			list = append(list, bindingJSON{From: m[1], To: m[2], Symbol: m[3], Version: m[4]})
		}
	}
	return sorted(list)
}

func sorted(list []bindingJSON) []bindingJSON {
	slices.SortFunc(list, func(a, b bindingJSON) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(list)
}

// TestBindings holds the bindings of the JSON document against those of the dynamic
// linker, and what is unused against the lack of them.
func TestBindings(t *testing.T) {
	for _, name := range programs(t, 8, 2) {
		s := subjectOf(t, name, load.Options{}, true)
		want := account(t, name)
		var doc bytes.Buffer
		if err := s.JSON(&doc, Ask{Symbols: true, Unused: true}); err != nil {
			t.Fatal(err)
		}
		var d struct {
			Bindings []bindingJSON
			Unused   []unusedJSON
		}
		if err := json.Unmarshal(doc.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		var got []bindingJSON
		for _, b := range d.Bindings {
			if b.Rule != "local" {
				got = append(got, bindingJSON{From: b.From, To: b.To, Symbol: b.Symbol, Version: b.Version})
			}
		}
		if got = sorted(got); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: %d bindings, the dynamic linker has %d", name, len(got), len(want))
		}
		bound := map[[2]string]bool{}
		for _, b := range want {
			bound[[2]string{b.From, b.To}] = true
		}
		for _, u := range d.Unused {
			if bound[[2]string{u.Object, u.Path}] {
				t.Errorf("%s: %s is bound to %s, which is told to be unused", name, u.Object, u.Path)
			}
			bound[[2]string{u.Object, u.Path}] = true
		}
		for _, o := range s.Process.Objects {
			for _, n := range o.Needs {
				if n.Kind == load.Needed && n.To != nil && o != s.Process.Ld && !bound[[2]string{o.Path, n.To.Path}] && !copiedFrom(s, o, n.To) {
					t.Errorf("%s: nothing of %s is bound to %s, but it is not told to be unused", name, o.Path, n.To.Path)
				}
			}
		}
	}
}

// copiedFrom says whether the program has a copy of a variable of an object that
// another one refers to: then a need is no need in vain without a binding.
func copiedFrom(s *Subject, by, of *load.Object) bool {
	for b := range s.Bound.Copies() {
		if b.To != int32(of.Index) {
			continue
		}
		for x := range s.Bound.Named(string(s.Bound.Name(b))) {
			if x.From == int32(by.Index) && x.To == b.From {
				return true
			}
		}
	}
	return false
}

var glibcVersion = regexp.MustCompile(`Name: GLIBC_([0-9.]+) `)

// TestFloor holds the version of glibc that programs need against what readelf
// prints of them.
func TestFloor(t *testing.T) {
	samples.Need(t, "readelf")
	for _, name := range programs(t, 25, 3) {
		out, err := exec.Command("readelf", "-V", "--wide", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, needs, _ := strings.Cut(string(out), "Version needs section")
		want := ""
		for _, m := range glibcVersion.FindAllStringSubmatch(needs, -1) {
			if compareVersions(m[1], want) > 0 {
				want = m[1]
			}
		}
		if strings.Contains(needs, relr) && compareVersions(relrSince, want) > 0 {
			want = relrSince
		}
		got := ""
		f := subjectOf(t, name, load.Options{}, false).Floors()
		for _, x := range f.Program {
			if x.Family == "GLIBC" {
				got = x.Version
			}
		}
		if got != want {
			t.Errorf("%s needs GLIBC %q, readelf says %q", name, got, want)
		}
	}
}

var undefined = regexp.MustCompile(`^undefined symbol: ([^\s,]+)(?:, version (\S+))?\s+\((.*)\)$`)

// TestUndefined holds what plugins expect of who loads them against ldd -r.
func TestUndefined(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs files of x86-64")
	}
	samples.Need(t, ldso)
	files, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/perl-base/auto/*/*/*.so")
	more, _ := filepath.Glob("/usr/lib/x86_64-linux-gnu/perl-base/auto/*/*.so")
	if files = append(files, more...); len(files) == 0 {
		t.Skip("needs the modules of Debian's perl-base")
	}
	for _, name := range slices.Collect(samples.Some(slices.Values(files), 6, 4)) {
		var want, got []string
		for line := range strings.Lines(trace(t, name, "LD_WARN=1", "LD_BIND_NOW=1")) {
			if m := undefined.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				want = append(want, m[1])
			}
		}
		s := subjectOf(t, name, load.Options{}, true)
		for _, b := range s.Undefined(false) {
			got = append(got, string(s.Bound.Name(b)))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), slices.Compact(want)) || len(want) == 0 {
			t.Errorf("%s: %q is undefined, ldd -r says %q", name, got, want)
		}
	}
}
