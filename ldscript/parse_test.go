package ldscript

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrors(t *testing.T) {
	tests := []struct {
		text string
		want string // all errors, a line each
	}{
		{"ENTRY(", `t.lds:1:7: ENTRY: want a symbol, not the end of the file`},
		{"x=1;", `t.lds:1:1: x=1 is one name; "=" needs a space before it`},
		{"SECTIONS { x=1; }", `t.lds:1:15: x=1: want an expression, not ";"; x=1 is one name: "=" needs a space before it`},
		{"PHDRS { text PT_FOO; data PT_LOAD FOO; }", `t.lds:1:14: PHDRS: PT_FOO is no known type; want a number, or one of ` + strings.Join(PhdrTypes, " ") + "\n" +
			`t.lds:1:35: PHDRS: want FILEHDR, PHDRS, AT(…), FLAGS(…) or ";", not FOO`},
		{"a = 1\nb = 2;\nc = ;\nd = 4;", "t.lds:2:1: want \";\", not b\nt.lds:3:5: want an expression, not \";\""},
		{"SECTIONS {\n.a : { *(.a }\n.b : { *(.b) }\n.c : { ) }\n}\n}", "t.lds:2:13: .a: want a section pattern, not \"}\"\nt.lds:4:8: .c: want a file or a statement, not \")\"\nt.lds:6:1: \"}\" closes nothing"},
		{"SECTIONS { .a : { SORT(a b)(.c) } }", `t.lds:1:26: .a: want ")", not b`},
		{"SECTIONS { .a : { *(SORT(SORT_NONE(.c))) } }", `t.lds:1:26: .a: SORT_NONE cannot stand within another sort`},
		{"SECTIONS { ; x = 1; ; }", "t.lds:1:12: SECTIONS: a semicolon belongs to an assignment; there is none before it\nt.lds:1:21: SECTIONS: a semicolon belongs to an assignment; there is none before it"},
		{"SECTIONS { GROUP 4 : { } }", `t.lds:1:12: SECTIONS: GROUP in SECTIONS is not supported; it stands in for ". = address;"`},
		{"len = 4;", `t.lds:1:1: len: len is a keyword, and no statement begins with it here; a symbol or section of that name needs quotes`},
		{"x = 4 @ 4;", `t.lds:1:7: unexpected "@"`},
		{"x = \x01;", `t.lds:1:5: unexpected byte 0x1`},
		{"x = \"abc;", `t.lds:1:5: the quoted name has no end`},
		{"x = 1; /* abc", `t.lds:1:8: the comment has no end`},
		{"\x7fELF\x02\x00", `t.lds:1:6: a zero byte: this is not a script`},
		{"CHIP 68000\nLIST\n", `t.lds:1:1: CHIP is a command of MRI scripts, which are not supported`},
		{"MEMORY { a (rq) : ORIGIN = 0, LENGTH = 1 }", `t.lds:1:13: MEMORY: "q" is no attribute; they are r w x a i l and !`},
		{"VERSION { V { a } }", `t.lds:1:17: VERSION: want ";", not "}"`},
		{"INCLUDE nothing", `t.lds:1:9: INCLUDE: nothing: not found`},
		{"INCLUDE self", `self:1:9: INCLUDE: self includes itself: t.lds -> self -> self`},
		{"INCLUDE bad", `bad:2:1: want ";", not y`},
	}
	open := func(name string, _ []string) (string, []byte, error) {
		text, ok := map[string]string{"self": "INCLUDE self", "bad": "x = 1\ny = 2;"}[name]
		if !ok {
			return "", nil, errors.New(name + ": not found")
		}
		return name, []byte(text), nil
	}
	for _, tt := range tests {
		_, err := Parse("t.lds", []byte(tt.text), Options{Open: open})
		if err == nil {
			t.Errorf("%q is taken", tt.text)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%q\n%s", tt.text, diff)
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Pos.File == nil {
			t.Errorf("%q: the error has no place", tt.text)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("y", 300)
	tests := []struct{ text, want string }{
		{"\n\tx = é @;\n", "\tx = é @;\n\t      ^\n"},
		{"x = " + long + " @;", strings.Repeat("y", 59) + " @;\n" + strings.Repeat(" ", 60) + "^\n"},
	}
	for _, tt := range tests {
		at := strings.IndexByte(tt.text, '@')
		pos := newLexer(&Source{Text: []byte(tt.text)}, false).pos(at)
		if diff := cmp.Diff(tt.want, pos.Excerpt()); diff != "" {
			t.Errorf("%q\n%s", tt.text, diff)
		}
	}
}

// TestLimits: what is too deep, too long or too much ends soon, and with an
// error that says so.
func TestLimits(t *testing.T) {
	const n = 200_000
	chain := func(name string, _ []string) (string, []byte, error) { return name, []byte("INCLUDE x" + name), nil }
	for _, tt := range []struct {
		name, text string
		want       string
	}{
		{"parentheses", "x = " + strings.Repeat("(", n), "nested more than 1000 deep"},
		{"minus", "x = " + strings.Repeat("-", n), "nested more than 1000 deep"},
		{"conditions", "x = " + strings.Repeat("1 ? 2 : ", n), "nested more than 1000 deep"},
		{"calls", "x = " + strings.Repeat("MAX(1, ", n), "nested more than 1000 deep"},
		{"sum", "x = 1" + strings.Repeat(" + 1", n), "more than 4000 operators"},
		{"needed", "INPUT(a " + strings.Repeat("AS_NEEDED(a ", n), "nested more than 1000 deep"},
		{"extern", "VERSION { { " + strings.Repeat(`extern "C" { `, n), "nested more than 1000 deep"},
		{"includes", "INCLUDE x", "more than 10 files include one another"},
		{"braces", strings.Repeat("{", n), `want a command`},
		{"closing", strings.Repeat("} ", n), "closes nothing"},
		{"bytes", strings.Repeat("\xff\xfe", n), "unexpected byte 0xff"},
		{"quotes", strings.Repeat(`"`, n), "want"},
		{"semicolons", "SECTIONS { " + strings.Repeat(";", n), "a semicolon"},
		{"commas", strings.Repeat(",", n), "want a command"},
		{"comments", strings.Repeat("/* ", n), "no end"},
	} {
		began := time.Now()
		_, err := Parse("t.lds", []byte(tt.text), Options{Open: chain})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.200s", tt.name, fmt.Sprint(err))
		}
		if list, _ := errors.AsType[Errors](err); len(list) > MaxErrors {
			t.Errorf("%s: %d errors", tt.name, len(list))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: %v", tt.name, took)
		}
	}
}

// TestTree looks at what is hard to see by formatting: positions, and what
// becomes of words that say the same.
func TestTree(t *testing.T) {
	const text = "PROVIDE_HIDDEN(x = 10K);\nSECTIONS {\n  .a 0x10 (READONLY (TYPE = 7)) : AT(1) ALIGN(2) SUBALIGN(3) ONLY_IF_RO { KEEP(lib*.a:m.o(EXCLUDE_FILE(:q.o r:) .b)) [ .c ] SORT(CONSTRUCTORS) }\n} INSERT BEFORE .z"
	s, err := Parse("t.lds", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Stmt{
		&Assign{Name: "x", Op: "=", X: &Number{Value: 10240, Text: "10K"}, Provide: true, Hidden: true},
		&Sections{Body: []Stmt{&OutSection{
			Name: ".a", Addr: &Number{Value: 16, Text: "0x10"}, Type: "READONLY", TypeValue: &Number{Value: 7, Text: "7"}, Constraint: "ONLY_IF_RO",
			AtAddr: &Number{Value: 1, Text: "1"}, Align: &Number{Value: 2, Text: "2"}, Subalign: &Number{Value: 3, Text: "3"},
			Body: []Stmt{
				&InputSpec{Keep: true, File: FilePattern{Archive: "lib*.a", Member: "m.o"}, Patterns: []SectionPattern{{
					Name: ".b", Exclude: []FilePattern{{Member: "q.o", Colon: true}, {Archive: "r"}},
				}}},
				&InputSpec{File: FilePattern{Member: "*"}, Patterns: []SectionPattern{{Name: ".c"}}},
				&Constructors{Sorted: true},
			},
		}}},
		&Insert{Before: true, Anchor: ".z"},
	}
	if diff := cmp.Diff(want, s.Body, anyPlace); diff != "" {
		t.Error(diff)
	}
	out := s.Body[1].(*Sections).Body[0].(*OutSection)
	for _, p := range []struct {
		at   Pos
		want string
	}{{out.At(), "t.lds:3:3"}, {out.Addr.At(), "t.lds:3:6"}, {out.Body[0].(*InputSpec).Patterns[0].Exclude[1].Pos, "t.lds:3:109"}, {out.End, "t.lds:3:144"}, {s.Body[2].At(), "t.lds:4:3"}} {
		if got := p.at.String(); got != p.want {
			t.Errorf("%s, want %s", got, p.want)
		}
	}
}

func TestDialect(t *testing.T) {
	for _, text := range []string{"x=1;", "SECTIONS { .a : { *(.a) }; }", "SECTIONS { .a : { *(.a,.b) x=.; } }", "MEMORY { a : ORIGIN=0, LENGTH=4 }", "OUTPUT_FORMAT(a, b, c)", "REGION_ALIAS(a, b)"} {
		s, err := Parse("t.lds", []byte(text), Options{LLD: true})
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := FormatSafe(s, Options{}); err != nil {
			t.Errorf("%s: what Format makes is not GNU ld's: %v", text, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	patterns, _ := manyPatterns()
	var text strings.Builder
	text.WriteString("SECTIONS {\n")
	for i, p := range patterns {
		fmt.Fprintf(&text, "\t.out%d : ALIGN(16) { __start%d = .; KEEP(*(%s)) __end%d = . + 0x10 * 2; }\n", i, i, p, i)
	}
	text.WriteString("}\n")
	src := []byte(text.String())
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Parse("t.lds", src, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCheckLarge: a large script full of faults is checked and shown in time
// that grows with its size.
func TestCheckLarge(t *testing.T) {
	var text strings.Builder
	text.WriteString("MEMORY {\n")
	for i := range 2000 {
		fmt.Fprintf(&text, "r%d : ORIGIN = 0, LENGTH = 4\n", i)
	}
	text.WriteString("}\nSECTIONS {\n")
	for i := range 20_000 {
		fmt.Fprintf(&text, "x = a/b; .s%d : { *(.a%d .b*c%d) } >q\n", i, i, i)
	}
	text.WriteString("}\n")
	began := time.Now()
	s, err := Parse("t.lds", []byte(text.String()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := Check(s)
	for _, f := range found {
		_ = f.Pos.Excerpt()
	}
	if len(found) < 40_000 {
		t.Errorf("%d findings", len(found))
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Error(took)
	}
}
