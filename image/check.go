package image

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"
)

// Source says who made a rule.
type Source string

// Where the rules are written.
const (
	GABI  Source = "gABI, Program Header"
	Linux Source = "Linux, load_elf_binary"
	PsABI Source = "psABI"
	Glibc Source = "glibc, rtld"
)

// Fault is a broken invariant of an image.
type Fault struct {
	Rule   string // stable name: "congruence"
	Source Source
	Index  int // of the program header, or -1
	Msg    string
}

// Error prints "program header 2: … (gABI, Program Header)".
func (f Fault) Error() string {
	if f.Index < 0 {
		return fmt.Sprintf("%s (%s)", f.Msg, f.Source)
	}
	return fmt.Sprintf("program header %d: %s (%s)", f.Index, f.Msg, f.Source)
}

// checker collects faults.
type checker struct {
	img    *Image
	page   uint64
	faults []Fault
}

func (c *checker) add(rule string, src Source, index int, format string, args ...any) {
	c.faults = append(c.faults, Fault{rule, src, index, fmt.Sprintf(format, args...)})
}

// Check returns every broken invariant of an image, for pages of a size (0:
// 4096). An image with faults may still run: Linux asks less than the gABI, and
// the source of the rule says whose it is.
func (img *Image) Check(page uint64) []Fault {
	if page == 0 {
		page = 4096
	}
	c := &checker{img: img, page: page}
	for i := range img.Segments {
		c.segment(&img.Segments[i])
	}
	c.order()
	c.overlaps()
	c.counts()
	for i := range img.Headers {
		c.header(&img.Headers[i])
	}
	c.entry()
	return c.faults
}

func powerOfTwo(n uint64) bool { return n&(n-1) == 0 }

// segment checks one PT_LOAD by itself.
func (c *checker) segment(s *Segment) {
	if s.Filesz > s.Memsz {
		c.add("filesz", GABI, s.Index, "p_filesz 0x%x is more than p_memsz 0x%x", s.Filesz, s.Memsz)
	}
	if have := uint64(s.Data.Size()); have != s.Filesz {
		c.add("bytes", GABI, s.Index, "p_filesz 0x%x, but the file has only 0x%x of these bytes", s.Filesz, have)
	}
	if !powerOfTwo(s.Align) {
		c.add("align", GABI, s.Index, "p_align 0x%x is not a power of two", s.Align)
	} else if s.Align > 1 && s.Off >= 0 && (uint64(s.Vaddr)-uint64(s.Off))%s.Align != 0 {
		c.add("congruence", GABI, s.Index, "p_vaddr %v and p_offset 0x%x differ modulo p_align 0x%x", s.Vaddr, s.Off, s.Align)
	}
	// elf_map asks it of the page alone, and not at all without file bytes.
	if s.Filesz > 0 && s.Off >= 0 && (uint64(s.Vaddr)-uint64(s.Off))%c.page != 0 {
		c.add("page-congruence", Linux, s.Index, "p_vaddr %v and p_offset 0x%x differ modulo the page size 0x%x: the mapping is refused", s.Vaddr, s.Off, c.page)
	}
	if r := s.Range(); !r.Valid() || !r.Empty() && uint64(r.last()) > c.img.MaxAddr() {
		c.add("wrap", GABI, s.Index, "p_vaddr %v + p_memsz 0x%x is beyond the address space", s.Vaddr, s.Memsz)
	}
}

// order checks the sequence of the table (gABI: loadable segment entries are
// ascending by p_vaddr; PT_INTERP and PT_PHDR precede them).
func (c *checker) order() {
	segs := c.img.Segments
	for i := 1; i < len(segs); i++ {
		if segs[i].Vaddr < segs[i-1].Vaddr {
			c.add("ascending", GABI, segs[i].Index, "p_vaddr %v comes after %v of program header %d: PT_LOADs must ascend", segs[i].Vaddr, segs[i-1].Vaddr, segs[i-1].Index)
		}
	}
	if len(segs) == 0 {
		return
	}
	first := slices.MinFunc(segs, func(a, b Segment) int { return a.Index - b.Index }).Index
	for _, h := range c.img.Headers {
		if (h.Type == elf.PT_PHDR || h.Type == elf.PT_INTERP) && h.Index >= 0 && first >= 0 && h.Index > first {
			c.add("precede", GABI, h.Index, "%v comes after the first PT_LOAD (program header %d)", h.Type, first)
		}
	}
}

// overlaps checks pairs of segments: in bytes, and in pages that one would take
// from the other.
func (c *checker) overlaps() {
	type item struct {
		*Segment
		pages Range
	}
	var items []item
	for i := range c.img.Segments {
		if s := &c.img.Segments[i]; s.Memsz > 0 {
			pages, _ := s.Range().Pages(c.page)
			items = append(items, item{s, pages})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.Vaddr, b.Vaddr) })
	for i := 1; i < len(items); i++ {
		a, b := items[i-1], items[i]
		switch {
		case a.Range().Overlaps(b.Range()):
			c.add("overlap", GABI, b.Index, "%v overlaps %v of program header %d; Linux maps the later one over the other", b.Range(), a.Range(), a.Index)
		case a.pages.Overlaps(b.pages) && !c.samePage(a.Segment, b.Segment):
			c.add("page-overlap", Linux, b.Index, "%v shares a page of 0x%x bytes with %v of program header %d, which is mapped from elsewhere in the file: the later one takes the whole page", b.Range(), c.page, a.Range(), a.Index)
		}
	}
}

// samePage says whether two segments that share a page map the same page of the
// file there, so that neither takes bytes from the other.
func (c *checker) samePage(a, b *Segment) bool {
	return a.Filesz == a.Memsz && b.Filesz > 0 && uint64(a.Vaddr)-uint64(a.Off) == uint64(b.Vaddr)-uint64(b.Off)
}

// Limits of the table: a page of headers until Linux 6.17, 64 KiB since
// (load_elf_phdrs).
const linuxTable = 65536

func (c *checker) counts() {
	n := len(c.img.Segments) + len(c.img.Headers)
	if size := uint64(n * c.img.PhdrSize()); size > linuxTable {
		c.add("table-size", Linux, -1, "%d program headers are 0x%x bytes, more than 0x%x", n, size, linuxTable)
	} else if size > c.page {
		c.add("table-page", Linux, -1, "%d program headers are 0x%x bytes, more than a page (0x%x), which kernels before 6.17 refuse", n, size, c.page)
	}
	for _, t := range []elf.ProgType{elf.PT_PHDR, elf.PT_INTERP, elf.PT_TLS, elf.PT_DYNAMIC, elf.PT_GNU_STACK} {
		seen := -1
		for _, h := range c.img.Headers {
			if h.Type != t {
				continue
			}
			if seen >= 0 {
				c.add("once", GABI, h.Index, "a second %v (the first is program header %d)", t, seen)
			}
			seen = h.Index
		}
	}
}

// header checks a program header that is not PT_LOAD.
func (c *checker) header(h *Header) {
	if h.Filesz > 0 && uint64(h.Data.Size()) != h.Filesz {
		c.add("bytes", GABI, h.Index, "p_filesz 0x%x, but the file has only 0x%x of these bytes", h.Filesz, h.Data.Size())
	}
	if !powerOfTwo(h.Align) {
		c.add("align", GABI, h.Index, "p_align 0x%x is not a power of two", h.Align)
	}
	switch h.Type {
	case elf.PT_PHDR:
		if h.Segment < 0 {
			c.add("phdr-loaded", GABI, h.Index, "PT_PHDR %v is in no PT_LOAD", h.Range())
		}
		if h.Off >= 0 && uint64(h.Off) != c.img.Table {
			c.add("phdr-place", Glibc, h.Index, "PT_PHDR is at 0x%x, the table at e_phoff 0x%x", h.Off, c.img.Table)
		}
	case elf.PT_GNU_RELRO:
		// Only the memory counts, and it may end with the last page's zeros.
		if !c.loaded(h.Range()) {
			c.add("loaded", Glibc, h.Index, "PT_GNU_RELRO %v is not within the pages of the PT_LOADs", h.Range())
		}
	case elf.PT_INTERP, elf.PT_DYNAMIC, elf.PT_GNU_PROPERTY, elf.PT_GNU_EH_FRAME:
		// The dynamic linker and the unwinder read these through the load bias.
		if h.Filesz > 0 && h.Segment < 0 && c.img.Type != elf.ET_CORE {
			c.add("loaded", Glibc, h.Index, "%v %v is in no PT_LOAD", h.Type, h.Range())
		}
	case elf.PT_TLS:
		if h.Filesz > h.Memsz {
			c.add("filesz", GABI, h.Index, "p_filesz 0x%x is more than p_memsz 0x%x", h.Filesz, h.Memsz)
		}
		if h.Filesz > 0 && h.Segment < 0 {
			c.add("loaded", GABI, h.Index, "PT_TLS %v is in no PT_LOAD", Range{h.Vaddr, h.Filesz})
		}
	}
}

// loaded says whether all of r is within the pages of segments.
func (c *checker) loaded(r Range) bool {
	var pages []Range
	for i := range c.img.Segments {
		p, _ := c.img.Segments[i].Range().Pages(c.page)
		pages = append(pages, p)
	}
	return Union(pages...).Covers(r)
}

// entry checks that the program starts in code.
func (c *checker) entry() {
	if c.img.Type != elf.ET_EXEC && (c.img.Type != elf.ET_DYN || c.img.Entry == 0) {
		return
	}
	switch s := c.img.SegmentAt(c.img.Entry); {
	case s == nil:
		c.add("entry", GABI, -1, "e_entry %v is in no PT_LOAD", c.img.Entry)
	case s.Flags&elf.PF_X == 0:
		c.add("entry-exec", Linux, -1, "e_entry %v is in program header %d, which is not executable", c.img.Entry, s.Index)
	}
}
