package elffile

import (
	"debug/elf"
	"testing"

	"elfwright/internal/elftest"
)

func TestVersions(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, bare := range []bool{false, true} {
			d := elftest.Shared(k)
			d.NoSectionHeaders = bare
			v, err := parseDesc(t, d).Versions()
			if err != nil {
				t.Fatal(err)
			}
			checkVersions(t, v)
		}
	})
}

func checkVersions(t *testing.T, v *Versions) {
	t.Helper()
	if v.Len() != 6 || len(v.Needs) != 1 || len(v.Defs) != 3 || v.Check() != nil {
		t.Fatalf("%d symbols, %d needs, %d definitions, %v", v.Len(), len(v.Needs), len(v.Defs), v.Check())
	}
	for i, want := range []struct {
		index      uint16
		name, file string
	}{{0, "", ""}, {4, "GLIBC_2.2.5", "libc.so.6"}, {2, "ELFTEST_1", ""}, {2, "ELFTEST_1", ""}, {3, "ELFTEST_2", ""}, {2, "ELFTEST_1", ""}} {
		x, hidden := v.Symbol(i)
		if x != want.index || hidden || string(v.Name(x)) != want.name || string(v.File(x)) != want.file {
			t.Errorf("symbol %d: version %d %q from %q", i, x, v.Name(x), v.File(x))
		}
	}
	for _, i := range []int{-1, 6, 1 << 30} {
		if x, hidden := v.Symbol(i); x != 1 || hidden {
			t.Errorf("symbol %d: version %d", i, x)
		}
	}
	if d := v.Defs[2]; len(d.Names) != 2 || string(d.Names[1]) != "ELFTEST_1" || v.Defs[0].Flags != VerFlagBase || string(v.Defs[0].Name()) != "libelftest.so.1" {
		t.Errorf("definitions %+v", v.Defs)
	}
	if n := v.Needs[0]; len(n.Aux) != 2 || n.Aux[1].Index != 5 || n.Aux[1].Hash != SysvHashOf("GLIBC_2.34") || string(n.File) != "libc.so.6" {
		t.Errorf("need %+v", n)
	}
}

func TestHiddenVersion(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.Shared(k)
		d.Set = map[string]uint64{".gnu.version[3]": VerHidden | 2}
		v, err := parseDesc(t, d).Versions()
		if x, hidden := v.Symbol(3); x != 2 || !hidden || err != nil {
			t.Errorf("version %d, hidden %v, %v", x, hidden, err)
		}
	})
}

func TestVersionFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, tc := range []struct {
			field string
			v     uint64
			words []string
		}{
			{".gnu.version_r[0].vn_cnt", 9, []string{"needed version 1", "it is the last of 2, and 9 are announced"}},
			{".gnu.version_r[0].vn_aux", 0x7fffffff, []string{"needed version 0", "past the end of the table"}},
			{".gnu.version_r[0].aux[0].vna_next", 1, []string{"needed version 0", "inside this one"}},
			{".gnu.version_r[0].aux[0].vna_next", 0xfffffff0, []string{"needed version 1", "past the end of the table"}},
			{".gnu.version_d[0].vd_next", 4, []string{"version definition 0", "inside this one (0x14)"}},
			{".gnu.version_d[0].vd_next", 0, []string{"version definition 0", "the last of 1, and 3 are announced"}},
			{".gnu.version_d[2].vd_cnt", 0xffff, []string{"version name 1", "the last of 2, and 65535"}},
			{".gnu.version_d[1].aux[0].vda_name", 0xffffff, []string{}},
		} {
			d := elftest.Shared(k)
			d.Set = map[string]uint64{tc.field: tc.v}
			f := parseDesc(t, d)
			v, err := f.Versions()
			if len(tc.words) == 0 {
				if err != nil || v.Defs[1].Name() != nil {
					t.Errorf("%s: %q, %v", tc.field, v.Defs[1].Name(), err)
				}
				continue
			}
			wantError(t, err, append(tc.words, f.Name)...)
			if v.Len() != 6 {
				t.Errorf("%s: %d symbols", tc.field, v.Len())
			}
		}
		d := elftest.Shared(k)
		d.Set = map[string]uint64{".gnu.version_d[1].vd_hash": 1}
		v, err := parseDesc(t, d).Versions()
		if err != nil {
			t.Error(err)
		}
		wantError(t, v.Check(), `version "ELFTEST_1", hash at`, "0x1 is not the hash of its name")
	})
}

// TestVersionsShared has lists that share their entries: each of many needs
// names all of the auxiliary entries. That must cost no more than an honest file.
func TestVersionsShared(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		const n = 20000
		w := Format{Class: k.Class, Data: map[bool]elf.Data{true: elf.ELFDATA2MSB, false: elf.ELFDATA2LSB}[k.Order.String() == "BigEndian"]}
		b := make([]byte, 2*n*16)
		for i := range n {
			need, aux := b[16*i:], b[16*(n+i):]
			w.PutU16(need[2:], 0xffff)
			w.PutU32(need[8:], uint32(16*(n-i)))
			w.PutU32(need[12:], 16)
			w.PutU32(aux[12:], 16)
		}
		d := oddDynamic(k, b, elftest.Dyn{Tag: elf.DT_VERNEED, Addr: ".odd"}, elftest.Dyn{Tag: elf.DT_VERNEEDNUM, Val: n})
		v, err := parseDesc(t, d).Versions()
		wantError(t, err, "more of them are linked than")
		total := 0
		for _, n := range v.Needs {
			total += len(n.Aux)
		}
		if total > 3*n {
			t.Errorf("%d auxiliary entries in %d bytes", total, len(b))
		}
	})
}
