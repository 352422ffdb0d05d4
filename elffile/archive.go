package elffile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Archive is an ar archive (SVR4 and GNU form, with BSD's long names): what ar
// and ranlib make of object files. A thin archive holds the members' names
// alone; their bytes are in files beside it.
type Archive struct {
	Name    string // as the user named it
	Thin    bool
	Members []Member // without the archive's own tables
	Symbols []ArchiveSymbol

	data []byte
	long []byte // the table of long names
}

// Member is a file in an archive.
type Member struct {
	Name      string
	HeaderOff int64 // in the archive
	DataOff   int64
	Size      int64
	Date      int64 // seconds since 1970
	UID, GID  int
	Mode      uint32
	Nested    int64 // in a thin archive: the member's header in the archive Name; 0 if Name is the file itself

	data []byte
}

// Data returns the member's bytes: a window; nil in a thin archive.
func (m *Member) Data() []byte { return m.data }

// ArchiveSymbol is an entry of the archive's symbol index.
type ArchiveSymbol struct {
	Name      []byte
	HeaderOff uint64 // of the member that defines it
	Member    int    // its index in Members, or -1
}

const (
	arMagic  = "!<arch>\n"
	arThin   = "!<thin>\n"
	arHeader = 60
)

// IsArchive says whether b starts as an archive does.
func IsArchive(b []byte) bool {
	return bytes.HasPrefix(b, []byte(arMagic)) || bytes.HasPrefix(b, []byte(arThin))
}

// ParseArchive reads the member headers and the symbol index of an archive. It
// returns nil only where data is no archive; else what it could read, with the
// faults.
func ParseArchive(name string, data []byte) (*Archive, error) {
	if !IsArchive(data) {
		msg := "the first bytes are " + quoteBytes(data[:min(len(data), len(arMagic))]) + ", not an archive's " + quoteBytes([]byte(arMagic))
		if bytes.HasPrefix(data, []byte("<bigaf>\n")) {
			msg = "AIX's archive format is not read"
		}
		return nil, &Error{File: name, Struct: "archive header", Msg: msg}
	}
	a := &Archive{Name: name, Thin: bytes.HasPrefix(data, []byte(arThin)), data: data}
	var c Faults
	var index []arIndex
	for pos := int64(len(arMagic)); pos < int64(len(data)); {
		m, next, err := a.header(pos)
		c.Add(err)
		if next <= pos {
			break
		}
		if err := a.take(m, &index); err != nil {
			c.Add(err)
		}
		pos = next
	}
	for _, x := range index {
		c.Add(a.readIndex(x))
	}
	return a, c.Err()
}

func (a *Archive) fault(pos int64, field, format string, args ...any) *Error {
	return &Error{File: a.Name, Struct: "archive member", Field: field, Off: pos, Msg: fmt.Sprintf(format, args...)}
}

// header reads the member header at pos, and returns where the next one is; 0
// if that can not be told.
func (a *Archive) header(pos int64) (m Member, next int64, err error) {
	rest := a.data[pos:]
	if len(rest) < arHeader {
		if len(bytes.Trim(rest, "\x00\n")) == 0 {
			return m, 0, nil // padding
		}
		return m, 0, a.fault(pos, "", "0x%x bytes are left, a member's header has 0x%x", len(rest), arHeader)
	}
	h := rest[:arHeader]
	if string(h[58:60]) != "`\n" {
		return m, 0, a.fault(pos+58, "ar_fmag", "%s does not end a member's header, \"`\\n\" does", quoteBytes(h[58:60]))
	}
	var c Faults
	m, sized := a.numbers(h, pos, &c)
	m.Name, m.HeaderOff, m.DataOff = strings.TrimRight(string(h[:16]), " "), pos, pos+arHeader
	if !sized {
		return m, 0, c.Err()
	}
	next = m.DataOff
	if !a.Thin || isTable(m.Name) {
		size := m.Size
		if have := int64(len(rest) - arHeader); size > have {
			c.Add(a.fault(pos+48, "ar_size", "%d bytes are past the end of the archive, which has %d more", size, have))
			size = have
		}
		m.data = rest[arHeader : arHeader+size : arHeader+size]
		next += size + size&1 // members begin at even offsets
	}
	return m, next, c.Err()
}

// numbers reads the numbers of the member header at pos, which are text; sized
// is false if there is no size among them.
func (a *Archive) numbers(h []byte, pos int64, c *Faults) (m Member, sized bool) {
	number := func(field string, from, to, base int) int64 {
		s := strings.TrimSpace(string(h[from:to]))
		if s == "" { // the tables of some archivers have no date, owner and mode
			return 0
		}
		v, err := strconv.ParseInt(s, base, 64)
		if err != nil || v < 0 {
			c.Add(a.fault(pos+int64(from), field, "%s is not a number", quoteBytes(h[from:to])))
			return 0
		}
		return v
	}
	m.Size = number("ar_size", 48, 58, 10)
	sized = len(c.list) == 0
	m.Date = number("ar_date", 16, 28, 10)
	m.UID, m.GID = int(number("ar_uid", 28, 34, 10)), int(number("ar_gid", 34, 40, 10))
	m.Mode = uint32(number("ar_mode", 40, 48, 8))
	return m, sized
}

// isTable says whether a member is one of the archive's own tables.
func isTable(name string) bool { return name == "/" || name == "//" || name == "/SYM64/" }

// arIndex is a symbol index that is read once all members are known.
type arIndex struct {
	m    Member
	bsd  bool
	word int
}

// take sorts a member: a table is kept for later, a file gets its name.
func (a *Archive) take(m Member, index *[]arIndex) error {
	switch m.Name {
	case "//", "ARFILENAMES/":
		a.long = m.data
		return nil
	case "/":
		*index = append(*index, arIndex{m, false, 4})
		return nil
	case "/SYM64/":
		*index = append(*index, arIndex{m, false, 8})
		return nil
	}
	err := a.name(&m)
	switch m.Name {
	case "__.SYMDEF", "__.SYMDEF SORTED":
		*index = append(*index, arIndex{m, true, 4})
		return err
	case "__.SYMDEF_64", "__.SYMDEF_64 SORTED":
		*index = append(*index, arIndex{m, true, 8})
		return err
	}
	a.Members = append(a.Members, m)
	return err
}

// name works out a member's name: "name/", "/offset" in the table of long names
// (in a thin archive "/offset:header" for a member of another archive), or
// BSD's "#1/length" with the name in front of the data.
func (a *Archive) name(m *Member) error {
	raw := m.Name
	switch {
	case strings.HasPrefix(raw, "#1/"):
		n, err := strconv.ParseUint(raw[3:], 10, 32)
		if err != nil || n > uint64(len(m.data)) {
			return a.fault(m.HeaderOff, "ar_name", "%q: the member has 0x%x bytes to begin with its name", raw, len(m.data))
		}
		name := bytes.TrimRight(m.data[:n], "\x00")
		m.data, m.DataOff, m.Size = m.data[n:], m.DataOff+int64(n), m.Size-int64(n)
		return a.setName(m, name)
	case len(raw) > 1 && raw[0] == '/' && raw[1] >= '0' && raw[1] <= '9':
		// A member that ar copied from an archive to a thin one may end in "/".
		ref, nested, _ := strings.Cut(strings.TrimRight(strings.TrimSuffix(raw[1:], "/"), " "), ":")
		off, err := strconv.ParseUint(ref, 10, 63)
		if err != nil || off >= uint64(len(a.long)) {
			return a.fault(m.HeaderOff, "ar_name", "%q is not in the table of long names, which has 0x%x bytes", raw, len(a.long))
		}
		name := a.long[off:]
		if i := bytes.IndexByte(name, '\n'); i >= 0 {
			name = name[:i]
		}
		if nested != "" {
			if m.Nested, err = strconv.ParseInt(nested, 10, 64); err != nil {
				return a.fault(m.HeaderOff, "ar_name", "%q: %q is not an offset", raw, nested)
			}
		}
		return a.setName(m, bytes.TrimSuffix(bytes.TrimRight(name, "\x00"), []byte("/")))
	default:
		m.Name = strings.TrimSuffix(raw, "/")
	}
	return nil
}

// maxMemberName is PATH_MAX: names are copied, and many members may name the
// same bytes of the table.
const maxMemberName = 4096

func (a *Archive) setName(m *Member, name []byte) error {
	if len(name) > maxMemberName {
		m.Name = string(name[:maxMemberName])
		return a.fault(m.HeaderOff, "ar_name", "a name of more than 0x%x bytes", maxMemberName)
	}
	m.Name = string(name)
	return nil
}

// readIndex reads a symbol index: the number of symbols, the offsets of their
// members, their names; or, from BSD, pairs of name and member.
func (a *Archive) readIndex(x arIndex) error {
	b := x.m.data
	if len(b) < x.word {
		return a.fault(x.m.HeaderOff, "", "0x%x bytes are no symbol index", len(b))
	}
	byOff := make(map[int64]int, len(a.Members))
	for i := range a.Members {
		byOff[a.Members[i].HeaderOff] = i
	}
	add := func(name []byte, off uint64) {
		s := ArchiveSymbol{Name: name, HeaderOff: off, Member: -1}
		if i, ok := byOff[int64(off)]; ok {
			s.Member = i
		}
		a.Symbols = append(a.Symbols, s)
	}
	if x.bsd {
		return a.readBsdIndex(x, add)
	}
	n := arWord(b, x.word, binary.BigEndian)
	offs := b[x.word:]
	if n > uint64(len(offs)/x.word) {
		return a.fault(x.m.DataOff, "", "%d symbols are more than the 0x%x bytes of the symbol index hold", n, len(b))
	}
	names := offs[n*uint64(x.word):]
	for i := range n {
		if len(names) == 0 {
			return a.fault(x.m.DataOff, "", "only %d of %d symbols in the symbol index have a name", i, n)
		}
		name, _ := cstring(names, 0)
		names = names[min(len(name)+1, len(names)):]
		add(name, arWord(offs[i*uint64(x.word):], x.word, binary.BigEndian))
	}
	return nil
}

// readBsdIndex reads BSD's ranlib structures, whose byte order is that of the
// machine which the members are for.
func (a *Archive) readBsdIndex(x arIndex, add func([]byte, uint64)) error {
	b, w := x.m.data, uint64(x.word)
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		size := arWord(b, x.word, order)
		room := uint64(len(b)) - w
		if size > room || room-size < w || size%(2*w) != 0 {
			continue
		}
		pairs, names := b[w:w+size], b[w+size+w:]
		for ; len(pairs) > 0; pairs = pairs[2*w:] {
			name, _ := cstring(names, arWord(pairs, x.word, order))
			add(name, arWord(pairs[w:], x.word, order))
		}
		return nil
	}
	return a.fault(x.m.DataOff, "", "the symbol index does not fit into its 0x%x bytes in either byte order", len(b))
}

func arWord(b []byte, word int, order binary.ByteOrder) uint64 {
	if word == 8 {
		return order.Uint64(b)
	}
	return uint64(order.Uint32(b))
}

// OpenMember reads member i as an ELF file, named "archive(member)". In a thin
// archive the file that the member names is opened, from the archive's folder;
// that one has to be closed.
func (a *Archive) OpenMember(i int) (*File, error) {
	m := &a.Members[i]
	if !a.Thin {
		return Parse(a.MemberName(i), m.data)
	}
	path := m.Name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(a.Name), path)
	}
	var f *File
	var err error
	if m.Nested == 0 {
		f, err = Open(path)
	} else {
		f, err = openNested(path, m.Nested)
	}
	if err != nil { // the file may be anywhere, so say who asked for it
		return nil, &Error{File: a.MemberName(i), Msg: "thin archive", Err: err}
	}
	return f, nil
}

// openNested reads the member of another archive whose header is at off. That
// member can not be in a third archive: ar writes down where the bytes are, and
// archives that name each other would have no end.
func openNested(path string, off int64) (*File, error) {
	m, err := Map(path)
	if err != nil {
		return nil, err
	}
	var f *File
	err = m.Guard(func() error {
		in, err := ParseArchive(path, m.Bytes())
		if in == nil {
			return err
		}
		for i := range in.Members {
			switch x := &in.Members[i]; {
			case x.HeaderOff != off:
			case x.Nested != 0:
				return in.fault(off, "ar_name", "the member is in yet another archive, %s", x.Name)
			default:
				f, err = in.OpenMember(i)
				return err
			}
		}
		return errors.Join(err, in.fault(off, "", "no member begins here"))
	})
	if err != nil {
		m.Close()
		return nil, err
	}
	if f.mapping != nil { // of a file beside a thin archive
		return f, m.Close()
	}
	f.mapping = m
	return f, nil
}

// MemberName is "archive(member)", as linkers print it.
func (a *Archive) MemberName(i int) string { return a.Name + "(" + a.Members[i].Name + ")" }
