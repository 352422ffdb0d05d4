package reset

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/image"
)

// A repointing is a value of the dynamic section that is not the one of the
// program as it was: to make room for its table, phdr.Add moves tables that a
// dynamic section leads to, and a static PIE has one.
type repointing struct {
	addr uint64 // of the value
	now  uint64
}

// sizeTags are the tables that move, and the entry that has the size; 0: the
// table is a symbol table, or has as many rows as one, or is a hash table.
var sizeTags = map[elf.DynTag]elf.DynTag{
	elf.DT_REL: elf.DT_RELSZ, elf.DT_RELA: elf.DT_RELASZ, elf.DT_JMPREL: elf.DT_PLTRELSZ, 36: 35, /* DT_RELR, gABI */
	elf.DT_STRTAB: elf.DT_STRSZ, elf.DT_SYMTAB: 0, elf.DT_VERSYM: 0, elf.DT_HASH: 0, elf.DT_GNU_HASH: 0,
}

// repointings compares the dynamic sections of a program and of what it was before.
// An entry may lead elsewhere if the same table is there; any other difference is
// found later, as one of memory.
func repointings(f, was *elffile.File) ([]repointing, error) {
	old, err := was.Dynamic()
	if err != nil || old.Prog < 0 {
		return nil, err
	}
	now, err := f.Dynamic()
	if err != nil || len(now.Entries) != len(old.Entries) {
		return nil, err
	}
	var list []repointing
	for i, e := range old.Entries {
		to := now.Entries[i]
		size, moves := sizeTags[e.Tag]
		if to.Tag != e.Tag || to.Val == e.Val || !moves {
			continue
		}
		same, err := sameTable(f, was, e, to.Val, size, old)
		if err != nil {
			return nil, err
		}
		if same {
			p := &was.Progs[old.Prog]
			list = append(list, repointing{p.Vaddr + uint64(e.Off) - p.Off + uint64(was.AddrSize()), to.Val})
		}
	}
	return list, nil
}

// sameTable says whether the table of an entry is also at another address.
func sameTable(f, was *elffile.File, e elffile.Dyn, to uint64, sizeTag elf.DynTag, dyn *elffile.Dynamic) (bool, error) {
	if e.Tag == elf.DT_SYMTAB {
		return sameSymbols(f, was), nil
	}
	size, _ := dyn.Value(sizeTag)
	if sizeTag == 0 {
		size = tableSize(was, e.Tag)
	}
	if end := e.Val + size; size == 0 || end < e.Val || to+size < to {
		return false, nil
	}
	a, errA := was.BytesAt(e.Val, size)
	b, errB := f.BytesAt(to, size)
	if errA != nil || errB != nil {
		return false, nil // it is in no PT_LOAD, and so not the same
	}
	return string(a) == string(b), nil
}

// tableSize is the size of a table that no entry tells.
func tableSize(f *elffile.File, tag elf.DynTag) uint64 {
	switch tag {
	case elf.DT_VERSYM:
		if s, err := f.DynamicSymbolTable(); err == nil {
			return 2 * uint64(s.Len())
		}
	case elf.DT_HASH:
		if h, err := f.SysvHash(); err == nil && h != nil {
			return 4 * uint64(2+h.Buckets.Len()+h.Chains.Len())
		}
	case elf.DT_GNU_HASH:
		if h, err := f.GnuHash(); err == nil && h != nil {
			return 16 + uint64(h.Bloom.Len()*f.AddrSize()) + 4*uint64(h.Buckets.Len()+h.Chains.Len())
		}
	}
	return 0
}

// sameSymbols compares dynamic symbols. Numbers of sections may differ, and so may
// what has no section.
func sameSymbols(f, was *elffile.File) bool {
	a, errA := was.DynamicSymbolTable()
	b, errB := f.DynamicSymbolTable()
	if errA != nil || errB != nil {
		return false
	}
	for i := range min(a.Len(), b.Len()) {
		x, y := a.At(i), b.At(i)
		if string(a.Name(x)) != string(b.Name(y)) || x.Value != y.Value || x.Size != y.Size || x.Info != y.Info || x.Other != y.Other {
			return false
		}
	}
	return true
}

// repointed makes memory of a program as it was lead to where its tables are now.
func repointed(f *elffile.File, list []repointing, r image.Range, mem elffile.Data) elffile.Data {
	var b *elffile.Body
	for _, p := range list {
		word := image.Range{Start: image.Addr(p.addr), Size: uint64(f.AddrSize())}
		if r.Intersect(word).Size < word.Size {
			continue
		}
		if b == nil {
			b = elffile.NewBody(mem)
			b.Truncate(int64(r.Size))
		}
		v := make([]byte, word.Size)
		f.PutAddr(v, p.now)
		b.Put(int64(word.Start-r.Start), elffile.Buffer(v))
	}
	if b == nil {
		return mem
	}
	return b.Window(0, int64(r.Size))
}
