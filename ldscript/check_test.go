package ldscript

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/internal/samples"
)

func checked(t *testing.T, text string) []Finding {
	t.Helper()
	s, err := Parse("t.lds", []byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := string(Format(s))
	found := Check(s)
	if after := string(Format(s)); after != before {
		t.Errorf("Check changes the script: %s", cmp.Diff(before, after))
	}
	return found
}

func TestCheck(t *testing.T) {
	tests := []struct {
		text string
		want []string // "line:col rule level"
	}{
		{"SECTIONS { .text : { *(.text) } }", nil},
		{"SECTIONS { .text : { *(.text) } >ram }", []string{"1:12 undeclared-region warning"}},
		{"MEMORY { rom : ORIGIN = 0, LENGTH = 1K }\nSECTIONS { .text : { *(.text) } >ram }", []string{"1:10 unused-region note", "2:12 undeclared-region error"}},
		{"MEMORY { a : ORIGIN = 0, LENGTH = 1K\n a : ORIGIN = 0x1000, LENGTH = 0\n b : ORIGIN = 1023, LENGTH = LENGTH(a) + LENGTH(q) }\nSECTIONS { .text : { *(.text) } >a AT>b }",
			[]string{"2:2 duplicate-region warning", "2:2 empty-region warning", "3:42 undeclared-region error"}},
		{"MEMORY { a : ORIGIN = 0, LENGTH = 1K\n b : ORIGIN = 1023, LENGTH = 4 }\nREGION_ALIAS(\"c\", b)\nSECTIONS { .t : { *(.t) } >a AT>c }", []string{"2:2 overlapping-regions note"}},
		{"PHDRS { text PT_LOAD; data PT_LOAD; text PT_LOAD; hdr PT_PHDR PHDRS; st PT_GNU_STACK; }\nSECTIONS { .t : { *(.t) } :text :foo :NONE }",
			[]string{"1:23 unused-phdr warning", "1:37 duplicate-phdr warning", "2:12 undeclared-phdr error"}},
		{"PHDRS { DEFAULT; x 1; }\nSECTIONS { .t : { *(.t) } :x :foo }", nil},
		{"MEMORY { a : o = 0, l = 4 }\nSECTIONS { .t : AT(4) { *(.t) } >a AT>a }", []string{"2:12 two-lmas error"}},
		{"SECTIONS { .t : { *(.t) } .t : { *(.u) } /DISCARD/ : { *(.a) } /DISCARD/ : { *(.b) } }", []string{"1:27 repeated-section note"}},
		{"SECTIONS { .t : ONLY_IF_RO { *(.t) } .t : ONLY_IF_RW { *(.t) } }", nil},
		{"SECTIONS { .t : { *(.t*) *(.text) a.o(.tx) *(.t?x* .u COMMON) } .u : { *(.u .u.*) KEEP(*(.u.x)) *(*) *(.z) } }",
			[]string{"1:28 hidden-pattern warning", "1:39 hidden-pattern warning", "1:46 hidden-pattern warning", "1:74 hidden-pattern warning", "1:90 hidden-pattern warning", "1:104 hidden-pattern warning"}},
		{"SECTIONS { .t : { *(EXCLUDE_FILE(a.o) .t) *(.t) x*(.u) *(.u) *.o(.v) *(.v) } }", nil},
		{"SECTIONS { . = 0x1000; .t : { *(.t) } . = 0x100; . += 0x100; . = 0x1ff; . = ALIGN(4); . = 1; }", []string{"1:39 backwards note", "1:62 backwards note", "1:87 backwards note"}},
		{"SECTIONS { . = 0x1000; .t : { *(.t) } . = foo; . = 0x100; }", nil},
		{"SECTIONS { .t : { *(.t) . = 8; . = 4; } }", []string{"1:25 dialect-dot note", "1:32 backwards error", "1:32 dialect-dot note"}},
		{"a = 1; b = a/2; c = \"a/2\" + a / 2; SECTIONS { .t a-b : { *(.t) } }", []string{"1:12 joined-name warning", "1:50 joined-name warning"}},
		{"SECTIONS { .t : { x=1; \"y=1\"; *(.t) } }", []string{"1:19 joined-name warning"}},
		{"a = add + 0add0h + $1;", []string{"1:5 word-is-number warning"}},
		{"SECTIONS { .t : { *(.a,.b) *(\".c,d\") a*,b*(.e/* x */) } }", []string{"1:21 comma-in-name warning", "1:38 comma-in-name warning", "1:44 comment-in-name warning"}},
		{"ASSERT(0, \"no\") ASSERT(1 + 1 == 2, \"yes\") ASSERT(x, \"perhaps\") y = ASSERT(2 < 1, \"no\");", []string{"1:1 constant-assert error", "1:17 constant-assert note", "1:68 constant-assert error"}},
		{"a = CONSTANT(MAXPAGESIZE) + CONSTANT(PAGESIZE);", []string{"1:29 unknown-constant error"}},
		{"SECTIONS { .t : { *(.t) } a = SIZEOF(.t) + ADDR(.u); }", []string{"1:44 unknown-section note"}},
		{"SECTIONS { .t : { *(.t) a = 4; b = . + 4; . = ALIGN(4); } .e : { c = .; } .f : { . = .; d = .; } }", []string{"1:25 dialect-number note", "1:59 dialect-symbols-only note"}},
		{"MEMORY { a : o = 0, l = 4 b : o = 4, l = 4 }\nSECTIONS { .t : { *(.t) } >a AT>b .u : { *(.u) } >a .v : { *(.v) } >a .w 0 : { *(.w) } >a .x : { *(.x) } >a }",
			[]string{"2:35 dialect-lma note", "2:53 dialect-lma note"}},
		{"SECTIONS { .t : ALIGN_WITH_INPUT { *(.t) } }", []string{"1:12 dialect-syntax note"}},
		{"SECTIONS { OVERLAY : { .a { *(.a) } .b { *(.a) } } :x }", []string{"1:12 undeclared-phdr error", "1:44 hidden-pattern warning"}},
	}
	seen := make(map[string]bool)
	for _, tt := range tests {
		var got []string
		for _, f := range checked(t, tt.text) {
			seen[f.Rule] = true
			got = append(got, strings.TrimPrefix(f.Pos.String(), "t.lds:")+" "+f.Rule+" "+f.Level.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s\n%s", tt.text, diff)
		}
	}
	for _, r := range Checks {
		if !seen[r.Name] {
			t.Errorf("no test finds %s", r.Name)
		}
		delete(seen, r.Name)
	}
	if len(seen) > 0 {
		t.Errorf("not among Rules: %v", seen)
	}
}

// TestCheckInstalled: little is wrong with the scripts of binutils.
func TestCheckInstalled(t *testing.T) {
	samples.Need(t, "ld.bfd")
	mine := []string{"x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf", "riscv64-linux-gnu", "i386-linux-gnu"}
	seen := make(map[string]bool)
	for _, file := range installed(t) {
		if !strings.Contains(filepath.Base(file), "elf") || !slices.ContainsFunc(mine, func(dir string) bool { return strings.Contains(file, dir) }) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(text)] {
			continue
		}
		seen[string(text)] = true
		s, err := Parse(file, text, Options{})
		if err != nil {
			continue // TestFormatInstalled reports it
		}
		for _, f := range Check(s) {
			// They take old constructors into .init_array, and have the old section behind.
			if f.Level > Note && !strings.Contains(f.Msg, "tors.*") {
				t.Error(f)
			}
		}
	}
}
