package ldscript

import (
	"bytes"
	"fmt"
	"math/rand"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

func TestMatchGlob(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "", false}, {"*", "", true}, {"*", ".text/x", true},
		{".text*", ".text", true}, {".text.*", ".text", false}, {"*lib*/x.o", "a/lib/b/x.o", true}, {"?", "", false}, {"??", "ab", true},
		{"[abc]", "b", true}, {"[!abc]", "b", false}, {"[^abc]", "d", true}, {"[a-c]x", "bx", true}, {"[]a]", "]", true}, {"[!]a]", "b", true},
		{"[a-", "[a-", true}, {"[", "[", true}, {"a[", "a[", true}, {"[a", "a", false}, {"[a-]", "-", true}, {"[[:digit:]]", "7", true}, {"[[:digit:]x]", "x", true},
		{`\*`, "*", true}, {`\*`, "a", false}, {`a\`, "a", false}, {`a\`, `a\`, false}, {`[\]]`, "]", true}, {`[a\-z]`, "b", false},
		{"*a*b*c", "xaxbxbxc", true}, {"*a*b*c", "xaxbxcx", false}, {"a*", "b", false}, {"*.o", ".o", true},
	}
	for _, tt := range tests {
		if got := MatchGlob(tt.pattern, tt.name); got != tt.want {
			t.Errorf("MatchGlob(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}

const fnmatchProgram = `#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
int main(void) {
	static char p[4096], s[4096];
	while (fgets(p, sizeof p, stdin) && fgets(s, sizeof s, stdin)) {
		p[strcspn(p, "\n")] = s[strcspn(s, "\n")] = 0;
		putchar(fnmatch(p, s, 0) == 0 ? '1' : '0');
	}
	return 0;
}
`

// TestFnmatch holds MatchGlob against fnmatch of the C library, which GNU ld
// calls, on random patterns of few letters.
func TestFnmatch(t *testing.T) {
	samples.Need(t, "gcc")
	bin := filepath.Join(t.TempDir(), "fnmatch")
	gcc := exec.Command("gcc", "-xc", "-", "-o", bin)
	gcc.Stdin = strings.NewReader(fnmatchProgram)
	if out, err := gcc.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := rand.New(rand.NewSource(1))
	word := func(letters string, most int) string {
		b := make([]byte, r.Intn(most+1))
		for i := range b {
			b[i] = letters[r.Intn(len(letters))]
		}
		return string(b)
	}
	var in bytes.Buffer
	var cases [][2]string
	for range 200_000 {
		c := [2]string{word(`ab*?[]!^-\.=`, 8), word(`ab]-.\[`, 6)}
		cases = append(cases, c)
		fmt.Fprintf(&in, "%s\n%s\n", c[0], c[1])
	}
	cmd := exec.Command(bin)
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil || len(out) != len(cases) {
		t.Fatal(err, len(out))
	}
	bad, hits := 0, 0
	for i, c := range cases {
		want := out[i] == '1'
		if want {
			hits++
		}
		if got := MatchGlob(c[0], c[1]); got != want {
			if bad++; bad < 20 {
				t.Errorf("MatchGlob(%q, %q) = %v", c[0], c[1], got)
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d of the cases match", hits)
	}
}

// slowGlob is MatchGlob in the plainest way.
func slowGlob(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	if pattern[0] == '*' {
		return slowGlob(pattern[1:], name) || name != "" && slowGlob(pattern, name[1:])
	}
	if name == "" {
		return false
	}
	n := matchOne(pattern, name[0])
	return n > 0 && slowGlob(pattern[n:], name[1:])
}

func FuzzGlob(f *testing.F) {
	f.Add("*a[!b-c]?\\*", "xxad*")
	f.Add(".text.*", ".text.unlikely")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 12 {
			t.Skip() // slowGlob is slow
		}
		want := slowGlob(pattern, name)
		if got := MatchGlob(pattern, name); got != want {
			t.Errorf("MatchGlob(%q, %q) = %v", pattern, name, got)
		}
		want = MatchName(pattern, name)
		var set PatternSet
		set.Add("other")
		set.Add(pattern)
		if got := slices.Contains(set.Match(nil, name), 1); got != want {
			t.Errorf("PatternSet of %q, %q: %v", pattern, name, got)
		}
	})
}

// manyPatterns are the patterns and names of a large firmware.
func manyPatterns() (patterns, names []string) {
	for i := range 500 {
		switch i % 5 {
		case 0:
			patterns = append(patterns, fmt.Sprintf(".text.module%d", i))
		case 1, 2:
			patterns = append(patterns, fmt.Sprintf(".text.module%d.*", i))
		case 3:
			patterns = append(patterns, fmt.Sprintf(".rodata.m%d.*str*", i))
		case 4:
			patterns = append(patterns, fmt.Sprintf("*.slot%d", i))
		}
	}
	for i := range 10_000 {
		names = append(names, fmt.Sprintf(".text.module%d.function%d", i%700, i), fmt.Sprintf(".rodata.m%d.f.str1.8", i%1000))
	}
	return patterns, names
}

func TestPatternSet(t *testing.T) {
	patterns, names := manyPatterns()
	patterns = append(patterns, "*", ".text.module5.*", ".text.module10", "", "*", `a\*b`, `a\b`, `*\?a`, `*\?[a]`)
	names = append(names, "", "a*b", `a\b`, "x?a", `a\xb`, ".text.module10", ".x.slot4")
	var set PatternSet
	for i, p := range patterns {
		if got := set.Add(p); got != i {
			t.Fatalf("Add: %d, want %d", got, i)
		}
	}
	cache := set.Cache()
	for i, n := range names {
		if i%97 != 0 && i < len(names)-7 {
			continue
		}
		var want []int32
		for j, p := range patterns {
			if MatchName(p, n) {
				want = append(want, int32(j))
			}
		}
		for range 2 {
			if got := cache.Match(n); !slices.Equal(got, want) {
				t.Errorf("%q: %v, want %v", n, got, want)
			}
		}
	}
}

func BenchmarkPatternSet(b *testing.B) {
	patterns, names := manyPatterns()
	var set PatternSet
	for _, p := range patterns {
		set.Add(p)
	}
	var hits []int32
	for b.Loop() {
		for _, n := range names {
			hits = set.Match(hits[:0], n)
		}
	}
}

func TestMatchName(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{`.text.\a`, ".text.a", false}, {`.text.\a`, `.text.\a`, true}, {`.text.\*`, ".text.*", false}, {`.text.\*`, `.text.\x`, true},
		{`.text\.[a]`, ".text.a", false}, {`.text.[\a]`, ".text.a", true}, {`.t*.\a`, ".text.a", false}, {`.t*.\a`, `.text.\a`, true}, {`.text.\?`, `.text.\a`, true}, {`.t*\.[a]`, ".text.a", true},
		{"a*b", "ab", true}, {"ab*bc", "abc", false}, {"", "", true}, {"*", "", true}, {"?", "", false},
	} {
		if got := MatchName(tt.pattern, tt.name); got != tt.want {
			t.Errorf("MatchName(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}
