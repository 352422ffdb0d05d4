package note

import (
	"debug/elf"
	"errors"

	"elfwright/elffile"
)

// Is says whether a file is a frozen one: whether it has a note of a process.
func Is(f *elffile.File) bool {
	found := false
	each(f, func(elffile.Note) error { found = true; return nil })
	return found
}

// Read reads the notes of a frozen file; a file that is none has no processes.
func Read(f *elffile.File) ([]*Process, error) {
	var out []*Process
	err := each(f, func(n elffile.Note) error {
		p, err := Decode(n.Desc, f.Body.Size())
		if err != nil {
			if e, ok := errors.AsType[*elffile.Error](err); ok {
				e.File, e.Off = f.Name, n.Off
			}
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// each calls fn with each note of a process.
func each(f *elffile.File, fn func(elffile.Note) error) error {
	if f.Header.Type != elf.ET_EXEC {
		return nil
	}
	for i := range f.Progs {
		if f.Progs[i].Type != elf.PT_NOTE {
			continue
		}
		notes, _ := f.ProgNotes(i) // what is wrong with another note is of no interest here
		for _, n := range notes {
			if n.Type != Type || n.Name != Owner {
				continue
			}
			if err := fn(n); err != nil {
				return err
			}
		}
	}
	return nil
}
