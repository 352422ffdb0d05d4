package serve_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
	"elfwright/run/launch"
	"elfwright/run/serve"
)

func open(t testing.TB, name string) *elffile.File {
	t.Helper()
	samples.Need(t, name)
	f, err := elffile.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

var linkers = []struct {
	ld, libc, objdump, svc, number string
}{
	{"/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6", "objdump", "syscall", `mov +\$0x([0-9a-f]+),%[er]ax`},
	{"/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1", "/usr/aarch64-linux-gnu/lib/libc.so.6", "aarch64-linux-gnu-objdump", "svc\t", `mov\t[xw]8, #0x([0-9a-f]+)`},
}

// near are the system calls that objdump shows with their number in the three
// instructions before, by the number.
func near(t *testing.T, objdump, file, svc, number string) map[uint64][]uint64 {
	t.Helper()
	samples.Need(t, objdump)
	out, err := exec.Command(objdump, "-d", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	nr := regexp.MustCompile(number)
	found := make(map[uint64][]uint64)
	var before []string
	for line := range strings.Lines(string(out)) {
		at, text, ok := strings.Cut(strings.TrimSpace(line), ":\t")
		if !ok {
			before = nil
			continue
		}
		if strings.HasPrefix(text, svc) {
			for _, b := range before {
				if m := nr.FindStringSubmatch(b); m != nil {
					n, _ := strconv.ParseUint(m[1], 16, 32)
					v, _ := strconv.ParseUint(at, 16, 64)
					found[n] = append(found[n], v)
				}
			}
		}
		if before = append(before, text); len(before) > 3 {
			before = before[1:]
		}
	}
	return found
}

// TestFind holds the sites of dynamic linkers against what objdump shows: each call
// of a number that is looked for is among them.
func TestFind(t *testing.T) {
	for _, l := range linkers {
		f := open(t, l.ld)
		s, err := serve.Find(f)
		if err != nil {
			t.Fatal(err)
		}
		if s.NoMaps != nil {
			t.Error(s.NoMaps)
		}
		code := launch.Lookup(f.Header.Machine, f.Class, f.Data)
		seen := near(t, l.objdump, l.ld, l.svc, l.number)
		checked := 0
		for _, c := range code.Calls() {
			for _, at := range seen[c.Number] {
				checked++
				if !slices.ContainsFunc(s.List, func(x serve.Site) bool { return x.Vaddr+uint64(len(x.Moved)) == at && x.Number == int64(c.Number) }) {
					t.Errorf("%s: system call %d at 0x%x is not among the sites", l.ld, c.Number, at)
				}
			}
		}
		if checked < 6 {
			t.Errorf("%s: objdump shows only %d calls", l.ld, checked)
		}
		t.Logf("%s: %d sites, %d of them seen by objdump", l.ld, len(s.List), checked)
	}
}

// TestLinks: where the C library reads links the bytes are those of the file.
func TestLinks(t *testing.T) {
	for _, l := range linkers {
		f := open(t, l.libc)
		links, err := serve.Links(f, 0x1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range links {
			b, err := f.Body.Bytes(k.Offset+k.At, uint64(len(k.Bytes)))
			if err != nil || !bytes.Equal(b, k.Bytes) {
				t.Errorf("%s: % x at 0x%x, % x in the file: %v", l.libc, k.Bytes, k.Offset+k.At, b, err)
			}
		}
		seen := near(t, l.objdump, l.libc, l.svc, l.number)
		want := len(seen[89]) + len(seen[267])
		if strings.Contains(l.libc, "aarch64") {
			want = len(seen[78])
		}
		if len(links) != want || want == 0 {
			t.Errorf("%s: %d places read links, objdump shows %d", l.libc, len(links), want)
		}
	}
}

// TestRedirect: the jumps lead to ways, and the ways back behind the calls.
func TestRedirect(t *testing.T) {
	for _, l := range linkers {
		f := open(t, l.ld)
		s, err := serve.Find(f)
		if err != nil {
			t.Fatal(err)
		}
		const bias, ways, gate = 0x100000, 0x200000, 0x1f0000
		code, edits, err := s.Redirect(bias, ways, gate)
		if err != nil {
			t.Fatal(err)
		}
		if uint64(len(code)) != s.Size() || len(edits) != len(s.List) {
			t.Errorf("%d bytes of ways, %d expected; %d edits of %d sites", len(code), s.Size(), len(edits), len(s.List))
		}
		for i, e := range edits {
			if e.Vaddr != s.List[i].Vaddr || e.Vaddr+uint64(len(e.Bytes)) != s.List[i].Next {
				t.Errorf("%s: site %d: 0x%x and %d bytes, want [0x%x, 0x%x)", l.ld, i, e.Vaddr, len(e.Bytes), s.List[i].Vaddr, s.List[i].Next)
			}
		}
		if _, _, err := s.Redirect(1<<40, ways, gate); err == nil {
			t.Errorf("%s: a jump over 1 TiB", l.ld)
		}
	}
}

// TestRefusals: what is no dynamic linker of glibc is refused, with the reason.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ file, why string }{
		{"/usr/arm-linux-gnueabihf/lib/ld-linux-armhf.so.3", "e_machine at 0x12: ARM, ELFCLASS32, ELFDATA2LSB: the system calls of a dynamic linker of this machine are not known"},
		{"/lib/x86_64-linux-gnu/libm.so.6", "none of its system calls is an openat"},
	} {
		_, err := serve.Find(open(t, c.file))
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %s", c.file, err, c.why)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, l := range linkers {
		if b, err := os.ReadFile(l.ld); err == nil {
			f.Add(b)
		}
	}
	for _, b := range elftest.Corpus() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := elffile.Parse("fuzz", b)
		if err != nil {
			return
		}
		for _, find := range []func(*elffile.File) (*serve.Sites, error){serve.Find, serve.FindLinks} {
			s, err := find(file)
			if (s == nil) == (err == nil) {
				t.Fatalf("%v and %v", s, err)
			}
			if err == nil {
				_, _, _ = s.Redirect(0x10000, 0x20000, 0x1000)
			}
		}
		if links, err := serve.Links(file, 0x1000); err == nil {
			_ = fmt.Sprint(links)
		}
	})
}
