package page

import (
	"debug/elf"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"elfwright/elffile"
	"elfwright/machine/all"
	"elfwright/picture"
)

// indexJSON is the page's table of contents. Offsets and addresses are strings
// in hexadecimal: JSON numbers have 53 bits.
type indexJSON struct {
	Version int         `json:"version"`
	Title   string      `json:"title"`
	Images  []imageJSON `json:"images"`
}

type imageJSON struct {
	Name     string        `json:"name"`
	What     string        `json:"what"` // type and machine, in words
	Bits     int           `json:"bits"`
	Big      bool          `json:"big"`
	FileSize string        `json:"fileSize"`
	Entry    string        `json:"entry"`
	Bias     string        `json:"bias"`
	Items    []itemJSON    `json:"items"`
	Scales   [3][]stopJSON `json:"scales"`
	Overlaps []overlapJSON `json:"overlaps"`
	Headers  headersJSON   `json:"headers"`
	Names    namesJSON     `json:"names"`
	Steps    []stepJSON    `json:"steps"`
	Maps     []mapJSON     `json:"maps"`
	Symbols  *table        `json:"symbols"`
	Relocs   *table        `json:"relocs"`
	Strings  *table        `json:"strings"`
	Sources  []string      `json:"sources"` // source files, by number
	Notes    []string      `json:"notes"`   // what was wrong, or left out
}

// itemJSON is a thing of the picture: kind, index, name, protection, parent,
// bytes from the file, and its extents: start and size, "" where there is none.
type itemJSON [7]any

// stopJSON is a stop of a scale: address, height, 1 for a gap.
type stopJSON [3]any

// overlapJSON is the space, two items, start and size.
type overlapJSON [5]any

// headersJSON has the raw bytes of the headers, in base64; the page takes them
// apart itself.
type headersJSON struct {
	Ehdr   string   `json:"ehdr"`
	Phoff  string   `json:"phoff"`
	Phdrs  string   `json:"phdrs"`
	Shoff  string   `json:"shoff"`
	Shdrs  string   `json:"shdrs"`
	Phname []string `json:"phname"`
	Shname []string `json:"shname"`
}

// namesJSON are the names of the numbers that occur.
type namesJSON struct {
	Type        string            `json:"type"`
	Machine     string            `json:"machine"`
	OSABI       string            `json:"osabi"`
	Flags       string            `json:"flags"`
	SectionType map[uint32]string `json:"sectionType"`
	SymbolType  map[uint8]string  `json:"symbolType"`
	Bind        map[uint8]string  `json:"bind"`
	Visibility  map[uint8]string  `json:"visibility"`
	Reloc       map[uint32]string `json:"reloc"`
	Special     map[uint16]string `json:"special"` // reserved section indices
	SymbolTabs  []string          `json:"symbolTabs"`
	RelocTabs   []string          `json:"relocTabs"`
	RelocTarget []int             `json:"relocTarget"` // section that each table applies to; objects only
}

type stepJSON struct {
	Phase  string      `json:"phase,omitempty"`
	Title  string      `json:"title"`
	Rule   string      `json:"rule"`
	Header int         `json:"header"`
	Ranges [][2]string `json:"ranges"`
	Warn   string      `json:"warn,omitempty"`
}

type mapJSON struct {
	Start, Size, Prot, Off, Path string
	Header                       int
}

func hex(n uint64) string { return fmt.Sprintf("0x%x", n) }

// builder makes one image's part of the page.
type builder struct {
	*Subject
	*packer
	out    imageJSON
	faults []error

	sections []elffile.Section
	symBase  map[int]int // section of a symbol table: its first row
}

// maxNotes bounds the faults that the page repeats.
const maxNotes = 50

// fault notes what was wrong.
func (b *builder) fault(err error) {
	if err == nil {
		return
	}
	b.faults = append(b.faults, err)
	if len(b.out.Notes) < maxNotes {
		b.note(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// note tells the reader of the page something.
func (b *builder) note(s string) { b.out.Notes = append(b.out.Notes, text(s)) }

// text is a string that JSON can have.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// build makes the index of an image, and its chunks.
func (b *builder) build() imageJSON {
	img := b.Image
	m := b.model()
	b.out.Name, b.out.Bits, b.out.Big = text(img.Name), m.Bits, img.Big()
	b.out.What = elffile.TypeName(img.Type) + ", " + elffile.MachineName(img.Machine)
	b.out.FileSize, b.out.Entry = hex(m.FileSize), hex(m.Entry)
	b.out.Bias = hex(uint64(b.Bias))
	b.picture(m)
	b.out.Names = namesJSON{
		Type: elffile.TypeName(img.Type), Machine: elffile.MachineName(img.Machine), OSABI: elffile.OSABIName(img.Machine, img.OSABI),
		SectionType: make(map[uint32]string), SymbolType: make(map[uint8]string), Bind: make(map[uint8]string),
		Visibility: make(map[uint8]string), Reloc: make(map[uint32]string), Special: make(map[uint16]string),
	}
	if mach := all.Lookup(img.Machine, img.Class); mach != nil {
		b.out.Names.Flags = mach.FlagString(img.Flags)
	}
	b.loading()
	if b.File != nil {
		b.sections = b.File.Sections()
		b.headers()
		b.symbols()
		b.relocs()
		b.strings()
	}
	return b.out
}

func (b *builder) picture(m *picture.Model) {
	for i := range m.Items {
		it := &m.Items[i]
		j := itemJSON{int(it.Kind), it.Index, text(it.Name), int(it.Prot), it.Parent, hex(it.Filled)}
		var at []string
		for _, e := range it.At {
			if e.Ok {
				at = append(at, hex(e.Start), hex(e.Size))
			} else {
				at = append(at, "", "")
			}
		}
		j[6] = at
		b.out.Items = append(b.out.Items, j)
	}
	for s, sc := range m.Scales {
		for _, stop := range sc {
			gap := 0
			if stop.Gap {
				gap = 1
			}
			b.out.Scales[s] = append(b.out.Scales[s], stopJSON{hex(stop.At), stop.Y, gap})
		}
	}
	for _, o := range m.Overlaps {
		b.out.Overlaps = append(b.out.Overlaps, overlapJSON{int(o.Space), o.A, o.B, hex(o.Range.Start), hex(o.Range.Size)})
	}
	if m.Omitted > 0 {
		b.note(fmt.Sprintf("%d small sections are not in the picture; the table has them", m.Omitted))
	}
}

func (b *builder) loading() {
	for _, s := range b.Steps {
		j := stepJSON{Phase: s.Phase, Title: text(s.Title), Rule: text(s.Rule), Header: s.Header, Ranges: [][2]string{}, Warn: text(s.Warn)}
		for _, r := range s.Ranges {
			j.Ranges = append(j.Ranges, [2]string{hex(uint64(r.Start)), hex(r.Size)})
		}
		b.out.Steps = append(b.out.Steps, j)
	}
	for _, m := range b.Maps {
		b.out.Maps = append(b.out.Maps, mapJSON{hex(uint64(m.Range.Start)), hex(m.Range.Size), text(m.Prot), hex(m.Off), text(m.Path), m.Header})
	}
}

// maxHeaders bounds the section headers whose fields the page has.
const maxHeaders = 20000

// headers adds the raw header tables.
func (b *builder) headers() {
	f := b.File
	h := &b.out.Headers
	raw := func(off uint64, n int) string {
		data, err := f.Body.Bytes(off, uint64(n))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			b.fault(err)
		}
		return base64.StdEncoding.EncodeToString(data)
	}
	h.Phoff, h.Shoff = hex(f.Header.Phoff), hex(f.Header.Shoff)
	h.Ehdr = raw(0, f.EhdrSize())
	h.Phdrs = raw(f.Header.Phoff, len(f.Progs)*f.PhdrSize())
	for i := range f.Progs {
		h.Phname = append(h.Phname, elffile.ProgTypeName(f.Header.Machine, f.Progs[i].Type))
	}
	n := min(len(b.sections), maxHeaders)
	if n < len(b.sections) {
		b.note(fmt.Sprintf("the table of sections has the first %d of %d", n, len(b.sections)))
	}
	h.Shdrs = raw(f.Header.Shoff, n*f.ShdrSize())
	for i := range b.sections[:n] {
		s := &b.sections[i]
		h.Shname = append(h.Shname, text(f.SectionName(i)))
		b.out.Names.SectionType[uint32(s.Type)] = elffile.SectionTypeName(f.Header.Machine, s.Type)
	}
	for x := uint16(elf.SHN_LORESERVE); x != 0; x++ {
		switch elf.SectionIndex(x) {
		case elf.SHN_ABS, elf.SHN_COMMON:
			b.out.Names.Special[x] = elffile.SectionIndexName(f.Header.Machine, x)
		}
	}
}
