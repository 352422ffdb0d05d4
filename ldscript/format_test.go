package ldscript

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"elfwright/internal/samples"
)

// anyPlace makes cmp take trees for equal that differ in positions.
var anyPlace = cmp.Comparer(func(a, b Pos) bool { return true })

// roundTrip checks what Format promises of a script.
func roundTrip(t testing.TB, name string, text []byte, opt Options) {
	t.Helper()
	first, err := Parse(name, text, opt)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	once := Format(first)
	second, err := Parse(name+" formatted", once, opt)
	if err != nil {
		t.Errorf("%s: formatted: %v\n%s", name, err, once)
		return
	}
	if !Same(first, second) {
		t.Errorf("%s: formatting changes the meaning:\n%s\n%s", name, cmp.Diff(first.Body, second.Body, anyPlace), once)
	}
	twice := Format(second)
	if string(once) != string(twice) {
		t.Errorf("%s: formatting again changes it:\n%s", name, cmp.Diff(string(once), string(twice)))
	}
	bare := &Script{Source: first.Source, Body: first.Body} // as of a program, without what only the parser knows
	if _, err := FormatSafe(bare, opt); err != nil {
		t.Error(err)
	}
	if a, b := len(first.layout.comments), len(second.layout.comments); a != b {
		t.Errorf("%s: %d comments before, %d after:\n%s", name, a, b, once)
	}
}

func TestFormatSnippets(t *testing.T) {
	for _, s := range snippets(t) {
		if s.where == 'V' || s.parse() != nil {
			continue
		}
		roundTrip(t, s.text, []byte(s.script()), Options{Open: openFile})
	}
}

func TestFormatInstalled(t *testing.T) {
	samples.Need(t, "ld.bfd")
	seen := make(map[string]bool)
	for _, file := range installed(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(text)] {
			continue
		}
		seen[string(text)] = true
		roundTrip(t, file, text, Options{})
	}
	if len(seen) < 10 {
		t.Errorf("%d scripts", len(seen))
	}
}

// TestFormatVersions: a version script survives within VERSION.
func TestFormatVersions(t *testing.T) {
	for _, s := range snippets(t) {
		if s.where == 'V' && s.parse() == nil {
			roundTrip(t, s.text, []byte("VERSION { "+s.text+"\n}"), Options{})
		}
	}
}

func TestFormat(t *testing.T) {
	const in = `/* Top. */
ENTRY(_start)   ENTRY("a b") /* behind */


MEMORY { ram(rwx!i) : ORIGIN = 0x1000, LENGTH = 64K /* main */
  "rom x" : o = 0, l = (1 << 10)*2 }
PHDRS{text PT_LOAD FILEHDR FLAGS(4|1);}
SECTIONS
{
  . = 0x1000 + SIZEOF_HEADERS; # hash
  .text ALIGN(4) : ALIGN(8) { *(.text .text.*) } >ram AT>"rom x" :text =0x90
  /* own line
     second */
  .data : { /* at the brace */
    *(SORT(.data.*)) KEEP(*(EXCLUDE_FILE(a.o) .x))   x = a /* inside */ +b;

    BYTE(1)
    /* last */
  } /* end */
  .long : {
    *(.aaaaaaaaaaaaaaaaaaaaaa .bbbbbbbbbbbbbbbbbbbbbbbbbbbb .cccccccccccccccccccccccccc .ddddddddddddddddddddd)
  }
}
/* Bottom. */`
	const want = `/* Top. */
ENTRY(_start)
ENTRY("a b") /* behind */

MEMORY {
	ram (rwx!i) : ORIGIN = 0x1000, LENGTH = 64K /* main */
	"rom x" : ORIGIN = 0, LENGTH = (1 << 10) * 2
}
PHDRS {
	text PT_LOAD FILEHDR FLAGS(4 | 1);
}
SECTIONS {
	. = 0x1000 + SIZEOF_HEADERS; # hash
	.text ALIGN(4) : ALIGN(8) { *(.text .text.*) } >ram AT>"rom x" :text =0x90
	/* own line
     second */
	.data : { /* at the brace */
		*(SORT_BY_NAME(.data.*))
		KEEP(*(EXCLUDE_FILE(a.o) .x))
		/* inside */
		x = a + b;

		BYTE(1)
		/* last */
	} /* end */
	.long : {
		*(.aaaaaaaaaaaaaaaaaaaaaa .bbbbbbbbbbbbbbbbbbbbbbbbbbbb .cccccccccccccccccccccccccc
			.ddddddddddddddddddddd)
	}
}
/* Bottom. */
`
	s, err := Parse("t.lds", []byte(in), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(Format(s))); diff != "" {
		t.Error(diff)
	}
	roundTrip(t, "t.lds", []byte(strings.ReplaceAll(in, "\n", "\r\n")), Options{})
}
