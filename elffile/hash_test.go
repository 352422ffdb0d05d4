package elffile

import (
	"debug/elf"
	"fmt"
	"testing"

	"elfwright/internal/elftest"
)

func TestHashLookup(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, bare := range []bool{false, true} {
			d := elftest.Shared(k)
			d.NoSectionHeaders = bare
			f := parseDesc(t, d)
			syms, _ := f.DynamicSymbolTable()
			sh, err := f.SysvHash()
			if err != nil || sh.Count() != 6 || sh.Buckets.Len() != 3 {
				t.Fatalf("DT_HASH: %v", err)
			}
			gh, err := f.GnuHash()
			if err != nil || gh.Count() != 6 || gh.Buckets.Len() != 3 || gh.Bloom.Len() != 2 || gh.SymOffset != 2 || gh.BloomShift != 6 {
				t.Fatalf("DT_GNU_HASH: %+v, %v", gh, err)
			}
			for i := 2; i < 6; i++ {
				name := string(syms.Name(syms.At(i)))
				if x, ok := sh.Lookup(name); !ok || x != i {
					t.Errorf("DT_HASH: %s: %d, %v; want %d", name, x, ok, i)
				}
				if x, ok := gh.Lookup(name); !ok || x != i {
					t.Errorf("DT_GNU_HASH: %s: %d, %v; want %d", name, x, ok, i)
				}
			}
			for _, name := range []string{"puts", "", "nothing"} { // puts is undefined
				if x, ok := sh.Lookup(name); ok {
					t.Errorf("DT_HASH: %s: %d", name, x)
				}
				if x, ok := gh.Lookup(name); ok {
					t.Errorf("DT_GNU_HASH: %s: %d", name, x)
				}
			}
			n := 0
			for b := range gh.Buckets.Len() {
				for range gh.Chain(b) {
					n++
				}
			}
			if n != 4 {
				t.Errorf("chains of DT_GNU_HASH have %d symbols", n)
			}
		}
	})
}

func TestHashOf(t *testing.T) {
	for _, name := range []string{"", "a", "printf", "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_appendEPKcm", "\xff\xfe\x80"} {
		if got, want := SysvHashOf(name), elftest.SysVHashOf(name); got != want {
			t.Errorf("DT_HASH of %q: 0x%x, want 0x%x", name, got, want)
		}
		if got, want := GnuHashOf(name), elftest.GNUHashOf(name); got != want {
			t.Errorf("DT_GNU_HASH of %q: 0x%x, want 0x%x", name, got, want)
		}
	}
	// gABI: printf hashes to 0x077905a6.
	if h := SysvHashOf("printf"); h != 0x077905a6 {
		t.Errorf("0x%x", h)
	}
}

// TestHashWideWords: DT_HASH has words of eight bytes on 64-bit s390 and Alpha.
func TestHashWideWords(t *testing.T) {
	for _, m := range []elf.Machine{elf.EM_S390, 0x9026, elf.EM_X86_64} {
		for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
			f := &File{Format: Format{class, elf.ELFDATA2MSB}}
			f.Header.Machine = m
			want := 4
			if class == elf.ELFCLASS64 && m != elf.EM_X86_64 {
				want = 8
			}
			if got := f.sysvWord(); got != want {
				t.Errorf("%v, %v: words of %d bytes", m, class, got)
			}
		}
	}
	f := &File{Name: "f", Format: Format{elf.ELFCLASS64, elf.ELFDATA2MSB}, Body: NewBody(Buffer(make([]byte, 8*8)))}
	f.Header.Machine = elf.EM_S390
	b := make([]byte, 8*8)
	for i, v := range []uint64{2, 4, 3, 1, 0, 0, 0, 2} {
		f.PutU64(b[8*i:], v)
	}
	f.Body = NewBody(Buffer(b))
	h, err := f.parseSysvHash(f.spanOf(0, 64), f.fault("x", "", 0, ""))
	if err != nil || h.Count() != 4 || h.Buckets.At(0) != 3 || h.Chains.At(3) != 2 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestHashFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			field string
			v     uint64
			gnu   bool
			words string
		}{
			{".hash.nbucket", 0xffffffff, false, "4294967295 buckets and 6 chains"},
			{".hash.nchain", 0xffffffff, false, "3 buckets and 4294967295 chains"},
			{".gnu.hash.nbucket", 0xffffffff, true, "are more than"},
			{".gnu.hash.bloomsize", 0xffffffff, true, "are more than"},
			{".gnu.hash.symoffset", 5, true, "before the first hashed one (5)"},
			{".gnu.hash.bucket[0]", 0xffffffff, true, "does not end in"},
		} {
			d := elftest.Shared(k)
			d.Set = map[string]uint64{tc.field: tc.v}
			f := parseDesc(t, d)
			_, err := f.SysvHash()
			if tc.gnu {
				_, err = f.GnuHash()
			}
			wantError(t, err, tc.words, f.Name, "dynamic entry")
			// The other table still counts the symbols.
			if tab, _ := f.DynamicSymbolTable(); tab.Len() != 6 {
				t.Errorf("%s: %d symbols by %s", tc.field, tab.Len(), tab.CountBy)
			}
		}
	})
}

// TestHashCircle: chains that run in a circle end, and empty tables find nothing.
func TestHashCircle(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		set := map[string]uint64{}
		for i := range 6 {
			set[fmt.Sprintf(".hash.chain[%d]", i)] = 3
		}
		d := elftest.Shared(k)
		d.Set = set
		h, err := parseDesc(t, d).SysvHash()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := h.Lookup("no such name"); ok {
			t.Error("found what is not there")
		}
		for b := range h.Buckets.Len() {
			chain, ok := h.Chain(b)
			n := 0
			for range chain {
				n++
			}
			if n > 6 || n > 1 && ok() {
				t.Errorf("bucket %d: %d steps, ended %v", b, n, ok())
			}
		}
		d = elftest.Shared(k)
		d.Set = map[string]uint64{".hash.nbucket": 0, ".gnu.hash.nbucket": 0, ".gnu.hash.bloomsize": 0}
		f := parseDesc(t, d)
		if h, _ := f.SysvHash(); h != nil {
			if _, ok := h.Lookup("answer"); ok {
				t.Error("found in no bucket")
			}
		}
		if h, _ := f.GnuHash(); h != nil {
			if _, ok := h.Lookup("answer"); ok {
				t.Error("found in no bucket")
			}
		}
	})
}
