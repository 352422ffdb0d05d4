package linktest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"elfwright/link/model"
)

// Hostile gives a target a section and relocations made of any bytes, as a fuzz
// target has them, and relocates if nothing was reported. Twice, from the same
// state, the result must be the same.
func Hostile(t testing.TB, make func() model.Target, opt model.Options, code, relocs []byte) {
	t.Helper()
	a, b := hostile(make(), opt, code, relocs), hostile(make(), opt, code, relocs)
	if !bytes.Equal(a, b) {
		t.Errorf("% x and % x from the same input", a, b)
	}
}

func hostile(target model.Target, opt model.Options, code, relocs []byte) (out []byte) {
	m := target.Machine()
	e := &model.Env{Opt: &opt, Target: target, Class: 8 * m.WordSize(), Order: binary.LittleEndian, Code: binary.LittleEndian,
		Table: model.NewTable(), Report: &model.Report{}, TLSStart: 0x20000, TLSSize: 64, TLSAlign: 16, GOT: 0x21000, GP: 0x20800}
	o := hostileObject(e, m.ELF, m.Class, code)
	n := min(len(relocs)/8, 64)
	for i := range n {
		d := relocs[8*i:]
		s := o.Sections[1]
		if d[7]&1 != 0 {
			s = o.Sections[3]
		}
		s.Relocs = append(s.Relocs, model.Reloc{Type: uint32(d[0]), Sym: uint32(d[1] % 10), Off: uint64(d[2]) | uint64(d[3]&3)<<8,
			Addend: int64(int16(binary.LittleEndian.Uint16(d[4:]))) << (d[6] & 48)})
	}
	target.Scan(e, o.Sections[1])
	for pass := 0; pass < 40 && !e.Report.Failed() && target.Relax(e, pass); pass++ {
	}
	if e.Report.Failed() {
		return nil
	}
	give(e, o)
	e.Dynamic = make([]model.DynReloc, o.Sections[1].DynRelocs)
	for _, s := range []*model.Section{o.Sections[1], o.Sections[3]} {
		b := make([]byte, s.Size)
		if s.Moves == nil {
			copy(b, s.Data)
		}
		target.Relocate(e, s, b)
		out = append(out, b...)
	}
	return out
}

// hostileObject has code, data, a section that is not loaded, one of TLS, and a
// symbol of each kind.
func hostileObject(e *model.Env, number elf.Machine, class elf.Class, code []byte) *model.Object {
	o := &model.Object{File: "a.o", Class: class, Machine: number, Order: e.Order, Flags: 1, Sections: make([]*model.Section, 6)}
	for i, x := range []struct {
		name  string
		flags elf.SectionFlag
		addr  uint64
	}{
		1: {".text", elf.SHF_ALLOC | elf.SHF_EXECINSTR, 0x10000},
		2: {".data", elf.SHF_ALLOC | elf.SHF_WRITE, 0x20400},
		3: {".debug", 0, 0},
		4: {".tdata", elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_TLS, 0x20000},
		5: {".dropped", elf.SHF_ALLOC, 0},
	} {
		if x.name == "" {
			continue
		}
		s := &model.Section{Obj: o, Name: x.name, Index: int32(i), Type: elf.SHT_PROGBITS, Flags: x.flags, Align: 4, Data: code, Size: uint64(len(code)), Live: i != 5}
		if s.Live {
			s.Out = &model.Output{Name: x.name, Type: s.Type, Flags: s.Flags, Align: 4, Addr: x.addr, Size: s.Size, Index: i,
				Items: []model.Item{{Size: s.Size, Section: s}}}
			e.Outputs = append(e.Outputs, s.Out)
		}
		o.Sections[i] = s
	}
	def := func(sec int, typ elf.SymType, value uint64) *model.Symbol {
		return &model.Symbol{Name: "s", Local: true, State: model.Defined, Type: typ, Obj: o, Sec: o.Sections[sec], Value: value}
	}
	ifunc := def(1, elf.STT_GNU_IFUNC, 0)
	o.Symbols = []*model.Symbol{nil, def(1, elf.STT_NOTYPE, 0), def(1, elf.STT_FUNC, 8), def(2, elf.STT_OBJECT, 4), def(4, elf.STT_TLS, 8),
		{Name: "weak", Bind: elf.STB_WEAK, Obj: o}, {Name: "abs", State: model.Defined, Value: 0x7ffff, Obj: o}, ifunc,
		{Name: "__tls_get_addr", Bind: elf.STB_WEAK, Obj: o, Preempt: e.PIC()}, def(5, elf.STT_FUNC, 0)}
	e.Objects = []*model.Object{o}
	plt := &model.Section{Obj: &model.Object{Linker: true}, Name: ".iplt", Live: true, Out: &model.Output{Name: ".iplt", Addr: 0x12000, Size: 64}}
	e.SecPLT, e.SecIPLT = plt, plt
	e.SecGOT = &model.Section{Obj: plt.Obj, Name: ".got", Live: true, Out: &model.Output{Name: ".got", Addr: 0x21000, Size: 256}}
	ifunc.Aux = &model.Aux{GOT: 64, PLT: 16, GOTTP: -1, TLSGD: -1, TLSDesc: -1, IPLT: true}
	return o
}

// give gives every symbol all entries.
func give(e *model.Env, o *model.Object) {
	for i, sym := range o.Symbols {
		if sym != nil && sym.Aux == nil && sym.Need.Load() != 0 {
			at := int64(i * 16)
			sym.Aux = &model.Aux{GOT: at, GOTTP: at + 8, TLSGD: at, TLSDesc: at, PLT: 0, GOTPLT: 0}
		}
	}
	e.TLSLDOff = 0
}
