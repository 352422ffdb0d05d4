package saved

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/freeze/note"
	"elfwright/freeze/unwind"
)

// Module is an ELF file that was mapped.
type Module struct {
	Name       string
	Start, End uint64 // what of the address space has its pages
	Bias       uint64 // what is added to the addresses in the file
	BuildID    []byte

	owners  map[string]bool // of notes
	progs   []elffile.Prog
	file    *file
	symbols []Symbol
	read    bool // the symbols were looked for
	table   unwind.Table
	looked  bool // for the table
}

// Symbol is a function, by its address in the process.
type Symbol struct {
	Name       string
	Addr, Size uint64
}

// Modules are the ELF files that were mapped, by address.
func (p *Process) Modules() []*Module {
	if p.modules != nil {
		return p.modules
	}
	p.modules = []*Module{}
	for i := range p.Maps {
		m := &p.Maps[i]
		if last := len(p.modules) - 1; last >= 0 && p.modules[last].Name == m.Name && m.Off != 0 {
			p.modules[last].End = m.Start + m.Size
			continue
		}
		if !strings.HasPrefix(m.Name, "/") && m.Name != vdsoName || m.Off != 0 && m.Name != vdsoName {
			continue
		}
		if mod := p.module(m); mod != nil {
			p.modules = append(p.modules, mod)
		}
	}
	return p.modules
}

const maxProgs = 1 << 12 // program headers of a module

// module reads the headers of an ELF file from where they are in memory.
func (p *Process) module(m *note.Map) *Module {
	format := elffile.Format{Class: p.Machine.Class, Data: p.Machine.Orders[0]}
	head := make([]byte, format.EhdrSize())
	if n, _ := p.ReadAt(head, int64(m.Start)); n < len(head) || !elffile.IsELF(head) {
		return nil
	}
	phoff, size, n := format.Addr(head[32:]), int(format.U16(head[54:])), int(format.U16(head[56:])) // Elf64_Ehdr
	if size != format.PhdrSize() || n > maxProgs || phoff > m.Size {
		return nil
	}
	table := make([]byte, size*n)
	if got, _ := p.ReadAt(table, int64(m.Start+phoff)); got < len(table) {
		return nil
	}
	// Only the headers are looked at, and those are parsed as a file of their own.
	whole := append(make([]byte, phoff), table...)
	copy(whole, head)
	f, err := elffile.Parse(m.Name, whole)
	if err != nil {
		return nil
	}
	mod := &Module{Name: m.Name, Start: m.Start, End: m.Start + m.Size, progs: f.Progs}
	for i := range f.Progs {
		if q := &f.Progs[i]; q.Type == elf.PT_LOAD {
			mod.Bias = m.Start - (q.Vaddr-q.Off)&^0xfff
			break
		}
	}
	p.notes(mod, format)
	return mod
}

const maxNotes = 1 << 16 // bytes of notes that are looked at for a build ID

// notes reads the build ID from memory, and whose notes there are.
func (p *Process) notes(m *Module, format elffile.Format) {
	const gnuBuildID = 3
	m.owners = make(map[string]bool)
	for i := range m.progs {
		q := &m.progs[i]
		if q.Type != elf.PT_NOTE || q.Filesz > maxNotes {
			continue
		}
		b := make([]byte, q.Filesz)
		if n, _ := p.ReadAt(b, int64(m.Bias+q.Vaddr)); n < len(b) {
			continue
		}
		notes, _ := elffile.ParseNotes(format, b, 0, q.Align)
		for _, n := range notes {
			m.owners[n.Name] = true
			if n.Type == gnuBuildID && n.Name == "GNU" && m.BuildID == nil {
				m.BuildID = n.Desc
			}
		}
	}
}

// HasNote says whether the file has a note of an owner.
func (m *Module) HasNote(owner string) bool { return m.owners[owner] }

// ModuleAt finds the module of an address.
func (p *Process) ModuleAt(addr uint64) *Module {
	for _, m := range p.Modules() {
		if addr >= m.Start && addr < m.End {
			return m
		}
	}
	return nil
}

// Base is the name of the module without its directory.
func (m *Module) Base() string { return filepath.Base(m.Name) }

// Symbol finds the function that an address is in.
func (p *Process) Symbol(addr uint64) (s Symbol, m *Module, ok bool) {
	if m = p.ModuleAt(addr); m == nil {
		return s, nil, false
	}
	if !m.read {
		m.read = true
		if !p.fileSymbols(m) {
			p.memorySymbols(m)
		}
		p.debugSymbols(m)
		slices.SortStableFunc(m.symbols, func(a, b Symbol) int {
			switch {
			case a.Addr < b.Addr:
				return -1
			case a.Addr > b.Addr:
				return 1
			}
			return compareNames(a.Name, b.Name)
		})
	}
	i, _ := slices.BinarySearchFunc(m.symbols, addr, func(s Symbol, at uint64) int {
		if s.Addr <= at {
			return -1
		}
		return 1
	})
	// An alias of another size may lie before it.
	for back := 0; i > 0 && back < 8; back++ {
		i--
		if s = m.symbols[i]; s.Size == 0 || addr-s.Addr < s.Size {
			for i > 0 && m.symbols[i-1].Addr == s.Addr && m.symbols[i-1].Size == s.Size {
				i--
			}
			return m.symbols[i], m, true
		}
	}
	return Symbol{}, m, false
}

// compareNames puts the name first that people use: without underscores before it.
func compareNames(a, b string) int {
	x, y := strings.TrimLeft(a, "_"), strings.TrimLeft(b, "_")
	return cmp.Or(cmp.Compare(len(a)-len(x), len(b)-len(y)), cmp.Compare(a, b))
}

// fileSymbols takes the symbols of the file by its name, if that is the one that
// was mapped: it has those of static functions, too.
func (p *Process) fileSymbols(m *Module) bool {
	if !strings.HasPrefix(m.Name, "/") {
		return false
	}
	f, err := elffile.Open(p.where(m.Name))
	if err != nil {
		return false
	}
	defer f.Close()
	err = f.Guard(func() error {
		if !p.sameFile(m, f) {
			return errOther
		}
		m.takeAll(f)
		return nil
	})
	return err == nil && len(m.symbols) > 0
}

// debugSymbols takes the symbols that distributions keep beside a library, in a file
// that is found by the build ID.
func (p *Process) debugSymbols(m *Module) {
	if len(m.BuildID) < 2 {
		return
	}
	f, err := elffile.Open(fmt.Sprintf("/usr/lib/debug/.build-id/%x/%x.debug", m.BuildID[:1], m.BuildID[1:]))
	if err != nil {
		return
	}
	defer f.Close()
	f.Guard(func() error {
		if bytes.Equal(f.BuildID(), m.BuildID) {
			m.takeAll(f)
		}
		return nil
	})
}

func (m *Module) takeAll(f *elffile.File) {
	for i := range f.Sections() {
		if t := f.Sections()[i].Type; t == elf.SHT_SYMTAB || t == elf.SHT_DYNSYM {
			if table, err := f.SymbolTable(i); err == nil {
				m.take(table)
			}
		}
	}
}

// sameFile compares build IDs, or where there are none the first page.
func (p *Process) sameFile(m *Module, f *elffile.File) bool {
	if m.BuildID != nil {
		return bytes.Equal(m.BuildID, f.BuildID())
	}
	was, is := make([]byte, 0x1000), make([]byte, 0x1000)
	if n, _ := p.ReadAt(was, int64(m.Start)); n < len(was) {
		return false
	}
	n, _ := f.Body.ReadAt(is, 0)
	return bytes.Equal(was[:n], is[:n])
}

// take adds the functions of a symbol table.
func (m *Module) take(t *elffile.SymbolTable) {
	for i := range t.Len() {
		s := t.At(i)
		switch s.Type() {
		case elf.STT_FUNC, elf.STT_NOTYPE, elf.STT_GNU_IFUNC:
		default:
			continue
		}
		name := t.Name(s)
		if s.Shndx == uint16(elf.SHN_UNDEF) || s.Shndx == uint16(elf.SHN_ABS) || len(name) == 0 || s.Type() == elf.STT_NOTYPE && s.Size == 0 && name[0] == '$' {
			continue
		}
		m.symbols = append(m.symbols, Symbol{string(name), s.Value + m.Bias, s.Size})
	}
}

// Variable finds a variable by its name, in the first module that has it.
func (p *Process) Variable(name string) (addr uint64, ok bool) {
	for _, m := range p.Modules() {
		if !strings.HasPrefix(m.Name, "/") {
			continue
		}
		f, err := elffile.Open(p.where(m.Name))
		if err != nil {
			continue
		}
		f.Guard(func() error {
			if p.sameFile(m, f) {
				addr, ok = variable(f, m, name)
			}
			return nil
		})
		f.Close()
		if ok {
			return addr, true
		}
	}
	return 0, false
}

func variable(f *elffile.File, m *Module, name string) (addr uint64, ok bool) {
	for i := range f.Sections() {
		if t := f.Sections()[i].Type; t != elf.SHT_SYMTAB && t != elf.SHT_DYNSYM {
			continue
		}
		table, err := f.SymbolTable(i)
		if err != nil {
			continue
		}
		for j := range table.Len() {
			s := table.At(j)
			if s.Type() == elf.STT_OBJECT && s.Shndx != uint16(elf.SHN_UNDEF) && string(table.Name(s)) == name {
				return s.Value + m.Bias, true
			}
		}
	}
	return 0, false
}
