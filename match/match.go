package match

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"strings"

	"elfwright/elffile"
)

// ReportVersion is the version of the report's JSON form. Fields may be added to
// a version; none changes its meaning.
const ReportVersion = 1

// Report says whether two files belong together, check by check.
type Report struct {
	Version int     `json:"version"`
	Image   string  `json:"image"`
	Symbols string  `json:"symbols"`
	Match   bool    `json:"match"` // no check says no
	Checks  []Check `json:"checks"`
}

// Check is one thing that was compared.
type Check struct {
	Name    string  `json:"name"` // stable: "class", "byte-order", "machine", "type", "build-id", "load", "entry", "debuglink"
	Verdict Verdict `json:"verdict"`
	Image   string  `json:"image"`   // what the image has
	Symbols string  `json:"symbols"` // what the file with symbols has
	Why     string  `json:"why"`     // empty where both have the same
}

// Verdict is what a check says.
type Verdict string

// The verdicts. Unknown: one of the files does not tell. Differs: not the same,
// and no reason to doubt, because the build-id is the same.
const (
	Yes     Verdict = "yes"
	No      Verdict = "no"
	Unknown Verdict = "unknown"
	Differs Verdict = "differs"
)

// Files compares an image with a file that has symbols. It does not fail: what
// cannot be read is a check that says no.
func Files(img, syms *elffile.File) *Report {
	m := &matcher{img: img, syms: syms, Report: &Report{Version: ReportVersion, Image: img.Name, Symbols: syms.Name}}
	m.header()
	m.buildID()
	m.loads()
	m.entry()
	m.link()
	m.Match = m.Err() == nil
	return m.Report
}

// Err returns a *Mismatch with the checks that say no, or nil.
func (r *Report) Err() error {
	var no []Check
	for _, c := range r.Checks {
		if c.Verdict == No {
			no = append(no, c)
		}
	}
	if no == nil {
		return nil
	}
	return &Mismatch{Image: r.Image, Symbols: r.Symbols, Checks: no}
}

// Mismatch is the answer that two files do not belong together.
type Mismatch struct {
	Image, Symbols string
	Checks         []Check // those that say no
}

// No says that this is an answer, not a failure.
func (*Mismatch) No() bool { return true }

// maxChecks is how many checks an error names.
const maxChecks = 5

func (e *Mismatch) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s does not belong to it", e.Image, e.Symbols)
	for i, c := range e.Checks {
		if i == maxChecks {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Checks)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s: %s", c.Name, c.Why)
	}
	return b.String()
}

type matcher struct {
	*Report
	img, syms *elffile.File
	sameID    bool // both have the same build-id
}

func (m *matcher) check(name string, v Verdict, img, syms, why string) {
	m.Checks = append(m.Checks, Check{name, v, img, syms, why})
}

// same checks two values that must be equal.
func (m *matcher) same(name, img, syms string) {
	if img == syms {
		m.check(name, Yes, img, syms, "")
		return
	}
	m.check(name, No, img, syms, fmt.Sprintf("%s in the image, %s in the file with symbols", img, syms))
}

// header compares what decides how addresses are read. Class and byte order are
// those found, also where e_ident does not say (see [elffile.Parse]).
func (m *matcher) header() {
	bits := func(f *elffile.File) string { return fmt.Sprintf("%d-bit", 8*f.AddrSize()) }
	order := func(f *elffile.File) string {
		if f.Big() {
			return "big endian"
		}
		return "little endian"
	}
	m.same("class", bits(m.img), bits(m.syms))
	m.same("byte-order", order(m.img), order(m.syms))
	m.same("machine", elffile.MachineName(m.img.Header.Machine), elffile.MachineName(m.syms.Header.Machine))
	m.same("type", elffile.TypeName(m.img.Header.Type), elffile.TypeName(m.syms.Header.Type))
}

func (m *matcher) buildID() {
	a, b := BuildID(m.img), BuildID(m.syms)
	x, y := hex.EncodeToString(a), hex.EncodeToString(b)
	switch {
	case a == nil && b == nil:
		m.check("build-id", Unknown, "", "", "neither file has one")
	case a == nil:
		m.check("build-id", Unknown, "", y, "the image has none")
	case b == nil:
		m.check("build-id", Unknown, x, "", "the file with symbols has none")
	default:
		m.sameID = bytes.Equal(a, b)
		m.same("build-id", x, y)
	}
}

// BuildID returns a file's GNU build-id, or nil. Of a file that was split off a
// program it takes the section's word: eu-strip keeps program headers as they
// were, and at their offsets there is something else.
func BuildID(f *elffile.File) []byte {
	for i := range f.Sections() {
		if f.Sections()[i].Type != elf.SHT_NOTE {
			continue
		}
		notes, _ := f.SectionNotes(i)
		for _, n := range notes {
			if n.Name == "GNU" && n.Type == noteBuildID && len(n.Desc) > 0 {
				return n.Desc
			}
		}
	}
	if SplitOff(f) && f.SectionByName(RecipeSection) < 0 {
		return nil
	}
	return f.BuildID()
}

const noteBuildID = 3 // NT_GNU_BUILD_ID

// SplitOff says whether the program's bytes have been taken out of a file, as
// objcopy --only-keep-debug, eu-strip -f and package split do: its code is a
// section without bytes.
func SplitOff(f *elffile.File) bool {
	allocated, bytes := 0, 0
	for i := range f.Sections() {
		s := &f.Sections()[i]
		if !s.Has(elf.SHF_ALLOC) || s.Size == 0 || s.Has(elf.SHF_TLS) {
			continue
		}
		if s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_EXECINSTR) {
			return true
		}
		allocated++
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NOTE {
			bytes++
		}
	}
	return allocated > 0 && bytes == 0 || f.SectionByName(RecipeSection) >= 0
}

// RecipeSection is the section in which package split writes down how the
// program was put together.
const RecipeSection = ".elfwright.split"

func (m *matcher) entry() {
	a, b := m.img.Header.Entry, m.syms.Header.Entry
	x, y := fmt.Sprintf("0x%x", a), fmt.Sprintf("0x%x", b)
	if a != b && m.sameID {
		m.check("entry", Differs, x, y, "the image starts elsewhere, and the build-id is the same: it was edited")
		return
	}
	m.same("entry", x, y)
}
