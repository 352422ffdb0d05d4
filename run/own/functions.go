package own

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/run/memory"
)

// functions are addresses of an array of functions that the dynamic section names,
// as they are after relocation.
func functions(o *memory.Object, array, size elf.DynTag) ([]uint64, error) {
	at, ok := o.Dynamic.Value(array)
	n, _ := o.Dynamic.Value(size)
	if !ok || n == 0 {
		return nil, nil
	}
	word := uint64(o.AddrSize())
	b := o.Read(at, n)
	if b == nil {
		return nil, &elffile.Error{File: o.Name, Struct: "dynamic section", Off: -1, Msg: fmt.Sprintf("%v 0x%x, %v 0x%x: is not in one segment", array, at, size, n)}
	}
	list := make([]uint64, 0, n/word)
	for ; uint64(len(b)) >= word; b = b[word:] {
		list = append(list, o.Addr(b))
	}
	return list, nil
}

// constructors are DT_INIT, then DT_INIT_ARRAY ascending (glibc, call_init).
func constructors(o *memory.Object) ([]uint64, error) {
	var list []uint64
	if v, ok := o.Dynamic.Value(elf.DT_INIT); ok && v != 0 {
		list = append(list, o.At(v))
	}
	array, err := functions(o, elf.DT_INIT_ARRAY, elf.DT_INIT_ARRAYSZ)
	return append(list, array...), err
}

// destructors are DT_FINI_ARRAY descending, then DT_FINI (glibc, _dl_fini).
func destructors(o *memory.Object) ([]uint64, error) {
	array, err := functions(o, elf.DT_FINI_ARRAY, elf.DT_FINI_ARRAYSZ)
	var list []uint64
	for i := len(array) - 1; i >= 0; i-- {
		list = append(list, array[i])
	}
	if v, ok := o.Dynamic.Value(elf.DT_FINI); ok && v != 0 {
		list = append(list, o.At(v))
	}
	return list, err
}
