package payload

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io/fs"
	"math/bits"
	"slices"
	"strings"

	"elfwright/elffile"
)

// ProgType is the type of the program header that leads to a directory of
// payloads: PT_EW_PAYLOAD.
const ProgType = elf.ProgType(0x65770010)

// The sections that cover directories with their payloads: of a program header
// that is loaded, and of one that is in the file alone. The second one is a note
// (gABI, "Note Section"), because eu-strip drops any other section that is not
// loaded; by its name the directory is found where a tool has moved it without
// the program header.
const (
	LoadedSection   = ".ew.payload"
	UnloadedSection = ".note.ew.payload"
)

// NoteSize is how many bytes of a note precede a directory that is not loaded.
const NoteSize = 24

const noteName = "elfwright\x00\x00\x00" // 10 bytes, padded to a multiple of 4

// EncodeNote returns what precedes a directory of size bytes, with all that it
// describes, that is not loaded. The error says that a note cannot be so large.
func EncodeNote(f elffile.Format, size uint64) ([]byte, error) {
	if size > 1<<32-1 {
		return nil, fmt.Errorf("0x%x bytes that are not loaded are more than a note can have (0x%x)", size, uint64(1<<32-1))
	}
	b := make([]byte, NoteSize)
	f.PutU32(b, 10)
	f.PutU32(b[4:], uint32(size))
	f.PutU32(b[8:], uint32(ProgType))
	copy(b[12:], noteName)
	return b, nil
}

// isNote says whether b begins a note of ours.
func isNote(f elffile.Format, b []byte) bool {
	return len(b) == NoteSize && f.U32(b) == 10 && f.U32(b[8:]) == uint32(ProgType) && string(b[12:]) == noteName
}

// Kind says what a payload is.
type Kind uint32

// The kinds of payload.
const (
	File   Kind = 1 // bytes
	Object Kind = 2 // an ELF file whose file offsets are those of the outer file
	Tree   Kind = 3 // a directory, as an EROFS image
)

var kindNames = [...]string{File: "file", Object: "object", Tree: "tree"}

// String names the kind as the command line does.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// Flags of a payload.
const (
	flagZstd = 1 << iota // stored as one or more zstd frames (RFC 8878)
	flagSelf             // bound by the program itself, when it starts
	flagAll  = 1<<iota - 1
)

// Entry is a payload, as the directory describes it.
type Entry struct {
	Name      string
	Kind      Kind
	MediaType string      // RFC 6838
	Mode      fs.FileMode // permission bits, set-id and sticky bits
	Off       uint64      // where its bytes begin in the file
	Stored    uint64      // how many they are there
	Size      uint64      // how many they are, uncompressed
	Align     uint64      // of Off, and of the address
	Delta     uint64      // of an Object: by how much its file offsets are translated
	Digest    [32]byte    // SHA-256 of the contents: uncompressed, not translated
	Zstd      bool
	Bind      string // of a Tree: the directory to show it at; "": none
	Self      bool   // Bind is done by the program itself
}

// Directory is a directory of payloads.
type Directory struct {
	Off     uint64 // in the file
	Size    uint64 // with all that it describes
	Self    uint64 // Off when it was written; another number if a tool has moved it since
	Loaded  bool   // it is part of the program's memory
	Vaddr   uint64 // where, if it is
	Prog    int    // index of the program header; -1: it was found by its section
	Section string // that name; "": it was found by the program header
	SegOff  uint64 // what header or section cover: the directory, with a note in front of it
	SegSize uint64
	Entries []Entry
}

const (
	magic      = "EWPAYLD\x00"
	version    = 1
	headerSize = 64
	entrySize  = 96
)

// A directory is a header, entries of one size, and the strings that these name,
// each with a NUL. Numbers have the byte order of the file.
//
//	header    0 magic[8]  8 version  12 count  16 header size  20 entry size
//	         24 size of the segment (64 bits)  32 file offset when written (64)
//	         40 size of the directory (64)  48 check[16]
//	entry     0 offset from the directory (64)  8 bytes stored (64)  16 size (64)
//	         24 alignment (64)  32 translation (64)  40 kind  44 flags  48 mode
//	         52 name  56 media type  60 bind: offsets from the directory, or 0
//	         64 SHA-256[32]
const (
	offSize  = 24
	offSelf  = 32
	offDir   = 40
	offCheck = 48
)

// DirectorySize returns the size of the directory of these entries, rounded up so
// that contents can follow.
func DirectorySize(entries []Entry) uint64 {
	n := headerSize + entrySize*len(entries)
	for i := range entries {
		n += len(entries[i].Name) + len(entries[i].MediaType) + len(entries[i].Bind) + 3
	}
	return uint64(n+15) &^ 15
}

// Encode returns the directory of payloads which lies at an offset of the file,
// size bytes with all that it describes.
func Encode(f elffile.Format, off, size uint64, entries []Entry) []byte {
	b := make([]byte, DirectorySize(entries))
	copy(b, magic)
	f.PutU32(b[8:], version)
	f.PutU32(b[12:], uint32(len(entries)))
	f.PutU32(b[16:], headerSize)
	f.PutU32(b[20:], entrySize)
	f.PutU64(b[offSize:], size)
	f.PutU64(b[offSelf:], off)
	f.PutU64(b[offDir:], uint64(len(b)))
	next := headerSize + entrySize*len(entries)
	text := func(s string) uint32 {
		if s == "" {
			return 0
		}
		at := next
		next += copy(b[at:], s) + 1
		return uint32(at)
	}
	for i := range entries {
		e, p := &entries[i], b[headerSize+i*entrySize:]
		for k, v := range []uint64{e.Off - off, e.Stored, e.Size, e.Align, e.Delta} {
			f.PutU64(p[8*k:], v)
		}
		for k, v := range []uint32{uint32(e.Kind), e.flags(), UnixMode(e.Mode), text(e.Name), text(e.MediaType), text(e.Bind)} {
			f.PutU32(p[40+4*k:], v)
		}
		copy(p[64:], e.Digest[:])
	}
	sum := check(b)
	copy(b[offCheck:], sum[:])
	return b
}

func (e *Entry) flags() uint32 {
	var n uint32
	if e.Zstd {
		n |= flagZstd
	}
	if e.Self {
		n |= flagSelf
	}
	return n
}

// check is what the directory's check field must be: the first half of the
// SHA-256 of its bytes, with that field zero.
func check(b []byte) (sum [16]byte) {
	h := sha256.New()
	h.Write(b[:offCheck])
	h.Write(make([]byte, len(sum)))
	h.Write(b[offCheck+len(sum):])
	copy(sum[:], h.Sum(nil))
	return sum
}

// A place is where a directory lies in a file, for errors.
type place struct {
	file string
	what string // "program header 7 (PT_EW_PAYLOAD)"
	off  uint64
}

func (p place) errorf(field string, at int, format string, args ...any) error {
	return &elffile.Error{File: p.file, Struct: p.what + ": payload directory", Field: field, Off: int64(p.off) + int64(at), Msg: fmt.Sprintf(format, args...)}
}

// maxDirectory bounds a directory: a hundred thousand payloads.
const maxDirectory = 16 << 20

// decode reads the directory at the start of data, which is the segment.
func decode(f elffile.Format, data elffile.Data, p place) (*Directory, error) {
	size := uint64(data.Size())
	var head [headerSize]byte
	if size < headerSize {
		return nil, p.errorf("", 0, "0x%x bytes are less than its header (%d)", size, headerSize)
	}
	if _, err := data.ReadAt(head[:], 0); err != nil {
		return nil, p.errorf("", 0, "%v", err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, p.errorf("magic", 0, "%q is not %q", head[:len(magic)], magic)
	}
	if v := f.U32(head[8:]); v != version {
		return nil, p.errorf("version", 8, "%d is not known here; %d is", v, version)
	}
	count, hsize, esize := uint64(f.U32(head[12:])), uint64(f.U32(head[16:])), uint64(f.U32(head[20:]))
	total, dir := f.U64(head[offSize:]), f.U64(head[offDir:])
	switch {
	case total > size:
		return nil, p.errorf("size", offSize, "0x%x is more than the 0x%x bytes that are there", total, size)
	case dir > total || dir > maxDirectory:
		return nil, p.errorf("directory size", offDir, "0x%x is more than 0x%x", dir, min(total, maxDirectory))
	case hsize < headerSize || hsize > dir:
		return nil, p.errorf("header size", 16, "%d is not within %d and 0x%x", hsize, headerSize, dir)
	case esize < entrySize || count > (dir-hsize)/esize:
		return nil, p.errorf("count", 12, "%d entries of %d bytes do not fit the directory (0x%x bytes)", count, esize, dir)
	}
	b := make([]byte, dir)
	if _, err := data.ReadAt(b, 0); err != nil {
		return nil, p.errorf("", 0, "%v", err)
	}
	if sum := check(b); !bytes.Equal(sum[:], b[offCheck:offCheck+len(sum)]) {
		return nil, p.errorf("check", offCheck, "%x: the directory is damaged, its check is %x", b[offCheck:offCheck+len(sum)], sum)
	}
	d := &Directory{Off: p.off, Size: total, Self: f.U64(head[offSelf:])}
	for i := range count {
		e, err := decodeEntry(f, b, int(hsize+i*esize), total, p)
		if err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, e)
	}
	return d, d.checkEntries(p)
}

// decodeEntry reads the entry at an offset of the directory.
func decodeEntry(f elffile.Format, b []byte, at int, size uint64, p place) (e Entry, err error) {
	q := b[at:]
	word := func(k int) uint64 { return f.U64(q[8*k:]) }
	half := func(k int) uint32 { return f.U32(q[40+4*k:]) }
	text := func(field string, k int) string {
		off := half(k)
		if off == 0 || err != nil {
			return ""
		}
		if uint64(off) >= uint64(len(b)) {
			err = p.errorf(field, at+40+4*k, "0x%x is beyond the directory (0x%x bytes)", off, len(b))
			return ""
		}
		s, _, ok := bytes.Cut(b[off:], []byte{0})
		if !ok {
			err = p.errorf(field, at+40+4*k, "the string at 0x%x has no end", off)
		}
		return string(s)
	}
	off := word(0)
	flags := half(1)
	e = Entry{
		Off: p.off + off, Stored: word(1), Size: word(2), Align: word(3), Delta: word(4),
		Kind: Kind(half(0)), Zstd: flags&flagZstd != 0, Self: flags&flagSelf != 0, Mode: fileMode(half(2)),
		Name: text("name", 3), MediaType: text("media type", 4), Bind: text("bind", 5),
	}
	copy(e.Digest[:], q[64:])
	switch {
	case err != nil:
	case off > size || e.Stored > size-off || off < uint64(len(b)) && e.Stored > 0:
		err = p.errorf("offset", at, "0x%x + stored 0x%x is not within 0x%x and 0x%x, behind the directory", off, e.Stored, len(b), size)
	case e.Kind == 0 || int(e.Kind) >= len(kindNames):
		err = p.errorf("kind", at+40, "%d is not known here", uint32(e.Kind))
	case flags&^flagAll != 0:
		err = p.errorf("flags", at+44, "0x%x has bits that are not known here (0x%x are)", flags, flagAll)
	case !e.Zstd && e.Size != e.Stored:
		err = p.errorf("size", at+16, "0x%x is not what is stored (0x%x), and it is not compressed", e.Size, e.Stored)
	case e.Size > 1<<62:
		err = p.errorf("size", at+16, "0x%x is more than any file", e.Size)
	case bits.OnesCount64(e.Align) != 1:
		err = p.errorf("alignment", at+24, "0x%x is not a power of two", e.Align)
	}
	return e, err
}

// checkEntries checks what entries have in common.
func (d *Directory) checkEntries(p place) error {
	end := uint64(0)
	seen := make(map[string]bool)
	for i := range d.Entries {
		e := &d.Entries[i]
		if err := CheckName(e.Name); err != nil || seen[e.Name] {
			return p.errorf("name", headerSize+i*entrySize+52, "%q: %v", e.Name, orTwice(err))
		}
		seen[e.Name] = true
		if e.Stored > 0 && e.Off < end {
			return p.errorf("offset", headerSize+i*entrySize, "%q begins before the end of the one in front of it", e.Name)
		}
		end = max(end, e.Off+e.Stored)
	}
	return nil
}

func orTwice(err error) error {
	if err == nil {
		return fmt.Errorf("two payloads have this name")
	}
	return err
}

// CheckName says what is wrong with the name of a payload: it is one element of a
// path, in UTF-8.
func CheckName(name string) error {
	switch {
	case name == "." || !fs.ValidPath(name) || strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("a name is one element of a path, in UTF-8, and not a dot or two")
	case len(name) > 255: // NAME_MAX
		return fmt.Errorf("a name has up to 255 bytes, and this one %d", len(name))
	}
	return nil
}

// Find returns the entry of a name, or nil.
func (d *Directory) Find(name string) *Entry {
	if i := slices.IndexFunc(d.Entries, func(e Entry) bool { return e.Name == name }); i >= 0 {
		return &d.Entries[i]
	}
	return nil
}

// UnixMode returns the permission, set-id and sticky bits as st_mode has them.
func UnixMode(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	for _, b := range modeBits {
		if m&b.mode != 0 {
			n |= b.unix
		}
	}
	return n
}

// fileMode is the reverse of UnixMode.
func fileMode(n uint32) fs.FileMode {
	m := fs.FileMode(n) & fs.ModePerm
	for _, b := range modeBits {
		if n&b.unix != 0 {
			m |= b.mode
		}
	}
	return m
}

var modeBits = [...]struct {
	unix uint32
	mode fs.FileMode
}{{0o4000, fs.ModeSetuid}, {0o2000, fs.ModeSetgid}, {0o1000, fs.ModeSticky}}
