package desc_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/sdf/desc"
)

var update = flag.Bool("update", false, "write the findings of the cases again")

// A sample is a case of testdata/sdf, whose README tells the form.
type sample struct {
	head  string // as in the file
	valid bool
	board desc.Board
	body  []string
	text  string
	want  []string
}

const corpusDir = "../../testdata/sdf"

func readCorpus(t testing.TB, path string) (list []*sample, comments map[int][]string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	comments = map[int][]string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		last := len(list) - 1
		switch {
		case strings.HasPrefix(line, "+ "), strings.HasPrefix(line, "- "):
			list = append(list, &sample{head: line, valid: line[0] == '+'})
		case last < 0 || line == "" && len(list[last].body) > 0:
			comments[len(list)] = append(comments[len(list)], line)
		case strings.HasPrefix(line, "! "), strings.HasPrefix(line, "~ "):
			list[last].want = append(list[last].want, line)
		default:
			list[last].body = append(list[last].body, line)
		}
	}
	for _, s := range list {
		s.expand(t)
	}
	return list, comments
}

var macro = regexp.MustCompile(`\{(\w+)(?: (\w+))?\}`)

func (s *sample) expand(t testing.TB) {
	_, opts, _ := strings.Cut(s.head, " | ")
	raw := false
	s.board = desc.Default(desc.AArch64)
	for _, o := range strings.Fields(opts) {
		switch name, value, _ := strings.Cut(o, "="); name {
		case "riscv64", "x86_64":
			s.board = desc.Default(desc.Arch(name))
		case "raw":
			raw = true
		case "smc":
			s.board.SMC = true
		case "iommu":
			s.board.IOMMU = true
		case "hyp":
			s.board.Hypervisor = true
		case "nohyp":
			s.board.Hypervisor = false
		default:
			n, err := strconv.ParseUint(value, 0, 64)
			to := map[string]*desc.Number{"cores": &s.board.Cores, "domains": &s.board.Domains, "schedule": &s.board.Schedule}[name]
			if err != nil || to == nil {
				t.Fatalf("%s: what is %q?", s.head, o)
			}
			*to = desc.Number(n)
		}
	}
	if err := s.board.Check(); err != nil {
		t.Fatalf("%s: %v", s.head, err)
	}
	s.text = macro.ReplaceAllStringFunc(strings.Join(s.body, "\n"), func(m string) string {
		part := macro.FindStringSubmatch(m)
		const image = `<program_image path="p.elf"/>`
		domain := func(name string) string {
			return `<protection_domain name="` + name + `">` + image + `</protection_domain>`
		}
		switch part[1] {
		case "img":
			return image
		case "pd":
			return domain(part[2])
		case "pds":
			n, out := 0, ""
			for n, _ = strconv.Atoi(part[2]); n > 0; n-- {
				out += domain(fmt.Sprint("p", n))
			}
			return out
		case "mr":
			return `<memory_region name="` + part[2] + `" size="0x1000"/>`
		}
		t.Fatalf("%s: what is %s?", s.head, m)
		return ""
	})
	if !raw {
		s.text = "<system>\n" + s.text + "\n</system>\n"
	}
}

// length is that of N.bin.
func length(path string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(path, ".bin"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: not found", path)
	}
	return n, nil
}

func (s *sample) findings() (desc.Findings, []string) {
	_, all := desc.Parse("f", []byte(s.text), s.board, desc.Options{Length: length})
	var out []string
	for _, f := range all {
		sign := "!"
		if f.Level == desc.Warning {
			sign = "~"
		}
		out = append(out, fmt.Sprintf("%s %d:%d [%s] %s", sign, f.Pos.Row(), f.Pos.Column(), f.Rule, f.Msg))
	}
	return all, out
}

func corpusFiles(t testing.TB) []string {
	t.Helper()
	list, err := filepath.Glob(corpusDir + "/*.txt")
	if err != nil || len(list) == 0 {
		t.Fatal("no cases", err)
	}
	return list
}

func TestCorpus(t *testing.T) {
	count := map[bool]int{}
	for _, path := range corpusFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			list, comments := readCorpus(t, path)
			var again bytes.Buffer
			for i, s := range list {
				for _, line := range comments[i] {
					fmt.Fprintln(&again, line)
				}
				all, got := s.findings()
				count[s.valid]++
				if all.Faulty() == s.valid {
					t.Errorf("%s\n%s", s.head, strings.Join(got, "\n"))
				}
				if diff := cmp.Diff(s.want, got); diff != "" && !*update {
					t.Errorf("%s (-want +got)\n%s\n%s", s.head, s.text, diff)
				}
				for _, line := range append(append([]string{s.head}, s.body...), got...) {
					fmt.Fprintln(&again, line)
				}
			}
			if *update {
				if err := os.WriteFile(path, again.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Logf("%d valid, %d invalid", count[true], count[false])
	if n := count[true] + count[false]; n < 150 {
		t.Errorf("%d cases, and there should be 150", n)
	}
}

// Every rule that can refuse has a case that it refuses, and the corpus has no
// rule that is not known here.
func TestCorpusHasEveryRule(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range corpusFiles(t) {
		list, _ := readCorpus(t, path)
		for _, s := range list {
			all, _ := s.findings()
			for _, f := range all {
				seen[f.Rule] = true
			}
		}
	}
	for _, r := range desc.Rules {
		if !seen[r.Name] {
			t.Errorf("no case for rule %s", r.Name)
		}
		delete(seen, r.Name)
	}
	for name := range seen {
		t.Errorf("rule %s is not in desc.Rules", name)
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range corpusFiles(f) {
		list, _ := readCorpus(f, path)
		for _, s := range list {
			f.Add(s.text, uint8(len(s.board.Arch)))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		arch := desc.Arch(desc.Archs()[int(kind)%3])
		b := desc.Default(arch)
		b.IOMMU, b.SMC, b.Hypervisor = arch == desc.X86_64, arch == desc.AArch64, arch != desc.RISCV64
		sys, all := desc.Parse("f", []byte(text), b, desc.Options{Length: length})
		if sys == nil && !all.Faulty() {
			t.Fatal("neither a system nor an error")
		}
		for _, x := range all {
			if x.Pos.Row() < 1 || x.Pos.Column() < 1 || !strings.HasSuffix(x.Pos.Excerpt(), "^\n") {
				t.Fatalf("%v: no place", x)
			}
		}
		if all.Faulty() {
			return
		}
		if same := sys.Rewrite(desc.Changes{}); string(same) != text {
			t.Fatalf("nothing was to be changed, and it is %q", same)
		}
		c := desc.Changes{Images: map[*desc.PD]desc.Image{sys.PDs[0]: {Path: "<&'\"\n"}}}
		again, _ := desc.Parse("f", sys.Rewrite(c), b, desc.Options{Length: length})
		if again == nil || again.PDs[0].Path != "<&'\"\n" {
			t.Fatalf("the path is not what it was changed to: %q", sys.Rewrite(c))
		}
	})
}
