package elftest_test

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"elfwright/internal/elftest"
)

func TestFieldNames(t *testing.T) {
	for _, k := range elftest.Kinds() {
		for _, f := range []elftest.File{elftest.Shared(k), elftest.Object(k), elftest.ExecSections(k)} {
			data := f.Bytes()
			seen := map[string]bool{}
			for _, f := range elftest.Fields(data) {
				if seen[f.Name] {
					t.Errorf("%s: field %s twice", k.Name, f.Name)
				}
				seen[f.Name] = true
				if f.Off < 0 || f.Off+f.Size > len(data) {
					t.Errorf("%s: field %s at %#x, size %d, is outside the file (%#x)", k.Name, f.Name, f.Off, f.Size, len(data))
				}
			}
		}
	}
}

func TestFieldValues(t *testing.T) {
	for _, k := range elftest.Kinds() {
		get := fieldGetter(t, elftest.Shared(k).Bytes())
		for name, want := range map[string]uint64{
			"e_phnum":                            9,
			"phdr[4].p_align":                    4,
			"shdr[17].sh_link":                   8,
			".dynsym[0].st_value":                0,
			".dynamic[3].d_tag":                  1,
			".note.ABI-tag[1].n_type":            3,
			".gnu.version_d[1].vd_ndx":           2,
			".gnu.version_d[2].aux[1].vda_next":  0,
			".gnu.version_r[0].aux[1].vna_other": 5,
			".gnu.version[4]":                    3,
			".hash.nchain":                       6,
			".gnu.hash.bloomsize":                2,
			".gnu.hash.symoffset":                2,
			".note.gnu.property[0].n_namesz":     4,
			".gnu.version_r[0].vn_cnt":           2,
			".hash.chain[0]":                     0,
			".note.package[0].n_type":            elftest.NT_FDO_PACKAGING,
			".note.stapsdt[0].n_namesz":          8,
			".gnu.version_d[0].aux[0].vda_name":  get(".dynamic[4].d_val"), // DT_SONAME
			".gnu.version_r[0].vn_file":          get(".dynamic[3].d_val"), // DT_NEEDED
			".gnu.version_d[0].vd_version":       1,
			".gnu.version_d[0].vd_flags":         1,
			".dynamic[7].d_val":                  get("shdr[16].sh_size"),
			"phdr[2].p_offset":                   get("shdr[17].sh_offset"),
			"shdr[12].sh_entsize":                get(".dynamic[2].d_val"),
			"ei_class":                           uint64(k.Class),
			"e_machine":                          uint64(k.Machine),
			".gnu.hash.bucket[1]":                get(".gnu.hash.bucket[1]"),
			".gnu.hash.chain[2]":                 get(".gnu.hash.chain[2]"),
		} {
			if got := get(name); got != want {
				t.Errorf("%s: %s = %#x, want %#x", k.Name, name, got, want)
			}
		}
	}
}

// TestFieldsWithoutSections finds the same tables by program headers alone.
func TestFieldsWithoutSections(t *testing.T) {
	for _, k := range elftest.Kinds() {
		f := elftest.Shared(k)
		f.NoSectionHeaders = true
		get := fieldGetter(t, f.Bytes())
		for name, want := range map[string]uint64{
			"phdr[2].dynamic[3].d_tag": 1, "phdr[4].note[1].n_type": 3, "DT_GNU_HASH.bloomsize": 2,
			"DT_HASH.nchain": 6, "DT_VERDEF[1].vd_ndx": 2, "DT_VERNEED[0].vn_cnt": 2, "DT_SYMTAB[0].st_name": 0,
		} {
			if got := get(name); got != want {
				t.Errorf("%s: %s = %#x, want %#x", k.Name, name, got, want)
			}
		}
	}
}

func digest(seq iter.Seq2[string, []byte]) (sum [32]byte, n int) {
	h := sha256.New()
	for name, data := range seq {
		h.Write([]byte(name))
		h.Write(data)
		n++
	}
	return [32]byte(h.Sum(nil)), n
}

func TestMutateIsDeterministic(t *testing.T) {
	good := elftest.Shared(elftest.Kinds()[0]).Bytes()
	before := bytes.Clone(good)
	a, n := digest(elftest.Mutate(1, good))
	b, _ := digest(elftest.Mutate(1, good))
	c, _ := digest(elftest.Mutate(2, good))
	if a != b || a == c {
		t.Errorf("seeds 1, 1, 2 give %x, %x, %x", a[:4], b[:4], c[:4])
	}
	if n < 5000 {
		t.Errorf("%d mutations, want at least 5000", n)
	}
	if !bytes.Equal(good, before) {
		t.Error("Mutate changed its input")
	}
}

// TestMutateKinds looks for one mutation of each kind, over all good files.
func TestMutateKinds(t *testing.T) {
	names := map[string]bool{}
	for name, data := range elftest.WellFormed() {
		if !strings.HasSuffix(name, "64le") {
			continue
		}
		for m, out := range elftest.Mutate(7, data) {
			names[m] = true
			if bytes.Equal(out, data) && !strings.HasPrefix(m, "flip") && !strings.Contains(m, " at ") && !strings.Contains(m, "filled") {
				t.Errorf("%s: %s changes nothing", name, m)
			}
		}
	}
	for data := range maps.Values(maps.Collect(elftest.ArchiveCorpus())) {
		for m := range elftest.Mutate(7, data) {
			names[m] = true
		}
	}
	for _, want := range []string{
		"e_phoff=0x0", "phdr[1].p_filesz=0xffffffffffffffff", "shdr[6].sh_link to itself", "every sh_link to the next",
		"e_phoff as e_shoff", "phdr[1].p_offset and phdr[2].p_offset swapped", ".gnu.hash.chain without ends",
		".hash.chain leads to itself", ".gnu.version_d[0].vd_aux to itself", ".gnu.version_d[1].vd_next=-20",
		"group 1 contains itself", "groups contain each other", "cut at 0x40", "doubled", "other byte order",
		"section[2] filled with 0xff", ".debug_info.ch_size=0x0", ".note.ABI-tag[0].n_namesz=0xffffffff",
		"DT_GNU_HASH.chain without ends", "index word 0=0xffffffff", "member 0 header filled with 0x0",
	} {
		if !names[want] {
			t.Errorf("no mutation %q", want)
		}
	}
}

// TestMutateOfMutants runs the decoder over broken files: it must not panic and
// its fields must lie in the file.
func TestMutateOfMutants(t *testing.T) {
	for name, data := range elftest.WellFormed() {
		n := 0
		for m, out := range elftest.Mutate(3, data) {
			if n++; n > 300 {
				break
			}
			for _, f := range elftest.Fields(out) {
				if f.Off < 0 || f.Off+f.Size > len(out) {
					t.Fatalf("%s, %s: field %s is outside the file", name, m, f.Name)
				}
			}
		}
	}
}

func FuzzFields(f *testing.F) {
	for _, data := range elftest.Corpus() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, f := range elftest.Fields(data) {
			if f.Off < 0 || f.Off+f.Size > len(data) {
				t.Fatalf("field %s is outside the file", f.Name)
			}
		}
		for _, s := range elftest.Spans(data) {
			if s.Off < 0 || s.Off >= s.End || s.End > len(data) {
				t.Fatalf("span %+v is outside the file", s)
			}
		}
		next, stop := iter.Pull2(elftest.Mutate(1, data))
		defer stop()
		next()
	})
}

func TestSpansAreInOrderOfDiscovery(t *testing.T) {
	spans := elftest.Spans(elftest.Shared(elftest.Kinds()[0]).Bytes())
	i := slices.IndexFunc(spans, func(s elftest.Span) bool { return s.Name == ".dynsym" })
	if spans[0].Name != "ELF header" || i < 0 || spans[i].End-spans[i].Off != 6*24 {
		t.Errorf("spans = %v", spans)
	}
}
