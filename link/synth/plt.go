package synth

import (
	"debug/elf"

	"elfwright/link/model"
)

// The procedure linkage: .plt with slots in .got.plt for functions that another
// object may define, .iplt with slots in .igot.plt for indirect functions of this
// link, which are resolved when the program starts.

func (s *Set) createPLT() {
	// Without entries they are not to align the output section that takes them.
	code := func(name string, w func([]byte)) *model.Section {
		return s.add(name, elf.SHT_PROGBITS, allocExec, 1, 0, writer(w))
	}
	s.plt = code(".plt", s.writePLT)
	if !s.env.PIC() {
		drop(s.plt) // so that no orphan finds its place by it
	}
	s.iplt = code(".iplt", s.writeIPLT)
	s.env.SecPLT, s.env.SecIPLT = s.plt, s.iplt
	if x := s.Object.Machine; s.env.PIC() && (x == elf.EM_X86_64 || x == elf.EM_386) {
		// GNU ld says here how to unwind through .plt. Empty it still keeps and
		// aligns an output section of the name.
		s.add(".eh_frame", elf.SHT_PROGBITS, allocRead, s.word, 0, writer(func([]byte) {}))
	}
}

// sizePLT gives the entries their places.
func (s *Set) sizePLT() {
	p := s.env.Target.PLT(s.env)
	if len(s.plts) != 0 {
		s.plt.Size, s.plt.Align = p.Header, max(p.Align, 1)
	}
	if len(s.iplts) != 0 {
		s.iplt.Align = max(p.Align, 1)
	}
	for _, sym := range s.plts {
		sym.Aux.PLT, sym.Aux.GOTPLT = int64(s.plt.Size), int64(s.gotplt.Size)
		s.plt.Size += p.Entry
		s.gotplt.Size += s.word
	}
	if s.env.NeedTLSCall.Get() {
		s.plt.Align, s.env.TLSCallOff = max(p.Align, 1), s.plt.Size
		s.plt.Size += p.TLSCall
	}
	for _, sym := range s.iplts {
		sym.Aux.PLT, sym.Aux.GOTPLT = int64(s.iplt.Size), int64(s.igotplt.Size)
		s.iplt.Size += iEntry(&p)
		s.igotplt.Size += s.word
	}
	n := s.relSize()
	s.relaplt.Size = uint64(len(s.plts)) * n
	s.relaiplt.Size = uint64(len(s.iplts)) * n
	for _, r := range []*model.Section{s.relaplt, s.relaiplt} {
		if r.Size != 0 {
			r.Align = s.word
		}
	}
}

// iEntry is the size of an entry of .iplt.
func iEntry(p *model.PLT) uint64 {
	if p.IEntry != 0 {
		return p.IEntry
	}
	return p.Entry
}

func (s *Set) ipltAddr(sym *model.Symbol) uint64 {
	return s.iplt.Addr(uint64(sym.Aux.PLT)) | s.env.Target.PLT(s.env).State
}

func (s *Set) writePLT(b []byte) {
	e := s.env
	p := e.Target.PLT(e)
	base := s.gotplt.Addr(0)
	if len(s.plts) != 0 && p.Header != 0 {
		p.WriteHeader(e, b[:p.Header], s.plt.Addr(0), base)
	}
	for i, sym := range s.plts {
		at := uint64(sym.Aux.PLT)
		p.WriteEntry(e, b[at:at+p.Entry], s.plt.Addr(at), s.gotplt.Addr(uint64(sym.Aux.GOTPLT)), i)
	}
	if e.NeedTLSCall.Get() {
		p.WriteTLSCall(e, b[e.TLSCallOff:][:p.TLSCall])
	}
}

func (s *Set) writeIPLT(b []byte) {
	e := s.env
	p := e.Target.PLT(e)
	write := p.WriteEntry
	if p.IEntry != 0 {
		write = p.WriteIEntry
	}
	for i, sym := range s.iplts {
		at := uint64(sym.Aux.PLT)
		write(e, b[at:at+iEntry(&p)], s.iplt.Addr(at), s.igotplt.Addr(uint64(sym.Aux.GOTPLT)), len(s.plts)+i)
	}
}

// pltSlots is the size of the reserved words of .got.plt.
func (s *Set) pltSlots() uint64 { return s.gotplt.Size - uint64(len(s.plts))*s.word }

// writePLTSlots makes the slots lead to where the dynamic linker is called: on
// x86 behind the entry's jump, elsewhere to the header.
func (s *Set) writePLTSlots(b []byte) {
	lazy := s.env.Target.PLT(s.env).Lazy
	for _, sym := range s.plts {
		to := s.plt.Addr(0)
		if lazy != 0 {
			to = s.plt.Addr(uint64(sym.Aux.PLT) + lazy)
		}
		s.putWord(b[sym.Aux.GOTPLT:], to)
	}
}

// writeIGOTPLT holds, where relocations are REL, the resolvers' addresses, which
// are their addends.
func (s *Set) writeIGOTPLT(b []byte) {
	for _, sym := range s.iplts {
		s.putAddend(b[sym.Aux.GOTPLT:], value(sym))
	}
}
