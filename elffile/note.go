package elffile

import (
	"debug/elf"
	"errors"
	"fmt"
)

// Note is an entry of a note segment or section (gABI, "Note Section").
type Note struct {
	Name string // without its NUL
	Type uint32
	Desc []byte // a window
	Off  int64  // of the entry in the file
}

// noteAlign is the alignment of name and descriptor: 8 where the segment has
// p_align 8, which the GNU property note of 64-bit files uses; whatever else
// p_align says, producers align to 4 (glibc, ELF_NOTE_DESC_OFFSET).
func noteAlign(align uint64) uint64 {
	if align == 8 {
		return 8
	}
	return 4
}

// roundUp rounds n up to a multiple of a power of two. n is below 1<<63.
func roundUp(n, a uint64) uint64 { return (n + a - 1) &^ (a - 1) }

// ParseNotes reads the notes in b, which begins at file offset off; align is
// the p_align or sh_addralign of what b is. A note that reaches beyond b ends
// the list with an error.
func ParseNotes(f Format, b []byte, off int64, align uint64) ([]Note, error) {
	a := noteAlign(align)
	var notes []Note
	size := uint64(len(b))
	for pos := uint64(0); pos < size; {
		rest := b[pos:]
		if len(rest) < 12 {
			if allZero(rest) {
				break
			}
			return notes, noteError(len(notes), off+int64(pos), "", "0x%x bytes are left, a note's header has 12", len(rest))
		}
		namesz, descsz := uint64(f.U32(rest)), uint64(f.U32(rest[4:]))
		desc := roundUp(12+namesz, a)
		if desc > uint64(len(rest)) && (descsz != 0 || 12+namesz > uint64(len(rest))) {
			return notes, noteError(len(notes), off+int64(pos), "n_namesz", "0x%x is past the end of the notes, 0x%x bytes further", namesz, len(rest)-12)
		}
		desc = min(desc, uint64(len(rest)))
		if descsz > uint64(len(rest))-desc {
			return notes, noteError(len(notes), off+int64(pos)+4, "n_descsz", "0x%x is past the end of the notes, 0x%x bytes further", descsz, uint64(len(rest))-desc)
		}
		notes = append(notes, Note{
			Name: noteName(rest[12 : 12+namesz]),
			Type: f.U32(rest[8:]),
			Desc: rest[desc : desc+descsz : desc+descsz],
			Off:  off + int64(pos),
		})
		pos += roundUp(desc+descsz, a)
	}
	return notes, nil
}

func noteError(i int, off int64, field, format string, args ...any) *Error {
	return &Error{Struct: fmt.Sprintf("note %d", i), Field: field, Off: off, Msg: fmt.Sprintf(format, args...)}
}

// noteName drops the NUL that ends a name; more than one are padding that some
// producer counted.
func noteName(b []byte) string {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return string(b)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// ProgNotes returns the notes of program header i.
func (f *File) ProgNotes(i int) ([]Note, error) {
	p := &f.Progs[i]
	b, err := f.ProgData(i)
	notes, nerr := ParseNotes(f.Format, b, int64(p.Off), p.Align)
	return notes, errors.Join(err, f.named(nerr, fmt.Sprintf("program header %d", i)))
}

// SectionNotes returns the notes of section i.
func (f *File) SectionNotes(i int) ([]Note, error) {
	if err := f.checkSection(i); err != nil {
		return nil, err
	}
	s := &f.sections[i]
	if s.Has(elf.SHF_COMPRESSED) {
		return nil, f.SectionError(i, "sh_flags", "compressed notes are not read")
	}
	b, err := f.SectionData(i)
	notes, nerr := ParseNotes(f.Format, b, int64(s.Off), s.Addralign)
	return notes, errors.Join(err, f.named(nerr, f.sectionLabel(i)))
}

// named adds the file's name and the outer structure to a place.
func (f *File) named(err error, within string) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.File = f.Name
		e.Struct = within + ", " + e.Struct
		return e
	}
	return err
}

// noteBuildID is NT_GNU_BUILD_ID, of owner "GNU".
const noteBuildID = 3

// BuildID returns the GNU build-id, by the program headers or else the section
// headers; nil if there is none.
func (f *File) BuildID() []byte {
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_NOTE {
			notes, _ := f.ProgNotes(i)
			if id := buildID(notes); id != nil {
				return id
			}
		}
	}
	for i := range f.Sections() {
		if f.sections[i].Type == elf.SHT_NOTE {
			notes, _ := f.SectionNotes(i)
			if id := buildID(notes); id != nil {
				return id
			}
		}
	}
	return nil
}

func buildID(notes []Note) []byte {
	for _, n := range notes {
		if n.Name == "GNU" && n.Type == noteBuildID && len(n.Desc) > 0 {
			return n.Desc
		}
	}
	return nil
}
