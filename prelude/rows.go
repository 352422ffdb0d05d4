package prelude

import (
	"math"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// What a row of the table of entries asks for.
const (
	rowEnd = iota
	rowDir
	rowFile
	rowData // more content of the file before it
	rowLink
	rowHardLink
	rowNode
	rowXattr
	rowFinish // owner, mode and times of a directory, when all in it is there
)

// Columns of the table, in words. The times follow: two timespecs of 64-bit
// numbers, as utimensat takes them.
const (
	colAction = iota
	colPath
	colMode
	colUID
	colGID
	colSize // of content; the device's number; the size of an attribute's value
	colLow  // offset of content, low word; an attribute's value
	colHigh
	colLink // of a link; the name of an attribute
	colMore // 1: the file goes on in the next row
	columns
)

// part is how much of a file a row copies: what fits a word of 32 bits, and what
// sendfile does at once.
const part = 1 << 30

// A table is the rows for a tree.
type table struct {
	b     *Builder
	part  int64
	cells []Arg
}

// entries makes the table of a tree and returns its address.
func entries(b *Builder, t *Tree, part int64) Arg {
	tab := &table{b: b, part: part}
	for i := range t.Entries {
		tab.entry(&t.Entries[i])
		tab.xattrs(t, &t.Entries[i])
	}
	// What is made in a directory changes its time, and its mode may forbid it.
	for i := range slices.Backward(t.Entries) {
		if e := &t.Entries[i]; !e.HardLink && e.Mode&unix.S_IFMT == unix.S_IFDIR {
			tab.row(rowFinish, e, nil)
		}
	}
	tab.row(rowEnd, &Entry{}, nil)
	return b.Table(tab.cells...)
}

// row appends a row; more are columns that the entry alone does not tell.
func (t *table) row(action int64, e *Entry, more map[int]Arg) {
	row := make([]Arg, columns)
	row[colAction], row[colPath], row[colMode] = Int(action), t.b.Text(e.Path), Int(int64(e.Mode))
	row[colUID], row[colGID] = Int(int64(e.UID)), Int(int64(e.GID))
	for c, a := range more {
		row[c] = a
	}
	t.cells = append(t.cells, row...)
	sec, nsec := int64(0), int64(0)
	if !e.Mtime.IsZero() {
		sec, nsec = e.Mtime.Unix(), int64(e.Mtime.Nanosecond())
	}
	for range 2 {
		t.cells = append(append(t.cells, t.b.Int64(sec)...), t.b.Int64(nsec)...)
	}
}

func (t *table) entry(e *Entry) {
	switch kind := e.Mode & unix.S_IFMT; {
	case e.HardLink:
		t.row(rowHardLink, e, map[int]Arg{colLink: t.b.Text(e.Link)})
	case kind == unix.S_IFDIR:
		if e.Path != "." {
			t.row(rowDir, e, nil)
		}
	case kind == unix.S_IFLNK:
		t.row(rowLink, e, map[int]Arg{colLink: t.b.Text(e.Link)})
	case kind == unix.S_IFREG:
		t.file(e)
	default:
		t.row(rowNode, e, map[int]Arg{colSize: Int(int64(e.Rdev))})
	}
}

// file writes a row for each part of a file's content, and at least one.
func (t *table) file(e *Entry) {
	action := int64(rowFile)
	for done := int64(0); action == rowFile || done < e.Size; {
		n := min(e.Size-done, t.part)
		off := e.Offset + done
		done += n
		m := map[int]Arg{colSize: Int(n), colLow: Int(off)}
		if t.b.m.WordSize() == 4 {
			m[colLow], m[colHigh] = Int(off&math.MaxUint32), Int(off>>32)
		}
		if done < e.Size {
			m[colMore] = Int(1)
		}
		t.row(action, e, m)
		action = rowData
	}
}

// xattrs writes rows for the attributes that anybody may set. Their path is an
// absolute one: there is no call that takes a directory and a path before
// Linux 6.13.
func (t *table) xattrs(tree *Tree, e *Entry) {
	kind := e.Mode & unix.S_IFMT
	if e.HardLink || kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return // Linux allows user.* for no others
	}
	names := make([]string, 0, len(e.Xattrs))
	for n := range e.Xattrs {
		if strings.HasPrefix(n, "user.") {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range names {
		full := &Entry{Path: strings.TrimSuffix(tree.Target+"/"+e.Path, "/.")}
		t.row(rowXattr, full, map[int]Arg{colLink: t.b.Text(n), colLow: t.b.Bytes(e.Xattrs[n]), colSize: Int(int64(len(e.Xattrs[n])))})
	}
}

// room is how many KiB a tmpfs of the tree needs, with pages of 64 KiB.
func (t *Tree) room() uint64 {
	const page = 64 << 10
	kib := uint64(1024)
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Mode&unix.S_IFMT == unix.S_IFREG && !e.HardLink {
			kib += uint64(e.Size) / 1024
		}
		kib += 2 * page / 1024 // the rest of the last page; a directory, a long link
	}
	return min(kib, 1<<50)
}
