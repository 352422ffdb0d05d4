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
	header string               // put before the places
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
	fill byte   // what a word holds before
	high *place // of a pair, the place whose values count
}

const step = 16

// need skips without the tool, but not where everything must be tested.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", tool)
		}
		t.Skipf("%s is not installed", tool)
	}
}

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
	need(t, b.prefix+"as")
	need(t, b.prefix+"ld")
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

// values finds what the formulas ask for in the linked file.
func (l *linked) values(t *testing.T, b *bench, p *place, symbols map[string]elf.Symbol) *machine.Values {
	t.Helper()
	v := &machine.Values{P: p.p}
	sym, ok := symbols[p.sym]
	if !ok && p.sym != "" {
		t.Fatalf("%s: no symbol %s", p.row.Name, p.sym)
	}
	if p.row.Name == "R_ARM_BASE_PREL" {
		v.B = symbols[b.got].Value
	}
	v.S, v.Z, v.L = sym.Value, sym.Size, sym.Value
	if b.m.ELF == elf.EM_ARM && elf.ST_TYPE(sym.Info) == elf.STT_FUNC {
		v.T = v.S & 1
		v.S &^= 1
		v.L = v.S
	}
	if g, ok := symbols[b.got]; ok {
		v.GOT = g.Value
	} else if s := l.out.Section(b.got); s != nil {
		v.GOT = s.Addr
	}
	for _, ph := range l.out.Progs {
		if ph.Type == elf.PT_TLS {
			v.DTP = ph.Vaddr + b.dtpOff
			v.TP = b.tp(ph)
			if elf.ST_TYPE(sym.Info) == elf.STT_TLS {
				v.S += ph.Vaddr
			}
		}
	}
	if p.row.Formula.UsesGOT() {
		at, ok := l.slot(b, p, sym, v)
		if !ok {
			t.Errorf("%s: no GOT entry of %s", p.row.Name, p.sym)
		}
		v.G = at - v.GOT
	}
	return v
}

// slot finds the GOT entry of a symbol: in a static link by its content, in a
// shared object by the dynamic relocation that fills it.
func (l *linked) slot(b *bench, p *place, sym elf.Symbol, v *machine.Values) (uint64, bool) {
	word := b.m.WordSize()
	if at, ok := l.dynamicSlot(b, p, sym, v); ok {
		return at, true
	}
	for _, name := range []string{".got", ".got.plt"} {
		s := l.out.Section(name)
		if s == nil {
			continue
		}
		d, _ := s.Data()
		for off := 0; off+word <= len(d); off += word {
			if get(l.data, d[off:], word) == v.S|v.T {
				return s.Addr + uint64(off), true
			}
		}
	}
	return 0, false
}

// dynamicSlot finds the dynamic relocation that fills the entry.
func (l *linked) dynamicSlot(b *bench, p *place, sym elf.Symbol, v *machine.Values) (uint64, bool) {
	if l.out.Type != elf.ET_DYN {
		return 0, false
	}
	want := dynamicFor(p.row.Name)
	dynsyms, _ := l.out.DynamicSymbols()
	word := b.m.WordSize()
	for _, s := range l.out.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL {
			continue
		}
		d, _ := s.Data()
		for ; s.Entsize > 0 && len(d) >= int(s.Entsize); d = d[s.Entsize:] {
			off, info := get(l.data, d, word), get(l.data, d[word:], word)
			typ, idx := uint32(info), int(info>>32)
			if word == 4 {
				typ, idx = uint32(info&0xff), int(info>>8)
			}
			r := b.m.Relocs.Lookup(typ)
			if r == nil || !want.MatchString(r.Name) {
				continue
			}
			if idx == 0 && localDynamic(p.row.Name) || idx > 0 && dynsyms[idx-1].Name == p.sym {
				return off, true
			}
		}
	}
	return 0, false
}

func localDynamic(name string) bool {
	return strings.Contains(name, "TLSLD") || strings.Contains(name, "LDM")
}

var (
	dtpmod  = regexp.MustCompile(`DTPMOD`)
	desc    = regexp.MustCompile(`TLS_?DESC`)
	tprel   = regexp.MustCompile(`_TP(OFF|REL)`)
	globDat = regexp.MustCompile(`GLOB_DAT|_32$|_64$`)
)

// dynamicFor matches the dynamic type that fills a static type's GOT entry.
func dynamicFor(name string) *regexp.Regexp {
	switch {
	case strings.Contains(name, "TLSGD"), strings.Contains(name, "TLS_GD"), localDynamic(name):
		return dtpmod
	case strings.Contains(name, "TLSDESC"), strings.Contains(name, "GOTDESC"):
		return desc
	case strings.Contains(name, "TPOFF"), strings.Contains(name, "TPREL"), strings.Contains(name, "_IE"),
		strings.Contains(name, "GOTIE"), strings.Contains(name, "TLS_GOT_HI20"):
		return tprel
	}
	return globDat
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

// targets are values at and around a row's limits, and some within.
func targets(r *machine.Reloc, bits uint8) []int64 {
	min, max := r.Check.Range()
	xs := []int64{0, 4, 0x40, -0x40}
	if r.Check.Rule == machine.Any || r.Check.Bits >= bits {
		return append(xs, 0x12345678, -0x12345678, 0x7ffff800, 0x7fedcba987654321&^0xf, 0x800, 0x7fc)
	}
	return append(xs, min, max, min-1, max+1, min-16, max+17, min+16, max-15, min/2&^15, max/3&^15, 2*max+2)
}

// aim makes the places whose value is each target, for a row whose formula is
// linear in S; places whose value comes out otherwise are left out.
func (b *bench) aim(places []*place, r *machine.Reloc, how implied) []*place {
	bits := uint8(8 * b.m.WordSize())
	seen := map[uint64]bool{}
	for _, x := range targets(r, bits) {
		if b.long[r.Name] {
			x &^= 3
		}
		pc := b.base + uint64(len(places)*step)
		v := &machine.Values{P: pc, A: how.add}
		zero := r.Formula.Eval(v, 0)
		v.S = uint64(x) - zero
		v.L = v.S
		if b.m.WordSize() == 4 {
			if b.nowrap && v.S>>32 != 0 && r.Field != machine.Word32 {
				continue
			}
			v.S = uint64(uint32(v.S))
		}
		if b.long[r.Name] && r.Check.Rule == machine.SignedN {
			if min, max := r.Check.Range(); x < min || x > max {
				continue
			}
		}
		if seen[v.S] {
			continue
		}
		seen[v.S] = true
		places = append(places, &place{row: r, sym: fmt.Sprintf("s%d", len(places)), def: v.S, abs: true, add: how.add, insn: how.insn})
	}
	return places
}

// Groups of rows, by how a file must be linked that has them.
type group int

const (
	plain     group = iota // static, absolute symbols
	withGOT                // static, symbols in .data
	tlsExec                // static, thread-local
	tlsShared              // -shared, so that ld keeps the TLS model
	loader                 // only loaders see it
)

func groupOf(r *machine.Reloc) group {
	f := r.Formula
	switch {
	case r.Kind == machine.Pair, f.Uses('M'), f.Uses('u'), f.Uses('n'), f.Uses('h'),
		r.Dynamic && f.UsesTLS(), r.Dynamic && (f == "S" || f.Uses('B') || f.Uses('D') || f.Uses('b') || f.Uses('C')),
		strings.Contains(r.Name, "GLOB_DAT"), strings.Contains(r.Name, "JUMP_SLOT"):
		return loader
	case f.Uses('X'), f.Uses('x'), f.Uses('r'), f.Uses('W'):
		return tlsExec
	case strings.Contains(r.Name, "TLS"), strings.Contains(r.Name, "DTP"), strings.Contains(r.Name, "TPOFF"):
		return tlsShared
	case f.UsesGOT(), f.Uses('O'), f.Uses('o'), f.Uses('Z'):
		return withGOT
	}
	return plain
}

// rows tries every static row of the machine, each at its limits where they can
// be reached by moving a symbol. skip gives the reason for each that is not
// tried.
func (b *bench) rows(t *testing.T, skip map[string]string) {
	need(t, b.prefix+"as")
	need(t, b.prefix+"ld")
	var in [tlsShared + 1][]*place
	for r := range b.m.Relocs.All() {
		if !r.Static() {
			continue
		}
		g, letter := groupOf(r), 't'
		if b.shared[r.Name] {
			g, letter = tlsShared, 'd'
		}
		if skip[r.Name] != "" || g == loader {
			continue
		}
		for _, v := range b.variants(r) {
			n := len(in[g])
			switch {
			case v.add != 0 && b.noAdd[r.Name] != "":
			case g == plain:
				in[g] = b.aim(in[g], r, v)
			case v.add != 0 && !r.Formula.Uses('A'), v.add < 0 && !b.m.REL:
				// An entry of the GOT is for S; linkers differ in whether S + A
				// gets one of its own.
			case g == withGOT:
				in[g] = append(in[g], &place{row: r, sym: fmt.Sprintf("d%d", n), add: v.add, insn: v.insn})
			default:
				for k := range 2 {
					in[g] = append(in[g], &place{row: r, sym: fmt.Sprintf("%c%d", letter, n+k), add: v.add, insn: v.insn})
				}
			}
		}
	}
	t.Run("plain", func(t *testing.T) { b.compare(t, in[plain]) })
	t.Run("GOT", func(t *testing.T) { b.compare(t, in[withGOT]) })
	t.Run("TLS in executables", func(t *testing.T) { b.compare(t, in[tlsExec]) })
	t.Run("TLS in shared objects", func(t *testing.T) { b.compare(t, in[tlsShared], "-shared", "-z", "notext") })
	tried := map[string]bool{}
	for _, g := range in {
		for _, p := range g {
			tried[p.row.Name] = true
		}
	}
	t.Logf("%d of %d types against ld", len(tried), b.m.Relocs.Len())
}

// variants are what to relocate, and with which addend.
func (b *bench) variants(r *machine.Reloc) []implied {
	if !b.m.REL {
		insn := b.insn[r.Field.Name]
		if insn == "" {
			insn = ".byte 0,0,0,0,0,0,0,0"
		}
		return []implied{{insn, 0}, {insn, 4}, {insn, -4}}
	}
	if v := b.rel[r.Field.Name]; v != nil {
		return v
	}
	var vs []implied
	for _, fill := range []byte{0, 0x04, 0xf8} {
		place := bytes.Repeat([]byte{fill}, 8)
		x := int64(int8(fill))
		for i := 1; i < r.Width(); i++ {
			x = x<<8 | int64(fill)
		}
		if r.Field.ZeroAddend {
			x = 0
		}
		if strings.Contains(r.Field.Name, "30:0") {
			x = machine.SignExtend(uint64(x), 31)
		}
		vs = append(vs, implied{".byte " + strings.ReplaceAll(strings.Trim(fmt.Sprint(place), "[]"), " ", ","), x})
	}
	return vs
}
