package elffile

import (
	"bytes"
	"debug/elf"
	"testing"

	"elfwright/internal/elftest"
)

func TestNotes(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		f := parseDesc(t, elftest.Shared(k))
		property, err := f.ProgNotes(3)
		if err != nil || len(property) != 1 || property[0].Name != "GNU" || property[0].Type != 5 {
			t.Fatalf("property notes %+v, %v", property, err)
		}
		notes, err := f.ProgNotes(4)
		if err != nil || len(notes) < 4 {
			t.Fatalf("notes %+v, %v", notes, err)
		}
		for _, n := range notes {
			b, _ := f.Body.Bytes(uint64(n.Off), 12)
			if f.U32(b[4:]) != uint32(len(n.Desc)) || f.U32(b[8:]) != n.Type {
				t.Errorf("%s at 0x%x: not what is there", n.Name, n.Off)
			}
		}
		same, err := f.SectionNotes(section(t, f, ".note.ABI-tag"))
		if err != nil || len(same) != 2 || !bytes.Equal(same[1].Desc, notes[1].Desc) {
			t.Errorf("by section: %+v, %v", same, err)
		}
		if id := f.BuildID(); !bytes.Equal(id, []byte{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}) {
			t.Errorf("build-id %x", id)
		}
	})
}

func TestBuildIDBySection(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.ExecSections(k)
		d.Set = map[string]uint64{"phdr[3].p_type": 0}
		if id := parseDesc(t, d).BuildID(); !bytes.Equal(id, []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Errorf("build-id %x", id)
		}
		if id := parseDesc(t, elftest.Exec(k)).BuildID(); id != nil {
			t.Errorf("build-id %x of a file without", id)
		}
	})
}

// note makes a note with padding to align.
func note(f Format, align int, name string, typ uint32, desc string) []byte {
	b := make([]byte, 12)
	f.PutU32(b, uint32(len(name)))
	f.PutU32(b[4:], uint32(len(desc)))
	f.PutU32(b[8:], typ)
	pad := func() {
		for len(b)%align != 0 {
			b = append(b, 0)
		}
	}
	b = append(b, name...)
	pad()
	b = append(b, desc...)
	pad()
	return b
}

func TestParseNotes(t *testing.T) {
	le := Format{elf.ELFCLASS64, elf.ELFDATA2LSB}
	two := func(align int) []byte {
		return append(note(le, align, "GNU\x00", 5, "12345"), note(le, align, "Go\x00\x00", 4, "abcd")...)
	}
	for _, align := range []uint64{0, 1, 4, 8, 16, 1 << 63} {
		a := int(noteAlign(align))
		notes, err := ParseNotes(le, two(a), 0x100, align)
		if err != nil || len(notes) != 2 || string(notes[0].Desc) != "12345" || notes[1].Name != "Go" || string(notes[1].Desc) != "abcd" ||
			notes[1].Off != 0x100+int64(len(note(le, a, "GNU\x00", 5, "12345"))) {
			t.Errorf("align %d: %+v, %v", align, notes, err)
		}
	}
	for _, tc := range []struct {
		name  string
		b     []byte
		n     int
		words string
	}{
		{"nothing", nil, 0, ""},
		{"zeros behind", append(two(4), 0, 0, 0, 0, 0, 0, 0, 0), 2, ""},
		{"a byte behind", append(two(4), 1), 2, "note 2 at"},
		{"no descriptor, no padding", []byte("\x05\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00abcde"), 1, ""},
		{"descriptor not padded", note(le, 4, "GNU\x00", 1, "12345")[:21], 1, ""},
		{"name past the end", []byte("\x06\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00abcde"), 0, "n_namesz"},
		{"name huge", []byte("\xff\xff\xff\xff\x00\x00\x00\x00\x01\x00\x00\x00abcde"), 0, "n_namesz at 0x100: 0xffffffff"},
		{"descriptor huge", append(two(4), "\x04\x00\x00\x00\xff\xff\xff\xff\x01\x00\x00\x00GNU\x00"...), 2, "note 2, n_descsz at"},
		{"both huge", []byte("\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00abcde"), 0, "n_namesz"},
	} {
		notes, err := ParseNotes(le, tc.b, 0x100, 4)
		if len(notes) != tc.n {
			t.Errorf("%s: %d notes, %v", tc.name, len(notes), err)
		}
		if tc.words != "" {
			wantError(t, err, tc.words)
		} else if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestNoteFaults(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.ExecSections(k)
		d.Set = map[string]uint64{".note.gnu.build-id[0].n_descsz": 0x7fffffff, "phdr[4].p_type": uint64(elf.PT_NOTE)}
		f := parseDesc(t, d)
		_, err := f.ProgNotes(3)
		wantError(t, err, f.Name+": program header 3, note 0, n_descsz at 0x", "0x7fffffff is past the end of the notes")
		_, err = f.SectionNotes(section(t, f, ".note.gnu.build-id"))
		wantError(t, err, "section header 1 (.note.gnu.build-id), note 0, n_descsz")
		if f.BuildID() != nil {
			t.Error("a build-id from a broken note")
		}
		d = elftest.ExecSections(k)
		d.Set = map[string]uint64{"shdr[1].sh_flags": uint64(elf.SHF_COMPRESSED)}
		_, err = parseDesc(t, d).SectionNotes(1)
		wantError(t, err, "compressed notes are not read")
	})
}
