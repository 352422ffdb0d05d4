package split

import (
	"bytes"
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"elfwright/elffile"
	"elfwright/match"
)

// A recipe says how a program is put together from the image and the file with
// symbols. It is the section .elfwright.split of the latter, in the byte order of
// the file:
//
//	0x00  8 bytes  "EWSPLIT" and a NUL
//	0x08  u32      version, 1
//	0x0c  u32      CRC-32 of the bytes that come from the file with symbols
//	0x10  u32      CRC-32 of all bytes, those of zero ranges left out
//	0x14  u32      number of program headers
//	0x18  u32      number of section headers
//	0x1c  u32      number of ranges
//	0x20  u64      size of the program
//	0x28           the program's ELF header, program headers, section headers,
//	               as e_ehsize, e_phentsize and e_shentsize of the class have them
//	               then the ranges, 32 bytes each:
//	               u64 offset in the program, u64 size,
//	               u64 source: 0 image, 1 file with symbols, 2 zeros,
//	               u64 offset in the source
//	               then bytes that no header names
//
// The ranges follow each other without a gap. Bytes of the image are at the
// offset that they have in the program.
type recipe struct {
	elffile.Format
	header elffile.Header
	progs  []elffile.Prog
	secs   []elffile.Section
	ranges []span
	size   uint64
	stored uint64 // offset in the file with symbols of bytes that no header names
	rest   uint32 // CRC-32 of what comes from the file with symbols
	all    uint32 // CRC-32 of all but zeros
}

var recipeMagic = []byte("EWSPLIT\x00")

const (
	recipeVersion = 1
	recipeHead    = 0x28
	spanSize      = 32
)

// A span is a range of the program and where it comes from.
type span struct {
	off, n uint64
	from   uint64
	at     uint64
}

// The sources of a span.
const (
	fromImage = iota
	fromSymbols
	fromZeros
)

// newRecipe writes down where every byte of the program is, the recipe itself
// being at offset at, and returns the bytes that have to be stored with it.
func (w *symbolsWriter) newRecipe(at uint64) (*recipe, []extent, error) {
	r := &recipe{Format: w.Format, header: w.Header, progs: w.Progs, secs: w.secs, size: uint64(w.Body.Size())}
	tables := at + recipeHead + uint64(w.EhdrSize()+len(r.progs)*w.PhdrSize())
	known := w.held
	if n := uint64(len(w.secs) * w.ShdrSize()); n > 0 {
		known = append(known, held{w.Header.Shoff, n, tables})
	}
	slices.SortStableFunc(known, func(a, b held) int { return cmp.Compare(a.off, b.off) })
	for _, e := range w.program {
		r.ranges = append(r.ranges, span{e.off, e.end - e.off, fromImage, e.off})
	}
	var stored []extent
	for _, gap := range w.program.gaps(r.size) {
		more, err := w.fill(r, gap, known)
		if err != nil {
			return nil, nil, err
		}
		stored = append(stored, more...)
	}
	slices.SortFunc(r.ranges, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	to := tables + uint64(len(r.secs)*w.ShdrSize()+len(r.ranges)*spanSize)
	for i := range r.ranges {
		if s := &r.ranges[i]; s.from == fromSymbols && s.at == unplaced {
			s.at, to = to, to+s.n
		}
	}
	var err error
	r.rest, r.all, err = r.sums(w.Body)
	return r, stored, err
}

// unplaced is the offset of bytes that follow the recipe, until that is known.
const unplaced = ^uint64(0)

// fill adds the ranges of a gap in the program's extents: what the file with
// symbols has, and between that zeros, or bytes to be stored.
func (w *symbolsWriter) fill(r *recipe, gap extent, known []held) ([]extent, error) {
	var stored []extent
	between := func(e extent) error {
		if e.off >= e.end {
			return nil
		}
		zero, err := isZero(w.Body, e)
		if err != nil {
			return err
		}
		if zero {
			r.ranges = append(r.ranges, span{e.off, e.end - e.off, fromZeros, 0})
			w.part(partZeros, e.end-e.off)
			return nil
		}
		stored = append(stored, e)
		r.ranges = append(r.ranges, span{e.off, e.end - e.off, fromSymbols, unplaced})
		w.part(partRest, e.end-e.off)
		return nil
	}
	pos := gap.off
	i, _ := slices.BinarySearchFunc(known, gap.off, func(h held, off uint64) int { return cmp.Compare(h.off, off) })
	for i > 0 && known[i-1].off+known[i-1].n > gap.off {
		i--
	}
	for ; i < len(known) && known[i].off < gap.end; i++ {
		h := known[i]
		from, to := max(pos, h.off), min(gap.end, h.off+h.n)
		if from >= to {
			continue
		}
		if err := between(extent{pos, from}); err != nil {
			return nil, err
		}
		r.ranges = append(r.ranges, span{from, to - from, fromSymbols, h.to + from - h.off})
		pos = to
	}
	return stored, between(extent{pos, gap.end})
}

var errNotZero = errors.New("not zero")

// isZero says whether bytes of a file are all zero.
func isZero(b *elffile.Body, e extent) (bool, error) {
	err := elffile.Stream(b.Window(int64(e.off), int64(e.end-e.off)), func(b []byte) error {
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			return errNotZero
		}
		return nil
	})
	if err == errNotZero {
		return false, nil
	}
	return err == nil, err
}

// sums returns the CRC-32s of a program.
func (r *recipe) sums(program *elffile.Body) (rest, all uint32, err error) {
	for _, s := range r.ranges {
		if s.from == fromZeros {
			continue
		}
		err := elffile.Stream(program.Window(int64(s.off), int64(s.n)), func(b []byte) error {
			all = crc32.Update(all, crc32.IEEETable, b)
			if s.from == fromSymbols {
				rest = crc32.Update(rest, crc32.IEEETable, b)
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
	}
	return rest, all, nil
}

// encode returns the recipe's bytes, without those that are stored behind.
func (r *recipe) encode() []byte {
	b := slices.Clone(recipeMagic)
	u32 := func(v uint32) { b = append(b, make([]byte, 4)...); r.PutU32(b[len(b)-4:], v) }
	u64 := func(v uint64) { b = append(b, make([]byte, 8)...); r.PutU64(b[len(b)-8:], v) }
	for _, v := range []uint32{recipeVersion, r.rest, r.all, uint32(len(r.progs)), uint32(len(r.secs)), uint32(len(r.ranges))} {
		u32(v)
	}
	u64(r.size)
	b = append(b, r.header.Encode(r.Format)...)
	for i := range r.progs {
		b = append(b, r.progs[i].Encode(r.Format)...)
	}
	for i := range r.secs {
		b = append(b, r.secs[i].Encode(r.Format)...)
	}
	for _, s := range r.ranges {
		for _, v := range []uint64{s.off, s.n, s.from, s.at} {
			u64(v)
		}
	}
	return b
}

// readRecipe reads the recipe of a file with symbols; nil if it has none.
func readRecipe(f *elffile.File) (*recipe, error) {
	i := f.SectionByName(match.RecipeSection)
	if i < 0 {
		return nil, nil
	}
	s := &f.Sections()[i]
	bad := func(format string, args ...any) (*recipe, error) { return nil, f.SectionError(i, "", format, args...) }
	if s.Has(elf.SHF_COMPRESSED) {
		return bad("compressed, and a recipe is not")
	}
	head, err := f.Body.Bytes(s.Off, min(s.Size, recipeHead))
	if err != nil || len(head) < recipeHead || !bytes.HasPrefix(head, recipeMagic) {
		return bad("0x%x bytes are no recipe, which begins with EWSPLIT and has 0x%x at least", s.Size, recipeHead)
	}
	r := &recipe{Format: f.Format, rest: f.U32(head[0x0c:]), all: f.U32(head[0x10:]), size: f.U64(head[0x20:])}
	if v := f.U32(head[8:]); v != recipeVersion {
		return bad("a recipe of version %d; this program knows version %d", v, recipeVersion)
	}
	progs, secs, ranges := uint64(f.U32(head[0x14:])), uint64(f.U32(head[0x18:])), uint64(f.U32(head[0x1c:]))
	need := uint64(f.EhdrSize()) + progs*uint64(f.PhdrSize()) + secs*uint64(f.ShdrSize()) + ranges*spanSize
	if need > s.Size-recipeHead {
		return bad("%d program headers, %d section headers and %d ranges are 0x%x bytes, more than the 0x%x that follow", progs, secs, ranges, need, s.Size-recipeHead)
	}
	b, err := f.Body.Bytes(s.Off+recipeHead, need)
	if err != nil {
		return bad("0x%x bytes at 0x%x are past the end of the file (0x%x)", need, s.Off+recipeHead, f.Body.Size())
	}
	r.stored = s.Off + recipeHead + need
	r.decode(b, int(progs), int(secs), int(ranges))
	if err := r.check(uint64(f.Body.Size())); err != nil {
		return bad("%v", err)
	}
	return r, nil
}

func (r *recipe) decode(b []byte, progs, secs, ranges int) {
	take := func(n int) []byte {
		p := b[:n]
		b = b[n:]
		return p
	}
	r.header = elffile.DecodeHeader(r.Format, take(r.EhdrSize()))
	for range progs {
		r.progs = append(r.progs, elffile.DecodeProg(r.Format, take(r.PhdrSize())))
	}
	for range secs {
		r.secs = append(r.secs, elffile.DecodeSection(r.Format, take(r.ShdrSize())))
	}
	for range ranges {
		p := take(spanSize)
		r.ranges = append(r.ranges, span{r.U64(p), r.U64(p[8:]), r.U64(p[16:]), r.U64(p[24:])})
	}
}

// check returns what is wrong with the ranges: they must make up the program, and
// take no more from the file with symbols than it has.
func (r *recipe) check(size uint64) error {
	pos, taken := uint64(0), uint64(0)
	for i, s := range r.ranges {
		switch {
		case s.off != pos || s.n == 0 || s.n > r.size-pos:
			return fmt.Errorf("range %d: 0x%x bytes at 0x%x do not follow those before it, which end at 0x%x of 0x%x", i, s.n, s.off, pos, r.size)
		case s.from > fromZeros:
			return fmt.Errorf("range %d: source %d is none of 0, 1 and 2", i, s.from)
		case s.from == fromImage && s.at != s.off:
			return fmt.Errorf("range %d: 0x%x in the image is not 0x%x in the program", i, s.at, s.off)
		case s.from == fromSymbols && (s.at > size || s.n > size-s.at):
			return fmt.Errorf("range %d: 0x%x bytes at 0x%x are past the end of the file with symbols (0x%x)", i, s.n, s.at, size)
		}
		if s.from == fromSymbols {
			if taken += s.n; taken > size {
				return fmt.Errorf("range %d: with it the ranges take 0x%x bytes from the file with symbols, which has 0x%x", i, taken, size)
			}
		}
		pos += s.n
	}
	if pos != r.size || r.size > maxSize {
		return fmt.Errorf("the ranges have 0x%x bytes, the program 0x%x", pos, r.size)
	}
	return nil
}

// maxSize is the largest file there can be.
const maxSize = 1<<63 - 1

// fits says whether the image's bytes are where the program's were.
func (r *recipe) fits(img *elffile.File) bool {
	if img.Format != r.Format || img.Header.Phoff != r.header.Phoff || len(img.Progs) != len(r.progs) || img.Header.Phentsize != r.header.Phentsize {
		return false
	}
	for i := range r.progs {
		a, b := &img.Progs[i], &r.progs[i]
		if a.Off != b.Off || a.Filesz != b.Filesz || a.Vaddr != b.Vaddr || a.Memsz != b.Memsz {
			return false
		}
	}
	return true
}

// exact puts the program together. The bytes that a program header names, and the
// headers but for the section headers' place, are the image's as they are now.
func (r *recipe) exact(img, syms *elffile.File) (*elffile.Body, error) {
	body := &elffile.Body{}
	for _, s := range r.ranges {
		if s.from == fromZeros {
			continue
		}
		from := img
		if s.from == fromSymbols {
			from = syms
		}
		if size := uint64(from.Body.Size()); s.at > size || s.n > size-s.at {
			return nil, &elffile.Error{File: from.Name, Msg: fmt.Sprintf("0x%x bytes at 0x%x, which belong to the program, are past the end of the file (0x%x)", s.n, s.at, size)}
		}
		body.Put(int64(s.off), from.Body.Window(int64(s.at), int64(s.n)))
	}
	body.Truncate(int64(r.size))
	h := img.Header
	h.Shoff, h.Shentsize, h.Shnum, h.Shstrndx = r.header.Shoff, r.header.Shentsize, r.header.Shnum, r.header.Shstrndx
	body.Put(0, elffile.Buffer(h.Encode(r.Format)))
	return body, nil
}
