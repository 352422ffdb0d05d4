package synth

import (
	"debug/elf"
	"errors"
	"slices"

	"elfwright/link/model"
)

const shtRelr = elf.SectionType(19)

// relr are the places of relative relocations that .relr.dyn has (gABI, "Relative
// Relocation Table"): those at an address that is a multiple of a word.
type relr struct {
	sites []site
	addrs []uint64 // ascending; as of the last Resize
}

type site struct {
	sec *model.Section
	off uint64
}

// has says whether an address is in the table.
func (p *relr) has(addr uint64) bool {
	_, ok := slices.BinarySearch(p.addrs, addr)
	return ok
}

// sizeRelr finds the places, and takes them out of the other tables. That a
// machine makes a relative relocation of a word whose symbol is of this link is
// checked when they are written.
func (s *Set) sizeRelr() {
	if s.relr == nil {
		return
	}
	for i := range s.slots {
		if x := &s.slots[i]; x.kind == slotAddr && s.dynamicOf(x) == 1 && packable(x.sym) {
			s.pack(s.got, x.off, s.byName[".got"])
		}
	}
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			if sec == nil || sec == s.got || sec.DynRelocs == 0 || !sec.Live || sec.Align < s.word {
				continue
			}
			t := s.table(sec.Name)
			for i := range sec.Relocs {
				r := &sec.Relocs[i]
				sym := sec.Symbol(r)
				if r.Type == s.dyn.abs && sym != nil && packable(sym) && sec.Moved(r.Off)%s.word == 0 {
					s.pack(sec, r.Off, t)
				}
			}
		}
	}
}

// packable says whether the address of a symbol surely makes a relative relocation:
// a script's symbol may turn out to be a number.
func packable(sym *model.Symbol) bool {
	return !sym.Preempt && !fixed(sym) && !sym.Script && !sym.IFunc()
}

func (s *Set) pack(sec *model.Section, off uint64, t *table) {
	s.packed.sites = append(s.packed.sites, site{sec, off})
	t.sec.Size -= s.relSize()
}

// resizeRelr encodes the places as they are now. The table never gets shorter,
// lest the addresses never settle.
func (s *Set) resizeRelr() (changed bool) {
	if s.relr == nil {
		return false
	}
	p := &s.packed
	p.addrs = p.addrs[:0]
	for _, x := range p.sites {
		if x.sec.Out != nil {
			p.addrs = append(p.addrs, x.sec.Addr(x.off))
		}
	}
	slices.Sort(p.addrs)
	n := uint64(len(encodeRelr(p.addrs, s.word))) * s.word
	if n <= s.relr.Size {
		return false
	}
	s.relr.Size = n
	return true
}

// encodeRelr makes the words: an even one is an address, an odd one a map of the
// words behind the last one that was dealt with.
func encodeRelr(addrs []uint64, word uint64) []uint64 {
	var out []uint64
	bits := 8*word - 1
	for i := 0; i < len(addrs); {
		out = append(out, addrs[i])
		base := addrs[i] + word
		i++
		for {
			var m uint64
			for i < len(addrs) && addrs[i]-base < bits*word && (addrs[i]-base)%word == 0 {
				m |= 1 << ((addrs[i] - base) / word)
				i++
			}
			if m == 0 {
				break
			}
			out = append(out, m<<1|1)
			base += bits * word
		}
	}
	return out
}

func (s *Set) writeRelr(b []byte) {
	words := encodeRelr(s.packed.addrs, s.word)
	for i := 0; uint64(i+1)*s.word <= uint64(len(b)); i++ {
		v := uint64(1) // a map of nothing
		if i < len(words) {
			v = words[i]
		}
		s.putWord(b[uint64(i)*s.word:], v)
	}
}

// checkRelr makes sure that each place in the table is one that the machine has a
// relative relocation for.
func (s *Set) checkRelr() {
	n := 0
	for i := range s.env.Dynamic {
		if r := &s.env.Dynamic[i]; r.Type == s.dyn.relative && s.packed.has(r.Off) {
			n++
		}
	}
	if n != len(s.packed.addrs) {
		s.env.Report.Error(errors.New(".relr.dyn: a packed relocation is not a relative one"))
	}
}
