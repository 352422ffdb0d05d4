package all_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/machine"
)

// The rows against GNU as and ld: a file of places, each with a relocation that
// .reloc forces, is linked at known addresses; then each row is applied to the
// object file's bytes and must give ld's bytes, or refuse where ld complains.

// bench is a machine with its tools and what to write for each kind of field.
type bench struct {
	m      *machine.Machine
	prefix string               // of the tools: "aarch64-linux-gnu-"
	as     []string             // flags
	ld     []string             // flags
	insn   map[string]string    // field name → assembly; words need none
	rel    map[string][]implied // the same for a machine with REL
	big    bool
	base   uint64                     // where .text goes
	nowrap bool                       // ld does not compute modulo 2^32 except in words
	tp     func(tls *elf.Prog) uint64 // thread pointer, in addresses of the TLS template
	dtpOff uint64                     // what ld takes as the start of a TLS block: offset from it
	got    string                     // symbol that GOT means, or a section's name
	shared map[string]bool            // try in a shared object, where ld cannot relax it
	long   map[string]bool            // out of range, ld inserts a veneer
	// apart gives each place a section of its own, for a linker that leaves a
	// section at the first complaint.
	apart bool
	// standIn names a type for gas to write in place of one that it does not
	// know; the object file is then changed.
	standIn map[string]string
	// Known differences, with the reason: values that ld refuses and we take
	// (strict), or that we refuse and ld takes (lax); rows where ld gets an addend
	// wrong (noAdd).
	strict, lax, noAdd map[string]string
}

// implied is an instruction and the addend that a REL relocation reads from it.
type implied struct {
	insn string
	add  int64
}

// place is one relocation to try.
type place struct {
	row  *machine.Reloc
	sym  string
	def  uint64 // value of an absolute symbol, when abs
	abs  bool
	add  int64
	insn string
	p    uint64
	high *place // of a pair, the place whose values count
}

const step = 16

func orderOf(m *machine.Machine) binary.ByteOrder {
	if m.Orders[0] == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (b *bench) order() binary.ByteOrder {
	if b.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// source writes the assembly, a place every step bytes.
func (b *bench) source(places []*place) string {
	var s strings.Builder
	s.WriteString(".text\n")
	at := 0
	for i, p := range places {
		if b.apart {
			fmt.Fprintf(&s, ".section .text.p%d,\"ax\"\n.p2align 4\n", i)
		} else {
			at = i * step
			fmt.Fprintf(&s, ".org %#x, 0\n", at)
		}
		insn := p.insn
		if insn == "" {
			insn = b.insn[p.row.Field.Name]
		}
		sym := p.sym
		if sym[0] == 't' {
			fmt.Fprintf(&s, ".type %s, %%tls_object\n", sym)
		}
		if p.add != 0 && !b.m.REL {
			sym = fmt.Sprintf("%s%+d", sym, p.add)
		}
		fmt.Fprintf(&s, "p%d: %s\n.reloc %#x, %s, %s\n", i, insn, at, b.asmName(p.row), sym)
		fmt.Fprintf(&s, ".org %#x, 0\n", at+step)
	}
	return s.String()
}

// definitions is the other file: the symbols that are not absolute. Each place
// has its own, so that no two types meet at one and make ld choose a TLS model
// for both.
func (b *bench) definitions(places []*place) string {
	var s strings.Builder
	for i, p := range places {
		switch {
		case p.abs, p.high != nil:
		case p.sym[0] == 'd':
			fmt.Fprintf(&s, ".data\n.p2align 3\n.globl %[1]s\n.type %[1]s,%%object\n.size %[1]s,%[2]d\n%[1]s: .skip %[2]d\n", p.sym, 8+8*i)
		case p.sym[0] == 'u', p.sym[0] == 'v':
			state := map[byte]string{'u': ".thumb\n.thumb_func", 'v': ".arm"}[p.sym[0]]
			fmt.Fprintf(&s, ".text\n.p2align 2\n%[2]s\n.globl %[1]s\n.type %[1]s,%%function\n%[1]s: nop\nnop\n", p.sym, state)
		case p.sym[0] == 't':
			sect := `.section .tdata,"awT",%progbits`
			if i%2 == 1 {
				sect = `.section .tbss,"awT",%nobits`
			}
			fmt.Fprintf(&s, "%[3]s\n.p2align 4\n.skip 16\n.globl %[1]s\n.type %[1]s,%%object\n.size %[1]s,%[2]d\n%[1]s: .skip %[2]d\n", p.sym, 16, sect)
		}
	}
	return s.String()
}

// asmName is how GNU as calls a type.
func (b *bench) asmName(r *machine.Reloc) string {
	if n := b.standIn[r.Name]; n != "" {
		return n
	}
	return r.Name
}

// restore changes the types of the stand-ins in the object file.
func (b *bench) restore(t *testing.T, obj string, places []*place) {
	t.Helper()
	data, err := os.ReadFile(obj)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	word := b.m.WordSize()
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL {
			continue
		}
		for d := data[s.Offset : s.Offset+s.FileSize]; len(d) >= int(s.Entsize); d = d[s.Entsize:] {
			p := places[int(get(b.order(), d, word))/step]
			if b.standIn[p.row.Name] == "" {
				continue
			}
			info := get(b.order(), d[word:], word)
			if word == 4 {
				b.order().PutUint32(d[word:], uint32(info)&^0xff|p.row.Type)
			} else {
				b.order().PutUint64(d[word:], info&^0xffffffff|uint64(p.row.Type))
			}
		}
	}
	if err := os.WriteFile(obj, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// linked is what came of a file of places.
type linked struct {
	obj, out *elf.File
	text     []byte         // of the object
	image    []byte         // of the output
	fault    map[int]string // place → ld's complaint
	data     binary.ByteOrder
}

var (
	complaint = regexp.MustCompile(`\(\.text(?:\.p(\d+))?\+0x([0-9a-f]+)\): *(.*)`)
	typeName  = regexp.MustCompile(`R_\w+|^[^.].*`)
	asFault   = regexp.MustCompile(`[ab]\.s:(\d+): *(.*)`)
)

// assemble runs as over a text.
func (b *bench) assemble(t *testing.T, text, obj string) {
	t.Helper()
	src := strings.TrimSuffix(obj, ".o") + ".s"
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command(b.prefix+"as", append(b.as, "-o", obj, src)...).CombinedOutput(); err != nil {
		lines := strings.Split(text, "\n")
		said := map[string]bool{}
		for _, f := range asFault.FindAllStringSubmatch(string(msg), -1) {
			n, _ := strconv.Atoi(f[1])
			line := typeName.FindString(lines[n-1]) + " " + f[2]
			if !said[line] {
				t.Errorf("as: %s", line)
			}
			said[line] = true
		}
		t.Fatalf("as: %v", err)
	}
}

func (b *bench) link(t *testing.T, places []*place, flags ...string) *linked {
	t.Helper()
	samples.Need(t, b.prefix+"as")
	samples.Need(t, b.prefix+"ld")
	dir := t.TempDir()
	obj, defs, out := filepath.Join(dir, "a.o"), filepath.Join(dir, "b.o"), filepath.Join(dir, "a.out")
	b.assemble(t, b.source(places), obj)
	b.assemble(t, b.definitions(places), defs)
	if len(b.standIn) > 0 {
		b.restore(t, obj, places)
	}
	args := append([]string{}, b.ld...)
	args = append(args, flags...)
	args = append(args, fmt.Sprintf("-Ttext=%#x", b.base), "--verbose", "--noinhibit-exec", "-e", "0", "-o", out, obj, defs)
	for _, p := range places {
		if p.abs {
			args = append(args, fmt.Sprintf("--defsym=%s=%#x", p.sym, p.def))
		}
	}
	msg, err := exec.Command(b.prefix+"ld", args...).CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	l := &linked{fault: map[int]string{}, data: b.order()}
	for _, f := range complaint.FindAllStringSubmatch(string(msg), -1) {
		n, _ := strconv.Atoi(f[1])
		off, _ := strconv.ParseUint(f[2], 16, 64)
		l.fault[n+int(off)/step] = f[3]
	}
	if l.obj, err = elf.Open(obj); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.obj.Close() })
	if l.out, err = elf.Open(out); err != nil {
		if i := bytes.LastIndex(msg, []byte("=====")); i >= 0 {
			msg = msg[i:]
		}
		t.Fatalf("ld: %v\n%s", err, msg)
	}
	t.Cleanup(func() { l.out.Close() })
	for _, s := range l.obj.Sections {
		if s.Name == ".text" && !b.apart || strings.HasPrefix(s.Name, ".text.p") {
			d, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			l.text = append(l.text, d...)
		}
	}
	if l.image, err = l.out.Section(".text").Data(); err != nil {
		t.Fatal(err)
	}
	if a := l.out.Section(".text").Addr; a != b.base {
		t.Fatalf(".text is at %#x", a)
	}
	return l
}

// addends reads each place's addend from the object's relocations.
func (l *linked) addends(t *testing.T, b *bench, places []*place) map[int]int64 {
	t.Helper()
	m := map[int]int64{}
	for _, s := range l.obj.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL {
			continue
		}
		at := 0
		if b.apart {
			n, _ := strconv.Atoi(strings.TrimPrefix(l.obj.Sections[s.Info].Name, ".text.p"))
			at = n * step
		}
		d, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		word := b.m.WordSize()
		for ; len(d) >= int(s.Entsize); d = d[s.Entsize:] {
			off := at + int(get(l.data, d, word))
			info := get(l.data, d[word:], word)
			typ := uint32(info)
			if word == 4 {
				typ = uint32(info & 0xff)
			}
			p := places[off/step]
			if typ != p.row.Type {
				t.Errorf("%s: as wrote type %d for %d", p.row.Name, typ, p.row.Type)
			}
			if s.Type == elf.SHT_RELA {
				m[off/step] = int64(get(l.data, d[2*word:], word))
				if word == 4 {
					m[off/step] = int64(int32(m[off/step]))
				}
				continue
			}
			a, err := p.row.Addend(l.text[off:], b.order())
			if err != nil {
				t.Error(err)
			}
			if a != p.add {
				t.Errorf("%s: addend of %s is %d, want %d", p.row.Name, p.insn, a, p.add)
			}
			m[off/step] = a
		}
	}
	return m
}

func get(o binary.ByteOrder, b []byte, n int) uint64 {
	if n == 4 {
		return uint64(o.Uint32(b))
	}
	return o.Uint64(b)
}

// compare applies each row and holds it against ld.
func (b *bench) compare(t *testing.T, places []*place, flags ...string) {
	t.Helper()
	for i, p := range places {
		p.p = b.base + uint64(i*step)
	}
	l := b.link(t, places, flags...)
	addend := l.addends(t, b, places)
	symbols := map[string]elf.Symbol{}
	syms, err := l.out.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if _, ok := symbols[s.Name]; !ok {
			symbols[s.Name] = s
		}
	}
	said := map[string]int{} // one complaint a row is enough
	report := func(p *place, format string, args ...any) {
		if said[p.row.Name]++; said[p.row.Name] == 1 {
			t.Errorf(format, args...)
		}
	}
	for i, p := range places {
		of, at := p, i
		if p.high != nil {
			of, at = p.high, int(p.high.p-b.base)/step
		}
		v := l.values(t, b, of, symbols)
		v.A = addend[at]
		off := i * step
		mine := bytes.Clone(l.text[off : off+step])
		err := p.row.Apply(mine, b.order(), v)
		theirs := l.image[off : off+step]
		what := fmt.Sprintf("%s S=%#x A=%#x P=%#x", p.row.Name, v.S, v.A, v.P)
		switch {
		case err != nil && l.fault[i] == "" && b.lax[p.row.Name] != "",
			err == nil && l.fault[i] != "" && b.strict[p.row.Name] != "":
		case err != nil && l.fault[i] == "":
			report(p, "%s: ld accepts it as % x, we: %v", what, theirs[:8], err)
		case err == nil && l.fault[i] != "":
			report(p, "%s: we take it, ld: %s", what, l.fault[i])
		case err == nil && !bytes.Equal(mine, theirs):
			report(p, "%s G=%#x GOT=%#x TP=%#x DTP=%#x:\nbefore % x\nwe     % x\nld     % x",
				what, v.G, v.GOT, v.TP, v.DTP, l.text[off:off+8], mine[:8], theirs[:8])
		}
	}
}
