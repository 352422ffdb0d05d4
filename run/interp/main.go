package interp

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// slot is where a program has the address of a function.
type slot struct {
	addr uint64
	prot uint64 // of its page, when the dynamic linker has done its work
}

const starts = "__libc_start_main"

// Protections (Linux, asm-generic/mman-common.h).
const protRead, protWrite = 1, 2

// mainSlot finds the one place where a program has the address of the function that
// calls main, of glibc or musl: main is its first argument.
func mainSlot(prog *elffile.File, page uint64) (slot, error) {
	none := func(why string) (slot, error) {
		return slot{}, fmt.Errorf("%s: it cannot be stopped at main: %s", prog.Name, why)
	}
	symbols, err := prog.DynamicSymbolTable()
	if err != nil {
		return slot{}, err
	}
	tables, err := prog.DynamicRelocTables()
	if err != nil {
		return slot{}, err
	}
	var found []uint64
	for _, t := range tables {
		for r := range t.All() {
			if symbols == nil || r.Sym == 0 || int(r.Sym) >= symbols.Len() || string(symbols.Name(symbols.At(int(r.Sym)))) != starts {
				continue
			}
			found = append(found, r.Off)
		}
	}
	if len(found) != 1 {
		return none(fmt.Sprintf("it has the address of %s in %d places, not in one", starts, len(found)))
	}
	s := slot{addr: found[0], prot: protRead | protWrite}
	for i := range prog.Progs {
		p := &prog.Progs[i]
		if p.Type == elf.PT_GNU_RELRO && s.addr >= p.Vaddr&^(page-1) && s.addr < (p.Vaddr+p.Memsz)&^(page-1) {
			s.prot = protRead
		}
	}
	return s, nil
}
