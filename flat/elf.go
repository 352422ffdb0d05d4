package flat

import (
	"debug/elf"
	"fmt"
	"io"

	"elfwright/elffile"
	"elfwright/image"
)

// ReadReport says what a flat file became.
type ReadReport struct {
	Version   int       `json:"version"`
	File      string    `json:"file"`
	Format    Format    `json:"format"`
	Machine   string    `json:"machine"`
	Class     int       `json:"class"`      // 32, 64
	ByteOrder string    `json:"byte_order"` // "little", "big"
	Entry     Hex       `json:"entry"`      // 0 where nothing says one
	Family    Hex       `json:"family"`     // of UF2; 0 where there is none
	Runs      []RunAt   `json:"runs"`
	Size      int64     `json:"size"` // of the ELF file
	Warnings  []Warning `json:"warnings"`
}

// RunAt is where a run of bytes is.
type RunAt struct {
	Index   int    `json:"index"` // of its program header
	Section string `json:"section"`
	Address Hex    `json:"address"`
	Size    uint64 `json:"size"`
}

// target completes what was asked for by what the file says.
func (c *Contents) target(t Target) (Target, error) {
	for _, f := range families {
		if t.Machine == elf.EM_NONE && c.Family != 0 && c.Family == f.ID {
			want := t
			t = f.Target
			if want.Class != elf.ELFCLASSNONE {
				t.Class = want.Class
			}
			if want.Data != elf.ELFDATANONE {
				t.Data = want.Data
			}
		}
	}
	last := c.Runs[len(c.Runs)-1]
	if t.Class == elf.ELFCLASSNONE && last.Addr > 0xffffffff {
		t.Class = elf.ELFCLASS64
	}
	if m := t.missing(); m != "" {
		return t, fmt.Errorf("%s: %s files do not say %s", c.File, c.Format, m)
	}
	if end := last.Addr + uint64(last.Data.Size()) - 1; end > t.MaxAddr() {
		return t, &Refusal{c.File, fmt.Sprintf("the bytes [0x%x, 0x%x) are beyond the addresses of 32 bits", last.Addr, end+1)}
	}
	return t, nil
}

// efArmEABI5 is what all Arm compilers of this time write to e_flags (AAELF32);
// without it Linux takes the program for one of the ABI before 2005.
const efArmEABI5 = 0x05000000

// ELF makes an executable of the contents: a PT_LOAD and a section for each run.
// A flat file does not say what may be done with its memory, so everything may.
// Entry replaces the start record's address; nil leaves it, and is 0 without one,
// which is ELF's way to say that there is none.
func (c *Contents) ELF(t Target, entry *uint64) (*elffile.Body, *ReadReport, error) {
	t, err := c.target(t)
	if err != nil {
		return nil, nil, err
	}
	img := &image.Image{Name: c.File, Format: t.Format, Type: elf.ET_EXEC, Machine: t.Machine}
	if t.Machine == elf.EM_ARM {
		img.Flags = efArmEABI5
	}
	switch {
	case entry != nil:
		img.Entry = image.Addr(*entry)
	case c.Entry != nil:
		img.Entry = image.Addr(*c.Entry)
	}
	if uint64(img.Entry) > t.MaxAddr() {
		return nil, nil, &Refusal{c.File, fmt.Sprintf("the start address %v is beyond the addresses of 32 bits", img.Entry)}
	}
	r := c.report(t, img.Entry)
	for i, run := range c.Runs {
		c.addRun(img, r, i, run)
	}
	f, err := img.File()
	if err != nil {
		return nil, nil, err
	}
	body := f.Encode()
	r.Size = body.Size()
	return body, r, nil
}

// addRun makes a segment and a section of a run. The section is named as GNU
// objcopy names it.
func (c *Contents) addRun(img *image.Image, r *ReadReport, i int, run Run) {
	n, name := uint64(run.Data.Size()), fmt.Sprintf(".sec%d", i+1)
	img.Segments = append(img.Segments, image.Segment{
		Vaddr: image.Addr(run.Addr), Paddr: image.Addr(run.Addr), Filesz: n, Memsz: n,
		Flags: elf.PF_R | elf.PF_W | elf.PF_X, Align: elfAlign, Data: run.Data, Off: image.NoOffset, Index: image.NoIndex,
	})
	img.Sections = append(img.Sections, image.Section{
		Name: name, Type: elf.SHT_PROGBITS, Flags: elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR,
		Addr: image.Addr(run.Addr), Size: n, Align: 1,
	})
	r.Runs = append(r.Runs, RunAt{i, name, Hex(run.Addr), n})
}

// elfAlign is the p_align of the segments: the page that every machine has, so that
// runs that share a page share one of the file, too.
const elfAlign = 0x1000

func (c *Contents) report(t Target, entry image.Addr) *ReadReport {
	r := &ReadReport{
		Version: ReportVersion, File: c.File, Format: c.Format, Machine: elffile.MachineName(t.Machine),
		Class: 32, ByteOrder: "little", Entry: Hex(entry), Family: Hex(c.Family), Runs: []RunAt{}, Warnings: c.Warnings,
	}
	if t.Is64() {
		r.Class = 64
	}
	if t.Big() {
		r.ByteOrder = "big"
	}
	if entry == 0 && c.Entry == nil {
		r.Warnings = append(r.Warnings, Warning{"no-entry", "nothing says where it starts: e_entry is 0; --entry says it"})
	}
	return r
}

// WriteText prints the report for people.
func (r *ReadReport) WriteText(w io.Writer) error {
	t := &lines{w: w}
	t.line("%s: %s, made an ELF file of %d bits for %s, %s-endian, %d bytes, start address 0x%x", r.File, r.Format, r.Class, r.Machine, r.ByteOrder, r.Size, uint64(r.Entry))
	if r.Family != 0 {
		t.line("  UF2 family 0x%x", uint64(r.Family))
	}
	const most = 40
	for i, x := range r.Runs {
		if i == most {
			t.line("  and %d more", len(r.Runs)-most)
			break
		}
		t.line("  header %d, section %-6s [0x%x, 0x%x), 0x%x bytes", x.Index, x.Section, uint64(x.Address), uint64(x.Address)+x.Size, x.Size)
	}
	for _, x := range r.Warnings {
		t.line("  warning: %s (%s)", x.Text, x.Code)
	}
	return t.err
}
