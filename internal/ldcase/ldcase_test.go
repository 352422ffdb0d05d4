package ldcase_test

import (
	"os"
	"strings"
	"testing"

	"elfwright/internal/ldcase"
	"elfwright/internal/samples"
)

const corpus = "../../testdata/ldscript"

// tools are the machines' assemblers and linkers.
var tools = []string{"as", "ld", "ar", "aarch64-linux-gnu-as", "aarch64-linux-gnu-ld", "arm-linux-gnueabihf-as", "arm-linux-gnueabihf-ld",
	"riscv64-linux-gnu-as", "riscv64-linux-gnu-ld"}

// under is the linker that ELFWRIGHT_LD names, a command with arguments: to try
// another one on the corpus.
func under() ldcase.Linker {
	words := strings.Fields(os.Getenv("ELFWRIGHT_LD"))
	if len(words) == 0 {
		return nil
	}
	return ldcase.Command(words...)
}

func load(t *testing.T) []*ldcase.Case {
	t.Helper()
	cases, err := ldcase.Load(corpus)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// all: GNU ld by itself is asked for every machine only in a sweep. The tests of
// a linker run everything.
func all() bool { return under() != nil || os.Getenv("ELFWRIGHT_SWEEP") != "" }

// TestCorpus: GNU ld does what the cases say.
func TestCorpus(t *testing.T) {
	samples.Need(t, tools...)
	ldcase.Run(t, load(t), under(), all())
}

// TestDialect: where lld means otherwise, it does.
func TestDialect(t *testing.T) {
	samples.Need(t, append(tools, "ld.lld-14")...)
	ldcase.RunDialect(t, load(t), ldcase.Command("ld.lld-14"), under())
}

// TestPrograms: what the compilers of all machines make, linked and run.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some forty programs")
	}
	ldcase.RunPrograms(t, strings.Fields(os.Getenv("ELFWRIGHT_LD")), all())
}

// TestSupportPage: the page names all rules of the dialects, all differences,
// and no others.
func TestSupportPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/ldscript-support.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, differences, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range load(t) {
		name, _, _ := strings.Cut(c.Name, "[")
		names[name] = true
		if c.Dialect != "" {
			rules[c.Dialect] = true
		}
		if c.Refuses != nil || c.Beyond != nil || c.Differs != nil {
			differences[name] = true
		}
	}
	sameRows(t, "dialect rules", rows(string(page), "Dialects"), rules)
	sameRows(t, "differences", rows(string(page), "Differences from GNU ld"), differences)
	for line := range strings.SplitSeq(string(page), "\n") {
		// The last column of the tables above them names cases.
		cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
		if len(cells) != 5 || strings.Contains(cells[3], "ld.lld") {
			continue
		}
		checkNames(t, strings.TrimSpace(cells[3]), names)
	}
}

// checkNames finds cases that are not there: "group/name, name of that group".
func checkNames(t *testing.T, list string, names map[string]bool) {
	group := ""
	for word := range strings.SplitSeq(list, ", ") {
		if g, _, ok := strings.Cut(word, "/"); ok {
			group = g
		} else {
			word = group + "/" + word
		}
		if strings.Contains(word, " ") || group == "" || strings.HasSuffix(word, "…") {
			continue // a sentence, in the tables further below
		}
		if !names[word] {
			t.Errorf("the page names the case %s, which is not there", word)
		}
	}
}

// rows are the words of the first column of a chapter's table.
func rows(page, chapter string) map[string]bool {
	_, text, _ := strings.Cut(page, "\n## "+chapter+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	found := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || strings.HasPrefix(cells[1], "-") {
			continue
		}
		for word := range strings.SplitSeq(cells[1], ",") {
			if word = strings.TrimSpace(word); word != "rule" && word != "case" {
				found[word] = true
			}
		}
	}
	return found
}

func sameRows(t *testing.T, what string, page, cases map[string]bool) {
	for n := range cases {
		if !page[n] {
			t.Errorf("%s: the page lacks %s", what, n)
		}
	}
	for n := range page {
		if !cases[n] {
			t.Errorf("%s: no case is about %s", what, n)
		}
	}
}
