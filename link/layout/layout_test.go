package layout

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"elfwright/ldscript"
	"elfwright/link/model"
)

// object makes an object of sections "NAME FLAGS SIZE".
func object(name string, rank int, sections ...string) *model.Object {
	o := &model.Object{File: name, Path: name, Rank: int32(rank), Class: elf.ELFCLASS64, Order: binary.LittleEndian, Machine: elf.EM_X86_64}
	for i, text := range sections {
		var flags string
		s := &model.Section{Obj: o, Index: int32(i), Type: elf.SHT_PROGBITS, Align: 1, Live: true}
		fmt.Sscanf(text, "%s %s %v", &s.Name, &flags, &s.Size)
		for _, c := range flags {
			switch c {
			case 'a':
				s.Flags |= elf.SHF_ALLOC
			case 'w':
				s.Flags |= elf.SHF_WRITE
			case 'x':
				s.Flags |= elf.SHF_EXECINSTR
			case 'n':
				s.Type = elf.SHT_NOBITS
			}
		}
		o.Sections = append(o.Sections, s)
	}
	return o
}

// layOut runs all of layout over objects.
func layOut(opt *model.Options, script string, objs ...*model.Object) (*Script, *model.Env, []*model.Segment, error) {
	rep := &model.Report{}
	s, err := Read(opt, []Text{{Name: "t.lds", Text: []byte(script)}}, nil, rep)
	if err != nil {
		return nil, nil, nil, err
	}
	env := &model.Env{Opt: opt, Table: model.NewTable(), Report: rep, Order: binary.LittleEndian, Class: 64, Objects: objs}
	if _, err := s.Match(env); err != nil {
		return s, env, nil, err
	}
	if err := s.Assign(env); err != nil {
		return s, env, nil, err
	}
	segs, err := s.Finish(env)
	if err == nil {
		err = joined(rep.Errors())
	}
	return s, env, segs, err
}

const plainScript = `SECTIONS { . = 0x10000 + SIZEOF_HEADERS; .text : { *(.text*) } . = ALIGN(0x1000); .data : { *(.data) } .insert : { *(.insert) } .bss : { *(.bss) } . = ALIGN(0x1000); .alone : { *(.alone) } . = ALIGN(0x1000); .last : { *(.last) } }`

func plainObject() *model.Object {
	return object("a.o", 0, ".text ax 64", ".data aw 16", ".insert aw 32", ".bss awn 100")
}

func lines(segs []*model.Segment) []string {
	var list []string
	for _, p := range segs {
		list = append(list, fmt.Sprintf("%v %v %#x+%#x/%#x", p.Type, p.Flags, p.Vaddr, p.Filesz, p.Memsz))
	}
	return list
}

// TestAddPhdr: one more program header of each form; the headers' size counts it.
func TestAddPhdr(t *testing.T) {
	for _, c := range []struct{ add, want string }{
		{"0x60000001 sections=.insert* flags=r", "PT_LOOS+1 PF_R 0x11010+0x20/0x20"},
		{"PT_NOTE sections=.data,.insert", "PT_NOTE PF_W+PF_R 0x11000+0x30/0x30"},
		{"0x60000001 vaddr=0x11004 size=8", "PT_LOOS+1 PF_W+PF_R 0x11004+0x8/0x8"},
		{"PT_LOAD size=64K", "PT_LOAD PF_W+PF_R 0x12000+0x0/0x10000"},
		{"PT_LOAD size=4K align=64K flags=rwx", "PT_LOAD PF_X+PF_W+PF_R 0x20000+0x0/0x1000"},
		{"0x60000001 size=4K vaddr=0x40000", "PT_LOOS+1 PF_W+PF_R 0x40000+0x0/0x1000"},
		{"PT_LOAD sections=.alone", "PT_LOAD PF_W+PF_R 0x13000+0x20/0x20"},
	} {
		opt := &model.Options{AddPhdrs: []model.AddPhdr{{Text: c.add}}}
		in := plainObject()
		if strings.Contains(c.add, ".alone") {
			in = object("a.o", 0, ".text ax 64", ".data aw 16", ".bss awn 0x1000", ".alone aw 32", ".last aw 4")
		}
		_, env, segs, err := layOut(opt, plainScript, in)
		if err != nil {
			t.Errorf("%s: %v", c.add, err)
			continue
		}
		if got := lines(segs); !strings.Contains(strings.Join(got, "\n")+"\n", c.want+"\n") {
			t.Errorf("%s: want %s in\n%s", c.add, c.want, strings.Join(got, "\n"))
		}
		if first, want := env.Outputs[0].Addr, uint64(0x10000+64+56*len(segs)); first != want {
			t.Errorf("%s: %d headers, and .text at %#x, want %#x", c.add, len(segs), first, want)
		}
		checkSegments(t, c.add, segs)
	}
}

// checkSegments: PT_LOADs ascend and do not overlap; offsets are congruent.
func checkSegments(t *testing.T, what string, segs []*model.Segment) {
	t.Helper()
	var end uint64
	for _, p := range segs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Vaddr < end {
			t.Errorf("%s: a PT_LOAD at %#x begins before %#x", what, p.Vaddr, end)
		}
		end = p.Vaddr + p.Memsz
		if p.Align > 1 && (p.Off-p.Vaddr)%p.Align != 0 {
			t.Errorf("%s: offset %#x and address %#x differ modulo %#x", what, p.Off, p.Vaddr, p.Align)
		}
	}
}

func TestAddPhdrErrors(t *testing.T) {
	for add, want := range map[string]string{
		"":                                   "want a type",
		"PT_WHAT":                            "neither the name of a type",
		"PT_LOAD":                            "needs sections= or size=",
		"1 colour=red":                       "want one of flags=",
		"1 size=1 sections=.x":               "exclude each other",
		"1 vaddr=4":                          "without size=",
		"1 size=4T":                          "not a number",
		"1 align=3 size=4":                   "not a power of two",
		"PT_LOAD sections=.insert":           "is on the page of section .data",
		"1 sections=.nothing":                "there is no output section .nothing",
		"PT_LOAD vaddr=0x11008 size=4K":      "overlaps a PT_LOAD",
		"1 vaddr=0xffffffffffffff00 size=4K": "beyond the end of the address space",
	} {
		opt := &model.Options{AddPhdrs: []model.AddPhdr{{Text: add}}}
		if _, _, _, err := layOut(opt, plainScript, plainObject()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", add, err, want)
		}
	}
}

// TestLayered: PHDRS { DEFAULT; … } adds to what the sections give.
func TestLayered(t *testing.T) {
	script := `PHDRS { DEFAULT; insert 0x60000001 FLAGS(4); } ` + strings.Replace(plainScript, ".insert : { *(.insert) }", ".insert : { *(.insert) } :insert", 1)
	_, _, segs, err := layOut(&model.Options{SpareProgramHeaders: 2}, script, plainObject())
	if err != nil {
		t.Fatal(err)
	}
	want := "PT_LOAD PF_R 0x10000+0x190/0x190\nPT_LOAD PF_X+PF_R 0x10190+0x40/0x40\nPT_LOAD PF_W+PF_R 0x11000+0x30/0x94\nPT_LOOS+1 PF_R 0x11010+0x20/0x20\nPT_NULL 0x0 0x0+0x0/0x0\nPT_NULL 0x0 0x0+0x0/0x0"
	if got := strings.Join(lines(segs), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestExplain: who took a section, who came too late, and what never matched.
func TestExplain(t *testing.T) {
	a := object("a.o", 0, ".text ax 4", ".data aw 4", ".foo aw 4", ".gone a 4")
	s, env, _, err := layOut(&model.Options{}, `SECTIONS { . = 0x1000; .text : { *(.text) *(.never) } .data : AT(0x8000) { *(.d*) } .more : { *(.data) } /DISCARD/ : { *(.gone) } }`, a)
	if err != nil {
		t.Fatal(err)
	}
	x := s.Explain(a.Sections[1])
	if x.Output != ".data" || x.Pattern != "*(.d*)" || x.LMA != 0x8000 || x.WhyLMA != "AT(…)" || len(x.Later) != 1 || x.Later[0].Output != ".more" || len(x.Segments) != 1 {
		t.Errorf(".data: %+v", x)
	}
	if x := s.Explain(a.Sections[2]); x.Output != ".foo" || !strings.Contains(x.Rule, "after .data, as data") {
		t.Errorf(".foo: %+v", x)
	}
	if x := s.Explain(a.Sections[3]); x.Dropped != "discarded by the script" || x.Output != "" {
		t.Errorf(".gone: %+v", x)
	}
	var unused []string
	for _, p := range s.Unused() {
		unused = append(unused, p.Pattern)
	}
	if got := strings.Join(unused, " "); got != "*(.never) *(.data)" {
		t.Errorf("unused: %s", got)
	}
	if len(env.Outputs) != 3 {
		t.Errorf("%d outputs", len(env.Outputs))
	}
}

// TestErrors: each names what is wrong, with numbers.
func TestErrors(t *testing.T) {
	for script, want := range map[string]string{
		`SECTIONS { . = 0x10; .text : { *(.text) } . = 0x11; .data : { *(.data) } }`:                                                           "section .data loaded at [0x11, 0x21) overlaps section .text at [0x10, 0x50)",
		`MEMORY { r : ORIGIN = 0, LENGTH = 70 } SECTIONS { .text : { *(.text) } >r .data : { *(.data) *(.insert) } >r .bss : { *(.bss) } >r }`: `region "r" overflows by 142 bytes: 0x46 bytes from 0x0 on are too few; largest in it: a.o(.bss) in .bss 0x64, a.o(.text) in .text 0x40`,
		`SECTIONS { .text : { *(.text) . = 4; } }`:                                                                                             "t.lds:1:31: .text: the location counter cannot move backwards inside a section, from 0x40 to 0x4",
		`SECTIONS { .text : { *(.text) } a = b + 1; b = a + 1; }`:                                                                              "depends on nothing but itself: a, b, a",
		`a = b; b = c; c = b; SECTIONS { .text : { *(.text) } }`:                                                                               "depends on nothing but itself: b, c, b",
		`SECTIONS { .text : { *(.text) } . += _end; _end = .; }`:                                                                               "does not settle",
		`SECTIONS { .text : { *(.text) } a = nobody; }`:                                                                                        "symbol nobody is not defined",
		`SECTIONS { .text : { *(.text) ASSERT(. < 0x10, "big"); } }`:                                                                           "t.lds:1:31: ASSERT: big",
		`SECTIONS { .text : { *(.text) } x = ADDR(.what); }`:                                                                                   `ADDR: there is no output section ".what"`,
		`SECTIONS { .text : { *(.text) } } INSERT AFTER .what;`:                                                                                `INSERT: there is no output section ".what"`,
		`SECTIONS { . = 0xfffffffffffffff0; .text : { *(.text) } }`:                                                                            "is beyond the end of the address space of 64 bits",
		`PHDRS { a PT_LOAD; b PT_LOAD FILEHDR; } SECTIONS { .text : { *(.text) } :a }`:                                                         `"b" cannot have FILEHDR or PHDRS`,
		`MEMORY { a : ORIGIN = ORIGIN(b), LENGTH = 1 b : ORIGIN = ORIGIN(a), LENGTH = 1 } SECTIONS { .text : { *(.text) } >a }`:                "depends on itself",
	} {
		_, _, _, err := layOut(&model.Options{}, script, plainObject())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n  got  %v\n  want %s", script, err, want)
		}
	}
}

// TestAgain: a second Assign after sizes have changed moves what is behind, and
// a third with the old sizes puts everything back.
func TestAgain(t *testing.T) {
	a := plainObject()
	s, env, _, err := layOut(&model.Options{}, `SECTIONS { . = 0x1000; .text : { *(.text) } e = .; .data : { *(.data) *(.insert) } .bss : { *(.bss) } _end = .; }`, a)
	if err != nil {
		t.Fatal(err)
	}
	end := env.Table.Get("_end")
	for _, c := range []struct{ size, end uint64 }{{80, 0x10e4}, {64, 0x10d4}} {
		a.Sections[0].Size = c.size
		if err := s.Assign(env); err != nil {
			t.Fatal(err)
		}
		if end.Addr() != c.end {
			t.Errorf(".text of %d bytes: _end at %#x, want %#x", c.size, end.Addr(), c.end)
		}
	}
}

// TestText: a script among the inputs that inserts adds to the default script,
// before it.
func TestText(t *testing.T) {
	rep := &model.Report{}
	parse := func(text string) *ldscript.Script {
		tree, err := ldscript.Parse("in.lds", []byte(text), ldscript.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	s, err := Compile(&model.Options{Inputs: []model.Input{{Name: "in.lds"}}}, Sources{
		Default: parse(`SECTIONS { . = 0x1000; .text : { *(.text) } .data : { *(.data) *(.insert) } .bss : { *(.bss) } }`),
		Texts:   []Implicit{{Tree: parse(`SECTIONS { .mine : { *(.insert) } } INSERT AFTER .bss; x = 5;`)}},
	}, rep)
	if err != nil {
		t.Fatal(err)
	}
	env := &model.Env{Opt: &model.Options{}, Table: model.NewTable(), Report: rep, Order: binary.LittleEndian, Class: 64, Objects: []*model.Object{plainObject()}}
	if _, err := s.Match(env); err != nil {
		t.Fatal(err)
	}
	if err := s.Assign(env); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range env.Outputs {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, " "); got != ".text .data .bss .mine" || env.Table.Get("x").Value != 5 {
		t.Errorf("%s, x = %v", got, env.Table.Get("x"))
	}
}

// many is the benchmark's input: n sections and a script of so many patterns.
func many(n, patterns int) (script string, objs []*model.Object) {
	var b strings.Builder
	b.WriteString("SECTIONS { . = 0x10000; ")
	for i := range patterns {
		fmt.Fprintf(&b, ".out%d : { *(.text.%d.*) s%d = .; } ", i, i, i)
	}
	b.WriteString("}")
	const each = 100
	for i := 0; i < n; i += each {
		var list []string
		for j := range each {
			list = append(list, fmt.Sprintf(".text.%d.f%d ax 20", (i+j)%patterns, i+j))
		}
		objs = append(objs, object(fmt.Sprintf("%d.o", i), i, list...))
	}
	return b.String(), objs
}

func BenchmarkManySections(b *testing.B) {
	script, objs := many(10_000, 500)
	for b.Loop() {
		for _, o := range objs {
			for _, s := range o.Sections {
				s.Out, s.Place = nil, nil
			}
		}
		if _, _, _, err := layOut(&model.Options{}, script, objs...); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzLayout: a script that parses is laid out, or refused, without a panic, and
// what comes out holds together.
func FuzzLayout(f *testing.F) {
	for _, c := range layoutCases {
		f.Add(c.script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 4096 {
			return
		}
		_, env, segs, err := layOut(&model.Options{}, script, plainObject())
		if err != nil {
			return
		}
		for _, o := range env.Outputs {
			var end uint64
			for _, it := range o.Items {
				if it.Off < end || it.Off+it.Size > o.Size {
					t.Fatalf("%s: an item at [%#x, %#x) after %#x in %#x bytes", o.Name, it.Off, it.Off+it.Size, end, o.Size)
				}
				end = it.Off + it.Size
			}
		}
		for _, p := range segs {
			if p.Filesz > p.Memsz && p.Type == elf.PT_LOAD {
				t.Fatalf("a PT_LOAD has %#x bytes of file for %#x of memory", p.Filesz, p.Memsz)
			}
		}
	})
}
