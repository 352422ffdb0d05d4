package riscv

import (
	"debug/elf"

	"elfwright/link/model"
	"elfwright/machine"
)

// kind is what a relocation type asks for.
type kind uint8

const (
	kUnknown kind = iota
	kNone
	kRuntime // for loaders only
	kWord    // an address as wide as addresses are
	kNarrow  // an address in fewer bits
	kAbs     // a part of an address in an instruction
	kPC      // a distance
	kJump    // a distance to a function, perhaps by the PLT
	kCall    // the same, in auipc and jalr
	kPCHi    // the high part of a distance
	kPCLo    // the low part of what a label's relocation has the high part of
	kGOT     // where the GOT entry is
	kMath    // a difference, with what the place holds
	kULEB    // a difference as ULEB128, in pairs
	kAlign
	kIE // TLS: a GOT entry with the offset from the thread pointer
	kGD // a pair of GOT entries
	kLE // the offset from the thread pointer
	kLEAdd
	kDesc // the high part of where the descriptor is
	kDescLo
	kDescCall
)

// Types that are asked for by number (RISC-V ELF psABI, "Relocations").
const (
	r64            = 2
	rRelative      = 3
	rJAL           = 17
	rCall          = 18
	rCallPLT       = 19
	rGOTHi20       = 20
	rTLSGOTHi20    = 21
	rTLSGDHi20     = 22
	rPCRelHi20     = 23
	rPCRelLo12I    = 24
	rPCRelLo12S    = 25
	rHi20          = 26
	rLo12I         = 27
	rLo12S         = 28
	rTPRelHi20     = 29
	rTPRelLo12I    = 30
	rTPRelLo12S    = 31
	rTPRelAdd      = 32
	rAlign         = 43
	rRVCJump       = 45
	rRelax         = 51
	rIRelative     = 58
	rSetULEB128    = 60
	rSubULEB128    = 61
	rTLSDescHi20   = 62
	rTLSDescLoad   = 63
	rTLSDescAdd    = 64
	rTLSDescCall   = 65
	rVendor        = 191
	typesOfThePABI = 66
)

var kinds = [typesOfThePABI]kind{
	0: kNone, 1: kWord, 2: kWord, 3: kRuntime, 4: kRuntime, 5: kRuntime, 6: kRuntime, 7: kRuntime, 8: kRuntime,
	9: kRuntime, 10: kRuntime, 11: kRuntime, 12: kRuntime, 58: kRuntime,
	16: kPC, rJAL: kJump, rCall: kCall, rCallPLT: kCall, rGOTHi20: kGOT, rTLSGOTHi20: kIE, rTLSGDHi20: kGD,
	rPCRelHi20: kPCHi, rPCRelLo12I: kPCLo, rPCRelLo12S: kPCLo, rHi20: kAbs, rLo12I: kAbs, rLo12S: kAbs,
	rTPRelHi20: kLE, rTPRelLo12I: kLE, rTPRelLo12S: kLE, rTPRelAdd: kLEAdd,
	33: kMath, 34: kMath, 35: kMath, 36: kMath, 37: kMath, 38: kMath, 39: kMath, 40: kMath, 41: kGOT,
	rAlign: kAlign, 44: kPC, rRVCJump: kJump, rRelax: kNone, 52: kMath, 53: kMath, 54: kMath, 55: kMath, 56: kMath,
	57: kPC, 59: kJump, rSetULEB128: kULEB, rSubULEB128: kULEB,
	rTLSDescHi20: kDesc, rTLSDescLoad: kDescLo, rTLSDescAdd: kDescLo, rTLSDescCall: kDescCall,
}

// target is one of the two machines, in one link.
type target struct {
	m    *machine.Machine
	wide bool // 64 bits
	rows [typesOfThePABI]*machine.Reloc

	relax relaxing
}

// New returns the target for riscv64.Machine or riscv64.RV32, nil for another. It
// is for one link.
func New(m *machine.Machine) model.Target {
	if m.ELF != elf.EM_RISCV {
		return nil
	}
	t := &target{m: m, wide: m.Class == elf.ELFCLASS64}
	for i := range t.rows {
		t.rows[i] = m.Relocs.Lookup(uint32(i))
	}
	return t
}

func (t *target) Machine() *machine.Machine { return t.m }

func (t *target) kind(typ uint32) kind {
	if typ >= typesOfThePABI {
		if typ == rVendor {
			return kNone // the one after it has a type that is not known
		}
		return kUnknown
	}
	k := kinds[typ]
	if k == kWord && (typ == r64) != t.wide {
		return kNarrow
	}
	return k
}

// reduce takes an address modulo the size of the address space.
func (t *target) reduce(x uint64) uint64 {
	if t.wide {
		return x
	}
	return uint64(uint32(x))
}
