package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const renew = "go run ./cmd/elfwright docs docs"

// TestDocs compares docs/ with the table.
func TestDocs(t *testing.T) {
	want := make(map[string]bool)
	for _, p := range pages(topVerb()) {
		want[p.file] = true
		got, err := os.ReadFile(filepath.Join("../../docs", p.file))
		if err != nil || string(got) != p.text {
			t.Errorf("docs/%s is not what the table says (%v); renew it with: %s\n%s", p.file, err, renew, cmp.Diff(p.text, string(got)))
		}
	}
	old, err := filepath.Glob("../../docs/man/*.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range old {
		if page := "man/" + filepath.Base(f); !want[page] {
			t.Errorf("docs/%s is of no verb: delete it", page)
		}
	}
}

// TestReadme: its list of verbs is that of the table.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range topVerb().children {
		row := fmt.Sprintf("| [%s](docs/%s.md) | %s |\n", v.name, v.name, v.short)
		if !v.hidden && !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks the line\n%s", row)
		}
	}
}

// TestManWarnings lets groff look for faults in every man page.
func TestManWarnings(t *testing.T) {
	if _, err := exec.LookPath("man"); err != nil {
		if inCI() {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, p := range pages(topVerb()) {
		if !strings.HasPrefix(p.file, "man/") {
			continue
		}
		file := filepath.Join(t.TempDir(), filepath.Base(p.file))
		if err := os.WriteFile(file, []byte(p.text), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-Tutf8", "-l", file)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		var talk strings.Builder
		cmd.Stderr = &talk
		if err := cmd.Run(); err != nil || talk.Len() > 0 {
			t.Errorf("%s: %v\n%s", p.file, err, talk.String())
		}
	}
}

func TestRoff(t *testing.T) {
	if got, want := roff("a-b\\n 'x'…\n.so /etc/passwd"), `a\-b\en \(aqx\(aq...`+"\n"+`\&.so /etc/passwd`; got != want {
		t.Error(cmp.Diff(want, got))
	}
}
