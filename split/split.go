package split

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
	"elfwright/match"
)

// Options say how to split.
type Options struct {
	// Sections says which section headers the image has: [Minimal], the default,
	// or [None].
	Sections string
	// Link is the name that .gnu_debuglink has for the file with symbols, without
	// directories.
	Link string
}

// What section headers an image may have.
const (
	// Minimal are those of what is loaded, and .gnu_debuglink. gdb needs them: of a
	// file without section headers it does not look for the symbols, and it moves
	// symbols of a position independent program section by section (measured with
	// gdb 13).
	Minimal = "minimal"
	// None are none at all.
	None = "none"
)

// Result is a program that was split, ready to be written. Nothing of it is
// copied: it is valid as long as the program is open.
type Result struct {
	Image   *elffile.Body
	Symbols *elffile.Body
	Report  *Report
}

// Refusal is the answer no: the request is well formed, and this file cannot be
// split, or these two not be joined.
type Refusal struct{ Reason string }

func (e *Refusal) Error() string { return e.Reason }

// No says that this is an answer, not a failure.
func (*Refusal) No() bool { return true }

func refusef(f *elffile.File, format string, args ...any) error {
	return &Refusal{fmt.Sprintf("%s: ", f.Name) + fmt.Sprintf(format, args...)}
}

// Split takes a program apart.
func Split(f *elffile.File, opt Options) (*Result, error) {
	if opt.Sections == "" {
		opt.Sections = Minimal
	}
	if opt.Sections != Minimal && opt.Sections != None {
		return nil, fmt.Errorf("sections %q is not one of %s and %s", opt.Sections, Minimal, None)
	}
	if err := refuse(f); err != nil {
		return nil, err
	}
	s := newSplitter(f, opt)
	if err := s.makeSymbols(); err != nil {
		return nil, err
	}
	if err := s.makeImage(); err != nil {
		return nil, err
	}
	if err := s.prove(); err != nil {
		return nil, err
	}
	return &Result{s.image, s.symbols, s.report()}, nil
}

// refuse says no to files that are no programs, or whose program cannot be told.
func refuse(f *elffile.File) error {
	switch f.Header.Type {
	case elf.ET_EXEC, elf.ET_DYN:
	case elf.ET_REL:
		return refusef(f, "a relocatable object has no program headers; link it first")
	case elf.ET_CORE:
		return refusef(f, "a core dump has no symbols of its own")
	default:
		return refusef(f, "e_type 0x%x is neither an executable nor a shared object", uint16(f.Header.Type))
	}
	if f.ProgErr != nil {
		return f.ProgErr
	}
	if !slices.ContainsFunc(f.Progs, func(p elffile.Prog) bool { return p.Type == elf.PT_LOAD }) {
		return refusef(f, "there is no PT_LOAD, and so no image")
	}
	if err := f.CheckProgs(); err != nil {
		return err
	}
	for i := range f.Progs {
		if p := &f.Progs[i]; p.Type == elf.PT_LOAD && p.Filesz > p.Memsz {
			return f.ProgError(i, "p_filesz", "0x%x is more than p_memsz 0x%x: no loader takes it", p.Filesz, p.Memsz)
		}
	}
	if int(f.Header.Phentsize) != f.PhdrSize() || f.Header.Phnum == elffile.PnXnum {
		return refusef(f, "e_phentsize %d or e_phnum 0x%x: no loader takes this file", f.Header.Phentsize, f.Header.Phnum)
	}
	if f.Header.Phoff < uint64(f.EhdrSize()) {
		return f.HeaderError("e_phoff", "0x%x is within the ELF header (0x%x bytes): without section headers the image's header would be another", f.Header.Phoff, f.EhdrSize())
	}
	if match.SplitOff(f) {
		return refusef(f, "the program's bytes are not in it: it was split off from a program already")
	}
	return nil
}

// A splitter is a program on its way.
type splitter struct {
	*elffile.File
	opt Options

	program extents // file bytes that are the image's
	secs    []elffile.Section
	broken  error           // why the section headers are not used
	strings map[uint32]bool // sections with the names of symbols
	held    []held          // file bytes that the file with symbols has
	sum     uint32          // CRC-32 of the file with symbols, where the image names it

	recipe         *recipe
	image, symbols *elffile.Body
	parts          [partCount]Part
	imageSections  int  // section headers of the image
	linked         bool // the image is to name the file with symbols
	warnings       []Warning
}

// held says that bytes of the program are in the file with symbols, at to.
type held struct{ off, n, to uint64 }

func newSplitter(f *elffile.File, opt Options) *splitter {
	s := &splitter{File: f, opt: opt, program: programExtents(f)}
	s.broken = checkSections(f)
	if s.broken != nil {
		s.warn("section-headers-broken", "the section headers are broken, and neither file has them: %v", s.broken)
		return s
	}
	s.secs = slices.Clone(f.Sections())
	s.findStrings()
	return s
}

// checkSections returns what makes a section header table useless.
func checkSections(f *elffile.File) error {
	table := f.Sections()
	if err := f.SectionErr(); err != nil {
		return err
	}
	if len(table) > 0 && int(f.Header.Shentsize) != f.ShdrSize() {
		return f.HeaderError("e_shentsize", "%d is not the size of a section header (%d)", f.Header.Shentsize, f.ShdrSize())
	}
	size := uint64(f.Body.Size())
	total := uint64(0)
	for i := range table {
		s := &table[i]
		if !s.HasBytes() {
			continue
		}
		if s.Off > size || s.Size > size-s.Off {
			return f.SectionError(i, "sh_offset", "0x%x + sh_size 0x%x is past the end of the file (0x%x)", s.Off, s.Size, size)
		}
		// Two may share their bytes, as .strtab and .shstrtab may. More than that, and
		// what is written would be larger without bound than what was read.
		if total += s.Size; total > 2*size {
			return f.SectionError(i, "sh_size", "0x%x: with those before it the sections have 0x%x bytes, and the file 0x%x", s.Size, total, size)
		}
	}
	return nil
}

func (s *splitter) warn(code, format string, args ...any) {
	s.warnings = append(s.warnings, Warning{code, fmt.Sprintf(format, args...)})
}

// prove joins the two and compares the result with the program. That they differ
// is a mistake of ours, and nothing is given out then.
func (s *splitter) prove() error {
	wrong := func(err error) error {
		return fmt.Errorf("%s: nothing is written, because the files would not be right: %w", s.Name, err)
	}
	img, err := elffile.ParseBody(s.Name, s.image)
	if err != nil {
		return wrong(err)
	}
	syms, err := elffile.ParseBody(s.Name, s.symbols)
	if err != nil {
		return wrong(err)
	}
	r, err := readRecipe(syms)
	if err != nil {
		return wrong(err)
	}
	if !r.fits(img) {
		return wrong(fmt.Errorf("the image's program headers are not those of the program"))
	}
	body, err := r.exact(img, syms)
	if err != nil {
		return wrong(err)
	}
	if err := elffile.Diff(s.Body, body, func(from, to int64) bool {
		err = fmt.Errorf("the bytes [0x%x, 0x%x) of the two joined are not those of the program", from, to)
		return false
	}); err != nil {
		return wrong(err)
	}
	if err != nil {
		return wrong(err)
	}
	return nil
}
