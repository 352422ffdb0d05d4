package ldscript

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"elfwright/internal/samples"
)

// A snippet is a line of testdata/snippets.txt.
type snippet struct {
	line    int
	where   byte
	differs byte // "+" we take it, "-" ld takes it, ' ' neither
	text    string
}

func snippets(t testing.TB) []snippet {
	t.Helper()
	text, err := os.ReadFile("testdata/snippets.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []snippet
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		s := snippet{line: i + 1, differs: ' '}
		if line[0] == '+' || line[0] == '-' {
			s.differs, line = line[0], line[1:]
		}
		s.where, s.text = line[0], strings.ReplaceAll(strings.TrimPrefix(line[1:], " "), `\n`, "\n")
		list = append(list, s)
	}
	return list
}

// script is the snippet as a whole file.
func (s snippet) script() string {
	const text = "SECTIONS { .text : { *(.text) } }"
	form, ok := map[byte]string{
		'T': "%s\n" + text,
		'S': "SECTIONS { %s\n}",
		'O': "SECTIONS { .text : { %s\n} }",
		'E': "x = %s;\n" + text,
		'M': "MEMORY { %s\n}\n",
		'P': "PHDRS { %s\n}\n",
		'V': "%s",
		'H': "SECTIONS { .text : %s { *(.text) } }",
		'A': "SECTIONS { .text : { *(.text) } %s\n}",
		'F': "SECTIONS { .text %s : { *(.text) } }",
	}[s.where]
	if !ok {
		panic(fmt.Sprintf("line %d: no place %q", s.line, s.where))
	}
	return fmt.Sprintf(form, s.text)
}

// parse says whether we take it.
func (s snippet) parse() error {
	if s.where == 'V' {
		v, err := ParseVersion("v", []byte(s.script()))
		if err == nil {
			_, err = NewVersionSet([]*Version{v}, nil)
		}
		return err
	}
	_, err := Parse("t.lds", []byte(s.script()), Options{Open: openFile})
	return err
}

func openFile(name string, _ []string) (string, []byte, error) {
	text, err := os.ReadFile(name)
	return name, text, err
}

// refusal is what ld says of a script that it cannot read, as opposed to one
// that it cannot link by.
var refusal = regexp.MustCompile(`syntax error|ignoring invalid character|invalid character .* in flags|unknown phdr type|unterminated|EOF in comment|` +
	`unknown language|duplicate expression|anonymous version tag cannot be combined|duplicate version tag|unable to find version dependency`)

// ld says whether GNU ld takes the snippet, and what it says.
func (s snippet) ld(dir string) (takes bool, says string) {
	file := filepath.Join(dir, fmt.Sprintf("%d.lds", s.line))
	if err := os.WriteFile(file, []byte(s.script()), 0o666); err != nil {
		return false, err.Error()
	}
	args := []string{"-T", file}
	if s.where == 'V' {
		args = []string{"-shared", "--version-script=" + file}
	}
	cmd := exec.Command("ld.bfd", append(args, "t.o", "-o", file+".out")...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // what cannot be linked may be a good script
	return !refusal.Match(out), string(bytes.TrimSpace(out))
}

// wrong compares what ld and we do with what the line says of it.
func (s snippet) wrong(ld, we bool) bool {
	switch s.differs {
	case '+':
		return ld || !we
	case '-':
		return !ld || we
	}
	return ld != we
}

// TestSnippets: ld and we take and refuse the same.
func TestSnippets(t *testing.T) {
	samples.Need(t, "ld.bfd", "as")
	dir := t.TempDir()
	as := exec.Command("as", "-o", filepath.Join(dir, "t.o"), "-")
	as.Stdin = strings.NewReader(".globl _start\n_start: .byte 1\n.data\n.byte 2\n.bss\n.skip 4\n")
	if out, err := as.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	list := snippets(t)
	if len(list) < 200 {
		t.Errorf("%d snippets", len(list))
	}
	var group sync.WaitGroup
	work := make(chan snippet)
	for range 4 {
		group.Go(func() {
			for s := range work {
				takes, says := s.ld(dir)
				err := s.parse()
				if s.wrong(takes, err == nil) {
					t.Errorf("line %d: %c %s\nld takes it: %v %s\nwe say: %v", s.line, s.where, s.text, takes, says, err)
				}
			}
		})
	}
	for _, s := range list {
		work <- s
	}
	close(work)
	group.Wait()
}
