package elffile

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"testing"

	"elfwright/internal/elftest"
)

// changed encodes a file and checks that the bytes of the named fields, and no
// others, differ from data.
func changed(t *testing.T, f *File, data []byte, fields ...string) []byte {
	t.Helper()
	got, err := Bytes(f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) < len(data) {
		t.Fatalf("0x%x bytes, before 0x%x", len(got), len(data))
	}
	may := make([]bool, len(data))
	for _, field := range elftest.Fields(data) {
		if i := slices.Index(fields, field.Name); i >= 0 {
			fields = slices.Delete(fields, i, i+1)
			for j := range field.Size {
				may[field.Off+j] = true
			}
			if bytes.Equal(got[field.Off:field.Off+field.Size], data[field.Off:field.Off+field.Size]) {
				t.Errorf("%s did not change", field.Name)
			}
		}
	}
	if len(fields) > 0 {
		t.Fatalf("no fields %q", fields)
	}
	for i, c := range data {
		if got[i] != c && !may[i] {
			t.Errorf("the byte at 0x%x changed from 0x%x to 0x%x", i, c, got[i])
		}
	}
	return got
}

func TestEditFields(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		data := elftest.ExecSections(k).Bytes()
		for name, edit := range map[string]func(f *File){
			"e_entry":              func(f *File) { f.Header.Entry++ },
			"e_flags":              func(f *File) { f.Header.Flags ^= 0x10 },
			"e_type":               func(f *File) { f.Header.Type = elf.ET_DYN },
			"phdr[1].p_flags":      func(f *File) { f.Progs[1].Flags ^= elf.PF_W },
			"phdr[4].p_type":       func(f *File) { f.Progs[4].Type = 0x65770000 },
			"phdr[2].p_memsz":      func(f *File) { f.Progs[2].Memsz += 0x1000 },
			"phdr[0].p_paddr":      func(f *File) { f.Progs[0].Paddr += 8 },
			"shdr[3].sh_flags":     func(f *File) { f.Sections()[3].Flags ^= uint64(elf.SHF_WRITE) },
			"shdr[8].sh_addralign": func(f *File) { f.Sections()[8].Addralign = 64 },
			"shdr[0].sh_info":      func(f *File) { f.Sections()[0].Info = 7 },
		} {
			f, err := Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			edit(f)
			changed(t, f, data, name)
		}
	})
}

// TestEditNothing: reading every view, renumbering and encoding changes nothing,
// whatever odd values a good file has.
func TestEditNothing(t *testing.T) {
	for name, data := range elftest.WellFormed() {
		f, err := Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		(&visitor{limit: 100, contents: 1 << 16}).visit(f)
		extended := f.Header.Shnum == 0 && len(f.Sections()) > 0 || f.Header.Phnum == PnXnum || f.Header.Shstrndx == ShnXindex
		if err := f.Renumber(f.Shstrndx()); err != nil {
			t.Error(err)
		}
		if extended { // it says in the usual way what it said in the extended one
			again, err := Parse(name, mustBytes(t, f.Encode()))
			if err != nil || len(again.Progs) != len(f.Progs) || len(again.Sections()) != len(f.Sections()) || again.Shstrndx() != f.Shstrndx() {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		changed(t, f, data)
	}
}

func mustBytes(t *testing.T, d Data) []byte {
	t.Helper()
	b, err := Bytes(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEditTables moves both tables behind everything and lets them grow, also
// past the counts that the ELF header can tell.
func TestEditTables(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		for _, n := range []int{1, 0xfeff, 0x10010} {
			data := elftest.ExecSections(k).Bytes()
			f, err := Parse("x", data)
			if err != nil {
				t.Fatal(err)
			}
			strndx := f.Shstrndx()
			sections := slices.Clone(f.Sections())
			for i := range n {
				f.Progs = append(f.Progs, Prog{Type: 0x65770000, Off: uint64(i)})
				sections = append(sections, Section{Type: elf.SHT_PROGBITS, Off: uint64(i)})
			}
			f.SetSections(sections)
			f.Header.Phoff = uint64(f.Body.Size()+7) &^ 7
			f.Header.Shoff = f.Header.Phoff + uint64(len(f.Progs)*f.PhdrSize())
			if err := f.Renumber(strndx); err != nil {
				t.Fatal(err)
			}
			out := mustBytes(t, f.Encode())
			again, err := Parse("y", out)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again.Progs, f.Progs) || !slices.Equal(again.Sections(), f.Sections()) || again.ProgErr != nil || again.SectionErr() != nil {
				t.Errorf("%d more: %d and %d, %v, %v", n, len(again.Progs), len(again.Sections()), again.ProgErr, again.SectionErr())
			}
			if again.SectionName(2) != ".text" || (again.Header.Phnum == PnXnum) != (len(f.Progs) >= PnXnum) {
				t.Errorf("%d more: section 2 is %q, e_phnum 0x%x", n, again.SectionName(2), again.Header.Phnum)
			}
			if !bytes.Equal(out[f.EhdrSize():len(data)], data[f.EhdrSize():]) {
				t.Errorf("%d more: bytes behind the ELF header changed", n)
			}
			// And back: the counts that are small again stand where they stood.
			again.Progs = again.Progs[:5]
			again.SetSections(again.Sections()[:9])
			if err := again.Renumber(strndx); err != nil {
				t.Fatal(err)
			}
			if h := again.Header; h.Phnum != 5 || h.Shnum != 9 || again.Sections()[0] != (Section{}) {
				t.Errorf("after removal: %+v, section header 0 %+v", h, again.Sections()[0])
			}
		}
	})
}

// TestEditWithoutSections: a file whose section headers are broken or cut off
// keeps what its header says about them when program headers change.
func TestEditWithoutSections(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.ExecSections(k)
		d.Set = map[string]uint64{"e_shoff": 1 << 30}
		data := d.Bytes()
		f, err := Parse("x", data)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, f.SectionErr(), "x: ELF header, e_shoff", "reaches past the end of the file")
		f.Progs = f.Progs[:4]
		if err := f.Renumber(f.Shstrndx()); err != nil {
			t.Fatal(err)
		}
		changed(t, f, data, "e_phnum")
		f.Progs = make([]Prog, PnXnum)
		wantError(t, f.Renumber(0), "e_phnum", "65535 program headers need section header 0")
	})
}

// TestEditBody puts, opens and cuts bytes between what headers describe.
func TestEditBody(t *testing.T) {
	forKinds(t, func(t *testing.T, k elftest.Kind) {
		d := elftest.ExecSections(k)
		data := d.Bytes()
		f, err := Parse("x", data)
		if err != nil {
			t.Fatal(err)
		}
		end := int64(len(data))
		overlay := end - int64(len(d.Overlay))
		f.Body.Put(end, Buffer("more"))
		f.Body.Put(overlay, Buffer("AN"))
		want := slices.Concat(data[:overlay], []byte("AN"), data[overlay+2:], []byte("more"))
		if got := mustBytes(t, f.Encode()); !bytes.Equal(got, want) {
			t.Errorf("differs at 0x%x", firstDiff(got, want))
		}
	})
}

// TestEditSystem changes one field of real programs and copies them with the
// kernel's help.
func TestEditSystem(t *testing.T) {
	dir := t.TempDir()
	for i, path := range []string{"/usr/bin/ls", "/bin/sh", "/usr/bin/env"} {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		data := f.mapping.Bytes()
		f.Progs[len(f.Progs)-1].Flags ^= elf.PF_X
		changed(t, f, data, fmt.Sprintf("phdr[%d].p_flags", len(f.Progs)-1))
		out := fmt.Sprint(dir, "/", i)
		if err := f.Encode().WriteFile(out, f.Mode()); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(out)
		if err != nil || !bytes.Equal(got, mustBytes(t, f.Encode())) {
			t.Errorf("%s: what was written is not what was encoded: %v", path, err)
		}
		f.Close()
	}
}
