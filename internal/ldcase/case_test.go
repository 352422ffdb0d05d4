package ldcase

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

const tiny = `== source a
	.text
	.globl _start
_start:	.long 1, 2
	.data
	.globl d
d:	.dc.a _start

== defaults
objects: a.o

== case group/name
machines: all
want: symbol(s)=.text:0x10008
--
SECTIONS { . = 0x10000; .text : { *(.text) } s = .; .data : { *(.data) } }

== case group/varied
vary: X = 1 | 2
-- v.lds
v = @X@; format = "@format@";
`

func TestParse(t *testing.T) {
	cases, err := Parse("tiny.case", tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 3 {
		t.Fatalf("%d cases, want 3", len(cases))
	}
	c, v := cases[0], cases[2]
	if got := strings.Join(c.command(), " "); got != "-T t.lds a.o" || len(c.Machines) != len(machines) || c.Group() != "group" {
		t.Errorf("%s: command %q, machines %q", c.Name, got, c.Machines)
	}
	if v.Name != "group/varied[2]" || v.Files[0] != (File{"v.lds", "v = 2; format = \"@format@\";\n\n"}) || v.Line != 18 {
		t.Errorf("the variation is %+v", v)
	}
}

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"== nonsense x\n":                               "no kind of item",
		"== case a/b\nnokey: 1\n":                       `"nokey" is no key`,
		"== case a/b\nnothing\n":                        "no \"key: value\"",
		"== case a/b\nobjects: b.o\n":                   "there is no source b",
		"== case a/b\nmachines: vax\n":                  `machine "vax" is unknown`,
		"== case a/b\nwant: entry\n":                    "no FACT=VALUE",
		"== case a/b\nvary: X\n":                        "vary: want",
		"== case a/b\nerror: (\n":                       "missing closing",
		"== case a/b\ndialect: rule\n":                  "a rule and facts",
		"== case a/b\narchive: lib.a\n":                 "a name and its members",
		"== case a/b\nvary: X = 1\nvary: Y = 2\n-- x\n": "vary: want",
	} {
		if _, err := Parse("t.case", text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// TestCompareFinds: another layout, symbol, type of segment, byte, error or
// message is a difference; a wrong want is a fault.
func TestCompareFinds(t *testing.T) {
	m := MachineByName("x86-64")
	samples.Need(t, m.As[0], m.Ld)
	cases, err := Parse("tiny.case", tiny, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := cases[0]
	b, err := (&Lab{Dir: t.TempDir()}).Bench(c, m)
	if err != nil {
		t.Fatal(err)
	}
	link := func(more ...string) *Result {
		r, err := b.Link(m.GNU(), more...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	gnu := link()
	if got := c.Check(gnu); got != nil {
		t.Fatalf("Check: %q", got)
	}
	if got := c.Compare(gnu, link()); got != nil {
		t.Errorf("the same twice differs: %q", got)
	}
	for option, want := range map[string]string{
		"--defsym=extra=1": "extra: symbol extra abs:0x1",
		"-Tdata=0x20000":   "section .data PROGBITS WA addr=0x20000",
		"-e0x1234":         "entry=0x1234",
		"-n":               "want: segment 0 LOAD",
		"-s":               "missing: symbol d",
		"--emit-relocs":    "extra: reloc .rela.data",
		"-zexecstack":      "GNU_STACK",
		"--no-such-option": "refused",
	} {
		diff := c.Compare(gnu, link(option))
		if !strings.Contains(strings.Join(diff, "\n"), want) {
			t.Errorf("%s: the difference is %q, want %q", option, diff, want)
		}
	}
	c.Differs = []string{"symbol extra", "symbol gone"}
	diff := c.unknown(c.Compare(gnu, link("--defsym=extra=1")))
	if len(diff) != 1 || !strings.Contains(diff[0], `"symbol gone" is gone`) {
		t.Errorf("known differences: %q", diff)
	}
	c.Want = []string{"symbol(s)=abs:0x1", "loads=7"}
	if got := c.Check(gnu); len(got) != 2 {
		t.Errorf("wrong wants: %q", got)
	}
	c.Error = regexp.MustCompile("x")
	if got := c.Check(gnu); len(got) != 1 || !strings.Contains(got[0], "want an error") {
		t.Errorf("an error that is none: %q", got)
	}
}

// TestDiffOrder: sections in another order differ, if all else is the same.
func TestDiffOrder(t *testing.T) {
	a := &Summary{Sections: []Section{{Name: ".a", alloc: true}, {Name: ".b", alloc: true}}}
	b := &Summary{Sections: slices.Clone(a.Sections)}
	slices.Reverse(b.Sections)
	if got := Diff(a, b, nil); len(got) != 1 || !strings.Contains(got[0], "order") {
		t.Errorf("Diff = %q", got)
	}
}
