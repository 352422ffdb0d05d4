package payload

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"elfwright/elffile"
)

// ErrNone says that a file has no payload. It is [fs.ErrNotExist].
var ErrNone = fmt.Errorf("it carries no payload: %w", fs.ErrNotExist)

// Read finds the directories of a file's payloads, by its program headers. One
// that is not loaded is found by its section, too, where a tool that moves
// sections has left the program header behind, or cleared it. A file without any
// gives none; the error says which are damaged, and the others are returned.
func Read(f *elffile.File) ([]*Directory, error) {
	var found []*Directory
	var bad error
	stale := -1 // a program header that does not lead to a directory
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != ProgType {
			continue
		}
		d, err := readAt(f, p.Off, p.Filesz, p.Memsz > 0, fmt.Sprintf("program header %d (PT_EW_PAYLOAD)", i))
		switch {
		case err == nil:
			d.Prog, d.Vaddr = i, p.Vaddr
			found = append(found, d)
		case p.Memsz == 0 && bySection(f) >= 0:
			stale = i
		default:
			bad = errors.Join(bad, err)
		}
	}
	if i := bySection(f); i >= 0 && !has(found, f.Sections()[i].Off) {
		s := &f.Sections()[i]
		d, err := readAt(f, s.Off, s.Size, false, fmt.Sprintf("section header %d (%s)", i, f.SectionName(i)))
		if err != nil {
			return found, errors.Join(bad, err)
		}
		d.Prog, d.Section = stale, f.SectionName(i)
		found = append(found, d)
	}
	return found, bad
}

func has(found []*Directory, off uint64) bool {
	for _, d := range found {
		if d.SegOff == off {
			return true
		}
	}
	return false
}

// bySection returns the section of a directory that is not loaded, or -1.
func bySection(f *elffile.File) int {
	i := f.SectionByName(UnloadedSection)
	if i >= 0 && f.Sections()[i].HasBytes() && !f.Sections()[i].Has(elf.SHF_COMPRESSED) {
		return i
	}
	return -1
}

// readAt reads the directory in [off, off+n) of a file: behind a note where it is
// not loaded.
func readAt(f *elffile.File, off, n uint64, loaded bool, what string) (*Directory, error) {
	p := place{f.Name, what, off}
	if size := uint64(f.Body.Size()); off > size || n > size-off {
		return nil, p.errorf("", 0, "0x%x + 0x%x is past the end of the file (0x%x)", off, n, size)
	}
	lead := uint64(0)
	if !loaded {
		if b, _ := f.Body.Bytes(off, min(n, NoteSize)); !isNote(f.Format, b) {
			return nil, p.errorf("", 0, "no note of elfwright precedes it")
		}
		lead = NoteSize
		p.off += lead
	}
	d, err := decode(f.Format, f.Body.Window(int64(off+lead), int64(n-lead)), p)
	if err != nil {
		return nil, err
	}
	d.Loaded, d.SegOff, d.SegSize = loaded, off, n
	return d, nil
}

// Find returns the entry of a name among directories. The error lists the names
// that there are.
func Find(dirs []*Directory, name string) (*Directory, *Entry, error) {
	var names []string
	for _, d := range dirs {
		if e := d.Find(name); e != nil {
			return d, e, nil
		}
		for i := range d.Entries {
			names = append(names, d.Entries[i].Name)
		}
	}
	if names == nil {
		return nil, nil, ErrNone
	}
	return nil, nil, fmt.Errorf("no payload is named %q; there are %s: %w", name, strings.Join(names, ", "), fs.ErrNotExist)
}
