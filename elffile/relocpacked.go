package elffile

import (
	"debug/elf"
	"fmt"
	"math/bits"
)

// packedRelocs are relocations whose entries do not have one size: they are
// decoded from the front. Every markEvery-th state is kept, so that a single
// one can be had without decoding all before it.
type packedRelocs struct {
	format    Format
	step      func(p *packedRelocs, c *relocCursor) (r Reloc, ok bool)
	b         []byte
	stride    int // RELR: distance of words
	words     int // RELR: number of words
	total     uint64
	shift     uint
	rtype     uint32 // RELR: the machine's relative relocation
	hasAddend bool

	n     int
	marks []relocCursor
	fault string
}

const markEvery = 512

// relocCursor is the state of decoding between two relocations.
type relocCursor struct {
	pos  int    // next byte, or next word of RELR
	done uint64 // relocations so far
	r    Reloc  // the last one: entries hold differences

	where, bits uint64 // RELR: what the bitmap is relative to, and its bits that are left
	next        uint64 // RELR: what the next bitmap is relative to

	left, flags uint64 // Android: relocations left in the group, its flags
	delta       int64  // and the distance between its offsets
	bad         string // why decoding ended early
}

// index counts the relocations and keeps the marks. limit bounds how many there
// may be.
func (p *packedRelocs) index(start relocCursor, limit uint64) {
	c := start
	for {
		if c.done%markEvery == 0 {
			p.marks = append(p.marks, c)
		}
		if c.done >= limit {
			p.fault = fmt.Sprintf("more than %d relocations in 0x%x bytes; the rest is not read", limit, len(p.b))
			break
		}
		if _, ok := p.step(p, &c); !ok {
			p.fault = c.bad
			break
		}
		c.done++
	}
	p.n = int(c.done)
}

func (p *packedRelocs) at(i int) Reloc {
	if i < 0 || i >= p.n {
		panic(fmt.Sprintf("elffile: relocation %d of %d", i, p.n))
	}
	c := p.marks[i/markEvery]
	var r Reloc
	for range i%markEvery + 1 {
		r, _ = p.step(p, &c)
		c.done++
	}
	return r
}

func (p *packedRelocs) all(yield func(Reloc) bool) {
	if p.n == 0 {
		return
	}
	c := p.marks[0]
	for range p.n {
		r, _ := p.step(p, &c)
		c.done++
		if !yield(r) {
			return
		}
	}
}

// maxPacked bounds a packed table: the largest real one has some hundred
// thousand entries.
const maxPacked = 1 << 26

// packRelr reads RELR (gABI, "Relative Relocation Table"): an even word is a
// place; an odd one is a bitmap of the words after the last place or bitmap.
func packRelr(f *File, b []byte, stride, n int) *packedRelocs {
	p := &packedRelocs{format: f.Format, b: b, stride: stride, words: n, rtype: relativeReloc(f.Header.Machine, f.Class), step: (*packedRelocs).stepRelr}
	p.index(relocCursor{}, maxPacked)
	return p
}

func (p *packedRelocs) stepRelr(c *relocCursor) (Reloc, bool) {
	size := uint64(p.format.AddrSize())
	for c.bits == 0 {
		if c.pos >= p.words {
			return Reloc{}, false
		}
		w := p.format.Addr(p.b[c.pos*p.stride:])
		c.pos++
		if w&1 == 0 {
			c.next = w + size
			return Reloc{Off: w, Type: p.rtype}, true
		}
		c.bits, c.where = w>>1, c.next
		c.next += (8*size - 1) * size
	}
	off := c.where + uint64(bits.TrailingZeros64(c.bits))*size
	c.bits &= c.bits - 1
	return Reloc{Off: off & p.format.MaxAddr(), Type: p.rtype}, true
}

// relativeReloc is the number of a machine's R_*_RELATIVE, 0 if it is not known
// here.
func relativeReloc(m elf.Machine, class elf.Class) uint32 {
	switch m {
	case elf.EM_X86_64:
		return uint32(elf.R_X86_64_RELATIVE)
	case elf.EM_386:
		return uint32(elf.R_386_RELATIVE)
	case elf.EM_ARM:
		return uint32(elf.R_ARM_RELATIVE)
	case elf.EM_AARCH64:
		if class == elf.ELFCLASS32 {
			return uint32(elf.R_AARCH64_P32_RELATIVE)
		}
		return uint32(elf.R_AARCH64_RELATIVE)
	case elf.EM_RISCV:
		return uint32(elf.R_RISCV_RELATIVE)
	case elf.EM_LOONGARCH:
		return uint32(elf.R_LARCH_RELATIVE)
	case elf.EM_PPC:
		return uint32(elf.R_PPC_RELATIVE)
	case elf.EM_PPC64:
		return uint32(elf.R_PPC64_RELATIVE)
	case elf.EM_S390:
		return uint32(elf.R_390_RELATIVE)
	case elf.EM_SPARC, elf.EM_SPARC32PLUS, elf.EM_SPARCV9:
		return uint32(elf.R_SPARC_RELATIVE)
	}
	return 0
}

// uleb and sleb read LEB128 numbers (DWARF 5, section 7.6) of at most 64 bits.
func (p *packedRelocs) uleb(c *relocCursor) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		if c.pos >= len(p.b) {
			c.bad = "a number reaches past the end"
			return 0
		}
		x := p.b[c.pos]
		c.pos++
		if shift < 64 {
			v |= uint64(x&0x7f) << shift
		}
		if x&0x80 == 0 {
			return v
		}
		if shift >= 63 {
			c.bad = "a number has more than 64 bits"
			return 0
		}
	}
}

func (p *packedRelocs) sleb(c *relocCursor) int64 {
	var v int64
	for shift := uint(0); ; {
		if c.pos >= len(p.b) {
			c.bad = "a number reaches past the end"
			return 0
		}
		x := p.b[c.pos]
		c.pos++
		v |= int64(x&0x7f) << shift
		shift += 7
		if x&0x80 == 0 {
			if shift < 64 && x&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
		if shift >= 64 {
			c.bad = "a number has more than 64 bits"
			return 0
		}
	}
}

// packCrel reads CREL (gABI proposal; LLVM, "CREL" in llvm/docs/Extensions.rst
// and BinaryFormat/ELF.h): the number of relocations with three bits of header
// below it, then for each the differences to the one before.
func packCrel(f *File, b []byte) *packedRelocs {
	p := &packedRelocs{format: f.Format, b: b, step: (*packedRelocs).stepCrel}
	var c relocCursor
	if len(b) == 0 {
		return p
	}
	head := p.uleb(&c)
	if p.fault = c.bad; p.fault != "" {
		return p
	}
	p.total, p.hasAddend, p.shift = head>>3, head&4 != 0, uint(head&3)
	p.index(c, maxPacked)
	return p
}

// stepCrel reads one relocation. Its first byte holds two or three bits which
// say what differs, and the lowest bits of the offset's difference.
func (p *packedRelocs) stepCrel(c *relocCursor) (Reloc, bool) {
	if c.done >= p.total {
		return Reloc{}, false
	}
	if c.pos >= len(p.b) {
		c.bad = fmt.Sprintf("only %d of %d are there", c.done, p.total)
		return Reloc{}, false
	}
	x := p.b[c.pos]
	c.pos++
	flagBits := uint(2)
	if p.hasAddend {
		flagBits = 3
	}
	c.where += uint64(x&0x7f) >> flagBits
	if x&0x80 != 0 {
		c.where += p.uleb(c) << (7 - flagBits)
	}
	if x&1 != 0 {
		c.r.Sym += uint32(p.sleb(c))
	}
	if x&2 != 0 {
		c.r.Type += uint32(p.sleb(c))
	}
	if x&4 != 0 && p.hasAddend {
		c.r.Addend += p.sleb(c)
	}
	c.r.Off = c.where << p.shift & p.format.MaxAddr()
	if !p.format.Is64() {
		c.r.Addend = int64(int32(c.r.Addend))
	}
	return c.r, c.bad == ""
}

// Flags of a group of Android's packed relocations (bionic,
// linker/linker_reloc_iterators.h).
const (
	androidByInfo   = 1
	androidByDelta  = 2
	androidByAddend = 4
	androidAddend   = 8
)

// packAndroid reads Android's packed relocations: "APS2", the number of
// relocations, the first offset, then groups that say once what their
// relocations share.
func packAndroid(f *File, b []byte) *packedRelocs {
	p := &packedRelocs{format: f.Format, b: b, step: (*packedRelocs).stepAndroid}
	if len(b) == 0 {
		return p
	}
	if len(b) < 4 || string(b[:4]) != "APS2" {
		p.fault = "the first bytes are " + quoteBytes(b[:min(4, len(b))]) + `, not "APS2"`
		return p
	}
	c := relocCursor{pos: 4}
	p.total = uint64(p.sleb(&c))
	c.r.Off = uint64(p.sleb(&c))
	if p.fault = c.bad; p.fault != "" {
		return p
	}
	// In a group that shares everything, relocations cost no bytes at all.
	p.index(c, min(maxPacked, 1024*uint64(len(b))))
	return p
}

func (p *packedRelocs) stepAndroid(c *relocCursor) (Reloc, bool) {
	if c.done >= p.total {
		return Reloc{}, false
	}
	if c.left == 0 {
		if c.left = p.androidGroup(c); c.left == 0 && c.bad == "" {
			c.bad = "a group is empty"
		}
		if c.bad != "" {
			return Reloc{}, false
		}
	}
	c.left--
	if c.flags&androidByDelta != 0 {
		c.r.Off += uint64(c.delta)
	} else {
		c.r.Off += uint64(p.sleb(c))
	}
	if c.flags&androidByInfo == 0 {
		p.setInfo(c, p.sleb(c))
	}
	if c.flags&androidAddend != 0 && c.flags&androidByAddend == 0 {
		c.r.Addend += p.sleb(c)
	}
	if !p.format.Is64() {
		c.r.Off, c.r.Addend = uint64(uint32(c.r.Off)), int64(int32(c.r.Addend))
	}
	return c.r, c.bad == ""
}

// androidGroup reads a group's header and returns its number of relocations.
func (p *packedRelocs) androidGroup(c *relocCursor) uint64 {
	n := uint64(p.sleb(c))
	c.flags = uint64(p.sleb(c))
	if c.flags&androidByDelta != 0 {
		c.delta = p.sleb(c)
	}
	if c.flags&androidByInfo != 0 {
		p.setInfo(c, p.sleb(c))
	}
	switch {
	case c.flags&androidAddend == 0:
		c.r.Addend = 0
	case c.flags&androidByAddend != 0:
		c.r.Addend += p.sleb(c)
	}
	return n
}

// setInfo takes r_info apart.
func (p *packedRelocs) setInfo(c *relocCursor, info int64) {
	if p.format.Is64() {
		c.r.Sym, c.r.Type = uint32(uint64(info)>>32), uint32(info)
		return
	}
	c.r.Sym, c.r.Type = uint32(info)>>8, uint32(info)&0xff
}
