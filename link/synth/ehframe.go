package synth

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// frames is what is known of all .eh_frame sections.
type frames struct {
	secs []*frameSection
	out  *model.Output // that has the first of them
	// whole is set if a section could not be split: then no table can say where
	// all functions' frames are.
	whole bool
}

// frameSection is an .eh_frame section in records. Once it is rewritten, offsets,
// relocations and symbols are those of the new contents.
type frameSection struct {
	sec  *model.Section
	recs []record
	keep []bool
	cies []*cie // by record: the CIE that it is, or the one of an earlier section it equals
	fdes []fde
	pad  uint64 // bytes of DW_CFA_nop added to the last record
}

// cie is where a CIE is in the output.
type cie struct {
	sec *model.Section
	off uint64 // in sec, as rewritten
}

// fde is an FDE that is kept.
type fde struct {
	off uint64 // in its section, as rewritten
	rel int    // the relocation of its first address; -1: none
	cie *cie
}

// cieKey is what makes two CIEs equal: the bytes, the personality routine, and
// that they are in one output section.
type cieKey struct {
	out   *model.Output
	bytes string
	rel   model.Reloc
	sym   *model.Symbol
}

// EhFrame drops the records of functions that are not in the output and makes
// equal CIEs one. It comes after matching and before addresses.
func (s *Set) EhFrame() {
	s.findFrames()
	f := &s.frames
	if len(f.secs) != 0 {
		f.out = f.secs[0].sec.Out
	}
	model.Each(s.env.Opt.Workers(), len(f.secs), func(i int) { s.splitOne(f.secs[i]) })
	split := f.secs[:0]
	for _, x := range f.secs {
		if x.recs == nil {
			f.whole = true
			s.env.Report.WarnAt(x.sec, 0, fmt.Errorf("not the form of .eh_frame: it is copied as it is, and there is no table of it in .eh_frame_hdr"))
			continue
		}
		split = append(split, x)
	}
	f.secs = split
	mergeCIEs(f.secs, !s.env.Opt.Relocatable)
	s.endFrames()
	model.Each(s.env.Opt.Workers(), len(f.secs), func(i int) { f.secs[i].rewrite() })
}

// findFrames lists the sections in the order of the output as far as it is known.
func (s *Set) findFrames() {
	is := func(sec *model.Section) bool {
		return sec != nil && sec.Live && sec.Out != nil && sec.Name == ".eh_frame" && !sec.Obj.Linker && sec.Data != nil && sec.Synth == nil && len(sec.Data) != 0
	}
	seen := map[*model.Section]bool{}
	take := func(sec *model.Section) {
		if is(sec) && !seen[sec] {
			seen[sec] = true
			s.frames.secs = append(s.frames.secs, &frameSection{sec: sec})
		}
	}
	for _, out := range s.env.Outputs {
		for i := range out.Items {
			take(out.Items[i].Section)
		}
	}
	for _, o := range s.env.Objects {
		for _, sec := range o.Sections {
			take(sec)
		}
	}
}

// splitOne finds the records of a section and which of them are of live code.
func (s *Set) splitOne(x *frameSection) {
	recs, ok := splitFrames(s.env.Order, x.sec.Data)
	if !ok {
		return
	}
	giveRelocs(x.sec, recs)
	x.trim(recs, int(s.word))
	x.recs, x.keep, x.cies = recs, make([]bool, len(recs)), make([]*cie, len(recs))
	for i := range recs {
		if r := &recs[i]; r.cie >= 0 && x.alive(r) {
			x.keep[i], x.keep[r.cie] = true, true
		}
	}
}

// alive says whether the function of an FDE is in the output.
func (x *frameSection) alive(r *record) bool {
	k := x.begin(r)
	if k < 0 {
		return true
	}
	sym := x.sec.Symbol(&x.sec.Relocs[k])
	if sym == nil || sym.Sec == nil {
		return sym == nil || sym.State == model.Defined
	}
	_, _, ok := sym.Sec.At(sym.Value)
	return ok && sym.Sec.Live
}

// begin is the relocation of an FDE's first address, -1 if there is none.
func (x *frameSection) begin(r *record) int {
	for k := r.rel; k < r.rel+r.nrel; k++ {
		if x.sec.Relocs[k].Off == r.off+8 {
			return k
		}
	}
	return -1
}

// mergeCIEs lets equal CIEs be one: the first. In an object, whose sections the next
// link takes apart anyhow, each section keeps its own.
func mergeCIEs(secs []*frameSection, merge bool) {
	first := map[cieKey]*cie{}
	for _, x := range secs {
		for i := range x.recs {
			r := &x.recs[i]
			if r.cie != isCIE || !x.keep[i] {
				continue
			}
			key := cieKey{out: x.sec.Out, bytes: string(x.sec.Data[r.off+4 : r.off+r.out])}
			if r.nrel == 1 {
				rel := x.sec.Relocs[r.rel]
				key.sym = x.sec.Symbol(&rel)
				key.rel = model.Reloc{Off: rel.Off - r.off, Type: rel.Type, Addend: rel.Addend}
			}
			if c := first[key]; merge && c != nil && r.nrel <= 1 {
				x.cies[i], x.keep[i] = c, false
				continue
			}
			x.cies[i] = &cie{sec: x.sec}
			first[key] = x.cies[i]
		}
	}
}

// endFrames keeps the word that ends the list only where nothing follows it, and
// fills what alignment would leave between sections: zeros there would end the
// list too early. Behind the last records nothing is filled.
func (s *Set) endFrames() {
	last, end := map[*model.Output]*frameSection{}, map[*model.Output]*frameSection{}
	align := map[*model.Output]uint64{}
	for _, x := range s.frames.secs {
		out := x.sec.Out
		align[out] = max(align[out], x.sec.Align, out.Align, 1)
		if x.size() != 0 {
			last[out] = x
		}
		if x.size() != 0 || x.ends() {
			end[out] = x
		}
	}
	for _, x := range s.frames.secs {
		out := x.sec.Out
		if end[out] == x && x.ends() {
			x.keep[len(x.recs)-1] = true
		}
		if n, a := x.size(), align[out]; last[out] != x && n%a != 0 && end[out] != x {
			x.pad = a - n%a
		}
	}
}

func (x *frameSection) ends() bool {
	return len(x.recs) != 0 && x.recs[len(x.recs)-1].cie == isEnd
}

func (x *frameSection) size() (n uint64) {
	for i, k := range x.keep {
		if k {
			n += x.recs[i].out
		}
	}
	return n
}

// rewrite makes the new contents.
func (x *frameSection) rewrite() {
	sec := x.sec
	data := make([]byte, 0, x.size()+x.pad)
	relocs := make([]model.Reloc, 0, len(sec.Relocs))
	moved := make([]uint64, len(x.recs))
	for i := range x.recs {
		r := &x.recs[i]
		off := uint64(len(data))
		moved[i] = off
		if !x.keep[i] {
			continue
		}
		if r.cie == isCIE {
			x.cies[i].off = off
		} else if r.cie >= 0 {
			f := fde{off: off, rel: -1, cie: x.cies[r.cie]}
			if k := x.begin(r); k >= 0 {
				f.rel = len(relocs) + k - r.rel
			}
			x.fdes = append(x.fdes, f)
		}
		data = append(data, sec.Data[r.off:r.off+r.out]...)
		if r.cie != isEnd {
			sec.Obj.Order.PutUint32(data[off:], uint32(r.out-4))
		}
		for _, rel := range sec.Relocs[r.rel : r.rel+r.nrel] {
			rel.Off = rel.Off - r.off + off
			relocs = append(relocs, rel)
		}
		if x.pad != 0 && x.isLast(i) {
			o := sec.Obj.Order
			o.PutUint32(data[off:], o.Uint32(data[off:])+uint32(x.pad))
			data = append(data, make([]byte, x.pad)...)
		}
	}
	for _, sym := range sec.Obj.Symbols {
		if sym != nil && sym.Sec == sec && sym.Type != elf.STT_SECTION {
			sym.Value = x.move(sym.Value, moved, uint64(len(data)))
		}
	}
	sec.Data, sec.Size, sec.Relocs, sec.Synth = data, uint64(len(data)), relocs, x
}

// isLast says whether no record after i is kept.
func (x *frameSection) isLast(i int) bool {
	for _, k := range x.keep[i+1:] {
		if k {
			return false
		}
	}
	return true
}

// move is where a byte of the old contents is.
func (x *frameSection) move(off uint64, moved []uint64, end uint64) uint64 {
	for i := range x.recs {
		if r := &x.recs[i]; off >= r.off && off < r.off+r.size {
			if x.keep[i] {
				return moved[i] + off - r.off
			}
			return moved[i]
		}
	}
	return end
}

// Write copies and relocates the records, and points each FDE to its CIE.
func (x *frameSection) Write(e *model.Env, sec *model.Section, b []byte) {
	copy(b, sec.Data)
	e.Target.Relocate(e, sec, b)
	for i := range x.fdes {
		f := &x.fdes[i]
		field := f.off + 4
		e.Order.PutUint32(b[field:], uint32(sec.Off+field-f.cie.sec.Off-f.cie.off))
	}
}
