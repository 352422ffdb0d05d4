package write_test

import (
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"elfwright/link/model"
	"elfwright/link/write"
	"elfwright/machine/all"
)

func TestMap(t *testing.T) {
	e, segs := sample(t, all.Lookup(elf.EM_X86_64, elf.ELFCLASS64), binary.LittleEndian, 1)
	e.Outputs[1].LMA, e.Outputs[1].Why.LMA = 0x8000, "AT> of t.lds:3"
	gone := &model.Section{Obj: e.Objects[0], Name: ".text.dead", Data: make([]byte, 9), Dropped: model.Collected}
	e.Objects[0].Sections = append(e.Objects[0].Sections, gone)
	var b strings.Builder
	info := &write.MapInfo{Output: "a.out", Segs: segs, Cref: true, Files: []string{"0.o"},
		Members: []write.Member{{File: "lib.a(1.o)", By: "0.o", Symbol: "g1"}},
		Regions: []write.Region{{Name: "ROM", Attrs: "rx", Origin: 0x8000, Length: 0x1000}},
		Pattern: func(s *model.Section) string { return "*(" + s.Name + ")" }}
	if err := write.Map(&b, e, info); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"lib.a(1.o)                    0.o (g1)\n",
		" .text.dead     0x0000000000000000        0x9 0.o (nothing refers to it)\n",
		"ROM              0x0000000000008000 0x0000000000001000 rx\n",
		"\n.text           0x0000000000010000       0x14\n *(.text)\n .text          0x0000000000010000        0x4 0.o\n                0x0000000000010002                g0\n *fill*         0x0000000000010004        0xc\n .text          0x0000000000010010        0x4 1.o\n",
		"\n.data           0x0000000000020000       0x38 load address 0x0000000000008000\n # load address: AT> of t.lds:3\n",
		"                0x0000000000020004                script\n",
		"\nLOAD 0.o\nOUTPUT(a.out)\n",
		"\ng1                                                1.o\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestMemoryUsage has the lines of GNU ld 2.40.
func TestMemoryUsage(t *testing.T) {
	var b strings.Builder
	write.MemoryUsage(&b, []write.Region{{Name: "ROM", Used: 143, Length: 64 << 10}, {Name: "RAM", Used: 56, Length: 1 << 20}, {Name: "EXT", Length: 2 << 30}})
	const want = `Memory region         Used Size  Region Size  %age Used
             ROM:         143 B        64 KB      0.22%
             RAM:          56 B         1 MB      0.01%
             EXT:          0 GB         2 GB      0.00%
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestDependencies(t *testing.T) {
	var b strings.Builder
	write.Dependencies(&b, "x.out", []string{"s 1.o", "t.lds", "s 1.o"})
	const want = "x.out: \\\n  s\\ 1.o \\\n  t.lds\n\ns\\ 1.o:\n\nt.lds:\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
