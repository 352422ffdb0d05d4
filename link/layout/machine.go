package layout

import (
	"debug/elf"

	"elfwright/link/emul"
	"elfwright/link/model"
)

// machineFacts is what layout has to know of a machine, as GNU ld 2.40 has it for
// the emulations of Debian.
type machineFacts struct {
	machine      elf.Machine
	maxPage      uint64
	commonPage   uint64
	lldPage      uint64 // the largest page as lld has it
	separateCode bool   // -z separate-code is the default
	relro        bool   // -z relro is the default
	execStack    bool   // an object without .note.GNU-stack needs an executable stack
}

var machines = []machineFacts{
	{elf.EM_X86_64, 0x1000, 0x1000, 0x1000, true, true, true},
	{elf.EM_386, 0x1000, 0x1000, 0x1000, true, true, true},
	{elf.EM_AARCH64, 0x10000, 0x1000, 0x10000, false, true, false},
	{elf.EM_ARM, 0x1000, 0x1000, 0x10000, false, true, true},
	{elf.EM_RISCV, 0x1000, 0x1000, 0x1000, false, true, false},
}

// makesEmpty says whether GNU ld makes sections of its own that stay empty, as a
// GOT: for x86 in any case, for others when the first relocation asks for one.
func (m *machineFacts) makesEmpty() bool {
	return m.machine == elf.EM_X86_64 || m.machine == elf.EM_386
}

// setMachine takes the machine from the first object.
func (s *Script) setMachine(env *model.Env) {
	m := elf.EM_X86_64
	for _, o := range env.Objects {
		if !o.Linker {
			m = o.Machine
			break
		}
	}
	s.machine = machineFacts{maxPage: 0x1000, commonPage: 0x1000, lldPage: 0x1000}
	for _, f := range machines {
		if f.machine == m {
			s.machine = f
		}
	}
	if e := emul.ByName(s.opt.Emulation); e != nil && e.Bare {
		s.machine.relro = false
	}
	s.class = env.Class
	s.maxPage, s.commonPage = s.machine.maxPage, s.machine.commonPage
	if s.lldRules.pages {
		s.maxPage = s.machine.lldPage
	}
	if p := s.opt.MaxPageSize; p != 0 {
		s.maxPage = p
		s.commonPage = min(s.commonPage, p)
	}
	if p := s.opt.CommonPageSize; p != 0 {
		s.commonPage = min(p, s.maxPage)
	}
}

func (s *Script) ehdrSize() uint64 {
	if s.class == 32 {
		return 52
	}
	return 64
}

func (s *Script) phdrSize() uint64 {
	if s.class == 32 {
		return 32
	}
	return 56
}

// paged says whether the file is laid out to be mapped page by page.
func (s *Script) paged() bool { return !s.opt.NMagic && !s.opt.OMagic && !s.opt.Relocatable }

func (s *Script) separateCode() bool {
	if s.opt.SeparateCode != nil {
		return *s.opt.SeparateCode
	}
	return s.machine.separateCode && s.paged()
}
