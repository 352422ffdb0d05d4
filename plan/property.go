package plan

import (
	"debug/elf"
	"fmt"
	"strings"
)

// Property is a GNU property that says what a program is built for.
type Property struct {
	Origin Origin
	Index  int // of the PT_GNU_PROPERTY
	Type   uint32
	Bits   []string // "IBT", "SHSTK"
	Counts bool     // the kernel looks at it
}

const (
	ptGnuProperty  = elf.PT_GNU_PROPERTY
	propFeatureX86 = 0xc0000002 // GNU_PROPERTY_X86_FEATURE_1_AND
	propFeature    = 0xc0000000 // GNU_PROPERTY_AARCH64_FEATURE_1_AND, and RISC-V's
	propNoteSize   = 1024       // NOTE_DATA_SZ
	propNoteHeader = 16         // with the name "GNU"
	noteProperty   = 5          // NT_GNU_PROPERTY_TYPE_0
)

// propBits are the features by machine, from bit 0.
var propBits = map[elf.Machine][]string{
	elf.EM_X86_64:  {"IBT", "SHSTK", "LAM_U48", "LAM_U57"},
	elf.EM_386:     {"IBT", "SHSTK"},
	elf.EM_AARCH64: {"BTI", "PAC", "GCS"},
	elf.EM_RISCV:   {"CFI_LP_UNLABELED", "CFI_SS", "CFI_LP_FUNC_SIG"},
}

// parseElfProperties is parse_elf_properties: the last PT_GNU_PROPERTY, of the
// interpreter where there is one.
func (e *execve) parseElfProperties() *failure {
	for _, o := range []Origin{FromProgram, FromInterp} {
		p := e.file(o)
		if p == nil {
			continue
		}
		i := p.last(ptGnuProperty)
		if i < 0 {
			continue
		}
		counts := e.abi.Property && (o == FromInterp) == (e.call.Interp != nil)
		errno, msg := e.properties(p, o, i, counts)
		if errno != "" && counts {
			f := e.fail(errno, "parse_elf_properties", i, "%s", msg)
			f.origin = o
			return f
		}
		if errno != "" {
			e.warning("bad-property", o, i, "%s; no kernel of this machine looks", msg)
		}
	}
	return nil
}

// properties reads one PT_GNU_PROPERTY the kernel's way.
func (e *execve) properties(p *Program, o Origin, i int, counts bool) (errno, msg string) {
	h := &p.Progs[i]
	if h.Filesz > propNoteSize {
		return "ENOEXEC", fmt.Sprintf("PT_GNU_PROPERTY has 0x%x bytes, more than 0x%x", h.Filesz, propNoteSize)
	}
	b, _ := p.ProgData(i)
	if len(b) < propNoteHeader {
		return "EIO", "PT_GNU_PROPERTY is shorter than its note's header"
	}
	namesz, descsz, typ := p.U32(b), p.U32(b[4:]), p.U32(b[8:])
	if typ != noteProperty || namesz != 4 || !strings.HasPrefix(string(b[12:]), "GNU\x00") {
		return "ENOEXEC", "PT_GNU_PROPERTY is no NT_GNU_PROPERTY_TYPE_0 of GNU"
	}
	if uint64(descsz) > uint64(len(b)-propNoteHeader) {
		return "ENOEXEC", fmt.Sprintf("its note has 0x%x bytes, and 0x%x are there", descsz, len(b)-propNoteHeader)
	}
	return e.propertyList(p, o, i, counts, b[propNoteHeader:propNoteHeader+descsz])
}

// propertyList is the loop over parse_elf_property.
func (e *execve) propertyList(p *Program, o Origin, i int, counts bool, b []byte) (errno, msg string) {
	align := int(e.abi.Word())
	prev := int64(-1)
	for len(b) > 0 {
		if len(b) < 8 {
			return "ENOEXEC", "a property is cut off"
		}
		typ, size := p.U32(b), p.U32(b[4:])
		b = b[8:]
		step := (int64(size) + int64(align) - 1) &^ int64(align-1)
		switch {
		case step > int64(len(b)):
			return "ENOEXEC", fmt.Sprintf("property 0x%x has 0x%x bytes, and 0x%x are there", typ, size, len(b))
		case int64(typ) <= prev:
			return "ENOEXEC", fmt.Sprintf("property 0x%x comes after 0x%x: they must ascend", typ, prev)
		}
		prev = int64(typ)
		if typ == e.featureProperty() {
			if size != 4 {
				return "ENOEXEC", fmt.Sprintf("property 0x%x has 0x%x bytes, not 4", typ, size)
			}
			e.addProperty(Property{o, i, typ, bitNames(propBits[p.Header.Machine], p.U32(b)), counts})
		}
		b = b[step:]
	}
	return "", ""
}

// featureProperty is the type of the property with the machine's features.
func (e *execve) featureProperty() uint32 {
	if e.abi.Kernel == x86Kernel || e.abi.Kernel == i386Kernel {
		return propFeatureX86
	}
	return propFeature
}

func (e *execve) addProperty(p Property) {
	e.out.Properties = append(e.out.Properties, p)
	names := strings.Join(p.Bits, ", ")
	switch {
	case p.Counts && len(p.Bits) > 0 && p.Bits[0] == "BTI":
		e.step(PhaseCheck, "arch_parse_elf_property", p.Origin, p.Index, "GNU property %s: its executable mappings get PROT_BTI from the kernel, all others from the dynamic linker", names)
	case p.Counts:
		e.step(PhaseCheck, "arch_parse_elf_property", p.Origin, p.Index, "GNU property %s", names)
	default:
		e.step(PhaseCheck, "parse_elf_properties", p.Origin, p.Index, "GNU property %s: the kernel does not look; the dynamic linker or libc turns it on", names)
	}
}

func bitNames(names []string, v uint32) []string {
	var out []string
	for i, n := range names {
		if v&(1<<i) != 0 {
			out = append(out, n)
			v &^= 1 << i
		}
	}
	if v != 0 {
		out = append(out, fmt.Sprintf("0x%x", v))
	}
	return out
}
