package picture

import (
	"cmp"
	"debug/elf"
	"fmt"
	"math"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
)

// Space is one of the three columns of a picture.
type Space int

// The columns, from left to right.
const (
	File Space = iota
	Virtual
	Physical
)

// Spaces is the number of columns.
const Spaces = 3

// String is the column's heading.
func (s Space) String() string {
	return [...]string{"file offset", "virtual address", "physical address"}[s]
}

// Kind says what an item is.
type Kind int

// The kinds of items.
const (
	FileHeader   Kind = iota // the ELF header
	HeaderTable              // the program header table
	SectionTable             // the section header table
	Segment                  // a PT_LOAD
	Header                   // any other program header
	Section
	Mapping // a line of /proc/PID/maps, or a mapping that a loader would make
)

// Extent is a half-open range of one space.
type Extent struct {
	Start, Size uint64
	Ok          bool // false: the item is not in this space
}

// End is the first offset or address behind the extent. An extent never wraps,
// but may reach the last address, where End is that address itself.
func (e Extent) End() uint64 { return e.Start + e.Size }

func (e Extent) covers(o Extent) bool {
	return e.Ok && o.Ok && o.Start >= e.Start && o.End() <= e.End()
}

// extent makes a range that does not wrap.
func extent(start, size uint64) Extent {
	return Extent{start, min(size, math.MaxUint64-start), true}
}

// Item is a thing in the picture.
type Item struct {
	Kind  Kind
	Index int    // in the table it comes from; program header, section, mapping
	Name  string // "LOAD", ".text"
	Prot  elf.ProgFlag
	At    [Spaces]Extent
	// Filled is how many of the bytes in memory come from the file; the others
	// are zero.
	Filled uint64
	Parent int // the item that is the segment it lies in, or -1
}

// Overlap is a range that two segments claim.
type Overlap struct {
	Space Space
	A, B  int // items
	Range Extent
}

// Model is what a picture shows.
type Model struct {
	Name     string
	Machine  elf.Machine
	Type     elf.Type
	Bits     int    // of an address: 32 or 64
	FileSize uint64 // 0 where there is no file
	Entry    uint64
	// Items are in this order: the tables of the file, then PT_LOADs, other
	// program headers, sections, mappings, each by its index.
	Items    []Item
	Overlaps []Overlap // at most maxOverlaps
	Scales   [Spaces]Scale
	// Omitted is how many of the smallest sections were left out because there
	// are too many.
	Omitted int
}

// Limits of what is drawn: a file of any size can claim millions of either.
const (
	maxSections = 20000
	maxOverlaps = 100
)

// Map is a line of /proc/PID/maps.
type Map struct {
	Range  image.Range
	Prot   string // "r-xp"
	Off    uint64
	Path   string
	Header int // program header that it comes from, or -1
	// Stored says that the mapping is of a process that lies in the file, and where:
	// it is drawn as a segment is, a block for each piece. nil: it is drawn as a
	// mapping.
	Stored []Stored
}

// Stored is a piece of a mapping that is in the file; without a size in the file it
// is zeros.
type Stored struct {
	Range image.Range
	Off   uint64
	Size  uint64 // in the file
}

// New makes the model of an image; img.Sections are drawn as far as they were
// read. f, which may be nil, is the file that the image came from, and tells
// where the section header table is. maps are those of a process in which the
// image is where its addresses say.
func New(img *image.Image, f *elffile.File, maps ...Map) *Model {
	m := &Model{
		Name: img.Name, Machine: img.Machine, Type: img.Type, Bits: 32, Entry: uint64(img.Entry),
	}
	if img.Is64() {
		m.Bits = 64
	}
	if img.Body != nil {
		m.FileSize = uint64(img.Body.Size())
		m.tables(img, f)
	}
	m.segments(img)
	m.sections(img)
	for i, x := range maps {
		if x.Stored != nil {
			m.stored(&x)
			continue
		}
		at := [Spaces]Extent{Virtual: extent(uint64(x.Range.Start), x.Range.Size)}
		m.Items = append(m.Items, Item{Kind: Mapping, Index: i, Name: strings.TrimSpace(x.Prot + " " + x.Path), Prot: mapProt(x.Prot), At: at, Filled: x.Range.Size, Parent: -1})
	}
	m.place()
	m.Overlaps = m.overlaps()
	for s := range m.Scales {
		m.Scales[s] = m.scale(Space(s))
	}
	return m
}

// stored adds the pieces of a mapping that the file has.
func (m *Model) stored(x *Map) {
	name := strings.TrimSpace(x.Prot + " " + x.Path[strings.LastIndexByte(x.Path, '/')+1:])
	for _, p := range x.Stored {
		it := Item{Kind: Segment, Index: -1, Name: name, Prot: mapProt(x.Prot), Filled: p.Size, Parent: -1}
		it.At[Virtual] = extent(uint64(p.Range.Start), p.Range.Size)
		it.At[Physical] = it.At[Virtual] // so that no column is drawn for what a process does not know
		if p.Size > 0 {
			it.At[File] = extent(p.Off, p.Size)
		}
		m.Items = append(m.Items, it)
	}
}

// tables adds the ELF header and the two header tables.
func (m *Model) tables(img *image.Image, f *elffile.File) {
	add := func(k Kind, name string, off, size uint64) {
		m.Items = append(m.Items, Item{Kind: k, Name: name, At: [Spaces]Extent{File: extent(off, size)}, Parent: -1})
	}
	add(FileHeader, "ELF header", 0, uint64(img.EhdrSize()))
	if n := len(img.Segments) + len(img.Headers); n > 0 {
		add(HeaderTable, "program headers", img.Table, uint64(n*img.PhdrSize()))
	}
	if f != nil && f.Header.Shoff != 0 && len(f.Sections()) > 0 {
		n := len(f.Sections())
		add(SectionTable, "section headers", f.Header.Shoff, uint64(n*img.ShdrSize()))
	}
}

func (m *Model) segments(img *image.Image) {
	for i := range img.Segments {
		s := &img.Segments[i]
		it := Item{Kind: Segment, Index: s.Index, Name: "LOAD", Prot: s.Flags, Filled: min(s.Filesz, s.Memsz), Parent: -1}
		if s.Off >= 0 && s.Filesz > 0 {
			it.At[File] = extent(uint64(s.Off), s.Filesz)
		}
		it.At[Virtual] = extent(uint64(s.Vaddr), s.Memsz)
		it.At[Physical] = extent(uint64(s.Paddr), s.Memsz)
		m.Items = append(m.Items, it)
	}
	for i := range img.Headers {
		h := &img.Headers[i]
		it := Item{Kind: Header, Index: h.Index, Name: elffile.ProgTypeName(img.Machine, h.Type), Prot: h.Flags, Filled: min(h.Filesz, h.Memsz), Parent: -1}
		if h.Off >= 0 && h.Filesz > 0 {
			it.At[File] = extent(uint64(h.Off), h.Filesz)
		}
		if h.Memsz > 0 {
			it.At[Virtual] = extent(uint64(h.Vaddr), h.Memsz)
		}
		m.Items = append(m.Items, it)
	}
}

// sections adds the sections, the largest where there are too many.
func (m *Model) sections(img *image.Image) {
	order := make([]int, len(img.Sections))
	for i := range order {
		order[i] = i
	}
	if len(order) > maxSections {
		m.Omitted = len(order) - maxSections
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Compare(img.Sections[b].Size, img.Sections[a].Size)
		})
		order = order[:maxSections]
		slices.Sort(order)
	}
	for _, i := range order {
		s := &img.Sections[i]
		if s.Type == elf.SHT_NULL {
			continue
		}
		it := Item{Kind: Section, Index: i + 1, Name: s.Name, Prot: sectionProt(s.Flags), Parent: -1}
		if s.Type != elf.SHT_NOBITS && s.Off >= 0 {
			it.At[File] = extent(uint64(s.Off), s.Size)
			it.Filled = s.Size
		}
		// gABI, SHF_TLS: .tbss takes no room in the process image; its addresses
		// are those of what follows. Objects have no addresses at all.
		tbss := s.Type == elf.SHT_NOBITS && s.Flags&elf.SHF_TLS != 0
		if s.Flags&elf.SHF_ALLOC != 0 && !tbss && img.Type != elf.ET_REL {
			it.At[Virtual] = extent(uint64(s.Addr), s.Size)
		}
		m.Items = append(m.Items, it)
	}
}

// sectionProt is what a section's flags ask of memory, as segment flags.
func sectionProt(f elf.SectionFlag) (p elf.ProgFlag) {
	if f&elf.SHF_ALLOC == 0 {
		return 0
	}
	p = elf.PF_R
	if f&elf.SHF_WRITE != 0 {
		p |= elf.PF_W
	}
	if f&elf.SHF_EXECINSTR != 0 {
		p |= elf.PF_X
	}
	return p
}

// mapProt reads protection as /proc/PID/maps prints it.
func mapProt(s string) (p elf.ProgFlag) {
	for i, bit := range [...]elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if i < len(s) && s[i] == "rwx"[i] {
			p |= bit
		}
	}
	return p
}

// place finds the segment that each item lies in, and by it the addresses that
// its own header does not tell.
func (m *Model) place() {
	loads := m.byStart(Virtual)
	files := m.byStart(File)
	for i := range m.Items {
		it := &m.Items[i]
		if it.Kind == Segment || it.Kind == Mapping {
			continue
		}
		if it.At[Virtual].Ok {
			it.Parent = m.holder(loads, Virtual, it)
		} else if it.Kind != Section && it.At[File].Ok {
			it.Parent = m.holder(files, File, it)
		}
		if it.Parent < 0 {
			continue
		}
		seg := &m.Items[it.Parent]
		if !it.At[Virtual].Ok {
			it.At[Virtual] = extent(seg.At[Virtual].Start+(it.At[File].Start-seg.At[File].Start), it.At[File].Size)
			it.Filled = it.At[File].Size
		}
		if seg.At[Physical].Ok {
			it.At[Physical] = extent(seg.At[Physical].Start+(it.At[Virtual].Start-seg.At[Virtual].Start), it.At[Virtual].Size)
		}
	}
}

// byStart returns the segments that are in a space, by where they start there.
func (m *Model) byStart(s Space) []int {
	var list []int
	for i := range m.Items {
		if it := &m.Items[i]; it.Kind == Segment && it.At[s].Ok {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int {
		return cmp.Compare(m.Items[a].At[s].Start, m.Items[b].At[s].Start)
	})
	return list
}

// holder returns the last segment by start that covers the item in a space and,
// where both have bytes in the file, agrees with it about their offset; or -1.
func (m *Model) holder(list []int, s Space, it *Item) int {
	at, _ := slices.BinarySearchFunc(list, it.At[s].Start, func(i int, start uint64) int {
		if m.Items[i].At[s].Start <= start {
			return -1
		}
		return 1
	})
	for k := at - 1; k >= 0 && k >= at-8; k-- { // more than a few overlap only in files made to
		seg := &m.Items[list[k]]
		if !seg.At[s].covers(it.At[s]) {
			continue
		}
		if s == Virtual && it.At[File].Ok && seg.At[File].Ok &&
			it.At[File].Start-seg.At[File].Start != it.At[Virtual].Start-seg.At[Virtual].Start {
			continue
		}
		return list[k]
	}
	return -1
}

// overlaps finds what segments claim twice.
func (m *Model) overlaps() (out []Overlap) {
	for s := range Space(Spaces) {
		list := m.byStart(s)
		last := -1 // of those before, the one that reaches furthest
		for _, i := range list {
			at := m.Items[i].At[s]
			if last >= 0 {
				if end := m.Items[last].At[s].End(); at.Start < end && at.Size > 0 {
					out = append(out, Overlap{s, last, i, extent(at.Start, min(end, at.End())-at.Start)})
				}
			}
			if len(out) == maxOverlaps {
				return out
			}
			if last < 0 || at.End() > m.Items[last].At[s].End() {
				last = i
			}
		}
	}
	return out
}

// Drop takes a space out of the picture.
func (m *Model) Drop(s Space) {
	for i := range m.Items {
		m.Items[i].At[s] = Extent{}
	}
	m.Scales[s] = nil
	m.Overlaps = slices.DeleteFunc(m.Overlaps, func(o Overlap) bool { return o.Space == s })
}

// SamePhysical says whether every segment's physical address is its virtual one.
func (m *Model) SamePhysical() bool {
	return !slices.ContainsFunc(m.Items, func(it Item) bool {
		return it.Kind == Segment && it.At[Virtual] != it.At[Physical]
	})
}

// Has says whether a column has anything in it.
func (m *Model) Has(s Space) bool {
	return slices.ContainsFunc(m.Items, func(it Item) bool { return it.At[s].Ok && it.At[s].Size > 0 })
}

// Title names an item as a heading does: "LOAD 2 r-x".
func (it *Item) Title() string {
	switch it.Kind {
	case Segment, Header:
		if it.Index < 0 {
			return it.Name // a piece of a process
		}
		return fmt.Sprintf("%s %d %s", it.Name, it.Index, Letters(it.Prot))
	}
	return it.Name
}

// Letters prints protection as /proc/PID/maps does: "r-x".
func Letters(f elf.ProgFlag) string {
	b := []byte("---")
	for i, bit := range [...]elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if f&bit != 0 {
			b[i] = "rwx"[i]
		}
	}
	return string(b)
}

// Size prints a number of bytes in at most five columns: "24", "4.0K", "105M".
func Size(n uint64) string {
	if n < 1024 {
		return fmt.Sprint(n)
	}
	f, unit := float64(n), 0
	for f >= 1023.5 && unit < 6 {
		f /= 1024
		unit++
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f%c", f, "BKMGTPE"[unit])
	}
	return fmt.Sprintf("%.0f%c", f, "BKMGTPE"[unit])
}
