package arm

import (
	"debug/elf"
	"sync"

	"elfwright/link/model"
	"elfwright/machine"
)

// kind is what a relocation type asks for.
type kind uint8

const (
	kUnknown kind = iota
	kNone
	kRuntime // for loaders only
	kWord    // an address that a loader can put right
	kAbs     // a part of an address
	kPC      // a distance
	kBranch  // a branch
	kGOT     // a GOT entry's address
	kGOTBase // an address relative to the GOT, or the GOT's own
	kBase    // relative to the static base
	kGD      // TLS: two GOT entries
	kLD      // those of this module
	kLDO     // an offset in the block of this module
	kIE      // a GOT entry with the offset from the thread pointer
	kLE      // the offset from the thread pointer
	kDesc    // a descriptor's GOT entry
	kDescSeq // instructions of a descriptor's sequence
	kV4BX
)

// Types that are asked for by number (AAELF32, "Relocation codes table").
const (
	rPC24, rAbs32, rRel32        = 1, 2, 3
	rThmCall, rRelative          = 10, 23
	rPLT32, rCall, rJump24       = 27, 28, 29
	rThmJump24, rTarget1, rV4BX  = 30, 38, 40
	rTarget2, rThmJump19         = 41, 51
	rThmJump11, rThmJump8        = 102, 103
	rGOTPrel, rIRelative, rTypes = 96, 160, 256
	rTLSDesc, rTLSCall           = 90, 91
	rThmTLSCall, rIE32           = 93, 107
	rTLSLE32, rTLSDescSeq        = 108, 92
	rThmDescSeq16, rThmDescSeq32 = 129, 130
)

var kinds = makeKinds()

func makeKinds() (k [rTypes]kind) {
	set := func(to kind, types ...int) {
		for _, t := range types {
			k[t] = to
		}
	}
	set(kNone, 0, 100, 101)
	set(kRuntime, 13, 17, 18, 19, 20, 21, 22, 23, 160)
	set(kWord, rAbs32, rTarget1)
	set(kAbs, 5, 6, 7, 8, 43, 44, 47, 48, 55, 132, 133, 134, 135)
	set(kPC, rRel32, 4, 11, 42, 45, 46, 49, 50, 52, 53, 54, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69)
	set(kBranch, rPC24, rThmCall, rPLT32, rCall, rJump24, rThmJump24, rThmJump19, rThmJump11, rThmJump8, 136, 137, 138)
	set(kGOT, 26, rGOTPrel, 95, 97, 131, rTarget2)
	set(kGOTBase, 24, 25, 31, 98)
	set(kBase, 9, 35, 36, 37, 39, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89)
	set(kGD, 104)
	set(kLD, 105)
	set(kLDO, 106, 109)
	set(kIE, 107, 111)
	set(kLE, 108, 110)
	set(kDesc, rTLSDesc)
	set(kDescSeq, rTLSCall, rTLSDescSeq, rThmTLSCall, rThmDescSeq16, rThmDescSeq32)
	set(kV4BX, rV4BX)
	return k
}

// target is the machine in one link.
type target struct {
	m        *machine.Machine
	rows     [rTypes]*machine.Reloc
	arch     arch
	archOnce sync.Once

	veneers
}

// New returns the target for arm.Machine, nil for another. It is for one link.
func New(m *machine.Machine) model.Target {
	if m.ELF != elf.EM_ARM {
		return nil
	}
	t := &target{m: m}
	for i := range t.rows {
		t.rows[i] = m.Relocs.Lookup(uint32(i))
	}
	return t
}

func (t *target) Machine() *machine.Machine { return t.m }

// attributes finds out what the objects were built for.
func (t *target) attributes(e *model.Env) {
	t.archOnce.Do(func() {
		t.arch = readArch(e.Objects)
		t.arch.useBLX, t.arch.early = e.Opt.UseBLX, e.Opt.NoFixARM1176
	})
}

// kind is that of a type, as the options have it for the two whose meaning a
// platform chooses.
func (t *target) kind(e *model.Env, typ uint32) kind {
	switch {
	case typ >= rTypes:
		return kUnknown
	case typ == rTarget1 && e.Opt.Target1Rel, typ == rTarget2 && e.Opt.Target2 == "rel":
		return kPC
	case typ == rTarget2 && e.Opt.Target2 == "abs":
		return kWord
	}
	return kinds[typ]
}

// row is that of the type that a platform's type stands for.
func (t *target) row(e *model.Env, typ uint32) *machine.Reloc {
	switch typ {
	case rTarget1:
		if e.Opt.Target1Rel {
			return t.rows[rRel32]
		}
		return t.rows[rAbs32]
	case rTarget2:
		switch e.Opt.Target2 {
		case "rel":
			return t.rows[rRel32]
		case "abs":
			return t.rows[rAbs32]
		}
		return t.rows[rGOTPrel]
	}
	return t.rows[typ]
}
