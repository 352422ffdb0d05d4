package elffile

import (
	"debug/elf"
	"fmt"
	"slices"
	"testing"

	"elfwright/internal/elftest"
)

// uleb and sleb append LEB128 numbers.
func uleb(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func sleb(b []byte, v int64) []byte {
	for {
		x := byte(v & 0x7f)
		v >>= 7
		if v == 0 && x&0x40 == 0 || v == -1 && x&0x40 != 0 {
			return append(b, x)
		}
		b = append(b, x|0x80)
	}
}

// sampleRelocs are relocations with large steps in every field and both
// directions.
func sampleRelocs(f *File, addends bool) []Reloc {
	var rs []Reloc
	for i := range 2000 {
		r := Reloc{Off: uint64(0x2000 + i*8), Sym: uint32(i * 7 % 41), Type: uint32(i % 5)}
		if i%100 == 0 {
			r.Off = uint64(i) << 17
			r.Sym = 0xffffff - uint32(i)
		}
		if addends {
			r.Addend = int64(i%9-4) << uint(i%28)
		}
		if !f.Is64() {
			r.Sym &= 0xffffff
		}
		rs = append(rs, r)
	}
	return rs
}

// encodeCrel is the encoder of the CREL proposal.
func encodeCrel(rs []Reloc, addends bool, shift uint) []byte {
	head, flagBits := uint64(len(rs))<<3|uint64(shift), uint(2)
	if addends {
		head, flagBits = head|4, 3
	}
	b := uleb(nil, head)
	var p Reloc
	for _, r := range rs {
		delta := (r.Off - p.Off) >> shift
		flags := byte(0)
		if r.Sym != p.Sym {
			flags |= 1
		}
		if r.Type != p.Type {
			flags |= 2
		}
		if r.Addend != p.Addend {
			flags |= 4
		}
		first := byte(delta<<flagBits) | flags
		if delta>>(7-flagBits) == 0 {
			b = append(b, first&0x7f)
		} else {
			b = uleb(append(b, first|0x80), delta>>(7-flagBits))
		}
		if flags&1 != 0 {
			b = sleb(b, int64(int32(r.Sym-p.Sym)))
		}
		if flags&2 != 0 {
			b = sleb(b, int64(int32(r.Type-p.Type)))
		}
		if flags&4 != 0 {
			b = sleb(b, r.Addend-p.Addend)
		}
		p = r
	}
	return b
}

func TestCrel(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, addends := range []bool{false, true} {
			for shift := range uint(4) {
				f := parseDesc(t, elftest.Object(k))
				want := sampleRelocs(f, addends)
				slices.SortFunc(want, func(a, b Reloc) int { return int(int64(a.Off) - int64(b.Off)) }) // offsets go up
				sec := elftest.Section{Name: ".crel.text", Type: shtCrel, Data: encodeCrel(want, addends, shift)}
				f = parseDesc(t, elftest.File{Class: k.Class, Order: k.Order, Machine: k.Machine, Type: elf.ET_REL, Sections: []elftest.Section{sec}})
				tab, err := f.RelocTable(1)
				if err != nil {
					t.Fatal(err)
				}
				sameRelocs(t, fmt.Sprintf("CREL, addends %v, shift %d", addends, shift), tab, want)
				if tab.HasAddend != addends || tab.Kind != "CREL" {
					t.Errorf("%s, addends %v", tab.Kind, tab.HasAddend)
				}
			}
		}
	})
}

func sameRelocs(t *testing.T, name string, tab *RelocTable, want []Reloc) {
	t.Helper()
	if tab.Len() != len(want) {
		t.Fatalf("%s: %d relocations, want %d", name, tab.Len(), len(want))
	}
	for i, r := range collect(tab) {
		if r != want[i] || tab.At(i) != r {
			t.Fatalf("%s: relocation %d: %+v, At %+v, want %+v", name, i, r, tab.At(i), want[i])
		}
	}
}

// encodeAndroid makes one group for each run of relocations that share what flags
// say.
func encodeAndroid(f *File, rs []Reloc, flags int64) []byte {
	info := func(r Reloc) int64 {
		if f.Is64() {
			return int64(uint64(r.Sym)<<32 | uint64(r.Type))
		}
		return int64(r.Sym<<8 | r.Type)
	}
	b := sleb(sleb([]byte("APS2"), int64(len(rs))), 0)
	p := Reloc{}
	for i := 0; i < len(rs); {
		n := 1
		for i+n < len(rs) {
			a, b := rs[i+n-1], rs[i+n]
			if flags&androidByInfo != 0 && info(a) != info(b) || flags&androidByDelta != 0 && b.Off-a.Off != rs[i].Off-p.Off ||
				flags&androidByAddend != 0 && a.Addend != b.Addend {
				break
			}
			n++
		}
		b = sleb(sleb(b, int64(n)), flags)
		if flags&androidByDelta != 0 {
			b = sleb(b, int64(rs[i].Off-p.Off))
		}
		if flags&androidByInfo != 0 {
			b = sleb(b, info(rs[i]))
		}
		if flags&(androidAddend|androidByAddend) == androidAddend|androidByAddend {
			b = sleb(b, rs[i].Addend-p.Addend)
		}
		for _, r := range rs[i : i+n] {
			if flags&androidByDelta == 0 {
				b = sleb(b, int64(r.Off-p.Off))
			}
			if flags&androidByInfo == 0 {
				b = sleb(b, info(r))
			}
			if flags&(androidAddend|androidByAddend) == androidAddend {
				b = sleb(b, r.Addend-p.Addend)
			}
			p = r
		}
		i += n
	}
	return b
}

func TestAndroid(t *testing.T) {
	t.Parallel()
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for flags := range int64(16) {
			f := parseDesc(t, elftest.Shared(k))
			want := sampleRelocs(f, flags&androidAddend != 0)
			tag, size, kind := dtAndroidRel, dtAndroidRelsz, "ANDROID_REL"
			if flags&androidAddend != 0 {
				tag, size, kind = dtAndroidRela, dtAndroidRelasz, "ANDROID_RELA"
			}
			f = parseDesc(t, oddDynamic(k, encodeAndroid(f, want, flags), elftest.Dyn{Tag: tag, Addr: ".odd"}, elftest.Dyn{Tag: size, Size: ".odd"}))
			tables, err := f.DynamicRelocTables()
			if err != nil {
				t.Fatal(err)
			}
			tab := tables[len(tables)-1]
			if tab.Kind != kind || tab.Name != kind {
				t.Errorf("kind %s, name %s", tab.Kind, tab.Name)
			}
			sameRelocs(t, fmt.Sprintf("%s, flags %d", kind, flags), tab, want)
		}
	})
}

// TestDynamicCrel: a table that DT_CREL names tells its size itself.
func TestDynamicCrel(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Shared(k))
		want := sampleRelocs(f, true)[:90]
		slices.SortFunc(want, func(a, b Reloc) int { return int(int64(a.Off) - int64(b.Off)) })
		f = parseDesc(t, oddDynamic(k, encodeCrel(want, true, 0), elftest.Dyn{Tag: dtCrel, Addr: ".odd"}))
		tables, err := f.DynamicRelocTables()
		if err != nil {
			t.Fatal(err)
		}
		sameRelocs(t, "CREL", tables[len(tables)-1], want)
	})
}

// TestPackedFaults: what is there is read, and nothing grows without bound.
func TestPackedFaults(t *testing.T) {
	bomb := sleb(sleb([]byte("APS2"), 1<<60), 0)
	bomb = sleb(sleb(sleb(sleb(bomb, 1<<60), androidByInfo|androidByDelta), 8), 8)
	wide := []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}
	for _, tc := range []struct {
		name  string
		form  relocForm
		data  []byte
		n     int
		words string
	}{
		{"no magic", formAndroidRel, []byte("APS1xxx"), 0, `"APS1", not "APS2"`},
		{"short magic", formAndroidRel, []byte("AP"), 0, `"AP", not "APS2"`},
		{"cut header", formAndroidRel, []byte("APS2"), 0, "a number reaches past the end"},
		{"cut group", formAndroidRel, sleb(sleb([]byte("APS2"), 10), 0), 0, "a number reaches past the end"},
		{"empty group", formAndroidRel, sleb(sleb(sleb(sleb([]byte("APS2"), 10), 0), 0), 0), 0, "a group is empty"},
		{"wide number", formAndroidRel, append([]byte("APS2"), wide...), 0, "more than 64 bits"},
		{"bomb", formAndroidRela, bomb, 1024 * len(bomb), "the rest is not read"},
		{"crel cut", formCrel, uleb(nil, 1000<<3), 0, "only 0 of 1000 are there"},
		{"crel cut number", formCrel, append(uleb(nil, 1000<<3), 0x80, 0x80), 0, "a number reaches past the end"},
		{"crel wide", formCrel, wide, 0, "more than 64 bits"},
		{"crel half", formCrel, append(uleb(nil, 3<<3), 4, 8, 0x81), 2, "a number reaches past the end"},
	} {
		f := &File{Name: "f", Format: Format{elf.ELFCLASS64, elf.ELFDATA2LSB}}
		tab := &RelocTable{format: f.Format}
		err := tab.set(f, tc.form, tc.data, 1, 0, func(format string, args ...any) *Error { return f.fault("table", "", 0, format, args...) })
		t.Run(tc.name, func(t *testing.T) {
			wantError(t, err, tc.words)
			if tab.Len() != tc.n || len(collect(tab)) != tc.n {
				t.Errorf("%d relocations, want %d", tab.Len(), tc.n)
			}
		})
	}
}
