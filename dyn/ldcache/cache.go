// Package ldcache reads what ldconfig writes and is told: ld.so.cache, in the
// order and by the rules of the dynamic linker that looks names up in it, and
// ld.so.conf.
//
// Sources: glibc, sysdeps/generic/dl-cache.h, elf/dl-cache.c, elf/cache.c,
// sysdeps/generic/ldconfig.h.
package ldcache

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"elfwright/elffile"
)

const (
	magicOld = "ld.so-1.7.0\x00"
	magicNew = "glibc-ld.so.cache1.1"

	headerOld = 16 // magic, u32 number of entries
	entryOld  = 12 // i32 flags, u32 key, u32 value
	headerNew = 48 // see parseNew
	entryNew  = 24 // the same, u32 osversion, u64 hwcap

	extensionMagic = 0xeaa42174 // cache_extension_magic, (uint32_t) -358342284
)

// Cache is an ld.so.cache: windows on its bytes.
type Cache struct {
	Name  string
	New   bool // it has the table of glibc 2.2 and later
	Order binary.ByteOrder
	Note  string   // what ldconfig says of itself, "" if nothing
	Caps  []string // names of sub-directories that entries refer to by index

	entries []byte
	size    int    // of an entry
	strings []byte // what keys and values are offsets into
}

// Entry is an entry, as stored.
type Entry struct {
	Flags     uint32
	Name      []byte // of the library, as it is asked for; nil: not in the file
	Path      []byte // nil: not in the file
	OSVersion uint32
	HWCap     uint64
}

// Parse reads a cache. Where it is in both forms, the new one counts.
func Parse(name string, b []byte) (*Cache, error) {
	c := &Cache{Name: name}
	switch {
	case bytes.HasPrefix(b, []byte(magicNew)):
		return c, c.parseNew(b, 0)
	case bytes.HasPrefix(b, []byte(magicOld)):
		return c, c.parseOld(b)
	}
	return nil, c.fault("header", "magic", 0, "%q is neither %q nor %q", b[:min(len(b), 20)], magicNew, magicOld[:11])
}

func (c *Cache) fault(structure, field string, off int64, format string, args ...any) error {
	return &elffile.Error{File: c.Name, Struct: structure, Field: field, Off: off, Msg: fmt.Sprintf(format, args...)}
}

// parseOld reads the table of libc 5 and glibc 2.0 and 2.1, and the new one
// behind it. The old one has no mark of its byte order: the one counts in which
// its entries fit.
func (c *Cache) parseOld(b []byte) error {
	if len(b) < headerOld {
		return c.fault("header", "nlibs", 12, "the file ends at 0x%x", len(b))
	}
	var n uint64
	room := uint64(len(b)-headerOld) / entryOld
	for _, c.Order = range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if n = uint64(c.Order.Uint32(b[12:])); n <= room {
			break
		}
	}
	if n > room {
		return c.fault("header", "nlibs", 12, "%d entries: the file has room for %d", n, room)
	}
	end := headerOld + int(n)*entryOld
	// ALIGN_CACHE: 8, but 4 on i386, where a 64-bit word is aligned to 4.
	for _, align := range []int{8, 4} {
		if at := (end + align - 1) &^ (align - 1); at <= len(b) && bytes.HasPrefix(b[at:], []byte(magicNew)) {
			return c.parseNew(b[at:], int64(at))
		}
	}
	c.entries, c.size, c.strings = b[headerOld:end], entryOld, b[end:]
	return nil
}

// parseNew reads the new table. off is where it stands in the file; its own
// offsets count from there.
func (c *Cache) parseNew(b []byte, off int64) error {
	if len(b) < headerNew {
		return c.fault("header", "", off, "0x%x bytes are less than a header (0x%x)", len(b), headerNew)
	}
	// flags of struct cache_file_new: 2 little, 3 big endian; 0 in files of
	// before 2.33, 1 is none that ldconfig writes.
	switch b[28] & 3 {
	case 2:
		c.Order = binary.LittleEndian
	case 3:
		c.Order = binary.BigEndian
	case 0:
		c.Order = guessOrder(b)
	default:
		return c.fault("header", "flags", off+28, "0x%x names no byte order", b[28])
	}
	n, room := uint64(c.Order.Uint32(b[20:])), uint64(len(b)-headerNew)/entryNew
	if n > room {
		return c.fault("header", "nlibs", off+20, "%d entries: the file has room for %d", n, room)
	}
	c.New, c.size, c.strings = true, entryNew, b
	c.entries = b[headerNew : headerNew+int(n)*entryNew]
	return c.parseExtensions(b, off)
}

// guessOrder takes the order in which the number of entries and the size of the
// strings are smaller.
func guessOrder(b []byte) binary.ByteOrder {
	little, big := binary.LittleEndian, binary.BigEndian
	if uint64(little.Uint32(b[20:]))+uint64(little.Uint32(b[24:])) <= uint64(big.Uint32(b[20:]))+uint64(big.Uint32(b[24:])) {
		return little
	}
	return big
}

// parseExtensions reads the directory of extensions: each is u32 tag, flags,
// offset, size. Tag 0 is a text of who wrote the cache, tag 1 the names of
// sub-directories.
func (c *Cache) parseExtensions(b []byte, off int64) error {
	at := uint64(c.Order.Uint32(b[32:]))
	if at == 0 {
		return nil
	}
	if at+8 > uint64(len(b)) || at%4 != 0 {
		return c.fault("header", "extension_offset", off+32, "0x%x: no directory of extensions fits there (the cache has 0x%x bytes)", at, len(b))
	}
	if m := c.Order.Uint32(b[at:]); m != extensionMagic {
		return c.fault("extensions", "magic", off+int64(at), "0x%x is not 0x%x", m, uint32(extensionMagic))
	}
	n, room := uint64(c.Order.Uint32(b[at+4:])), (uint64(len(b))-at-8)/16
	if n > room {
		return c.fault("extensions", "count", off+int64(at)+4, "%d sections: the file has room for %d", n, room)
	}
	for i := range n {
		s := b[at+8+16*i:]
		tag, from, size := c.Order.Uint32(s), uint64(c.Order.Uint32(s[8:])), uint64(c.Order.Uint32(s[12:]))
		if from > uint64(len(b)) || size > uint64(len(b))-from {
			return c.fault(fmt.Sprintf("extension %d", i), "offset", off+int64(at+8+16*i)+8, "0x%x + size 0x%x is past the end of the cache (0x%x)", from, size, len(b))
		}
		switch data := b[from : from+size]; tag {
		case 0:
			c.Note = string(data)
		case 1:
			if err := c.parseCaps(data, off+int64(from)); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxCaps bounds the names of sub-directories; glibc knows a handful.
const maxCaps = 1 << 12

func (c *Cache) parseCaps(data []byte, off int64) error {
	if len(data)/4 > maxCaps {
		return c.fault("extension hwcaps", "size", off, "%d names of sub-directories are more than the %d that are read", len(data)/4, maxCaps)
	}
	c.Caps = nil
	for i := 0; i+4 <= len(data); i += 4 {
		at := c.Order.Uint32(data[i:])
		name, ok := elffile.CString(c.strings, uint64(at))
		if !ok {
			return c.fault(fmt.Sprintf("hwcaps name %d", i/4), "", off+int64(i), "0x%x is no string of the cache (0x%x bytes)", at, len(c.strings))
		}
		if len(name) > 255 {
			return c.fault(fmt.Sprintf("hwcaps name %d", i/4), "", off+int64(i), "its %d bytes are more than a file name has (255)", len(name))
		}
		c.Caps = append(c.Caps, string(name))
	}
	return nil
}

// Len is the number of entries.
func (c *Cache) Len() int {
	if c.size == 0 {
		return 0
	}
	return len(c.entries) / c.size
}

// At returns entry i.
func (c *Cache) At(i int) Entry {
	b := c.entries[i*c.size:]
	e := Entry{Flags: c.Order.Uint32(b)}
	e.Name = c.text(c.Order.Uint32(b[4:]))
	e.Path = c.text(c.Order.Uint32(b[8:]))
	if c.New {
		e.OSVersion, e.HWCap = c.Order.Uint32(b[12:]), c.Order.Uint64(b[16:])
	}
	return e
}

func (c *Cache) text(off uint32) []byte {
	if s, ok := elffile.CString(c.strings, uint64(off)); ok {
		return s
	}
	return nil
}

// Kind is which entries a machine's dynamic linker takes.
type Kind struct {
	Flags uint32 // the FLAG_ constants of ldconfig.h
	Other uint32 // is taken where there is nothing with Flags; 0: nothing is
}

// KindOf is _DL_CACHE_DEFAULT_ID and _dl_cache_check_flags of a machine.
func KindOf(m elf.Machine, class elf.Class, eflags uint32) Kind {
	const (
		libc5 = 1
		libc6 = 3
	)
	is64 := class == elf.ELFCLASS64
	switch m {
	case elf.EM_X86_64:
		if is64 {
			return Kind{0x300 | libc6, 0}
		}
		return Kind{0x800 | libc6, 0}
	case elf.EM_AARCH64:
		return Kind{0xa00 | libc6, 0}
	case elf.EM_ARM: // those of before there were two kinds of floats pass as well
		if eflags&0x400 != 0 { // EF_ARM_ABI_FLOAT_HARD
			return Kind{0x900 | libc6, libc6}
		}
		return Kind{0xb00 | libc6, libc6}
	case elf.EM_RISCV: // bits 1 and 2 of e_flags are the floating-point ABI
		if eflags>>1&3 == 0 {
			return Kind{0xf00 | libc6, 0}
		}
		return Kind{0x1000 | libc6, 0}
	case elf.EM_S390:
		if is64 {
			return Kind{0x400 | libc6, 0}
		}
	case elf.EM_PPC64:
		return Kind{0x500 | libc6, 0}
	case elf.EM_LOONGARCH: // bits 0 to 2 of e_flags: 1 is soft float
		if eflags&7 == 1 {
			return Kind{0x1100 | libc6, 0}
		}
		return Kind{0x1200 | libc6, 0}
	case elf.EM_SPARCV9:
		return Kind{0x100 | libc6, 0}
	}
	return Kind{libc6, libc5}
}
