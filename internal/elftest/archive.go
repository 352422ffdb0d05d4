package elftest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	arMagic      = "!<arch>\n"
	arThinMagic  = "!<thin>\n"
	arHeaderSize = 60
	arMagicSize  = 8
	arNameSize   = 16
)

// Archive describes an ar archive. Member headers are text: name 16, date 12,
// owner 6, group 6, mode 8 (octal), size 10, then "`\n"; data is padded to an
// even offset (ar.h; System V and BSD ar(5)).
type Archive struct {
	Names Names
	Index Index
	// Thin archives hold headers only; the members are files of that name. Names
	// are always GNU's.
	Thin    bool
	Members []Member

	// Patch overwrites bytes and Truncate cuts, as in File.
	Patch    []Patch
	Truncate int
}

// Names is how an archive stores names that are long or contain a blank.
type Names int

const (
	GNUNames Names = iota // "name/", long ones as "/offset" into member "//"
	BSDNames              // "name", long ones as "#1/length" in front of the data
)

// Index is the kind of an archive's symbol index.
type Index int

const (
	NoIndex  Index = iota
	Index32        // "/": big-endian 32-bit count and offsets, then names
	Index64        // "/SYM64/": the same with 64 bits
	IndexBSD       // "__.SYMDEF": little-endian pairs of name and header offset
)

// Member is one member of an archive.
type Member struct {
	Name     string
	Data     []byte
	Date     int64
	UID, GID int
	Mode     uint32 // 0 means 0644
	Symbols  []string
}

// Bytes lays the archive out.
func (a Archive) Bytes() []byte {
	long := a.longNames()
	// The index holds offsets of members, which depend on the index's size but
	// not on what it says: two passes.
	offs := make([]int, len(a.Members))
	var out []byte
	for range 2 {
		out = a.layout(long, offs)
	}
	for _, p := range a.Patch {
		out = grow(out, p.Off+uint64(len(p.Bytes)), 0)
		copy(out[p.Off:], p.Bytes)
	}
	switch {
	case a.Truncate > 0 && a.Truncate < len(out):
		out = out[:a.Truncate]
	case a.Truncate < 0:
		out = out[:len(out)+a.Truncate]
	}
	return out
}

func (a Archive) layout(long []byte, offs []int) []byte {
	out := []byte(arMagic)
	if a.Thin {
		out = []byte(arThinMagic)
	}
	if a.Index != NoIndex {
		name := map[Index]string{Index32: "/", Index64: "/SYM64/", IndexBSD: "__.SYMDEF"}[a.Index]
		out = appendMember(out, name, Member{}, a.index(offs))
	}
	if len(long) > 0 {
		out = appendMember(out, "//", Member{}, long)
	}
	at := 0
	for i, m := range a.Members {
		offs[i] = len(out)
		name, data := m.Name, m.Data
		switch {
		case a.Names == BSDNames && !a.Thin:
			if len(name) > arNameSize || strings.Contains(name, " ") {
				data = append([]byte(name), data...)
				name = fmt.Sprintf("#1/%d", len(m.Name))
			}
		case a.isLong(name):
			name = fmt.Sprintf("/%d", at)
			at += len(m.Name) + 2
		default:
			name += "/"
		}
		if a.Thin {
			out = appendHeader(out, name, m, len(data))
			continue
		}
		out = appendMember(out, name, m, data)
	}
	return out
}

// isLong says whether GNU ar keeps the name in the name table; of a thin archive
// all are there.
func (a Archive) isLong(name string) bool {
	return a.Thin || len(name) >= arNameSize || strings.Contains(name, "/")
}

// longNames is the content of member "//": names that end in "/\n".
func (a Archive) longNames() []byte {
	var b []byte
	if a.Names == BSDNames && !a.Thin {
		return nil
	}
	for _, m := range a.Members {
		if a.isLong(m.Name) {
			b = append(append(b, m.Name...), "/\n"...)
		}
	}
	return b
}

func (a Archive) index(offs []int) []byte {
	var names, out []byte
	var at []int
	var nameAt []int
	for i, m := range a.Members {
		for _, s := range m.Symbols {
			nameAt = append(nameAt, len(names))
			at = append(at, offs[i])
			names = append(append(names, s...), 0)
		}
	}
	switch a.Index {
	case Index32:
		out = binary.BigEndian.AppendUint32(out, uint32(len(at)))
		for _, o := range at {
			out = binary.BigEndian.AppendUint32(out, uint32(o))
		}
	case Index64:
		out = binary.BigEndian.AppendUint64(out, uint64(len(at)))
		for _, o := range at {
			out = binary.BigEndian.AppendUint64(out, uint64(o))
		}
	case IndexBSD:
		out = binary.LittleEndian.AppendUint32(out, uint32(8*len(at)))
		for i, o := range at {
			out = binary.LittleEndian.AppendUint32(out, uint32(nameAt[i]))
			out = binary.LittleEndian.AppendUint32(out, uint32(o))
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(len(names)))
	}
	return append(out, names...)
}

func appendHeader(out []byte, name string, m Member, size int) []byte {
	mode := m.Mode
	if mode == 0 {
		mode = 0o644
	}
	return fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, m.Date, m.UID, m.GID, mode, size)
}

func appendMember(out []byte, name string, m Member, data []byte) []byte {
	out = append(appendHeader(out, name, m, len(data)), data...)
	if len(data)%2 == 1 {
		out = append(out, '\n')
	}
	return out
}

// archiveFields finds the bytes of an archive worth mutating. Header fields are
// text, so each of their bytes is a field; index numbers are fields of four
// bytes.
func archiveFields(data []byte) ([]Field, []Span) {
	var fields []Field
	spans := []Span{{"magic", 0, min(arMagicSize, len(data))}}
	thin := bytes.HasPrefix(data, []byte(arThinMagic))
	for n, off := 0, arMagicSize; off+arHeaderSize <= len(data) && n < 64; n++ {
		head := data[off : off+arHeaderSize]
		spans = append(spans, Span{fmt.Sprintf("member %d header", n), off, off + arHeaderSize})
		for _, i := range []int{0, 1, 2, 3, 15, 16, 40, 47, 48, 49, 50, 57, 58, 59} {
			fields = append(fields, Field{fmt.Sprintf("member %d header byte %d", n, i), off + i, 1})
		}
		var size int
		if _, err := fmt.Sscanf(string(head[48:58]), "%d", &size); err != nil || size < 0 {
			break
		}
		off += arHeaderSize
		if head[0] == '/' && bytes.IndexByte([]byte(" S"), head[1]) >= 0 {
			for i := 0; i+4 <= min(size, 64, len(data)-off); i += 4 {
				fields = append(fields, Field{fmt.Sprintf("index word %d", i/4), off + i, 4})
			}
		}
		if thin && head[0] != '/' || thin && head[1] >= '0' && head[1] <= '9' {
			continue
		}
		if size = min(size, len(data)-off); size > 0 {
			spans = append(spans, Span{fmt.Sprintf("member %d", n), off, off + size})
		}
		off += size + size%2
	}
	return fields, spans
}
