package place

import (
	"debug/elf"
	"strings"
	"testing"

	"elfwright/dyn/load"
	"elfwright/dyn/object"
	"elfwright/elffile"
	"elfwright/image"
)

// object makes an object of a machine from its program headers.
func obj(m elf.Machine, typ elf.Type, progs ...elffile.Prog) *load.Object {
	f := &elffile.File{Name: "o", Format: elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, Body: elffile.NewBody(elffile.Zeros(1 << 20))}
	f.Header.Machine, f.Header.Type = m, typ
	f.Progs = progs
	o := &object.Object{File: f}
	for i := range progs {
		if progs[i].Type == elf.PT_TLS {
			o.TLS = &progs[i]
		}
	}
	return &load.Object{Object: o}
}

func segment(vaddr, memsz, align uint64) elffile.Prog {
	return elffile.Prog{Type: elf.PT_LOAD, Flags: elf.PF_R, Vaddr: vaddr, Off: vaddr % 0x1000, Filesz: 16, Memsz: memsz, Align: align}
}

func tlsOf(vaddr, memsz, align uint64) elffile.Prog {
	return elffile.Prog{Type: elf.PT_TLS, Vaddr: vaddr, Memsz: memsz, Align: align}
}

// TestTLS holds offsets against what _dl_determine_tlsoffset (glibc) and dynlink.c
// (musl) compute; the first is what linkers write into the program.
func TestTLS(t *testing.T) {
	for _, c := range []struct {
		name    string
		machine elf.Machine
		gaps    bool
		tls     []elffile.Prog
		want    []int64
		size    uint64
	}{
		{"one below", elf.EM_X86_64, true, []elffile.Prog{tlsOf(0, 4, 4)}, []int64{-4}, 4},
		{"rounded up", elf.EM_X86_64, true, []elffile.Prog{tlsOf(0, 5, 16)}, []int64{-16}, 16},
		{"not at a multiple", elf.EM_X86_64, true, []elffile.Prog{tlsOf(0x1008, 8, 64)}, []int64{-56}, 56},
		{"into the gap", elf.EM_X86_64, true, []elffile.Prog{tlsOf(0, 8, 8), tlsOf(0, 64, 64), tlsOf(0, 8, 8)}, []int64{-8, -128, -16}, 128},
		{"gap left open", elf.EM_X86_64, false, []elffile.Prog{tlsOf(0, 8, 8), tlsOf(0, 64, 64), tlsOf(0, 8, 8)}, []int64{-8, -128, -136}, 136},
		{"above", elf.EM_AARCH64, false, []elffile.Prog{tlsOf(0, 4, 4), tlsOf(0, 8, 8)}, []int64{16, 24}, 32},
		{"above, aligned", elf.EM_AARCH64, false, []elffile.Prog{tlsOf(0, 4, 64)}, []int64{64}, 68},
		{"above, skewed", elf.EM_AARCH64, false, []elffile.Prog{tlsOf(0x10, 4, 64)}, []int64{16}, 20},
		{"riscv", elf.EM_RISCV, false, []elffile.Prog{tlsOf(0, 4, 4)}, []int64{0}, 4},
		{"arm", elf.EM_ARM, false, []elffile.Prog{tlsOf(0, 4, 4)}, []int64{8}, 12},
	} {
		var objects []Object
		for _, p := range c.tls {
			objects = append(objects, Object{Object: obj(c.machine, elf.ET_DYN, p)})
		}
		got, err := layTLS(objects, TLSRules{Gaps: c.gaps})
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range objects {
			if o.Offset != c.want[i] || o.Module != i+1 {
				t.Errorf("%s: module %d at %d, want %d at %d", c.name, o.Module, o.Offset, i+1, c.want[i])
			}
		}
		if got.Size != c.size {
			t.Errorf("%s: size %d, want %d", c.name, got.Size, c.size)
		}
	}
}

// TestLay places programs with and without addresses of their own.
func TestLay(t *testing.T) {
	fixed := obj(elf.EM_X86_64, elf.ET_EXEC, segment(0x400000, 0x1800, 0x1000))
	big := obj(elf.EM_X86_64, elf.ET_DYN, segment(0, 0x1000, 0x1000), segment(0x201000, 0x10, 0x200000))
	big.Progs[1].Off = 0x1000
	lib := obj(elf.EM_X86_64, elf.ET_DYN, segment(0x10123, 0x10, 1))
	p := &load.Process{Objects: []*load.Object{fixed, big, lib}}
	l, err := Lay(p, Options{Page: 0x1000})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []image.Range{{Start: 0x400000, Size: 0x2000}, {Start: DefaultBase, Size: 0x202000}, {Start: DefaultBase + 0x202000, Size: 0x1000}} {
		if got := l.Objects[i].Hull; got != want {
			t.Errorf("object %d is at %v, want %v", i, got, want)
		}
	}
	if l.Find(DefaultBase+0x202123) != &l.Objects[2] || l.Find(0x3fffff) != nil {
		t.Error("an address is found in the wrong object")
	}
	if l.Objects[2].Base != DefaultBase+0x202000-0x10000 {
		t.Errorf("base 0x%x", l.Objects[2].Base)
	}
	// In the middle of where libraries would go.
	fixed.Progs[0].Vaddr = DefaultBase + 0x100000
	if l, err = Lay(p, Options{Page: 0x1000, Base: DefaultBase}); err != nil {
		t.Fatal(err)
	}
	for i := range l.Objects {
		for j := range l.Objects[:i] {
			if l.Objects[i].Hull.Overlaps(l.Objects[j].Hull) {
				t.Errorf("%v and %v overlap", l.Objects[i].Hull, l.Objects[j].Hull)
			}
		}
	}
}

func TestLayRefuses(t *testing.T) {
	for want, p := range map[string]elffile.Prog{
		"is beyond the address space":                segment(0xffffffffffff0000, 0x20000, 1),
		"is not a power of two":                      segment(0, 0x1000, 3),
		"asks for an alignment of 0x4000000000":      segment(0, 0x1000, 1<<38),
		"differ modulo the page size 0x1000":         {Type: elf.PT_LOAD, Vaddr: 0x10, Off: 0x20, Memsz: 1},
		"is past the end of the file (0x100000)":     {Type: elf.PT_LOAD, Off: 0x100000, Filesz: 1, Memsz: 1},
		"p_filesz: 0x2 is more than p_memsz 0x1":     {Type: elf.PT_LOAD, Filesz: 2, Memsz: 1},
		"there is no PT_LOAD to map":                 {Type: elf.PT_NOTE},
		"no room for its 0x200000000000 bytes":       {Type: elf.PT_LOAD, Memsz: 0x200000000000, Vaddr: 0x100000000000},
		"no block of thread-local storage can be ma": tlsOf(0, 1<<40, 1),
	} {
		progs := []elffile.Prog{p}
		if p.Type == elf.PT_TLS {
			progs = append(progs, segment(0, 0x1000, 1))
		}
		o := obj(elf.EM_X86_64, elf.ET_DYN, progs...)
		_, err := Lay(&load.Process{Objects: []*load.Object{o}}, Options{Page: 0x1000, Base: 0x3fff_0000_0000})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
