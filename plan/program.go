package plan

import (
	"debug/elf"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// Program is an executable, or an interpreter, as execve reads it.
type Program struct {
	*elffile.File
	// Reread says how e_ident names another class or byte order than the one
	// that Linux reads the file in; "" if it does not.
	Reread string
}

// Read reads a file as Linux does. load_elf_binary looks at the magic bytes of
// e_ident alone: class and byte order are the kernel's, which e_machine tells,
// and not what EI_CLASS and EI_DATA say. RISC-V alone compares the class.
func Read(name string, body *elffile.Body) (*Program, error) {
	ident, err := body.Bytes(0, 20)
	want, ok := elffile.Format{}, false
	if err == nil && elffile.IsELF(ident) {
		want, ok = formatOf(elf.Machine(ident[18]) | elf.Machine(ident[19])<<8)
	}
	if !ok || ident[elf.EI_CLASS] == byte(want.Class) && ident[elf.EI_DATA] == byte(want.Data) {
		f, err := elffile.ParseBody(name, body)
		if err != nil {
			return nil, err
		}
		return &Program{File: f}, nil
	}
	other := body.Clone()
	other.Put(elf.EI_CLASS, elffile.Buffer{byte(want.Class), byte(want.Data)})
	f, err := elffile.ParseBody(name, other)
	if err != nil {
		return nil, err
	}
	f.Body = body
	return &Program{f, fmt.Sprintf("EI_CLASS is %d and EI_DATA %d, which Linux does not look at: e_machine makes it %v, %v",
		ident[elf.EI_CLASS], ident[elf.EI_DATA], want.Class, want.Data)}, nil
}

// formatOf is the format in which a little-endian kernel reads the programs of
// a machine, where it does not ask EI_CLASS.
func formatOf(m elf.Machine) (elffile.Format, bool) {
	switch m {
	case elf.EM_X86_64, elf.EM_AARCH64:
		return elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}, true
	case elf.EM_386, elf.EM_486, elf.EM_ARM:
		return elffile.Format{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB}, true
	}
	return elffile.Format{}, false
}

// Interp returns the index of the program header that names the interpreter,
// the first PT_INTERP, and the path; -1 if there is none. The path ends at its
// first NUL, as open_exec takes it.
func (p *Program) Interp() (index int, path string) {
	i := slices.IndexFunc(p.Progs, func(h elffile.Prog) bool { return h.Type == elf.PT_INTERP })
	if i < 0 || p.Progs[i].Filesz > pathMax {
		return i, ""
	}
	b, _ := p.ProgData(i)
	s, _ := elffile.CString(b, 0)
	return i, string(s)
}

// pathMax is PATH_MAX.
const pathMax = 4096

// last returns the index of the last program header of a type, or -1.
func (p *Program) last(t elf.ProgType) int {
	for i := len(p.Progs) - 1; i >= 0; i-- {
		if p.Progs[i].Type == t {
			return i
		}
	}
	return -1
}

// loads calls yield with each PT_LOAD and its index, in the order of the table.
func (p *Program) loads(yield func(i int, h *elffile.Prog) bool) {
	for i := range p.Progs {
		if p.Progs[i].Type == elf.PT_LOAD && !yield(i, &p.Progs[i]) {
			return
		}
	}
}

// count is how many program headers there are of a type.
func (p *Program) count(t elf.ProgType) (n int) {
	for i := range p.Progs {
		if p.Progs[i].Type == t {
			n++
		}
	}
	return n
}
