package synth

import (
	"debug/elf"

	"elfwright/link/model"
)

// createTLSBase defines _TLS_MODULE_BASE_, the start of the module's TLS block, to
// which TLS descriptors of the local dynamic model refer. For AArch64 and Arm GNU
// ld has it wherever there is anything thread-local.
func (s *Set) createTLSBase() {
	const name = "_TLS_MODULE_BASE_"
	e := s.env
	sym := s.wanted(name)
	m := e.Target.Machine().ELF
	always := (m == elf.EM_AARCH64 || m == elf.EM_ARM) && e.Table.Get(name) == nil
	if sym == nil && !always || !hasTLS(e) {
		return
	}
	if sym == nil {
		sym = e.Table.Intern(name)
	}
	set(sym, nil)
	sym.Obj, sym.Type = s.Object, elf.STT_TLS
	s.Object.Symbols = append(s.Object.Symbols, sym)
	s.tlsBase = sym
}

func hasTLS(e *model.Env) bool {
	for _, o := range e.Objects {
		for _, sec := range o.Sections {
			if sec != nil && sec.Live && sec.Flags&elf.SHF_TLS != 0 {
				return true
			}
		}
	}
	return false
}

// placeTLSBase puts it into the first output section that is thread-local. In a
// program for x86 it is where the thread pointer is: offsets from the block become
// offsets from that.
func (s *Set) placeTLSBase() {
	if s.tlsBase == nil {
		return
	}
	s.tlsBase.Out = nil
	for _, out := range s.env.Outputs {
		if out.Flags&elf.SHF_TLS != 0 {
			s.tlsBase.Out, s.tlsBase.Value = out, 0
			if m := s.env.Target.Machine().ELF; (m == elf.EM_X86_64 || m == elf.EM_386) && !s.env.Opt.Shared {
				s.tlsBase.Value = s.env.TLSStart - uint64(s.env.TPOff(s.env.TLSStart)) - out.Addr
			}
			return
		}
	}
}
