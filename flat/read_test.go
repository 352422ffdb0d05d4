package flat_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/flat"
	"elfwright/internal/samples"
)

func read(text string, opt flat.ReadOptions) (*flat.Contents, error) {
	return flat.Read("in", elffile.Buffer(text), opt)
}

// show writes contents as "0x10:6162 0x20:63".
func show(t testing.TB, c *flat.Contents) string {
	t.Helper()
	var s []string
	for _, r := range c.Runs {
		b, err := elffile.Bytes(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, fmt.Sprintf("0x%x:%x", r.Addr, b))
	}
	if c.Entry != nil {
		s = append(s, fmt.Sprintf("entry 0x%x", *c.Entry))
	}
	return strings.Join(s, " ")
}

// TestReads are files by other writers: other lengths, orders and line ends.
func TestReads(t *testing.T) {
	for _, tc := range []struct {
		format     flat.Format
		width      int
		text, want string
	}{
		{flat.IHex, 0, ":0300300002337A1E\n:00000001FF\n", "0x30:02337a"},
		{flat.IHex, 0, ":0300300002337a1e\r\n\r\n:00000001ff", "0x30:02337a"},
		{flat.IHex, 0, ":01000100AA54\n:01000000BB44\n:00000001FF\n", "0x0:bbaa"},
		{flat.IHex, 0, ":020000021000EC\n:01000000AA55\n:02000004FFFFFC\n:01FFFF00BB46\n:00000001FF\n", "0x10000:aa 0xffffffff:bb"},
		{flat.IHex, 0, ":02000004000AF0\n:02FFFF00AABB9B\n:00000001FF\n", "0xaffff:aabb"},
		{flat.IHex, 0, ":01000000AA55\n:01000000AA55\n:0400000312340010A3\n:00000001FF\n", "0x0:aa entry 0x12350"},
		{flat.IHex, 0, ":01000000AA55\n:0400000512345678E3\n:00000001FF\n", "0x0:aa entry 0x12345678"},
		{flat.SRec, 0, "S0030000FC\nS1041000AA41\nS5030001FB\nS9030000FC\n", "0x1000:aa"},
		{flat.SRec, 0, "S205100000AA40\nS206800000BBCCF2\nS804800000 \nS8048000007B\n", ""},
		{flat.SRec, 0, "S205100000AA40\nS8048000007B\n", "0x100000:aa entry 0x800000"},
		{flat.SRec, 0, "S306FFFFFFFFAA53\nS70500000010EA\n", "0xffffffff:aa entry 0x10"},
		{flat.VMem, 0, "// words\n@10 61 6_2 /* more */63\n@13 64", "0x10:61626364"},
		{flat.VMem, 4, "@4\r\n04030201 0807\r\n@8 0C0B0A09", "0x10:010203040708 0x20:090a0b0c"},
		{flat.VMem, 2, "0100 0302 @0004 05", "0x0:00010203 0x8:05"},
	} {
		c, err := read(tc.text, flat.ReadOptions{Format: tc.format, Width: tc.width})
		if tc.want == "" {
			if err == nil {
				t.Errorf("%q: taken", tc.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tc.text, err)
			continue
		}
		if got := show(t, c); got != tc.want {
			t.Errorf("%q: %s, want %s", tc.text, got, tc.want)
		}
	}
}

// TestReadErrors: each fault has its line and column, and both numbers.
func TestReadErrors(t *testing.T) {
	end := ":00000001FF\n"
	for _, tc := range []struct {
		format     flat.Format
		text, want string
	}{
		{flat.IHex, ":0300300002337A1F\n" + end, "in:1:16: the checksum is 0x1f; for these bytes it is 0x1e"},
		{flat.IHex, ":0300300002337A1E\n", "in:2:1: the file ends without an end record (type 01)"},
		{flat.IHex, "\n:0300300002337A1E\nhello\n" + end, `in:3:1: "hello": a record begins with ':'`},
		{flat.IHex, ":03003000023g7A1E\n" + end, `in:1:13: "g" is no hexadecimal digit`},
		{flat.IHex, ":03003000\x1002337A1\n" + end, `in:1:10: "\x10" is no hexadecimal digit`},
		{flat.IHex, ":0300300002337A1\n" + end, "in:1:16: a byte of one digit: 15 digits"},
		{flat.IHex, ":0400300002337A1E\n" + end, "in:1:2: the record has 8 bytes; its length 0x04 asks for 9"},
		{flat.IHex, ":\n" + end, "in:1:2: the record has 0 bytes; its length 0x00 asks for 5"},
		{flat.IHex, ":00000006FA\n" + end, "in:1:8: record type 0x06 is none of 00 to 05"},
		{flat.IHex, ":0100000410EB\n" + end, "in:1:2: a record of type 0x04 has 2 bytes, not 1"},
		{flat.IHex, ":02FFFF00AABB9B\n" + end, "in:1:4: 2 bytes at 0xffff reach beyond the segment of 64 KiB"},
		{flat.IHex, ":02000004FFFFFC\n:02FFFF00AABB9B\n" + end, "in:2:4: 2 bytes at 0xffffffff reach beyond 32-bit addresses"},
		{flat.IHex, ":0400000512345678E3\n:0400000512345679E2\n" + end, "in:2:10: a second start address 0x12345679; the first one is 0x12345678"},
		{flat.IHex, ":01000000AA55\n" + end + ":01000000AA55\n", `in:3:1: ":01000000AA55" is after the record that ends the file, line 2`},
		{flat.IHex, ":01000000AA55\n:01000000AB54\n" + end, "in: line 2: the byte at 0x0 is given a second time, and differs from the one of line 1"},
		{flat.IHex, end, "in: there are no bytes in it"},
		{flat.IHex, "", "in: the file is empty"},
		{flat.IHex, strings.Repeat("0", 2000), "in:1:1025: the line is longer than any record (1024 bytes)"},
		{flat.SRec, "S1041000AA40\n", "in:1:11: the checksum is 0x40; for these bytes it is 0x41"},
		{flat.SRec, "S1041000AA41\n", "in:2:1: the file ends without an end record (S7, S8 or S9)"},
		{flat.SRec, "S4041000AA41\n", `in:1:2: record type "S4" is none of S0 to S3, S5 to S9`},
		{flat.SRec, "S1041000AA41\nS5030002FA\n", "in:2:5: S5 counts 2 data records; there are 1 before it"},
		{flat.SRec, "S104FFFFAABB\n", "in:1:11: the checksum is 0xbb; for these bytes it is 0x53"},
		{flat.SRec, "S105FFFFAABB97\n", "in:1:5: 2 bytes at 0xffff reach beyond the addresses of S1 (0x10000)"},
		{flat.SRec, "S10210ED\n", "in:1:3: the record has 3 bytes; its length 0x02 asks for 3, and S1 for 4 at least"},
		{flat.VMem, "zz", `in:1:1: "zz" is no hexadecimal number`},
		{flat.VMem, "00\n 123", `in:2:2: "123" has 3 digits; a word of 1 bytes (--width) has 2`},
		{flat.VMem, "00 /* x", "in:1:4: the comment does not end"},
		{flat.VMem, "00 / x", `in:1:4: "/" begins no comment`},
		{flat.VMem, "@", `in:1:1: "@" without an address`},
		{flat.VMem, "@10000000000000000 00", `in:1:1: address "@100000000000000"… does not fit 64 bits`},
		{flat.VMem, "@ffffffffffffffff 00   01", `in:1:24: "01" is beyond the address space`},
		{flat.VMem, "xx", `in:1:1: "xx" is no hexadecimal number`},
		{flat.VMem, strings.Repeat("0", 1000), `in:1:1: "0000000000000000"… is longer than any word`},
		{flat.UF2, "UF2\n", "in: 0x4 bytes are no multiple of a UF2 block (512)"},
	} {
		c, err := read(tc.text, flat.ReadOptions{Format: tc.format})
		if err == nil {
			t.Errorf("%.80q: %s", tc.text, show(t, c))
		} else if err.Error() != tc.want {
			t.Errorf("%.80q:\n got %v\nwant %s", tc.text, err, tc.want)
		}
	}
}

// uf2Of is a UF2 file of one page for a family.
func uf2Of(t testing.TB, family uint32) []byte {
	t.Helper()
	f := program(t, formats64[0], 0, load{0x10000000, bytes.Repeat([]byte("page"), 100)})
	out, _ := flatten(t, f, flat.Options{Format: flat.UF2, Family: family})
	return out
}

// TestUF2Blocks holds blocks to the specification, field by field.
func TestUF2Blocks(t *testing.T) {
	out := uf2Of(t, 0xe48bff56)
	if len(out) != 1024 {
		t.Fatalf("%d bytes", len(out))
	}
	for i := range 2 {
		b := out[512*i:]
		for at, want := range map[int]uint32{0: 0x0a324655, 4: 0x9e5d5157, 8: 0x2000, 12: 0x10000000 + uint32(256*i), 16: 256, 20: uint32(i), 24: 2, 28: 0xe48bff56, 508: 0x0ab16f30} {
			if got := binary.LittleEndian.Uint32(b[at:]); got != want {
				t.Errorf("block %d, at %d: 0x%x, want 0x%x", i, at, got, want)
			}
		}
	}
	if got := out[512+32+144-1 : 512+32+144+2]; string(got) != "e\x00\x00" {
		t.Errorf("behind the last byte: %q", got)
	}
	if plain := uf2Of(t, 0); binary.LittleEndian.Uint32(plain[8:]) != 0 || binary.LittleEndian.Uint32(plain[28:]) != 0 {
		t.Error("flags or a family without being asked for")
	}
}

func TestUF2Errors(t *testing.T) {
	good := uf2Of(t, 0xe48bff56)
	for _, tc := range []struct {
		at   int
		v    uint32
		want string
	}{
		{512, 1, "in: UF2 block 1, magicStart0 at 0x200: 0x1 is not 0xa324655"},
		{508, 1, "in: UF2 block 0, magicEnd at 0x1fc: 0x1 is not 0xab16f30"},
		{8, 0x3000, "in: UF2 block 0, flags at 0x8: 0x3000: the block is a part of a file, not of memory"},
		{16, 477, "in: UF2 block 0, payloadSize at 0x10: 477 is more than a block has room for (476)"},
		{12, 0xffffff01, "in: UF2 block 0, targetAddr at 0xc: 0xffffff01 + payloadSize 256 is beyond 32 bits"},
		{20, 2, "in: UF2 block 0, blockNo at 0x14: 2 is not below numBlocks (2)"},
		{512 + 20, 0, "in: UF2 block 1, blockNo at 0x214: 0 is there a second time"},
		{24, 3, "in: UF2 block 0, numBlocks at 0x18: 3 is more than the file has (2)"},
		{24, 1, "in: UF2 block 1, numBlocks at 0x218: 2, and 1 in the block before"},
		{28, 5, "in: its blocks are of 2 families; name one with --family"},
		{512 + 12, 0x10000000, "in: UF2 block 1: the byte at 0x10000090 is given a second time, and differs from the one of UF2 block 0"},
	} {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[tc.at:], tc.v)
		if _, err := read(string(b), flat.ReadOptions{Format: flat.UF2}); err == nil || err.Error() != tc.want {
			t.Errorf("at %d:\n got %v\nwant %s", tc.at, err, tc.want)
		}
	}
	if _, err := read(string(good[:512]), flat.ReadOptions{Format: flat.UF2}); err == nil || !strings.Contains(err.Error(), "numBlocks") {
		t.Errorf("%v", err)
	}
	both := string(good) + string(uf2Of(t, 0x55114460))
	c, err := read(both, flat.ReadOptions{Format: flat.UF2, Family: 0x55114460})
	if err != nil || c.Family != 0x55114460 || len(c.Warnings) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := read(both, flat.ReadOptions{Format: flat.UF2, Family: 7}); err == nil || !strings.Contains(err.Error(), "no block of family 0x7") {
		t.Errorf("%v", err)
	}
}

// TestTarget: what a flat file does not say has to be said.
func TestTarget(t *testing.T) {
	c, err := read(":0300300002337A1E\n:00000001FF\n", flat.ReadOptions{Format: flat.IHex})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ machine, class, order, want string }{
		{"", "", "", "the machine (--machine), the class (--class), the byte order (--byte-order)"},
		{"", "32", "big", "the machine (--machine)"},
		{"0x2a", "", "", "the class (--class), the byte order (--byte-order)"},
		{"0x2a", "32", "little", ""}, {"arm", "", "", ""}, {"AArch64", "", "big", ""}, {"x86-64", "32", "", ""},
	} {
		target, err := flat.ParseTarget(tc.machine, tc.class, tc.order)
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := c.ELF(target, nil)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%+v: %+v, %v", tc, r, err)
		}
	}
	if _, err := flat.ParseTarget("vax", "", ""); err == nil {
		t.Error("vax is taken")
	}
	// A family of boards tells.
	c, err = read(string(uf2Of(t, 0xe48bff56)), flat.ReadOptions{Format: flat.UF2})
	if err != nil {
		t.Fatal(err)
	}
	if _, r, err := c.ELF(flat.Target{}, nil); err != nil || r.Machine != elffile.MachineName(elf.EM_ARM) || r.Class != 32 {
		t.Errorf("%+v, %v", r, err)
	}
	high, err := flat.Read("in", elffile.Buffer("x"), flat.ReadOptions{Format: flat.Bin, Base: 0xffffffff80000000})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := high.ELF(flat.Target{Machine: elf.EM_ARM, Format: formats64[0]}, nil); err == nil || !strings.Contains(err.Error(), "[0xffffffff80000000, 0xffffffff80000001)") {
		t.Errorf("%v", err)
	}
}

// TestManyRuns: each needs a program header, and there is an end to these.
func TestManyRuns(t *testing.T) {
	var b strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&b, "@%x 00\n", 2*i)
	}
	_, err := read(b.String(), flat.ReadOptions{Format: flat.VMem})
	if no, ok := errors.AsType[*flat.Refusal](err); !ok || !strings.Contains(no.Msg, "8192") {
		t.Errorf("%v", err)
	}
}

// TestObjcopyReads: GNU objcopy understands what we read and wrote again, by its
// sections alone.
func TestObjcopyReads(t *testing.T) {
	samples.Need(t, "objcopy")
	f := open(t, firmware(t, "", layouts[2].script))
	dir := t.TempDir()
	for _, format := range []flat.Format{flat.IHex, flat.SRec} {
		out, _ := flatten(t, f, flat.Options{Format: format})
		c, err := read(string(out), flat.ReadOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := c.ELF(flat.Target{Machine: elf.EM_X86_64, Format: formats64[2]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, first := filepath.Join(dir, "again"), filepath.Join(dir, "first")
		if err := body.WriteFile(again, 0o700); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(first, out, 0o600)
		for _, words := range [][]string{{"-O", "binary", again, "a.bin"}, {"-I", targetOf[format], "-O", "binary", first, "b.bin"}} {
			cmd := exec.Command("objcopy", words...)
			cmd.Dir = dir
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", words, msg)
			}
		}
		a, _ := os.ReadFile(filepath.Join(dir, "a.bin"))
		b, _ := os.ReadFile(filepath.Join(dir, "b.bin"))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s: %s", format, difference(a, b))
		}
	}
}
