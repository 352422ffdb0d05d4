package thumb

import (
	"debug/elf"
	"encoding/binary"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

// line is an instruction as objdump prints it.
type line struct {
	size int
	text string
}

var symbol = regexp.MustCompile(` <[^>]*>`)

// normal drops comments and symbols: spelling is to be equal otherwise.
func normal(s string) string {
	s, _, _ = strings.Cut(symbol.ReplaceAllString(s, ""), "@")
	return strings.Join(strings.Fields(s), " ")
}

// objdump disassembles with the options.
func objdump(t *testing.T, args ...string) map[uint32]line {
	t.Helper()
	out, err := exec.Command("arm-linux-gnueabihf-objdump", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[uint32]line{}
	for _, l := range strings.Split(string(out), "\n") {
		f := strings.SplitN(l, "\t", 3)
		addr, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(f[0]), ":"), 16, 32)
		if err == nil && len(f) == 3 {
			lines[uint32(addr)] = line{len(strings.ReplaceAll(strings.TrimSpace(f[1]), " ", "")) / 2, f[2]}
		}
	}
	return lines
}

// words holds words against objdump.
func words(t *testing.T, code []byte) (decoded, all int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o666); err != nil {
		t.Fatal(err)
	}
	want := objdump(t, "-D", "-z", "-b", "binary", "-m", "arm", "-M", "force-thumb", file)
	for at := 0; at+2 <= len(code); {
		i := decodeAt(new(Decoder), code, at, uint32(at))
		w := want[uint32(at)]
		if w.size != i.Len {
			t.Fatalf("%#x: %d bytes, objdump has %d: %s", at, i.Len, w.size, w.text)
		}
		all++
		if i.Text != "" {
			decoded++
			if text := normal(w.text); i.Text != text && !spelled(i.Text, text) {
				t.Errorf("%x: %q, objdump has %q", code[at:at+i.Len], i.Text, w.text)
			}
		}
		at += i.Len
	}
	return decoded, all
}

// spelled are the differences to objdump that are meant.
func spelled(ours, theirs string) bool {
	// A load relative to the program counter has no unprivileged form: with
	// Rn = 15, bits 8 to 11 belong to the offset (DDI 0406C, A6.3.7 to A6.3.9).
	name, operands, _ := strings.Cut(ours, ".w ")
	if strings.Contains(operands, "[pc, #-") {
		return theirs == name+"t "+operands
	}
	// objdump leaves out offsets of 0 with what makes them special, "-" and "!".
	if head, tail, ok := strings.Cut(ours, ", #-0]"); ok {
		return theirs == head+"]" || theirs == head+"]"+tail
	}
	if head, _, ok := strings.Cut(ours, ", #0]!"); ok {
		return theirs == head+"]"
	}
	if head, ok := strings.CutSuffix(ours, "], #-0"); ok {
		return theirs == head+"], #0" || theirs == head+"]"
	}
	// The objdump of binutils 2.40 takes the destination of CRC32H and CRC32CH
	// from bits 9 to 11; by DDI 0487, F5.1 it is in bits 8 to 11.
	if strings.HasPrefix(ours, "crc32h ") || strings.HasPrefix(ours, "crc32ch ") {
		_, ours, _ = strings.Cut(ours, ", ")
		return strings.HasPrefix(theirs, "crc32") && strings.HasSuffix(theirs, ", "+ours)
	}
	return ours == "mov r8, r8" && theirs == "nop" // objdump has MOV in a comment
}

func decodeAt(d *Decoder, code []byte, at int, pc uint32) Inst {
	first, second := binary.LittleEndian.Uint16(code[at:]), uint16(0)
	if Wide(first) && at+4 <= len(code) {
		second = binary.LittleEndian.Uint16(code[at+2:])
	}
	return d.Decode(first, second, pc)
}

// TestEveryHalfword holds all instructions of two bytes against objdump.
func TestEveryHalfword(t *testing.T) {
	samples.Need(t, "arm-linux-gnueabihf-objdump")
	var code []byte
	for w := range uint16(0xe800) {
		if w>>8 == 0xbf && w&15 != 0 { // IT has its own test
			continue
		}
		code = binary.LittleEndian.AppendUint16(code, w)
	}
	decoded, all := words(t, code)
	if decoded*100 < all*98 {
		t.Errorf("%d of %d instructions are decoded", decoded, all)
	}
}

// TestEveryRow fills the free bits of every row with random ones.
func TestEveryRow(t *testing.T) {
	samples.Need(t, "arm-linux-gnueabihf-objdump")
	random := rand.New(rand.NewSource(1))
	var code []byte
	add := func(w uint32) {
		code = binary.LittleEndian.AppendUint16(code, uint16(w>>16))
		code = binary.LittleEndian.AppendUint16(code, uint16(w))
	}
	for _, r := range rows32 {
		for range 60 {
			add(random.Uint32()&^r.mask | r.value)
		}
	}
	for range 40000 {
		add(random.Uint32() | 0xe8000000)
	}
	if decoded, all := words(t, code); decoded < 20000 {
		t.Errorf("%d of %d words are decoded", decoded, all)
	}
}

var branchAddr = regexp.MustCompile(`^(b\S*|cbn?z) (r\d, )?([0-9a-f]+)$`)

// TestLibrary decodes a whole C library, literal pools included, which have no
// mapping symbols after strip.
func TestLibrary(t *testing.T) {
	samples.Need(t, "arm-linux-gnueabihf-objdump")
	const library = "/usr/arm-linux-gnueabihf/lib/libc.so.6"
	f, err := elf.Open(library)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err) // Debian: libc6-armhf-cross
	}
	defer f.Close()
	s := f.Section(".text")
	code, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	want := objdump(t, "-d", "-z", "-j", ".text", "-M", "force-thumb", library)
	var d Decoder
	decoded, all, its := 0, 0, 0
	for at := 0; at+4 <= len(code); {
		pc := uint32(s.Addr) + uint32(at)
		w, ok := want[pc]
		if !ok { // objdump starts anew at a symbol
			at += 2
			continue
		}
		i := decodeAt(&d, code, at, pc)
		if w.size != i.Len {
			t.Fatalf("%#x: %d bytes, objdump has %d: %s", pc, i.Len, w.size, w.text)
		}
		text := branchAddr.ReplaceAllString(normal(w.text), "$1 ${2}0x$3")
		_, operands, _ := strings.Cut(i.Text, " ")
		all, at = all+1, at+i.Len
		switch {
		case i.Text == "":
			continue
		case i.Text == text || spelled(i.Text, text):
		case strings.HasSuffix(text, " "+operands):
			its++ // a literal that looks like IT, where objdump begins a block that we refuse, or the other way round
		default:
			t.Errorf("%#x: %q, objdump has %q", pc, i.Text, w.text)
		}
		decoded++
	}
	t.Logf("%d of %d decoded, %d with another condition", decoded, all, its)
	if decoded*100 < all*99 || its*1000 > all {
		t.Errorf("%d of %d instructions are decoded, %d with another condition", decoded, all, its)
	}
}

// FuzzDecode decodes anything.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x18\xbf\x01\x20\x00\xf0\x01\xf8"), uint32(0x1000))
	f.Add([]byte("\xdf\xf8\x00\x00\xff\xff\xff\xff"), uint32(0xfffffffe))
	f.Fuzz(func(t *testing.T, code []byte, pc uint32) {
		var d Decoder
		for at := 0; at+2 <= len(code) && at < 64; {
			i := decodeAt(&d, code, at, pc+uint32(at))
			if i.Len != 2 && i.Len != 4 || Wide(binary.LittleEndian.Uint16(code[at:])) != (i.Len == 4) || strings.ContainsAny(i.Text, "\n\t") {
				t.Fatalf("%+v", i)
			}
			if i.Text == "" && (i.Refers || i.Branch) {
				t.Fatalf("not decoded, but %+v", i)
			}
			at += i.Len
		}
	})
}

// TestCode holds real code against objdump, conditions of IT blocks included.
func TestCode(t *testing.T) {
	samples.Need(t, "arm-linux-gnueabihf-gcc", "arm-linux-gnueabihf-objdump", "arm-linux-gnueabihf-objcopy")
	for _, flags := range []string{"-Os", "-O3 -funroll-loops", "-O2 -march=armv8-a -mfpu=vfpv4"} {
		dir := t.TempDir()
		file, raw := filepath.Join(dir, "code.o"), filepath.Join(dir, "raw")
		run := func(name string, args ...string) {
			t.Helper()
			if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		run("arm-linux-gnueabihf-gcc", append(strings.Fields(flags), "-mthumb", "-fno-tree-vectorize", "-nostdlib", "-shared", "-fPIC", "-o", file, filepath.Join("..", "testdata", "code.c"), filepath.Join("testdata", "more.c"))...)
		run("arm-linux-gnueabihf-objcopy", "-O", "binary", "-j", ".text", file, raw)
		code, err := os.ReadFile(raw)
		if err != nil {
			t.Fatal(err)
		}
		compareReal(t, objdump(t, "-d", "-z", "-j", ".text", file), code)
	}
}

// compareReal decodes a section.
func compareReal(t *testing.T, want map[uint32]line, code []byte) {
	t.Helper()
	start := ^uint32(0)
	for addr := range want {
		start = min(start, addr)
	}
	var d Decoder
	decoded, all := 0, 0
	for at := 0; at+2 <= len(code); {
		w, ok := want[start+uint32(at)]
		if !ok {
			t.Fatalf("objdump has nothing at %#x", start+uint32(at))
		}
		if strings.HasPrefix(w.text, ".") { // data
			at += w.size
			continue
		}
		i := decodeAt(&d, code, at, start+uint32(at))
		text := branchAddr.ReplaceAllString(normal(w.text), "$1 ${2}0x$3")
		if i.Len != w.size {
			t.Fatalf("%#x: %d bytes, objdump has %d: %s", start+uint32(at), i.Len, w.size, w.text)
		}
		all++
		if i.Text != "" {
			decoded++
		} else {
			t.Logf("%x is not decoded: %s", code[at:at+i.Len], w.text)
		}
		if i.Text != "" && i.Text != text {
			t.Errorf("%#x %x: %q, objdump has %q", start+uint32(at), code[at:at+i.Len], i.Text, w.text)
		}
		at += i.Len
	}
	if decoded*100 < all*99 || all < 100 {
		t.Errorf("%d of %d instructions are decoded", decoded, all)
	}
	t.Logf("%d of %d", decoded, all)
}
