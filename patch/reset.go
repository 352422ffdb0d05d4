package patch

import (
	"elfwright/elffile"
	resettable "elfwright/reset/table"
)

// route sends writes to memory that a resettable program restores to its saved
// copy, too. A write that crosses the border of a range is split there; persistent
// memory is written in place alone.
func (a *applier) route() error {
	t, err := resettable.Find(a.img)
	if t == nil || err != nil {
		return err
	}
	if t.Sel4 {
		return a.routeSel4(t)
	}
	r := &ownRoute{a: a, t: t}
	return r.run()
}

// saved is the write to a saved copy of a part of what an edit writes: n bytes
// from addr on go to src.
func saved(e *edit, addr, n, src uint64) *edit {
	return &edit{g: e.g, addr: src, data: elffile.Slice(e.data, int64(addr-e.addr), int64(n)), base: e.base, via: "saved copy"}
}

// tableEdit is a write to the table of what a reset restores.
func tableEdit(addr uint64, b []byte) *edit {
	return &edit{g: &target{label: "rows", bare: -1}, addr: addr, data: elffile.Buffer(b), via: "reset table"}
}
