package object

import (
	"errors"
	"slices"

	"elfwright/elffile"
)

// ReadSymbols reads what binding and relocating go by: symbols, hash tables,
// versions, relocations. It does nothing where there is no PT_DYNAMIC.
func (o *Object) ReadSymbols() error {
	if !o.hasDynamic() {
		return nil
	}
	t, err := o.Dynamic.Tables()
	o.Symbols, o.Gnu, o.Sysv, o.Versions, o.Relocs = t.Symbols, t.Gnu, t.Sysv, t.Versions, t.Relocs
	return joinOnce([]error{err})
}

// joinOnce joins errors, each text once: a hash table that is damaged is told of by
// the symbols, which are counted by it, too.
func joinOnce(errs []error) error {
	if !slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		return nil
	}
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
