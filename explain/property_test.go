package explain

import (
	"debug/elf"
	"slices"
	"testing"

	"elfwright/internal/elftest"
	"elfwright/plan"
)

const noteOff = 0x900

// propertyNote is a program with one PT_GNU_PROPERTY.
func propertyNote(t *testing.T, m elf.Machine, note []byte) *Subject {
	t.Helper()
	c := craft{
		typ: elf.ET_EXEC, machine: m, class: elf.ELFCLASS64, entry: execBase + codeOff,
		segs: []elftest.Segment{code, {Type: elf.PT_GNU_PROPERTY, Flags: elf.PF_R, Off: noteOff, Filesz: uint64(len(note)), Align: 8}},
		note: note,
	}
	s, err := Open(c.write(t, t.TempDir(), "property", ""), Options{Kernel: plan.Latest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestProperties: what the kernel makes of PT_GNU_PROPERTY, and where it refuses.
func TestProperties(t *testing.T) {
	note := func(desc ...byte) []byte {
		return append([]byte{4, 0, 0, 0, byte(len(desc)), 0, 0, 0, 5, 0, 0, 0, 'G', 'N', 'U', 0}, desc...)
	}
	feature := func(typ0, bits byte) []byte {
		return []byte{typ0, 0, 0, 0xc0, 4, 0, 0, 0, bits, 0, 0, 0, 0, 0, 0, 0}
	}
	bti := note(feature(0, 3)...)
	for _, tc := range []struct {
		name    string
		machine elf.Machine
		note    []byte
		errno   string
		bits    []string
		counts  bool
	}{
		{"bti", elf.EM_AARCH64, bti, "", []string{"BTI", "PAC"}, true},
		{"ibt", elf.EM_X86_64, note(feature(2, 3)...), "", []string{"IBT", "SHSTK"}, false},
		{"cut", elf.EM_AARCH64, bti[:20], "ENOEXEC", nil, false},
		{"short", elf.EM_AARCH64, bti[:8], "EIO", nil, false},
		{"name", elf.EM_AARCH64, append([]byte{5}, bti[1:]...), "ENOEXEC", nil, false},
		{"size", elf.EM_AARCH64, note(0, 0, 0, 0xc0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0), "ENOEXEC", nil, false},
		{"order", elf.EM_AARCH64, note(slices.Concat(feature(1, 1), feature(0, 1))...), "ENOEXEC", nil, false},
		{"x86 does not look", elf.EM_X86_64, bti[:20], "", nil, false},
	} {
		p := propertyNote(t, tc.machine, tc.note).Process
		if p.Outcome.Errno != tc.errno {
			t.Errorf("%s: %+v, want %q", tc.name, p.Outcome, tc.errno)
		}
		if tc.bits != nil && (len(p.Properties) != 1 || !slices.Equal(p.Properties[0].Bits, tc.bits) || p.Properties[0].Counts != tc.counts) {
			t.Errorf("%s: %+v", tc.name, p.Properties)
		}
	}
}
