package elftest

import "debug/elf"

// Constants of the gABI that debug/elf lacks.
const (
	shtRELR elf.SectionType = 19

	DT_RELRSZ  elf.DynTag = 35 // size of the DT_RELR table
	DT_RELR    elf.DynTag = 36 // address of the packed relative relocations
	DT_RELRENT elf.DynTag = 37 // size of one entry
)

// Dyn is one entry of the dynamic section. Its value is Val plus the address of
// section Addr, the size of section Size and the offset of Str in the linked
// string table, as far as they are set.
type Dyn struct {
	Tag  elf.DynTag
	Val  uint64
	Addr string
	Size string
	Str  string
}

// Dynamic is a dynamic section; the DT_NULL at its end comes by itself.
type Dynamic []Dyn

// Encode returns the table.
func (c Dynamic) Encode(e *Env) []byte {
	w := e.Writer()
	for _, d := range append(Dynamic(nil), append(c, Dyn{})...) {
		v := d.Val
		if d.Addr != "" {
			v += e.Addr(d.Addr)
		}
		if d.Size != "" {
			v += e.Size(d.Size)
		}
		if d.Str != "" {
			v += uint64(e.Str(d.Str))
		}
		w.Addr(uint64(d.Tag))
		w.Addr(v)
	}
	return w.B
}

func (c Dynamic) wants(e *Env) wants {
	return wants{typ: elf.SHT_DYNAMIC, link: ".dynstr", align: e.Word(), entsize: 2 * e.Word()}
}
