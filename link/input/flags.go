package input

import (
	"debug/elf"
	"fmt"

	"elfwright/link/model"
)

// Of e_flags (AAELF32, "ELF Header"; RISC-V ELF psABI, "File Header").
const (
	armVersion = 0xff000000 // EF_ARM_EABIMASK
	armSoft    = 0x200      // EF_ARM_ABI_FLOAT_SOFT
	armHard    = 0x400      // EF_ARM_ABI_FLOAT_HARD
	armBE8     = 0x00800000

	riscvRVC   = 0x1
	riscvFloat = 0x6 // the floating-point ABI
	riscvRVE   = 0x8
	riscvTSO   = 0x10
)

// mergeFlags are the e_flags of the output. Objects whose calling conventions do
// not fit together are refused.
func (l *loader) mergeFlags() {
	var first *object
	for _, o := range l.set.objs {
		if o.elf == nil || o.JustSymbols || !o.hasCode() {
			continue
		}
		if first == nil {
			first = o
			l.set.Flags = o.Flags
			continue
		}
		if msg := l.mergeFlagsOf(o); msg != "" {
			l.rep.Error(fmt.Errorf("%s: e_flags %#x: %s, but %s has e_flags %#x", o.File, o.Flags, msg, first.File, first.Flags))
		}
	}
	if first == nil {
		for _, o := range l.set.objs {
			if o.elf != nil && !o.JustSymbols {
				l.set.Flags = o.Flags
				break
			}
		}
	}
	if l.opt.BE8 {
		l.set.Flags |= armBE8
	}
}

// hasCode says whether an object has anything to execute: one of data alone fits
// to all.
func (o *object) hasCode() bool {
	for _, s := range o.Sections {
		if s != nil && s.Flags&elf.SHF_EXECINSTR != 0 && s.Size > 0 {
			return true
		}
	}
	return false
}

func (l *loader) mergeFlagsOf(o *object) string {
	old, got := l.set.Flags, o.Flags
	switch o.Machine {
	case elf.EM_ARM:
		if old&armVersion != got&armVersion {
			return fmt.Sprintf("EABI version %d", got>>24)
		}
		const float = armSoft | armHard
		if old&float != 0 && got&float != 0 && old&float != got&float {
			return "another floating-point ABI"
		}
		l.set.Flags |= got & float
	case elf.EM_RISCV:
		if old&riscvFloat != got&riscvFloat {
			return "another floating-point ABI"
		}
		if old&riscvRVE != got&riscvRVE {
			return "RVE and not RVE"
		}
		l.set.Flags |= got & (riscvRVC | riscvTSO)
	default:
		l.set.Flags |= got
	}
	return ""
}

// attributeSections are the sections in which objects describe what they were
// built for.
func isAttributes(s *model.Section) bool {
	const shtAttributes = elf.SectionType(0x70000003) // SHT_ARM_ATTRIBUTES, SHT_RISCV_ATTRIBUTES
	return s.Type == shtAttributes && (s.Obj.Machine == elf.EM_ARM || s.Obj.Machine == elf.EM_RISCV)
}

// attributes keeps the first description of what objects were built for, for the
// output has one.
func (l *loader) attributes() {
	if l.opt.Relocatable && len(l.set.objs) < 2 {
		return
	}
	seen := false
	for _, o := range l.set.objs {
		for _, s := range o.Sections {
			if s == nil || !s.Live || !isAttributes(s) {
				continue
			}
			if seen {
				s.Live, s.Dropped = false, model.Duplicate
			}
			seen = true
		}
	}
}
