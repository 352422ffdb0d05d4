package launch

import (
	"encoding/binary"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestWords holds the places in the .S files against those that Encode fills.
func TestWords(t *testing.T) {
	want := map[string]int{"AUXV": auxv, "START": start, "ENTRY": entry, "VARS": vars, "COMM": comm, "DATA": data, "CALLS": calls,
		"EXE": exe, "SELF": self, "FILES": files, "ROOT": root, "DIRS": dirs, "STOP": stop, "LINKS": links, "MAIN": main}
	kinds := map[string]Does{"OPEN": Open, "READLINK": Readlink, "ACCESS": Access, "MAP": Map}
	set := regexp.MustCompile(`(?m)^\t\.set\t(\w+), (\d+)`)
	for _, c := range codes {
		text, err := os.ReadFile(c.name + ".S")
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]int)
		for _, m := range set.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]], _ = strconv.Atoi(m[2])
		}
		for name, i := range want {
			if at, ok := seen[name]; !ok || at != 8*i {
				t.Errorf("%s.S: %s is %d, here %d", c.name, name, at, 8*i)
			}
			if at, ok := seen["N"+name]; ok && at != 8*i+8 {
				t.Errorf("%s.S: N%s is %d, here %d", c.name, name, at, 8*i+8)
			}
		}
		for name, k := range kinds {
			if seen[name] != int(k) {
				t.Errorf("%s.S: %s is %d, here %d", c.name, name, seen[name], k)
			}
		}
	}
}

// TestEncode: places are from the plan's beginning, texts end with a NUL.
func TestEncode(t *testing.T) {
	p := &Plan{Start: 0x5000, Entry: 0x100, Data: 0x9000, Vars: []string{"A=1", "B=2", "C=3"}, Comm: "name", Root: "/r",
		Auxv: []Aux{{Type: 3, Value: 0x40, Place: true}, {Type: 5, Value: 13}, {Type: 31, Text: "./x"}}}
	const at = 0x7000
	for _, c := range codes {
		out, err := c.code.Encode(p, at)
		if err != nil {
			t.Fatal(err)
		}
		plan := out[len(c.code.Bytes):]
		base := uint64(at + len(c.code.Bytes))
		word := func(off uint64) uint64 { return binary.LittleEndian.Uint64(plan[off:]) }
		text := func(off uint64) string { s, _, _ := strings.Cut(string(plan[off:]), "\x00"); return s }
		if word(8*start)+base != 0x5000 || word(8*entry)+base != 0x100 || word(8*data)+base != 0x9000 {
			t.Errorf("%s: places 0x%x 0x%x 0x%x", c.name, word(8*start)+base, word(8*entry)+base, word(8*data)+base)
		}
		rows := word(8 * auxv)
		if word(8*auxv+8) != 3 || word(rows) != 3 || word(rows+8)+base != 0x40 || word(rows+16) != 1 || word(rows+32) != 13 || word(rows+40) != 0 || text(word(rows+56)) != "./x" {
			t.Errorf("%s: auxiliary vector % x", c.name, plan[rows:rows+72])
		}
		if n := word(8*vars + 8); n != 4 || text(word(word(8*vars)+16)) != "C=3" {
			t.Errorf("%s: %d variables", c.name, n)
		}
		if text(word(8*comm)) != "name" || text(word(8*root)) != "/r" || word(8*root+8) != 2 || word(8*exe+8) != 0 {
			t.Errorf("%s: texts", c.name)
		}
	}
	if p.DataSize() != 24+4*8 {
		t.Errorf("%d bytes of data", p.DataSize())
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		p   Plan
		why string
	}{
		{Plan{Vars: []string{"no equals"}}, `variable "no equals" is not NAME=VALUE`},
		{Plan{Vars: []string{"=x"}}, `variable "=x" is not NAME=VALUE`},
		{Plan{Exe: "a\x00b"}, `"a\x00b" has a NUL in it`},
		{Plan{Root: "a"}, `root "a" is not an absolute path`},
		{Plan{Root: "/a/"}, `root "/a/" is not an absolute path`},
	} {
		if _, err := amd64.Encode(&c.p, 0); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v, want %s", err, c.why)
		}
	}
}
