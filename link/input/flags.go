package input

import (
	"debug/elf"
	"fmt"
)

// e_flags (ELF for the Arm Architecture, section 4.1; RISC-V psABI, "File Header").
const (
	armVersionMask = 0xff000000
	armVersion5    = 0x05000000
	armHardFloat   = 0x400
	armSoftFloat   = 0x200

	riscvRVC       = 0x1
	riscvFloatMask = 0x6
	riscvRVE       = 0x8
	riscvTSO       = 0x10
)

// mergeFlags merges the attributes and e_flags of all objects: the output's are
// those that suit them all.
func (l *loader) mergeFlags() {
	w := l.files.want
	if w == nil {
		return
	}
	switch w.machine {
	case elf.EM_ARM:
		l.set.Flags = l.mergeEach(mergeArmFlags)
		attrs := l.mergeAttributes(armAttrs)
		if l.set.Flags&armVersionMask == armVersion5 && !l.opt.Relocatable {
			l.set.Flags &^= armHardFloat | armSoftFloat
			if attrs.num(armVFPArgs) == armVFPArgsRegs {
				l.set.Flags |= armHardFloat
			} else {
				l.set.Flags |= armSoftFloat
			}
		}
	case elf.EM_RISCV:
		l.set.Flags = l.mergeEach(mergeRiscvFlags)
		l.mergeAttributes(riscvAttrs)
	default:
		l.set.Flags = l.mergeEach(func(out, in uint32) (uint32, string) { return out | in, "" })
	}
}

// mergeEach merges the flags of the objects that have code; where there is none,
// those of the first. merge says what does not go together.
func (l *loader) mergeEach(merge func(out, in uint32) (uint32, string)) uint32 {
	var out uint32
	var first, any *object
	for _, o := range l.objects {
		if o.elf == nil {
			continue
		}
		if any == nil {
			any = o
		}
		if first != nil && o.Flags == out || !o.hasCode() {
			continue // equal ones say nothing new
		}
		if first == nil {
			first, out = o, o.Flags
			continue
		}
		sum, fault := merge(out, o.Flags)
		if fault != "" {
			l.rep.Error(fmt.Errorf("%s: %s (e_flags %#x), unlike %s (%#x); they can not be linked together", o.File, fault, o.Flags, first.File, first.Flags))
			continue
		}
		out = sum
	}
	if first == nil && any != nil {
		return any.Flags
	}
	return out
}

// hasCode says whether an object has a section of code, even an empty one: flags
// of data alone do not matter.
func (o *object) hasCode() bool {
	for _, s := range o.Sections {
		if s != nil && s.Flags&(elf.SHF_ALLOC|elf.SHF_EXECINSTR) == elf.SHF_ALLOC|elf.SHF_EXECINSTR && s.Type != elf.SHT_NOBITS {
			return true
		}
	}
	return false
}

func mergeArmFlags(out, in uint32) (uint32, string) {
	if (out^in)&armVersionMask != 0 {
		return out, fmt.Sprintf("is of version %d of the Arm EABI", in>>24)
	}
	if in&armVersionMask == 0 && in != out {
		return out, "is of before the Arm EABI, with other flags"
	}
	return out, ""
}

func mergeRiscvFlags(out, in uint32) (uint32, string) {
	floats := []string{"in integer registers", "in single-precision registers", "in double-precision registers", "in quad-precision registers"}
	switch diff := out ^ in; {
	case diff&riscvFloatMask != 0:
		return out, "passes floating point arguments " + floats[in&riscvFloatMask>>1]
	case diff&riscvRVE != 0:
		return out, "is of the RVE ABI or not"
	}
	return out | in&(riscvRVC|riscvTSO), ""
}
