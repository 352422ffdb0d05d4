package synth

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// createSymbols defines what no object defines and programs may refer to.
func (s *Set) createSymbols() {
	e := s.env
	s.define("_GLOBAL_OFFSET_TABLE_", s.base(), e.PIC())
	if s.dynamic != nil {
		s.define("_DYNAMIC", s.dynamic, true)
	}
	if s.ehHdr != nil {
		s.define("__GNU_EH_FRAME_HDR", s.ehHdr, true)
		if sym := e.Table.Get("__GNU_EH_FRAME_HDR"); sym.Sec == s.ehHdr {
			sym.Type = elf.STT_NOTYPE
		}
	}
	s.createTLSBase()
	if e.Opt.Shared {
		s.nameVersions()
	}
	if sym := s.wanted("__ehdr_start"); sym != nil {
		s.ehdr, s.ehdrWeak = sym, sym.Weak()
		set(sym, nil)
		sym.Out = &model.Output{} // until there are segments: an address, no number
		sym.Obj = s.Object
		s.Object.Symbols = append(s.Object.Symbols, sym)
	}
}

// nameVersions makes an absolute symbol of each version, as GNU ld does.
func (s *Set) nameVersions() {
	for _, name := range s.versions() {
		if s.env.Table.Get(name) != nil {
			continue
		}
		sym := s.env.Table.Intern(name)
		set(sym, nil)
		sym.Obj, sym.Type, sym.Bind = s.Object, elf.STT_OBJECT, elf.STB_GLOBAL
		sym.Version, sym.Default, sym.Noded, sym.Exported = name, true, true, true
		s.Object.Symbols = append(s.Object.Symbols, sym)
	}
}

// wanted returns a symbol that is referred to and that nothing defines.
func (s *Set) wanted(name string) *model.Symbol {
	if sym := s.env.Table.Get(name); sym != nil && sym.State != model.Defined && sym.State != model.Common {
		return sym
	}
	return nil
}

// define makes a symbol at the start of a section, local in the output, if it is
// wanted or, with always, not there.
func (s *Set) define(name string, sec *model.Section, always bool) {
	sym := s.wanted(name)
	if sym == nil {
		if !always || s.env.Table.Get(name) != nil {
			return
		}
		sym = s.env.Table.Intern(name)
	} else {
		sym.Used = true
	}
	set(sym, sec)
	sym.Obj, sym.Type = s.Object, elf.STT_OBJECT
	s.Object.Symbols = append(s.Object.Symbols, sym)
}

func set(sym *model.Symbol, sec *model.Section) {
	sym.State, sym.Sec, sym.Value = model.Defined, sec, 0
	sym.Bind, sym.Vis = elf.STB_LOCAL, elf.STV_DEFAULT
	sym.Exported, sym.Preempt = false, false
}

// placeHeaders gives __ehdr_start the address of the ELF header, if a segment
// loads it. Else it is undefined, as in GNU ld: 0 where it is weak.
func (s *Set) placeHeaders(segs []*model.Segment) {
	if s.ehdr == nil {
		return
	}
	for _, x := range segs {
		if x.Type == elf.PT_LOAD && x.Off == 0 && x.Filesz != 0 && len(s.env.Outputs) != 0 {
			s.ehdr.Out = s.env.Outputs[0] // the segment itself may have no section
			if len(x.Sections) != 0 {
				s.ehdr.Out = x.Sections[0]
			}
			s.ehdr.Value = x.Vaddr - s.ehdr.Out.Addr
			return
		}
	}
	if !s.ehdrWeak {
		s.env.Report.Error(fmt.Errorf("undefined symbol __ehdr_start: no PT_LOAD segment has the ELF header"))
	}
}
