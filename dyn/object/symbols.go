package object

import (
	"debug/elf"
	"errors"

	"elfwright/elffile"
)

// ReadSymbols reads what binding and relocating go by: symbols, hash tables,
// versions, relocations. It does nothing where there is no PT_DYNAMIC.
func (o *Object) ReadSymbols() error {
	if !o.hasDynamic() {
		return nil
	}
	var errs [5]error
	if o.has(elf.DT_SYMTAB) {
		o.Symbols, errs[0] = o.DynamicSymbolTable()
	}
	// Without their entries the views would turn to section headers.
	if o.has(elf.DT_GNU_HASH) {
		o.Gnu, errs[1] = o.GnuHash()
	}
	if o.has(elf.DT_HASH) {
		o.Sysv, errs[2] = o.SysvHash()
	}
	if o.has(elf.DT_VERSYM) || o.has(elf.DT_VERNEED) || o.has(elf.DT_VERDEF) {
		o.Versions, errs[3] = o.File.Versions()
	}
	o.Relocs, errs[4] = o.DynamicRelocTables()
	return joinOnce(errs[:])
}

func (o *Object) has(tag elf.DynTag) bool {
	_, ok := o.Dynamic.Entry(tag)
	return ok
}

// joinOnce joins errors, each text once: every view reads the dynamic section,
// and tells of its faults.
func joinOnce(errs []error) error {
	seen := make(map[string]bool)
	var list []error
	for _, err := range errs {
		for _, e := range elffile.Leaves(err) {
			if text := e.Error(); !seen[text] {
				seen[text] = true
				list = append(list, e)
			}
		}
	}
	return errors.Join(list...)
}
