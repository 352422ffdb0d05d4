package attach

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/machine/all"
	"elfwright/payload"
	"elfwright/phdr"
)

// A member is a payload on its way into a file. Its Off is reckoned from where
// contents begin until the file has taken it in.
type member struct {
	payload.Entry
	data   elffile.Data // as stored; of an object without translation
	loaded bool
	was    uint64  // where it was in the file; 0: it is new
	sum    *digest // of a new one; nil: Digest is known
}

// members reads what a file carries.
func members(f *elffile.File) ([]*member, error) {
	dirs, err := payload.Read(f)
	if err != nil {
		return nil, err
	}
	var list []*member
	for _, d := range dirs {
		for _, e := range d.Entries {
			data, err := payload.Stored(f, &e)
			if err != nil {
				return nil, fmt.Errorf("%s: payload %q: %w", f.Name, e.Name, err)
			}
			list = append(list, &member{Entry: e, data: data, loaded: d.Loaded, was: e.Off})
		}
	}
	return list, nil
}

// fileAlign is what contents of a page or more begin at, so that they can be
// mapped: the page of most machines, and the block of a tree.
const fileAlign = 4096

// wholeAlign is the alignment of small contents.
const wholeAlign = 16

// align returns the alignment of a member's bytes in file and memory: at least
// what was asked for.
func (m *member) align() (uint64, error) {
	least := uint64(wholeAlign)
	if m.Kind == payload.Tree || m.Stored >= fileAlign {
		least = fileAlign
	}
	if m.Kind == payload.Object {
		f, err := m.object()
		if err != nil {
			return 0, err
		}
		if least, err = objectAlign(f); err != nil {
			return 0, err
		}
	}
	if m.Align&(m.Align-1) != 0 || m.Align > maxAlign {
		return 0, fmt.Errorf("payload %q: alignment 0x%x is not a power of two up to 0x%x", m.Name, m.Align, maxAlign)
	}
	return max(m.Align, least), nil
}

// maxAlign bounds an alignment, and so the holes that it costs.
const maxAlign = 1 << 30

// objectAlign is what an object must be translated by a multiple of: the largest
// page of its machine, and the p_align of its PT_LOADs, which glibc holds against
// p_offset (_dl_map_object_from_fd).
func objectAlign(f *elffile.File) (uint64, error) {
	if len(f.Progs) == 0 {
		return 1, nil // a relocatable object is not mapped
	}
	align := uint64(1 << 16) // for a machine that is not known
	if x := all.Lookup(f.Header.Machine, f.Class); x != nil {
		align = x.MaxPageSize
	}
	for i := range f.Progs {
		p := &f.Progs[i]
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Align&(p.Align-1) != 0 || p.Align > maxAlign {
			return 0, f.ProgError(i, "p_align", "0x%x is not a power of two up to 0x%x", p.Align, uint64(maxAlign))
		}
		align = max(align, p.Align)
	}
	return align, nil
}

// object reads an object's headers.
func (m *member) object() (*elffile.File, error) {
	return elffile.ParseBody(m.Name, elffile.NewBody(m.data))
}

// A layout is how a directory and its payloads lie behind each other.
type layout struct {
	list   []*member
	loaded bool
	dir    uint64 // size of the directory
	lead   uint64 // bytes of a note in front of the directory
	base   uint64 // where contents begin, from the directory on
	size   uint64 // of all
	page   uint64 // what base must be a multiple of in the file
	off    uint64 // where fill has put it
}

// newLayout gives each member its place, one behind the other.
func newLayout(list []*member, loaded bool) (*layout, error) {
	l := &layout{list: list, loaded: loaded, page: fileAlign}
	for _, m := range list {
		n, err := m.align()
		if err != nil {
			return nil, err
		}
		m.Align = n
		l.page = max(l.page, n)
	}
	at := uint64(0)
	for _, m := range list {
		at = (at + m.Align - 1) &^ (m.Align - 1)
		m.Off = at
		at += m.Stored
	}
	l.dir = payload.DirectorySize(l.entries(0))
	l.base = l.dir
	l.size = l.base + at
	return l, nil
}

// apart lets the contents begin at a page from the start of the note on.
func (l *layout) apart() {
	base := (l.lead+l.dir+l.page-1)&^(l.page-1) - l.lead
	l.size += base - l.base
	l.base = base
}

// entries are the directory's entries if it lies at an offset of the file.
func (l *layout) entries(off uint64) []payload.Entry {
	var list []payload.Entry
	for _, m := range l.list {
		e := m.Entry
		e.Off += off + l.base
		if e.Kind == payload.Object {
			e.Delta = e.Off
		}
		list = append(list, e)
	}
	return list
}

// data is what the file gets: room for the directory, then the contents.
func (l *layout) data() elffile.Data {
	b := &elffile.Body{}
	for _, m := range l.list {
		b.Put(int64(l.lead+l.base+m.Off), m.data)
	}
	b.Truncate(int64(l.lead + l.size))
	return b
}

// header asks for the program header of a layout.
func (l *layout) header() phdr.Header {
	h := phdr.Header{Type: payload.ProgType, Flags: elf.PF_R, Align: wholeAlign}
	if l.loaded {
		h.Alone, h.Base, h.BaseAlign, h.Section = true, l.base, l.page, payload.LoadedSection
	} else {
		l.lead = payload.NoteSize
		l.apart()
		h.Unloaded, h.Align, h.Section, h.SectionType = true, l.page, payload.UnloadedSection, elf.SHT_NOTE
	}
	h.Data = l.data()
	return h
}

// settle waits for the digests of new members.
func settle(list []*member) error {
	for _, m := range list {
		if m.sum == nil {
			continue
		}
		sum, err := m.sum.wait()
		if err != nil {
			return fmt.Errorf("payload %q: %w", m.Name, err)
		}
		m.Digest, m.sum = sum, nil
	}
	return nil
}

// directory is the directory at an offset of the file.
func (l *layout) directory(format elffile.Format, off uint64) []byte {
	entries := make([]payload.Entry, len(l.list))
	for i, m := range l.list {
		entries[i] = m.Entry
	}
	return payload.Encode(format, off, l.size, entries)
}

// fill writes what depends on the place: the directory, so far without digests
// that are not known yet, and the headers of objects.
func (l *layout) fill(format elffile.Format, body *elffile.Body, off uint64) error {
	if l.lead > 0 {
		note, err := payload.EncodeNote(format, l.size)
		if err != nil {
			return err
		}
		body.Put(int64(off), elffile.Buffer(note))
		off += l.lead
	}
	list := l.entries(off)
	for i, m := range l.list {
		m.Off, m.Delta = list[i].Off, list[i].Delta
		if m.Kind != payload.Object {
			continue
		}
		f, err := m.object()
		if err != nil {
			return err
		}
		b, err := elffile.Translate(f, 0, int64(m.Off))
		if err != nil {
			return err
		}
		body.Put(int64(m.Off), b)
	}
	body.Put(int64(off), elffile.Buffer(l.directory(format, off)))
	l.off = off
	return nil
}

// detach takes all payloads out of a file.
func detach(f *elffile.File, opt phdr.Options) (*elffile.File, error) {
	copied := *f
	f = &copied // its headers may be put right
	for {
		dirs, err := payload.Read(f)
		if err != nil || len(dirs) == 0 {
			return f, err
		}
		for _, d := range dirs {
			switch {
			case d.Prog < 0:
				return nil, &Refusal{f.Name, fmt.Sprintf("a tool has removed the program header of the payloads in section %s; they can be extracted, not changed", d.Section)}
			case d.Section != "": // eu-strip moves the section and forgets the header
				f.Progs = slices.Clone(f.Progs)
				f.Progs[d.Prog].Off, f.Progs[d.Prog].Filesz = d.SegOff, d.SegSize
			}
		}
		r, err := phdr.Detach(f, dirs[0].Prog, opt)
		if err != nil {
			return nil, err
		}
		if f, err = elffile.ParseBody(f.Name, r.Body); err != nil {
			return nil, err
		}
	}
}

// Refusal is the answer no: what was asked for is well formed, and this file does
// not allow it.
type Refusal struct {
	File   string
	Reason string
}

// Error prints "file: reason".
func (r *Refusal) Error() string { return r.File + ": " + r.Reason }

// No says that this error is the answer no.
func (r *Refusal) No() bool { return true }
