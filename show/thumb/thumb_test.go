package thumb

import (
	"fmt"
	"strings"
	"testing"
)

func ExampleDecoder() {
	var d Decoder
	code := []uint16{0xb510, 0xbf18, 0x2001, 0xf000, 0xf802, 0xbd10}
	for i := 0; i < len(code); {
		pc, second := 0x1000+uint32(2*i), uint16(0)
		if Wide(code[i]) {
			second = code[i+1]
		}
		inst := d.Decode(code[i], second, pc)
		fmt.Printf("%x: %s\n", pc, inst.Text)
		i += inst.Len / 2
	}
	// Output:
	// 1000: push {r4, lr}
	// 1002: it ne
	// 1004: movne r0, #1
	// 1006: bl 0x100e
	// 100a: pop {r4, pc}
}

// TestBlocks holds every IT instruction and the conditions of its block.
func TestBlocks(t *testing.T) {
	for w := range 256 {
		first, mask := w>>4, w&15
		if mask == 0 {
			continue
		}
		var d Decoder
		it := d.Decode(0xbf00|uint16(w), 0, 0)
		bad := first == 15 || first == 14 && mask&(mask-1) != 0
		if (it.Text == "") != bad {
			t.Errorf("bf%02x: %q", w, it.Text)
		}
		if bad {
			continue
		}
		letters, _, _ := strings.Cut(it.Text, " ")
		for n, c := range letters[1:] {
			cond := first
			if c == 'e' {
				cond ^= 1
			}
			want := "add" + conds[cond] + " r0, #1"
			if i := d.Decode(0x3001, 0, uint32(2+2*n)); i.Text != want {
				t.Errorf("%s, %d: %q, want %q", it.Text, n, i.Text, want)
			}
		}
		if i := d.Decode(0x3001, 0, uint32(2*len(letters))); i.Text != "adds r0, #1" {
			t.Errorf("behind %s: %q", it.Text, i.Text)
		}
	}
}

// TestTargets holds the addresses that instructions refer to.
func TestTargets(t *testing.T) {
	for _, c := range []struct {
		first, second uint16
		target        uint32
		branch        bool
	}{
		{0xe7fe, 0, 0x1002, true},
		{0xd0fe, 0, 0x1002, true},
		{0xb108, 0, 0x1008, true},
		{0xf7ff, 0xfffe, 0x1002, true},  // BL
		{0xf000, 0xe800, 0x1004, true},  // BLX counts from a word
		{0x4800, 0, 0x1004, false},      // LDR (literal), too
		{0xf85f, 0x0004, 0x1000, false}, // LDR.W
		{0xf8df, 0x0000, 0x1004, false},
		{0xa001, 0, 0x1008, false},      // ADR
		{0xf2af, 0x0004, 0x1000, false}, // ADR downwards
		{0xf20f, 0x0004, 0x1008, false},
		{0xe95f, 0x0101, 0x1000, false}, // LDRD
		{0xed9f, 0x0b01, 0x1008, false}, // VLDR
	} {
		var d Decoder
		i := d.Decode(c.first, c.second, 0x1002)
		if !i.Refers || i.Target != c.target || i.Branch != c.branch {
			t.Errorf("%04x %04x %q: %#x %v, want %#x", c.first, c.second, i.Text, i.Target, i.Refers, c.target)
		}
	}
}
