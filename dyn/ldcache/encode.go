package ldcache

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// Encode makes a cache in the new form, as ldconfig of glibc 2.33 and later writes
// it. An entry's HWCap, where it is that of a named sub-directory, holds an index
// into caps. Entries are sorted; of those with one name, those of named
// sub-directories come first, the others with more capabilities before those with
// fewer (compare of elf/cache.c).
func Encode(data elf.Data, entries []Entry, caps []string, note string) ([]byte, error) {
	order := orderOf(data)
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, before)
	e := &encoder{order: order, at: make(map[string]uint32)}
	e.base = headerNew + entryNew*uint64(len(entries))
	b := make([]byte, headerNew, e.base)
	for i := range entries {
		x := &entries[i]
		b = order.AppendUint32(b, x.Flags)
		b = order.AppendUint32(b, e.text(string(x.Name)))
		b = order.AppendUint32(b, e.text(string(x.Path)))
		b = order.AppendUint32(b, x.OSVersion)
		b = order.AppendUint64(b, x.HWCap)
	}
	names := make([]byte, 0, 4*len(caps))
	for _, c := range caps {
		names = order.AppendUint32(names, e.text(c))
	}
	total := e.base + uint64(len(e.strings)) + uint64(len(note)) + uint64(len(names)) + 64
	if total > 1<<32-1 {
		return nil, fmt.Errorf("a cache of %d bytes: its offsets have 32 bits", total)
	}
	e.header(b, len(entries))
	b = append(b, e.strings...)
	return e.extensions(b, note, names), nil
}

// byteOrder is one of the two of encoding/binary.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func orderOf(data elf.Data) byteOrder {
	if data == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

type encoder struct {
	order   byteOrder
	base    uint64 // where the strings begin
	strings []byte
	at      map[string]uint32
}

// text returns the offset of a string.
func (e *encoder) text(s string) uint32 {
	off, ok := e.at[s]
	if !ok {
		off = uint32(e.base + uint64(len(e.strings)))
		e.at[s] = off
		e.strings = append(append(e.strings, s...), 0)
	}
	return off
}

func (e *encoder) header(b []byte, n int) {
	copy(b, magicNew)
	e.order.PutUint32(b[20:], uint32(n))
	e.order.PutUint32(b[24:], uint32(len(e.strings)))
	b[28] = 2
	if e.order == byteOrder(binary.BigEndian) {
		b[28] = 3
	}
}

// extensions appends the directory of extensions and what it names.
func (e *encoder) extensions(b []byte, note string, names []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	e.order.PutUint32(b[32:], uint32(len(b)))
	sections := []struct {
		tag  uint32
		data []byte
	}{{0, []byte(note)}, {1, names}}
	at := len(b) + 8 + 16*len(sections)
	b = e.order.AppendUint32(b, extensionMagic)
	b = e.order.AppendUint32(b, uint32(len(sections)))
	var data []byte
	for _, s := range sections {
		for (at+len(data))%4 != 0 {
			data = append(data, 0)
		}
		for _, v := range []uint32{s.tag, 0, uint32(at + len(data)), uint32(len(s.data))} {
			b = e.order.AppendUint32(b, v)
		}
		data = append(data, s.data...)
	}
	return append(b, data...)
}

// before orders entries as they stand in the file.
func before(a, b Entry) int {
	if c := compare(string(a.Name), b.Name); c != 0 {
		return -c
	}
	if c := cmp.Compare(int32(b.Flags), int32(a.Flags)); c != 0 {
		return c
	}
	named := func(e *Entry) bool { return e.HWCap&extensionAll == extension }
	if named(&a) != named(&b) {
		if named(&a) {
			return -1
		}
		return 1
	}
	return cmp.Compare(b.HWCap, a.HWCap)
}
