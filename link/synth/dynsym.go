package synth

import (
	"debug/elf"
	"sort"

	"elfwright/elffile"
	"elfwright/link/model"
)

// dynsyms are the symbols of .dynsym in their order, and .dynstr.
type dynsyms struct {
	syms   []*model.Symbol // [0] is nil
	walk   []*model.Symbol // in the order of GNU ld's table of symbols
	hashed int             // index of the first that .gnu.hash has: the defined ones
	dynstr
}

// dynstr is a string table in which a string may be the end of another, as GNU ld
// makes it. Offsets are known when it is closed.
type dynstr struct {
	entry map[string]*entry
	order []*entry
	bytes []byte
}

// add takes a string.
func (d *dynstr) add(s string) {
	if d.entry == nil {
		d.entry = map[string]*entry{}
	}
	if d.entry[s] == nil && s != "" {
		e := &entry{data: append([]byte(s), 0), align: 1}
		d.entry[s] = e
		d.order = append(d.order, e)
	}
}

// close lays the strings out.
func (d *dynstr) close() {
	shareTails(1, d.order)
	d.bytes = []byte{0}
	for _, e := range d.order {
		if e.to == nil {
			e.off = uint64(len(d.bytes))
			d.bytes = append(d.bytes, e.data...)
		}
	}
}

// at is the offset of a string that was added.
func (d *dynstr) at(s string) uint32 {
	e := d.entry[s]
	if e == nil {
		return 0
	}
	off := uint64(0)
	for e.to != nil {
		off += uint64(len(e.to.data) - len(e.data))
		e = e.to
	}
	return uint32(e.off + off)
}

// chooseDynsyms decides on the symbols that are dynamic: what is exported, and
// what a dynamic relocation or a PLT entry names. Undefined ones come first; the
// others are in the order of their hash, as .gnu.hash wants them, and those of one
// bucket in that of GNU ld's table. Names stay in the order of the input.
func (s *Set) chooseDynsyms() {
	e := s.env
	d := &s.dynsyms
	seen := map[*model.Symbol]bool{}
	take := func(sym *model.Symbol) {
		if !sym.Local && !seen[sym] && isDynamic(sym) {
			d.walk = append(d.walk, sym)
			d.add(sym.Name)
		}
		seen[sym] = true
	}
	total := 0 // symbols in the table of GNU ld
	for _, o := range e.Objects {
		for _, sym := range o.Symbols[min(o.Locals, len(o.Symbols)):] {
			if sym == nil {
				continue
			}
			total = max(total, int(sym.Order))
			if sym.Exported || sym.Preempt {
				take(sym)
			}
		}
	}
	for _, sym := range e.Table.Some(func(x *model.Symbol) bool { return x.Obj == nil && x.Exported }) {
		take(sym)
	}
	d.number(total)
}

func isDynamic(sym *model.Symbol) bool {
	return sym.State == model.Defined && sym.Exported && !sym.Gone() ||
		sym.State == model.Undefined && sym.Preempt && (sym.Used || sym.Need.Load() != 0)
}

// number gives the symbols their places; the table of GNU ld has total.
func (d *dynsyms) number(total int) {
	d.walk = model.HashOrder(d.walk, total)
	var undefined, defined []*model.Symbol
	for _, sym := range d.walk {
		if sym.State == model.Defined {
			defined = append(defined, sym)
		} else {
			undefined = append(undefined, sym)
		}
	}
	buckets := uint32(gnuBuckets(len(defined)))
	hash := map[*model.Symbol]uint32{}
	for _, sym := range defined {
		hash[sym] = elffile.GnuHashOf(sym.Name) % buckets
	}
	sort.SliceStable(defined, func(i, j int) bool { return hash[defined[i]] < hash[defined[j]] })
	d.syms = append(append([]*model.Symbol{nil}, undefined...), defined...)
	d.hashed = 1 + len(undefined)
	for i, sym := range d.syms[1:] {
		sym.DynIndex = int32(i + 1)
	}
}

func (s *Set) writeDynsym(b []byte) {
	f := s.format()
	for i, sym := range s.dynsyms.syms[1:] {
		x := elffile.Symbol{Name: s.dynsyms.at(sym.Name), Info: uint8(sym.Bind)<<4 | uint8(sym.Type)&0xf, Other: sym.Other | uint8(sym.Vis)}
		if sym.State == model.Defined {
			x.Value, x.Size, x.Shndx = value(sym), sym.Size, sectionIndex(sym)
			if sym.Type == elf.STT_TLS && x.Shndx != uint16(elf.SHN_ABS) {
				x.Value -= s.env.TLSStart
			}
		}
		copy(b[(i+1)*f.SymSize():], x.Encode(f))
	}
}

func (s *Set) format() elffile.Format {
	f := elffile.Format{Class: s.Object.Class, Data: elf.ELFDATA2LSB}
	if s.env.Order.String() == "BigEndian" {
		f.Data = elf.ELFDATA2MSB
	}
	return f
}

// sectionIndex is st_shndx. The dynamic linker only asks whether it is 0, so that
// an index that needs an extension, which .dynsym has not, may be any other.
func sectionIndex(sym *model.Symbol) uint16 {
	out := sym.Out
	if sym.Sec != nil {
		out, _, _ = sym.Sec.At(sym.Value)
	}
	if out == nil || out.Index >= elffile.ShnLoReserve {
		return uint16(elf.SHN_ABS)
	}
	return uint16(out.Index)
}
