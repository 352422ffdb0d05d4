package saved

import (
	"bytes"
	"debug/elf"
	"errors"

	"elfwright/elffile"
)

var errOther = errors.New("it is another file")

const maxTable = 16 << 20 // bytes of a table that are read from memory

// memorySymbols reads the dynamic symbols where they are in memory: for the
// kernel's vDSO, and for files that are not there any more.
func (p *Process) memorySymbols(m *Module) {
	format := elffile.Format{Class: p.Machine.Class, Data: p.Machine.Orders[0]}
	tags := p.dynamicTags(m, format)
	symbols, names, size := tags[elf.DT_SYMTAB], tags[elf.DT_STRTAB], tags[elf.DT_STRSZ]
	// The string table follows the symbols in what every linker here makes; that is
	// how many there are.
	if symbols == 0 || names <= symbols || names-symbols > maxTable || size > maxTable {
		return
	}
	table, text := make([]byte, names-symbols), make([]byte, size)
	if n, _ := p.ReadAt(table, int64(symbols)); n < len(table) {
		return
	}
	if n, _ := p.ReadAt(text, int64(names)); n < len(text) {
		return
	}
	for ; len(table) >= format.SymSize(); table = table[format.SymSize():] {
		// Elf64_Sym: name, info, other, section, value, size.
		typ, section := elf.SymType(table[4]&15), format.U16(table[6:])
		if typ != elf.STT_FUNC && typ != elf.STT_GNU_IFUNC || section == uint16(elf.SHN_UNDEF) {
			continue
		}
		if name, ok := elffile.CString(text, uint64(format.U32(table))); ok && len(name) > 0 {
			m.symbols = append(m.symbols, Symbol{string(bytes.Clone(name)), m.Bias + format.U64(table[8:]), format.U64(table[16:])})
		}
	}
}

// dynamicTags reads the dynamic section. A dynamic linker has made addresses of what
// are addresses in the file; both are taken.
func (p *Process) dynamicTags(m *Module, format elffile.Format) map[elf.DynTag]uint64 {
	out := make(map[elf.DynTag]uint64)
	for i := range m.progs {
		q := &m.progs[i]
		if q.Type != elf.PT_DYNAMIC || q.Memsz > 1<<16 {
			continue
		}
		b := make([]byte, q.Memsz)
		if n, _ := p.ReadAt(b, int64(m.Bias+q.Vaddr)); n < len(b) {
			return out
		}
		for ; len(b) >= format.DynSize(); b = b[format.DynSize():] {
			tag, v := elf.DynTag(format.Addr(b)), format.Addr(b[format.AddrSize():])
			if tag == elf.DT_NULL {
				break
			}
			if (tag == elf.DT_SYMTAB || tag == elf.DT_STRTAB) && v < m.Start {
				v += m.Bias
			}
			out[tag] = v
		}
	}
	return out
}
