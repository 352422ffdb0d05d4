package show

import (
	"fmt"
	"strings"
	"testing"
)

func newText() *text { return &text{buffer: newBuffer(nil)} }

func TestTextNumbers(t *testing.T) {
	for _, c := range []struct {
		print func(*text)
		want  string
	}{
		{func(t *text) { t.dec(0, 0) }, "0"},
		{func(t *text) { t.dec(1<<64-1, 3) }, "18446744073709551615"},
		{func(t *text) { t.dec(42, 6) }, "    42"},
		{func(t *text) { t.hex(0, 1) }, "0"},
		{func(t *text) { t.hex(0, 16) }, "0000000000000000"},
		{func(t *text) { t.hex(0xabc, 2) }, "abc"},
		{func(t *text) { t.hex(1<<64-1, 8) }, "ffffffffffffffff"},
		{func(t *text) { t.zx(0x1f) }, "0x1f"},
		{func(t *text) { t.shex(-8) }, "-0x8"},
		{func(t *text) { t.shex(-1 << 63) }, "-0x8000000000000000"},
		{func(t *text) { t.left("ab", 4); t.str("|") }, "ab  |"},
		{func(t *text) { t.right("ab", 4) }, "  ab"},
		{func(t *text) { t.left("abcdef", 4); t.str("|") }, "abcdef|"},
		{func(t *text) { t.space(130) }, strings.Repeat(" ", 130)},
		{func(t *text) { t.count(1, "one", "many"); t.str(" "); t.count(2, "one", "many") }, "1 one 2 many"},
		{func(t *text) { t.str("x"); t.nl(); t.str("é"); t.column(4); t.str("|") }, "x\né   |"},
		{func(t *text) { t.str("long"); t.column(2); t.str("|") }, "long |"},
	} {
		tx := newText()
		c.print(tx)
		if got := string(tx.b); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// No name from a file moves the cursor, ends the line or changes the terminal.
func TestNames(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"_ZN4llvm5ValueD1Ev", "_ZN4llvm5ValueD1Ev"},
		{"", ""},
		{"tab\tnl\nesc\x1b[31m", `tab\x09nl\x0aesc\x1b[31m`},
		{"\x7f\x00", `\x7f\x00`},
		{"größe 日本", "größe 日本"},
		{"\xff\xc3", `\xff\xc3`},
		{"rtl\u202eoverride", `rtl\u202eoverride`},
		{"nbsp\u00a0", `nbsp\u00a0`},
		{"c1\u0085", `c1\u0085`},
		{"\U000e0001", `\U000e0001`},
	} {
		if got := string(appendName(nil, c.name)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}

// Output is the same wherever the buffer was flushed.
func TestBuffer(t *testing.T) {
	var w strings.Builder
	tx := &text{buffer: newBuffer(&w)}
	var want strings.Builder
	for i := range 20000 {
		line := fmt.Sprintf("%d", i*i)
		tx.str(line)
		tx.column(12)
		tx.str("|")
		tx.nl()
		tx.done()
		fmt.Fprintf(&want, "%-12s|\n", line)
	}
	tx.flush()
	if w.String() != want.String() {
		t.Error("lines differ")
	}
	tx.str("half a row")
	tx.drop()
	tx.flush()
	if w.String() != want.String() {
		t.Error("a dropped row was printed")
	}
}

func TestFlagList(t *testing.T) {
	if got := strings.Join(flagList(0x8000001|1<<40, df1Names), " "); got != "NOW PIE 0x10000000000" {
		t.Error(got)
	}
	if got := versionFlags(0xb); got != "BASE | WEAK | <unknown: 0x8>" {
		t.Error(got)
	}
}
