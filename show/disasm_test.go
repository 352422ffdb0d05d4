package show

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"elfwright/elffile"
	"elfwright/internal/elftest"
	"elfwright/internal/samples"
)

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		in      string
		section string
		start   uint64
		end     uint64
		isRange bool
		fault   string
	}{
		{"main", "", 0, 0, false, ""},
		{"0x10..0x20", "", 0x10, 0x20, true, ""},
		{"16..32", "", 16, 32, true, ""},
		{".text:0x0..0x8", ".text", 0, 8, true, ""},
		{"a:b:0..1", "a:b", 0, 1, true, ""},
		{"0..0xffffffffffffffff", "", 0, 1<<64 - 1, true, ""},
		{"0x20..0x10", "", 0, 0, true, "not above"},
		{"0x10..0x10", "", 0, 0, true, "not above"},
		{"0x10..", "", 0, 0, true, "two addresses"},
		{"0..0x1ffffffffffffffff", "", 0, 0, true, "two addresses"},
		{"..", "", 0, 0, false, ""},
		{"f(int, ...)", "", 0, 0, false, ""},
	} {
		section, start, end, ok, err := parseRange(c.in)
		if section != c.section || start != c.start || end != c.end || ok != c.isRange || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("parseRange(%q) = %q, %#x, %#x, %v, %v", c.in, section, start, end, ok, err)
		}
	}
}

// TestInstructions holds the oddities: what x/arch does not know or writes in
// another way, in each machine.
func TestInstructions(t *testing.T) {
	decoder := func(m elf.Machine, class elf.Class, data elf.Data, flags uint32) *insnDecoder {
		f := &elffile.File{Format: elffile.Format{Class: class, Data: data}}
		f.Header.Machine, f.Header.Flags = m, flags
		d, err := newInsnDecoder(f)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const le, be = elf.ELFDATA2LSB, elf.ELFDATA2MSB
	amd64, i386 := decoder(elf.EM_X86_64, elf.ELFCLASS64, le, 0), decoder(elf.EM_386, elf.ELFCLASS32, le, 0)
	a64, a64be := decoder(elf.EM_AARCH64, elf.ELFCLASS64, le, 0), decoder(elf.EM_AARCH64, elf.ELFCLASS64, be, 0)
	arm, armbe, armbe8 := decoder(elf.EM_ARM, elf.ELFCLASS32, le, 0), decoder(elf.EM_ARM, elf.ELFCLASS32, be, 0), decoder(elf.EM_ARM, elf.ELFCLASS32, be, efArmBE8)
	riscv := decoder(elf.EM_RISCV, elf.ELFCLASS64, le, 0)
	for _, c := range []struct {
		d      *insnDecoder
		kind   byte
		code   string
		size   int
		text   string
		target uint64
	}{
		{amd64, 0, "f30f1efa", 4, "endbr64", 0},
		{i386, 0, "f30f1efb", 4, "endbr32", 0},
		{amd64, 0, "0f01ef", 3, "wrpkru", 0},
		{amd64, 0, "664c0f38f6e7", 6, "adcx %rdi,%r12", 0},
		{amd64, 0, "f3480f38f61d10000000", 10, "adox 0x10(%rip),%rbx", 0x101a},
		{amd64, 0, "e8fbffffff", 5, "callq 0x1000", 0x1000},
		{amd64, 0, "48c705f0ffffff01000000", 11, "movq $0x1,-0x10(%rip)", 0xffb},
		{amd64, 0, "498b3c24", 4, "mov (%r12),%rdi", 0},
		{amd64, 0, "c785f8faffff01000000", 10, "movl $0x1,-0x508(%rbp)", 0},
		{i386, 0, "8b833cffffff", 6, "mov -0xc4(%ebx),%eax", 0},
		{i386, 0, "e8fbefffff", 5, "call 0x0", 0},
		// What x86asm does not know keeps its length: the next instruction is
		// decoded from its start.
		{amd64, 0, "c4e3f96bc920c3", 6, ".byte 0xc4, 0xe3, 0xf9, 0x6b, 0xc9, 0x20", 0},
		{amd64, 0, "06", 1, ".byte 0x06", 0},
		{amd64, 0, "f3", 1, ".byte 0xf3", 0},
		{amd64, 0, "0f", 1, ".byte 0x0f", 0},

		{a64, 0, "ffffff97", 4, "bl 0xffc", 0xffc},
		{a64be, 0, "ffffff97", 4, "bl 0xffc", 0xffc},
		{a64, 0, "5f2403d5", 4, "bti c", 0},
		{a64, 0, "21000090", 4, "adrp x1, 0x5000", 0x5000},
		{a64, 0, "00000000", 4, ".inst 0x00000000", 0},
		{a64, 'd', "0102030405", 4, ".word 0x04030201", 0},
		{a64be, 'd', "01020304", 4, ".word 0x01020304", 0},
		{a64, 'd', "010203", 2, ".short 0x0201", 0},
		{a64, 0, "0102", 1, ".byte 0x01", 0},

		{arm, 'a', "feffffeb", 4, "bl 0x1000", 0x1000},
		{armbe8, 'a', "feffffeb", 4, "bl 0x1000", 0x1000},
		{armbe, 'a', "ebfffffe", 4, "bl 0x1000", 0x1000},
		{arm, 'a', "04009fe5", 4, "ldr r0, [pc, #4]", 0x100c},
		{arm, 't', "00bf", 2, "nop", 0},
		{arm, 't', "00f001f8", 4, "bl 0x1006", 0x1006},
		{armbe, 't', "f000f801", 4, "bl 0x1006", 0x1006},
		{armbe8, 't', "00f001f8", 4, "bl 0x1006", 0x1006},
		{arm, 't', "0148", 2, "ldr r0, [pc, #4]", 0x1008},
		{arm, 't', "c0ba", 2, "revsh r0, r0", 0},
		{arm, 't', "80ba", 2, ".inst.n 0xba80", 0},
		{arm, 't', "50ef1061", 4, ".inst.w 0xef506110", 0},
		{arm, 't', "00f0", 2, ".short 0xf000", 0},

		{riscv, 0, "7d55", 2, "li a0,-1", 0},
		{riscv, 0, "6ff0dfff", 4, "j 0xffc", 0xffc},
		{riscv, 0, "e30e00fe", 4, "beqz zero,0xffc", 0xffc},
		{riscv, 0, "d39607c0", 4, "fcvt.w.s a3,fa5,rtz", 0},
		{riscv, 0, "0000", 2, "unimp", 0},
		{riscv, 0, "0080", 2, ".insn 2, 0x8000", 0},
		{riscv, 0, "09a8", 2, "j 0x1012", 0x1012},
		{riscv, 0, "ffffffff", 4, ".insn 4, 0xffffffff", 0},
	} {
		code, err := hex.DecodeString(c.code)
		if err != nil {
			t.Fatal(err)
		}
		i := c.d.next(code, 0x1000, c.kind)
		if i.size != c.size || i.text != c.text || i.refers != (c.target != 0 || c.text == "call 0x0") || i.refers && i.target != c.target {
			t.Errorf("%v %s: %d bytes, %q, target %#x %v; want %d, %q, %#x", c.d.machine, c.code, i.size, i.text, i.target, i.refers, c.size, c.text, c.target)
		}
	}
}

// TestDisassembly compares with objdump: where instructions begin, what they are
// called, and where they lead.
func TestDisassembly(t *testing.T) {
	for _, m := range []struct{ triple, flags string }{
		{"x86_64-linux-gnu", "-O2 -fcf-protection"}, {"x86_64-linux-gnu", "-O3 -march=x86-64-v3"}, {"i686-linux-gnu", "-O1"},
		{"aarch64-linux-gnu", "-O2 -mbranch-protection=standard"}, {"arm-linux-gnueabihf", "-O2 -marm"},
		{"arm-linux-gnueabihf", "-O2 -mthumb -mfpu=vfpv3-d16"},
		{"riscv64-linux-gnu", "-O2"}, {"riscv64-linux-gnu", "-O2 -march=rv64g"},
	} {
		t.Run(m.triple+m.flags, func(t *testing.T) {
			samples.Need(t, m.triple+"-gcc", m.triple+"-objdump")
			file := filepath.Join(t.TempDir(), "code.so")
			args := append(strings.Fields(m.flags), "-shared", "-fPIC", "-nostdlib", "-o", file, filepath.Join("testdata", "code.c"))
			if out, err := exec.Command(m.triple+"-gcc", args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			compareCode(t, m.triple+"-objdump", file)
		})
	}
}

// objdumpLine is an instruction as objdump prints it.
type objdumpLine struct {
	size   int
	name   string
	target uint64
	plt    string // the name of a target in the procedure linkage table
}

// objdump reads the instructions of a section.
func objdump(t *testing.T, tool, file string) map[uint64]objdumpLine {
	t.Helper()
	out, err := exec.Command(tool, "-d", "-z", "-w", "-j", ".text", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[uint64]objdumpLine{}
	for _, line := range strings.Split(string(out), "\n") {
		f := strings.SplitN(line, "\t", 3)
		addr, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(f[0]), ":"), 16, 64)
		if err != nil || len(f) < 3 {
			continue
		}
		l := objdumpLine{size: len(strings.ReplaceAll(strings.TrimSpace(f[1]), " ", "")) / 2}
		words := strings.Fields(f[2])
		l.name = words[0]
		// A branch ends with "c48 <name+0x8>", or with a comment behind that.
		if i := strings.Index(f[2], " <"); i >= 0 && !strings.ContainsAny(f[2][:i], "#;@") {
			last := strings.FieldsFunc(f[2][:i], func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
			l.target, _ = strconv.ParseUint(last[len(last)-1], 16, 64)
			if name, _, _ := strings.Cut(f[2][i+2:], ">"); strings.HasSuffix(name, "@plt") {
				l.plt = name
			}
		}
		lines[addr] = l
	}
	return lines
}

// sameOp are mnemonics that are one: x/arch's and objdump's.
func sameOp(ours, theirs string) bool {
	if ours == theirs {
		return true
	}
	switch theirs {
	case "add", "sll", "srl", "sra", "sllw", "srlw", "sraw", "and", "or", "xor", "addw":
		// objdump leaves the i of RISC-V's immediate forms out.
		if ours == theirs+"i" || ours == strings.TrimSuffix(theirs, "w")+"iw" {
			return true
		}
	}
	ours = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(ours, "data16"), "q"), "l")
	switch theirs {
	case "movslq":
		theirs = "movsxd"
	case "movabs":
		theirs = "mov"
	case "cs", "data16", "xchg": // forms of NOP
		return strings.HasPrefix(ours, "nop") || ours == "" || ours == "data32" || ours == theirs
	case "cltq":
		theirs = "cdqe"
	case "repz":
		theirs = "rep"
	}
	return ours == strings.TrimSuffix(strings.TrimSuffix(theirs, "q"), "l")
}

func compareCode(t *testing.T, tool, file string) {
	want := objdump(t, tool, file)
	f, err := elffile.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	report, err := Print(&out, f, Options{Disassemble: []string{".text", "puts@plt"}, JSON: true})
	if err != nil || len(report.Faults) > 0 {
		t.Fatal(err, report.Faults)
	}
	tables := parseJSON(t, out.String())["disassembly"].([]any)
	if len(tables) != 2 {
		t.Fatalf("%d ranges", len(tables))
	}
	entries := tables[0].(map[string]any)["entries"].([]any)
	unknown, plts := 0, 0
	for _, e := range entries {
		e := e.(map[string]any)
		addr, _ := strconv.ParseUint(e["addr"].(string), 0, 64)
		w, ok := want[addr]
		if !ok {
			t.Errorf("%#x %v: objdump has no instruction there", addr, e["text"])
			continue
		}
		delete(want, addr)
		text := e["text"].(string)
		if w.size != len(e["bytes"].(string))/2 {
			t.Errorf("%#x %s: %d bytes, objdump has %d", addr, text, len(e["bytes"].(string))/2, w.size)
		}
		if e["kind"] == "unknown" {
			unknown++
			continue
		}
		name, _, _ := strings.Cut(text, " ")
		if !sameOp(name, w.name) && e["kind"] == "code" {
			t.Errorf("%#x: %s, objdump has %s", addr, text, w.name)
		}
		if w.plt != "" {
			if plts++; e["target_name"] != w.plt || e["target_offset"] != "0x0" {
				t.Errorf("%#x %s: leads to %v + %v, objdump says %s", addr, text, e["target_name"], e["target_offset"], w.plt)
			}
		}
		if target := fmt.Sprintf("%#x", w.target); w.target != 0 && e["target"] != target {
			t.Errorf("%#x %s: leads to %v, objdump says %s", addr, text, e["target"], target)
		}
	}
	if plts == 0 {
		t.Error("no call leads to the procedure linkage table")
	}
	if len(want) > 0 || len(entries) < 200 {
		t.Errorf("%d instructions of objdump are not in ours (%d)", len(want), len(entries))
	}
	if unknown*100 > len(entries)*3 {
		t.Errorf("%d of %d instructions are not known", unknown, len(entries))
	}
}

// codeFile is a relocatable file with a symbol without size, mapping symbols and
// a relocation, without any tool.
func codeFile(m elf.Machine, class elf.Class, code []byte) []byte {
	f := elftest.File{Class: class, Type: elf.ET_REL, Machine: m,
		Sections: []elftest.Section{
			{Name: ".text", Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, Data: code},
			{Name: ".symtab", Content: elftest.Symbols{
				{Name: "$t", Section: ".text"}, {Name: "$a", Section: ".text", Value: 4}, {Name: "$d", Section: ".text", Value: 8},
				{Name: "f", Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL, Section: ".text", Value: 1},
				{Name: "g", Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL, Section: ".text", Value: 4},
				{Name: "u", Bind: elf.STB_GLOBAL},
			}},
		}}
	return f.Bytes()
}

func TestDisassemblySymbols(t *testing.T) {
	code := []byte("\x00\xbf\x80\xba\x00\x00\xa0\xe1\x78\x56\x34\x12")
	f, err := elffile.Parse("a.o", codeFile(elf.EM_ARM, elf.ELFCLASS32, code))
	if err != nil {
		t.Fatal(err)
	}
	show := func(opt Options) (string, []error) {
		var out bytes.Buffer
		report, err := Print(&out, f, opt)
		if err != nil {
			t.Fatal(err)
		}
		return out.String(), report.Faults
	}
	text, faults := show(Options{Disassemble: []string{"f", "g", ".text:0x8..0x100"}})
	for _, want := range []string{
		"[0x0, 0x4)", "some Thumb instructions are not decoded", "0:  bf00      nop", "2:  ba80      .inst.n 0xba80", "[0x4, 0xc)", "e1a00000  mov r0, r0", ".word 0x12345678", "[0x8, 0xc)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if len(faults) > 0 {
		t.Error(faults)
	}
	doc, _ := show(Options{Disassemble: []string{"f", "g"}, JSON: true})
	checkDocumented(t, documented(t), "disassembly", parseJSON(t, doc)["disassembly"])
	for arg, want := range map[string]string{"u": "not defined", "none": "no symbol", "0..4": "SECTION:START..END", "5..4": "not above", ".bss:0..1": "not in a section"} {
		if _, faults := show(Options{Disassemble: []string{arg}}); len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("%s: %v, want %q", arg, faults, want)
		}
	}

	f, err = elffile.Parse("b.o", codeFile(elf.EM_S390, elf.ELFCLASS64, code))
	if err != nil {
		t.Fatal(err)
	}
	if _, faults := show(Options{Disassemble: []string{"f"}}); len(faults) != 1 || !strings.Contains(faults[0].Error(), "S/390") {
		t.Errorf("a machine without a disassembler: %v", faults)
	}
}

// FuzzInstructions decodes any bytes of each machine: every byte is printed
// once, and nothing panics, x/arch included.
func FuzzInstructions(f *testing.F) {
	machines := []elf.Machine{elf.EM_X86_64, elf.EM_386, elf.EM_AARCH64, elf.EM_ARM, elf.EM_RISCV}
	for i := range machines {
		f.Add(uint8(i), uint8('a'), []byte("\xf3\x0f\x1e\xfa\xe8\x00\x00\x00\x00\xc4\xe3\xf9\x6b\xc9\x20\xc3"))
		f.Add(uint8(i), uint8('d'), []byte("\x17\x05\x00\x00\x13\x05\x05\x00\x6f\xf0\x9f\xff\x00\x00"))
	}
	f.Fuzz(func(t *testing.T, m, kind uint8, code []byte) {
		file := &elffile.File{Format: formats[m>>3&3]}
		file.Header.Machine = machines[int(m&7)%len(machines)]
		d, err := newInsnDecoder(file)
		if err != nil {
			return
		}
		code = code[:min(len(code), 64)]
		for at := 0; at < len(code); {
			i := d.next(code[at:], uint64(at), kind)
			if i.size <= 0 || i.size > len(code)-at || i.text == "" {
				t.Fatalf("%d bytes at %d of %d: %q", i.size, at, len(code), i.text)
			}
			at += i.size
		}
	})
}

// FuzzRange reads any argument as a range.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"main", "0x10..0x20", ".text:0..8", "..", "0x10..", "1..0", "a:..:..b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, start, end, ok, err := parseRange(s)
		if ok && err == nil && start >= end || !ok && err != nil {
			t.Errorf("[%#x, %#x), %v, %v", start, end, ok, err)
		}
	})
}

// TestDisassemblyMutations disassembles broken neighbours of good files: no
// panic, no endless loop, and JSON that is JSON.
func TestDisassemblyMutations(t *testing.T) {
	what := []string{".text", "f", "g", "main", "_start", ".text:0x0..0xffffffffffff", "0x0..0xffffffff", "puts@plt"}
	files := map[string][]byte{
		"arm": codeFile(elf.EM_ARM, elf.ELFCLASS32, []byte("\x00\xbf\x70\x47\x00\x00\xa0\xe1\x78\x56\x34\x12\xfe\xff\xff\xea")),
		"x86": codeFile(elf.EM_X86_64, elf.ELFCLASS64, []byte("\xf3\x0f\x1e\xfa\xe8\x00\x00\x00\x00\xc4\xe3\xf9\x6b\xc9\x20\xc3")),
	}
	for _, k := range elftest.Kinds() {
		files["shared "+k.Name] = elftest.Shared(k).Bytes()
		files["object "+k.Name] = elftest.Object(k).Bytes()
	}
	limit := 60
	if sweep() {
		limit = 1 << 20
	}
	for name, data := range files {
		n := 0
		for how, bad := range elftest.Mutate(1, data) {
			if n++; n > limit {
				break
			}
			f, err := elffile.Parse(name, bad)
			if err != nil {
				continue
			}
			start := time.Now()
			var out bytes.Buffer
			if _, err := Print(&out, f, Options{Disassemble: what, JSON: n%2 == 0}); err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s, %s: took %v", name, how, took)
			}
			if n%2 == 0 {
				parseJSON(t, out.String())
			}
		}
	}
}
