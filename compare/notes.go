package compare

import (
	"debug/elf"
	"fmt"
	"strings"

	"elfwright/elffile"
)

// noteEntry is a note, or one property of a GNU property note.
type noteEntry struct {
	name, value string
}

// notes compares the notes by owner and type, GNU properties one by one.
func (c *comparison) notes() {
	old, new := c.readNotes(c.a), c.readNotes(c.b)
	p := newPairing(len(old), len(new))
	passOf(p, old, new, func(n *noteEntry) (noteEntry, bool) { return *n, true })
	passOf(p, old, new, func(n *noteEntry) (string, bool) { return n.name, true })
	c.Notes = c.entries(p, []string{"value"},
		func(i int) (string, []Value) { return old[i].name, []Value{word(old[i].value)} },
		func(i int) (string, []Value) { return new[i].name, []Value{word(new[i].value)} }, false)
}

// readNotes reads the notes by the section headers, and those of PT_NOTEs that
// are in no section.
func (c *comparison) readNotes(m *model) []noteEntry {
	f := m.f
	var list []noteEntry
	seen := make(map[int64]bool)
	add := func(notes []elffile.Note, err error) {
		c.warn(f, err)
		for i := range notes {
			if n := &notes[i]; !seen[n.Off] {
				seen[n.Off] = true
				list = append(list, decodeNote(f, n)...)
			}
		}
	}
	for i, s := range f.Sections() {
		if s.Type == elf.SHT_NOTE && c.afford(m, s.Size) {
			add(f.SectionNotes(i))
		}
	}
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_NOTE && c.afford(m, f.Progs[i].Filesz) {
			add(f.ProgNotes(i))
		}
	}
	return list
}

// Types of the notes of GNU (glibc, elf/elf.h).
const (
	noteBuildID  = 3
	noteProperty = 5
)

// maxDesc bounds what is shown of a note.
const maxDesc = 64

func decodeNote(f *elffile.File, n *elffile.Note) []noteEntry {
	owner := n.Name[:min(len(n.Name), maxName)]
	if owner == "GNU" && f.Header.Type != elf.ET_CORE {
		switch n.Type {
		case 1:
			return []noteEntry{{"GNU ABI tag", abiTag(f, n.Desc)}}
		case noteBuildID:
			return []noteEntry{{"GNU build ID", fmt.Sprintf("%x", n.Desc[:min(len(n.Desc), maxDesc)])}}
		case noteProperty:
			if list, ok := properties(f, n.Desc); ok {
				return list
			}
		}
	}
	value := fmt.Sprintf("%x", n.Desc[:min(len(n.Desc), maxDesc)])
	if len(n.Desc) > maxDesc {
		value += fmt.Sprintf("... (%d bytes)", len(n.Desc))
	}
	return []noteEntry{{fmt.Sprintf("%s type 0x%x", owner, n.Type), value}}
}

// abiTag is the system and the least version of its kernel.
func abiTag(f *elffile.File, b []byte) string {
	if len(b) < 16 {
		return fmt.Sprintf("%x", b)
	}
	os := fmt.Sprintf("system %d", f.U32(b))
	if names := []string{"Linux", "Hurd", "Solaris", "FreeBSD"}; f.U32(b) < uint32(len(names)) {
		os = names[f.U32(b)]
	}
	return fmt.Sprintf("%s %d.%d.%d", os, f.U32(b[4:]), f.U32(b[8:]), f.U32(b[12:]))
}

// properties takes a GNU property note apart (Linux Extensions to gABI,
// "Program Property"): type, size, data, padded to the size of an address.
func properties(f *elffile.File, b []byte) (list []noteEntry, ok bool) {
	for len(b) > 0 {
		if len(b) < 8 {
			return nil, false
		}
		typ, size := f.U32(b), uint64(f.U32(b[4:]))
		if size > uint64(len(b)-8) {
			return nil, false
		}
		list = append(list, noteEntry{"GNU property " + propertyName(f.Header.Machine, typ), propertyValue(f, typ, b[8:8+size])})
		a := uint64(f.AddrSize())
		b = b[min(8+(size+a-1)/a*a, uint64(len(b))):]
	}
	return list, true
}

// The types of properties whose bits have names that people look for.
const (
	x86Feature1     = 0xc0000002 // GNU_PROPERTY_X86_FEATURE_1_AND
	x86ISANeeded    = 0xc0008002 // GNU_PROPERTY_X86_ISA_1_NEEDED
	aarch64Feature1 = 0xc0000000 // GNU_PROPERTY_AARCH64_FEATURE_1_AND
)

func propertyName(m elf.Machine, typ uint32) string {
	x86 := m == elf.EM_X86_64 || m == elf.EM_386
	switch {
	case typ == 1:
		return "stack size"
	case typ == 2:
		return "no copy on protected"
	case x86 && typ == x86Feature1, m == elf.EM_AARCH64 && typ == aarch64Feature1, m == elf.EM_RISCV && typ == aarch64Feature1:
		return "features"
	case x86 && typ == x86ISANeeded:
		return "ISA needed"
	}
	return hex(uint64(typ)).String()
}

func propertyValue(f *elffile.File, typ uint32, b []byte) string {
	if len(b) != 4 {
		return fmt.Sprintf("%x", b[:min(len(b), maxDesc)])
	}
	v := f.U32(b)
	var bits []string
	switch m := f.Header.Machine; {
	case typ == x86Feature1 && (m == elf.EM_X86_64 || m == elf.EM_386):
		bits = []string{"IBT", "SHSTK", "LAM_U48", "LAM_U57"}
	case typ == aarch64Feature1 && m == elf.EM_AARCH64:
		bits = []string{"BTI", "PAC", "GCS"}
	case typ == aarch64Feature1 && m == elf.EM_RISCV:
		bits = []string{"CFI_LP_UNLABELED", "CFI_SS"}
	case typ == x86ISANeeded && (m == elf.EM_X86_64 || m == elf.EM_386):
		bits = []string{"x86-64-baseline", "x86-64-v2", "x86-64-v3", "x86-64-v4"}
	}
	var words []string
	for i, name := range bits {
		if v&(1<<i) != 0 {
			words = append(words, name)
			v &^= 1 << i
		}
	}
	if v != 0 || len(words) == 0 {
		words = append(words, hex(uint64(v)).String())
	}
	return strings.Join(words, " ")
}
