package elftest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Field is a number in an ELF file. Names are
//
//	e_phoff                            ELF header
//	phdr[2].p_offset                   program header table
//	shdr[3].sh_link                    section header table
//	.symtab[1].st_shndx                symbols (.symtab is the section's name)
//	.rela.dyn[0].r_info                relocations, also .relr.dyn[0]
//	.dynamic[4].d_val                  dynamic section
//	.note.gnu.build-id[0].n_namesz     notes
//	.gnu.version_d[0].vd_next          versions; .gnu.version_d[0].aux[0].vda_next
//	.gnu.version_r[0].vn_next          .gnu.version_r[0].aux[1].vna_hash
//	.gnu.version[5]                    symbol versions
//	.hash.nbucket .hash.bucket[0] .hash.chain[1]
//	.gnu.hash.symoffset .gnu.hash.bloom[0] .gnu.hash.bucket[0] .gnu.hash.chain[0]
//	.group[0]                          group words, SHT_SYMTAB_SHNDX likewise
//	.debug_info.ch_size                compression header
//
// A section whose name is empty or was seen before is called section[N]. What
// is found by program headers and dynamic tags only is called phdr[N].dynamic,
// phdr[N].note, DT_HASH, DT_GNU_HASH, DT_SYMTAB, DT_VERDEF, DT_VERNEED.
type Field struct {
	Name string
	Off  int
	Size int // 1, 2, 4 or 8 bytes
}

// Get reads the field.
func (f Field) Get(data []byte, o binary.ByteOrder) uint64 {
	p := data[f.Off:]
	switch f.Size {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(o.Uint16(p))
	case 4:
		return uint64(o.Uint32(p))
	}
	return o.Uint64(p)
}

// Put writes the field, cut to its size.
func (f Field) Put(data []byte, o binary.ByteOrder, v uint64) {
	p := data[f.Off:]
	switch f.Size {
	case 1:
		p[0] = byte(v)
	case 2:
		o.PutUint16(p, uint16(v))
	case 4:
		o.PutUint32(p, uint32(v))
	default:
		o.PutUint64(p, v)
	}
}

// Span is a named part of a file: a table, or what a header points to.
type Span struct {
	Name     string
	Off, End int
}

// Fields finds the fields of a file, as far as it is intact. It never fails: of
// a file that is no ELF it returns nothing. Of long tables it returns the first
// [MaxEntries] entries, and [MaxFields] fields in all.
func Fields(data []byte) []Field {
	d := decode(data)
	return d.fields
}

// Spans finds the parts of a file, in the order of discovery.
func Spans(data []byte) []Span {
	d := decode(data)
	return d.spans
}

// MaxEntries is how many entries of a table Fields returns; MaxFields is how
// many fields of a file: tables that overlap could else multiply.
const (
	MaxEntries = 1024
	MaxFields  = 1 << 17
)

// col is a column of a table: a field name and its size, 0 for a word of the
// class.
type col struct {
	name string
	size int
}

// The tables of the gABI. Where the classes differ in more than the word, there
// are two.
var (
	ehdrCols = []col{{"ei_class", 1}, {"ei_data", 1}, {"ei_version", 1}, {"ei_osabi", 1}, {"ei_abiversion", 1}}
	headCols = []col{{"e_type", 2}, {"e_machine", 2}, {"e_version", 4}, {"e_entry", 0}, {"e_phoff", 0},
		{"e_shoff", 0}, {"e_flags", 4}, {"e_ehsize", 2}, {"e_phentsize", 2}, {"e_phnum", 2},
		{"e_shentsize", 2}, {"e_shnum", 2}, {"e_shstrndx", 2}}
	phdr32Cols = []col{{"p_type", 4}, {"p_offset", 4}, {"p_vaddr", 4}, {"p_paddr", 4},
		{"p_filesz", 4}, {"p_memsz", 4}, {"p_flags", 4}, {"p_align", 4}}
	phdr64Cols = []col{{"p_type", 4}, {"p_flags", 4}, {"p_offset", 8}, {"p_vaddr", 8}, {"p_paddr", 8},
		{"p_filesz", 8}, {"p_memsz", 8}, {"p_align", 8}}
	shdrCols = []col{{"sh_name", 4}, {"sh_type", 4}, {"sh_flags", 0}, {"sh_addr", 0}, {"sh_offset", 0},
		{"sh_size", 0}, {"sh_link", 4}, {"sh_info", 4}, {"sh_addralign", 0}, {"sh_entsize", 0}}
	sym32Cols = []col{{"st_name", 4}, {"st_value", 4}, {"st_size", 4}, {"st_info", 1}, {"st_other", 1}, {"st_shndx", 2}}
	sym64Cols = []col{{"st_name", 4}, {"st_info", 1}, {"st_other", 1}, {"st_shndx", 2}, {"st_value", 8}, {"st_size", 8}}

	relCols    = []col{{"r_offset", 0}, {"r_info", 0}}
	relaCols   = []col{{"r_offset", 0}, {"r_info", 0}, {"r_addend", 0}}
	dynCols    = []col{{"d_tag", 0}, {"d_val", 0}}
	noteCols   = []col{{"n_namesz", 4}, {"n_descsz", 4}, {"n_type", 4}}
	verdefCols = []col{{"vd_version", 2}, {"vd_flags", 2}, {"vd_ndx", 2}, {"vd_cnt", 2}, {"vd_hash", 4},
		{"vd_aux", 4}, {"vd_next", 4}}
	verdauxCols = []col{{"vda_name", 4}, {"vda_next", 4}}
	verneedCols = []col{{"vn_version", 2}, {"vn_cnt", 2}, {"vn_file", 4}, {"vn_aux", 4}, {"vn_next", 4}}
	vernauxCols = []col{{"vna_hash", 4}, {"vna_flags", 2}, {"vna_other", 2}, {"vna_name", 4}, {"vna_next", 4}}
	chdr32Cols  = []col{{"ch_type", 4}, {"ch_size", 4}, {"ch_addralign", 4}}
	chdr64Cols  = []col{{"ch_type", 4}, {"ch_reserved", 4}, {"ch_size", 8}, {"ch_addralign", 8}}
	wordCols    = []col{{"", 4}}
	halfCols    = []col{{"", 2}}
	addrCols    = []col{{"", 0}}
)

// decoder walks a file and notes what it finds.
type decoder struct {
	data   []byte
	order  binary.ByteOrder
	word   int
	fields []Field
	spans  []Span
	seen   map[int]bool // tables found, by offset
	names  map[string]bool

	phdrs, shdrs []row
}

// row is one decoded entry of a table.
type row map[string]uint64

func orderOf(data []byte) binary.ByteOrder {
	if len(data) > elf.EI_DATA && elf.Data(data[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func decode(data []byte) *decoder {
	d := &decoder{data: data, order: orderOf(data), word: 8, seen: map[int]bool{}, names: map[string]bool{}}
	if !bytes.HasPrefix(data, []byte(elf.ELFMAG)) || len(data) < elf.EI_NIDENT {
		return d
	}
	if elf.Class(data[elf.EI_CLASS]) == elf.ELFCLASS32 {
		d.word = 4
	}
	d.row("", elf.EI_CLASS, ehdrCols)
	h := d.row("", elf.EI_NIDENT, headCols)
	d.span("ELF header", 0, pick(d.word, ehsize32, ehsize64))
	d.sectionTable(h)
	d.segmentTable(h)
	d.sectionContents(h)
	d.segmentContents()
	return d
}

func pick[T any](word int, a32, a64 T) T {
	if word == 4 {
		return a32
	}
	return a64
}

// width is the size of a row in bytes.
func (d *decoder) width(cols []col) int {
	n := 0
	for _, c := range cols {
		n += d.size(c)
	}
	return n
}

func (d *decoder) size(c col) int {
	if c.size == 0 {
		return d.word
	}
	return c.size
}

// row reads one entry and notes its fields; fields past the end of the file are
// missing and read as 0.
func (d *decoder) row(prefix string, off int, cols []col) row {
	r := row{}
	for _, c := range cols {
		n := d.size(c)
		if off < 0 || off > len(d.data)-n || len(d.fields) >= MaxFields {
			return r
		}
		f := Field{Name: prefix + c.name, Off: off, Size: n}
		d.fields = append(d.fields, f)
		r[c.name] = f.Get(d.data, d.order)
		off += n
	}
	return r
}

// span notes a part, cut to the file, and says whether anything is left of it.
func (d *decoder) span(name string, off, size int) bool {
	if off < 0 || off >= len(d.data) || size <= 0 {
		return false
	}
	d.spans = append(d.spans, Span{name, off, off + min(size, len(d.data)-off)})
	return true
}

// clip cuts an offset and size from the file to what is there.
func (d *decoder) clip(off, size uint64) (int, int) {
	if off >= uint64(len(d.data)) {
		return 0, 0
	}
	return int(off), int(min(size, uint64(len(d.data))-off))
}

// table reads rows of the given columns and notes the span.
func (d *decoder) table(name string, off, size int, cols []col) []row {
	if !d.span(name, off, size) {
		return nil
	}
	w := d.width(cols)
	var rows []row
	for i := 0; i < size/w && i < MaxEntries; i++ {
		prefix := fmt.Sprintf("%s[%d]", name, i)
		if cols[0].name != "" {
			prefix += "."
		}
		rows = append(rows, d.row(prefix, off+i*w, cols))
	}
	return rows
}

func (d *decoder) sectionTable(h row) {
	w := d.width(shdrCols)
	off, left := d.clip(h["e_shoff"], 1<<40)
	if h["e_shoff"] == 0 || left < w {
		return
	}
	n := h["e_shnum"]
	if n == 0 {
		// Section 0 keeps the number; it is read again with the table.
		peek := decoder{data: d.data, order: d.order, word: d.word}
		n = peek.row("", off, shdrCols)["sh_size"]
	}
	d.shdrs = d.table("shdr", off, int(min(n, uint64(left/w)))*w, shdrCols)
}

func (d *decoder) segmentTable(h row) {
	cols := pick(d.word, phdr32Cols, phdr64Cols)
	w := d.width(cols)
	off, left := d.clip(h["e_phoff"], 1<<40)
	if h["e_phoff"] == 0 || left < w {
		return
	}
	n := h["e_phnum"]
	if n == pnXNum && len(d.shdrs) > 0 {
		n = d.shdrs[0]["sh_info"]
	}
	d.phdrs = d.table("phdr", off, int(min(n, uint64(left/w)))*w, cols)
}

// sectionName is the name of section i, or section[i] if it has none of its own.
func (d *decoder) sectionName(h row, i int) string {
	anon := fmt.Sprintf("section[%d]", i)
	x := h["e_shstrndx"]
	if x == shnXIndex {
		x = d.shdrs[0]["sh_link"]
	}
	if x >= uint64(len(d.shdrs)) {
		return anon
	}
	off, size := d.clip(d.shdrs[x]["sh_offset"], d.shdrs[x]["sh_size"])
	table := d.data[off : off+size]
	at := d.shdrs[i]["sh_name"]
	if at >= uint64(len(table)) {
		return anon
	}
	name, _, _ := bytes.Cut(table[at:], []byte{0})
	if len(name) == 0 || d.names[string(name)] {
		return anon
	}
	d.names[string(name)] = true
	return string(name)
}

func (d *decoder) sectionContents(h row) {
	for i, s := range d.shdrs {
		if i == 0 || elf.SectionType(s["sh_type"]) == elf.SHT_NOBITS {
			continue
		}
		off, size := d.clip(s["sh_offset"], s["sh_size"])
		if size == 0 {
			continue
		}
		name := d.sectionName(h, i)
		if elf.SectionFlag(s["sh_flags"])&elf.SHF_COMPRESSED != 0 {
			d.row(name+".", off, pick(d.word, chdr32Cols, chdr64Cols))
			d.span(name, off, size)
			continue
		}
		d.content(name, elf.SectionType(s["sh_type"]), off, size)
	}
}

// content notes the fields of what a section of this type holds.
func (d *decoder) content(name string, t elf.SectionType, off, size int) {
	if size <= 0 || d.seen[off] {
		return
	}
	d.seen[off] = true
	switch t {
	case elf.SHT_SYMTAB, elf.SHT_DYNSYM:
		d.table(name, off, size, pick(d.word, sym32Cols, sym64Cols))
	case elf.SHT_REL:
		d.table(name, off, size, relCols)
	case elf.SHT_RELA:
		d.table(name, off, size, relaCols)
	case shtRELR:
		d.table(name, off, size, addrCols)
	case elf.SHT_DYNAMIC:
		d.table(name, off, size, dynCols)
	case elf.SHT_GROUP, elf.SHT_SYMTAB_SHNDX:
		d.table(name, off, size, wordCols)
	case elf.SHT_GNU_VERSYM:
		d.table(name, off, size, halfCols)
	case elf.SHT_NOTE:
		d.notes(name, off, size)
	case elf.SHT_HASH:
		d.sysvHash(name, off, size)
	case elf.SHT_GNU_HASH:
		d.gnuHash(name, off, size)
	case elf.SHT_GNU_VERDEF:
		d.chain(name, off, size, verdefCols, "vd", verdauxCols, "vda")
	case elf.SHT_GNU_VERNEED:
		d.chain(name, off, size, verneedCols, "vn", vernauxCols, "vna")
	default:
		d.span(name, off, size)
	}
}

func (d *decoder) notes(name string, off, size int) {
	d.span(name, off, size)
	end := off + size
	for i := 0; i < MaxEntries && end-off >= 12; i++ {
		n := d.row(fmt.Sprintf("%s[%d].", name, i), off, noteCols)
		next := uint64(off) + 12 + alignUp(n["n_namesz"], 4) + alignUp(n["n_descsz"], 4)
		if next > uint64(end) {
			return
		}
		off = int(next)
	}
}

func (d *decoder) sysvHash(name string, off, size int) {
	d.span(name, off, size)
	h := d.row(name+".", off, []col{{"nbucket", 4}, {"nchain", 4}})
	off += 8
	d.words(name+".bucket", off, h["nbucket"], 4, off-8+size)
	d.words(name+".chain", off+int(min(h["nbucket"]*4, uint64(size))), h["nchain"], 4, off-8+size)
}

func (d *decoder) gnuHash(name string, off, size int) {
	d.span(name, off, size)
	end := off + size
	h := d.row(name+".", off, []col{{"nbucket", 4}, {"symoffset", 4}, {"bloomsize", 4}, {"bloomshift", 4}})
	off += 16
	off += d.words(name+".bloom", off, h["bloomsize"], d.word, end)
	off += d.words(name+".bucket", off, h["nbucket"], 4, end)
	d.words(name+".chain", off, uint64(size), 4, end)
}

// words notes up to n numbers that end before end, and returns the bytes of all
// that fit.
func (d *decoder) words(name string, off int, n uint64, size, end int) int {
	if off < 0 || off > end {
		return 0
	}
	fit := int(min(n, uint64(end-off)/uint64(size)))
	for i := 0; i < fit && i < MaxEntries; i++ {
		d.row(fmt.Sprintf("%s[%d]", name, i), off+i*size, []col{{"", size}})
	}
	return fit * size
}

// chain notes version records: each has a list of auxiliary ones and the
// distance to the next.
func (d *decoder) chain(name string, off, size int, cols []col, tag string, aux []col, auxTag string) {
	d.span(name, off, size)
	end := off + size
	for i := 0; i < MaxEntries && off >= 0 && off < end; i++ {
		prefix := fmt.Sprintf("%s[%d].", name, i)
		r := d.row(prefix, off, cols)
		at := uint64(off) + r[tag+"_aux"]
		for j := uint64(0); j < min(r[tag+"_cnt"], 64) && at < uint64(end); j++ {
			a := d.row(fmt.Sprintf("%saux[%d].", prefix, j), int(at), aux)
			if a[auxTag+"_next"] == 0 {
				break
			}
			at += a[auxTag+"_next"]
		}
		if r[tag+"_next"] == 0 {
			return
		}
		off += int(r[tag+"_next"])
	}
}

// segmentContents notes what only program headers and dynamic tags lead to.
func (d *decoder) segmentContents() {
	for i, p := range d.phdrs {
		off, size := d.clip(p["p_offset"], p["p_filesz"])
		name := fmt.Sprintf("phdr[%d]", i)
		switch elf.ProgType(p["p_type"]) {
		case elf.PT_NOTE:
			d.content(name+".note", elf.SHT_NOTE, off, size)
		case elf.PT_DYNAMIC:
			d.content(name+".dynamic", elf.SHT_DYNAMIC, off, size)
			d.tags(off, size)
		}
		d.span(name, off, size)
	}
}

// tags notes the tables that a dynamic section leads to.
func (d *decoder) tags(off, size int) {
	peek := decoder{data: d.data, order: d.order, word: d.word}
	for _, t := range peek.table("", off, size, dynCols) {
		at, left := d.at(t["d_val"])
		switch elf.DynTag(t["d_tag"]) {
		case elf.DT_HASH:
			d.content("DT_HASH", elf.SHT_HASH, at, left)
		case elf.DT_GNU_HASH:
			d.content("DT_GNU_HASH", elf.SHT_GNU_HASH, at, min(left, 4096))
		case elf.DT_SYMTAB:
			// The table's length is not known; a few entries do.
			d.content("DT_SYMTAB", elf.SHT_DYNSYM, at, min(left, 8*d.width(pick(d.word, sym32Cols, sym64Cols))))
		case elf.DT_VERDEF:
			d.content("DT_VERDEF", elf.SHT_GNU_VERDEF, at, left)
		case elf.DT_VERNEED:
			d.content("DT_VERNEED", elf.SHT_GNU_VERNEED, at, left)
		}
	}
}

// at finds the file offset of an address and the bytes left in its segment.
func (d *decoder) at(addr uint64) (int, int) {
	for _, p := range d.phdrs {
		if elf.ProgType(p["p_type"]) == elf.PT_LOAD && addr >= p["p_vaddr"] && addr-p["p_vaddr"] < p["p_filesz"] {
			in := addr - p["p_vaddr"]
			return d.clip(p["p_offset"]+in, p["p_filesz"]-in)
		}
	}
	return 0, 0
}
