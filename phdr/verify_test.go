package phdr

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/elftest"
)

// edited is a draft with a header added, before it is proved.
func edited(t *testing.T) *draft {
	t.Helper()
	f, err := elffile.Parse("small", elftest.Shared(elftest.Kinds()[0]).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	d, err := newAddition(f, []Header{{Type: 0x65770001, Data: elffile.Buffer("bytes of our own")}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, technique := range techniques {
		if technique.name == "evict" {
			if err := d.add(technique); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.changesHeads()
	return d
}

// TestProofFindsMistakes: whatever an edit gets wrong, nothing is given out.
func TestProofFindsMistakes(t *testing.T) {
	if _, _, err := edited(t).prove(); err != nil {
		t.Fatalf("without a mistake: %v", err)
	}
	load := func(d *draft) *elffile.Prog { return &d.Progs[d.tableLoad()] }
	code := func(d *draft) *elffile.Prog {
		for i := range d.Progs {
			if p := &d.Progs[i]; p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 {
				return p
			}
		}
		return load(d)
	}
	moved := func(d *draft) Move {
		for _, m := range d.moves {
			if m.Kind == "bytes" && m.Size > 4 {
				return m
			}
		}
		t.Fatal("nothing moved")
		return Move{}
	}
	for name, mistake := range map[string]func(*draft){
		"a byte of code":            func(d *draft) { p := code(d); d.Body.Put(int64(p.Off+p.Filesz-1), elffile.Buffer{0xa5}) },
		"a byte of what moved":      func(d *draft) { d.Body.Put(int64(moved(d).ToOff), elffile.Buffer("\xa5\xa5\xa5\xa5")) },
		"a segment's address":       func(d *draft) { code(d).Vaddr += 0x1000 },
		"a segment's protection":    func(d *draft) { code(d).Flags ^= elf.PF_W },
		"a segment's size":          func(d *draft) { code(d).Memsz--; code(d).Filesz-- },
		"a segment that is gone":    func(d *draft) { code(d).Type = elf.PT_NULL },
		"the entry":                 func(d *draft) { d.Header.Entry += 4 },
		"the table's place":         func(d *draft) { d.Header.Phoff += 8 },
		"a dynamic entry":           func(d *draft) { d.Body.Put(d.dynOffset(d.dyn[0])+8, elffile.Buffer{0x77}) },
		"the order of PT_LOADs":     func(d *draft) { i := d.tableLoad(); d.Progs[i], d.Progs[i+1] = d.Progs[i+1], d.Progs[i] },
		"a section":                 func(d *draft) { d.secs[len(d.secs)-2].Off += 8; d.setSections() },
		"PT_DYNAMIC where it isn't": func(d *draft) { d.Progs[progIndex(d.Progs, elf.PT_DYNAMIC)].Off += 16 },
	} {
		d := edited(t)
		mistake(d)
		if _, _, err := d.prove(); err == nil {
			t.Errorf("%s: not found", name)
		} else if !strings.Contains(err.Error(), "small") {
			t.Errorf("%s: no file name in %q", name, err)
		}
	}
}

func TestPack(t *testing.T) {
	rs := []*region{
		{off: 0x100, end: 0x11c, align: 1, name: "interp"},
		{off: 0x120, end: 0x140, align: 8, name: "property"},
		{off: 0x140, end: 0x200, align: 8, name: "table"},
		{off: 0x200, end: 0x300, name: "fixed"},
	}
	small, table := rs[:2], rs[2]
	// The one with the larger alignment comes first, and does not fit in front of
	// the table.
	if spots, ok := pack(small, gapsOf(rs, small, 0x124, 0x1000)); !ok || spots[0].to != 0x300 || spots[1].to != 0x124 {
		t.Errorf("one behind the end, the other behind what is fixed: %v %v", spots, ok)
	}
	if _, ok := pack(small, gapsOf(rs, small, 0x124, 0x300)); ok {
		t.Error("two things in the place of one")
	}
	spots, ok := pack(small, gapsOf(rs, append(small[:2:2], table), 0x180, 0x300))
	if !ok || spots[0].to != 0x180 || spots[1].to != 0x1a0 {
		t.Errorf("in place of the table: %v %v", spots, ok)
	}
	if e := swapAll(rs, small, nil, 0x180, 0x300); e != nil {
		t.Errorf("swapped with a region that is no table: %v", e.out)
	}
	table.kind = regionTable
	if e := swapAll(rs, small, nil, 0x180, 0x300); e == nil || len(e.out) != 1 || e.out[0] != table {
		t.Errorf("not swapped with the table: %+v", e)
	}
}
