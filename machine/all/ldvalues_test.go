package all_test

import (
	"debug/elf"
	"regexp"
	"strings"
	"testing"

	"elfwright/machine"
)

// values finds what the formulas ask for in the linked file.
func (l *linked) values(t *testing.T, b *bench, p *place, symbols map[string]elf.Symbol) *machine.Values {
	t.Helper()
	v := &machine.Values{P: p.p}
	sym, ok := symbols[p.sym]
	if !ok && p.sym != "" {
		t.Fatalf("%s: no symbol %s", p.row.Name, p.sym)
	}
	if p.row.Name == "R_ARM_BASE_PREL" {
		v.B = symbols[b.got].Value
	}
	v.S, v.Z, v.L = sym.Value, sym.Size, sym.Value
	if b.m.ELF == elf.EM_ARM && elf.ST_TYPE(sym.Info) == elf.STT_FUNC {
		v.T = v.S & 1
		v.S &^= 1
		v.L = v.S
	}
	if g, ok := symbols[b.got]; ok {
		v.GOT = g.Value
	} else if s := l.out.Section(b.got); s != nil {
		v.GOT = s.Addr
	}
	for _, ph := range l.out.Progs {
		if ph.Type == elf.PT_TLS {
			v.DTP = ph.Vaddr + b.dtpOff
			v.TP = b.tp(ph)
			if elf.ST_TYPE(sym.Info) == elf.STT_TLS {
				v.S += ph.Vaddr
			}
		}
	}
	if p.row.Formula.UsesGOT() {
		at, ok := l.slot(b, p, sym, v)
		if !ok {
			t.Errorf("%s: no GOT entry of %s", p.row.Name, p.sym)
		}
		v.G = at - v.GOT
	}
	return v
}

// slot finds the GOT entry of a symbol: in a static link by its content, in a
// shared object by the dynamic relocation that fills it.
func (l *linked) slot(b *bench, p *place, sym elf.Symbol, v *machine.Values) (uint64, bool) {
	word := b.m.WordSize()
	if at, ok := l.dynamicSlot(b, p, sym, v); ok {
		return at, true
	}
	for _, name := range []string{".got", ".got.plt"} {
		s := l.out.Section(name)
		if s == nil {
			continue
		}
		d, _ := s.Data()
		for off := 0; off+word <= len(d); off += word {
			if get(l.data, d[off:], word) == v.S|v.T {
				return s.Addr + uint64(off), true
			}
		}
	}
	return 0, false
}

// dynamicSlot finds the dynamic relocation that fills the entry.
func (l *linked) dynamicSlot(b *bench, p *place, sym elf.Symbol, v *machine.Values) (uint64, bool) {
	if l.out.Type != elf.ET_DYN {
		return 0, false
	}
	want := dynamicFor(p.row.Name)
	dynsyms, _ := l.out.DynamicSymbols()
	word := b.m.WordSize()
	for _, s := range l.out.Sections {
		if s.Type != elf.SHT_RELA && s.Type != elf.SHT_REL {
			continue
		}
		d, _ := s.Data()
		for ; s.Entsize > 0 && len(d) >= int(s.Entsize); d = d[s.Entsize:] {
			off, info := get(l.data, d, word), get(l.data, d[word:], word)
			typ, idx := uint32(info), int(info>>32)
			if word == 4 {
				typ, idx = uint32(info&0xff), int(info>>8)
			}
			r := b.m.Relocs.Lookup(typ)
			if r == nil || !want.MatchString(r.Name) {
				continue
			}
			if idx == 0 && localDynamic(p.row.Name) || idx > 0 && dynsyms[idx-1].Name == p.sym {
				return off, true
			}
		}
	}
	return 0, false
}

func localDynamic(name string) bool {
	return strings.Contains(name, "TLSLD") || strings.Contains(name, "LDM")
}

var (
	dtpmod  = regexp.MustCompile(`DTPMOD`)
	desc    = regexp.MustCompile(`TLS_?DESC`)
	tprel   = regexp.MustCompile(`_TP(OFF|REL)`)
	globDat = regexp.MustCompile(`GLOB_DAT|_32$|_64$`)
)

// dynamicFor matches the dynamic type that fills a static type's GOT entry.
func dynamicFor(name string) *regexp.Regexp {
	switch {
	case strings.Contains(name, "TLSGD"), strings.Contains(name, "TLS_GD"), localDynamic(name):
		return dtpmod
	case strings.Contains(name, "TLSDESC"), strings.Contains(name, "GOTDESC"):
		return desc
	case strings.Contains(name, "TPOFF"), strings.Contains(name, "TPREL"), strings.Contains(name, "_IE"),
		strings.Contains(name, "GOTIE"), strings.Contains(name, "TLS_GOT_HI20"):
		return tprel
	}
	return globDat
}
