package plan

import (
	"fmt"

	"elfwright/image"
)

// AuxTag is the type of an entry of the auxiliary vector.
type AuxTag uint64

// The types that a plan knows a value for (include/uapi/linux/auxvec.h).
const (
	AtNull        AuxTag = 0
	AtIgnore      AuxTag = 1
	AtPhdr        AuxTag = 3
	AtPhent       AuxTag = 4
	AtPhnum       AuxTag = 5
	AtPagesz      AuxTag = 6
	AtBase        AuxTag = 7
	AtFlags       AuxTag = 8
	AtEntry       AuxTag = 9
	AtUID         AuxTag = 11
	AtEUID        AuxTag = 12
	AtGID         AuxTag = 13
	AtEGID        AuxTag = 14
	AtPlatform    AuxTag = 15
	AtHwcap       AuxTag = 16
	AtClktck      AuxTag = 17
	AtSecure      AuxTag = 23
	AtRandom      AuxTag = 25
	AtHwcap2      AuxTag = 26
	AtRseqSize    AuxTag = 27
	AtRseqAlign   AuxTag = 28
	AtExecfn      AuxTag = 31
	AtSysinfo     AuxTag = 32
	AtSysinfoEhdr AuxTag = 33
	AtMinsigstksz AuxTag = 51
	clockTick            = 100
	rseqSize             = 28 // offsetof(struct rseq, end)
	rseqAlign            = 32
	randomBytes          = 16
)

var auxNames = map[AuxTag]string{
	0: "AT_NULL", 1: "AT_IGNORE", 2: "AT_EXECFD", 3: "AT_PHDR", 4: "AT_PHENT", 5: "AT_PHNUM", 6: "AT_PAGESZ", 7: "AT_BASE",
	8: "AT_FLAGS", 9: "AT_ENTRY", 11: "AT_UID", 12: "AT_EUID", 13: "AT_GID", 14: "AT_EGID", 15: "AT_PLATFORM",
	16: "AT_HWCAP", 17: "AT_CLKTCK", 23: "AT_SECURE", 24: "AT_BASE_PLATFORM", 25: "AT_RANDOM", 26: "AT_HWCAP2",
	27: "AT_RSEQ_FEATURE_SIZE", 28: "AT_RSEQ_ALIGN", 29: "AT_HWCAP3", 30: "AT_HWCAP4", 31: "AT_EXECFN",
	32: "AT_SYSINFO", 33: "AT_SYSINFO_EHDR", 40: "AT_L1I_CACHESIZE", 41: "AT_L1I_CACHEGEOMETRY", 42: "AT_L1D_CACHESIZE",
	43: "AT_L1D_CACHEGEOMETRY", 44: "AT_L2_CACHESIZE", 45: "AT_L2_CACHEGEOMETRY", 46: "AT_L3_CACHESIZE",
	47: "AT_L3_CACHEGEOMETRY", 51: "AT_MINSIGSTKSZ",
}

// String prints "AT_PHDR".
func (t AuxTag) String() string {
	if s, ok := auxNames[t]; ok {
		return s
	}
	return fmt.Sprintf("AT_%d", uint64(t))
}

// Aux is an entry of the auxiliary vector. Known is false where the value is
// the processor's or the user's and was not given.
type Aux struct {
	Tag   AuxTag
	Value uint64
	Known bool
}

// auxBase is what every machine has, in the order of create_elf_tables. What
// comes first is the machine's (ARCH_DLINFO).
func auxOrder(first ...AuxTag) []AuxTag {
	return append(first, AtHwcap, AtPagesz, AtClktck, AtPhdr, AtPhent, AtPhnum, AtBase, AtFlags, AtEntry,
		AtUID, AtEUID, AtGID, AtEGID, AtSecure, AtRandom, AtHwcap2, AtExecfn, AtPlatform, AtRseqSize, AtRseqAlign, AtNull)
}

var (
	auxX86   = auxOrder(AtSysinfoEhdr, AtMinsigstksz)
	auxI386  = auxOrder(AtSysinfo, AtSysinfoEhdr, AtMinsigstksz)
	auxA64   = auxOrder(AtSysinfoEhdr, AtMinsigstksz)
	auxArm   = auxOrder(AtSysinfoEhdr)
	auxRISCV = auxOrder(AtSysinfoEhdr, 40, 41, 42, 43, 44, 45, 46, 47, AtMinsigstksz)
)

// auxTags is the auxiliary vector's order on a host: as measured there, or as
// its version has it.
func (e *execve) auxTags() []AuxTag {
	if e.host.AuxOrder != nil {
		return e.host.AuxOrder
	}
	var out []AuxTag
	for _, t := range e.abi.Aux {
		x86 := e.abi.Kernel == x86Kernel || e.abi.Kernel == i386Kernel
		switch {
		case t == AtMinsigstksz && x86 && !e.has(changeSigFrame),
			(t == AtRseqSize || t == AtRseqAlign) && !e.has(changeRseq),
			t == AtHwcap2 && e.abi.Kernel == riscvKernel,
			t == AtPlatform && e.abi.Platform == "":
			continue
		}
		out = append(out, t)
	}
	return out
}

// auxValue is an entry of the auxiliary vector (NEW_AUX_ENT of
// create_elf_tables).
func (e *execve) auxValue(t AuxTag) Aux {
	p := &e.out
	known := map[AuxTag]image.Addr{
		AtNull: 0, AtIgnore: 0, AtFlags: 0, AtClktck: clockTick,
		AtPhdr: p.Phdr, AtPhent: image.Addr(e.abi.Phent()), AtPhnum: image.Addr(e.prog.Header.Phnum),
		AtPagesz: image.Addr(e.auxPage()), AtBase: p.InterpBias, AtEntry: p.ProgramEntry,
		AtRandom: p.Stack.Random, AtExecfn: p.Stack.Execfn, AtPlatform: p.Stack.Platform,
		AtSysinfoEhdr: p.VDSO, AtRseqSize: rseqSize, AtRseqAlign: rseqAlign,
	}
	if v, ok := e.host.Aux[t]; ok {
		return Aux{t, v, true}
	}
	if v, ok := known[t]; ok {
		return Aux{t, e.sum(uint64(v), 0), true}
	}
	return Aux{Tag: t}
}

// auxPage is AT_PAGESZ: ELF_EXEC_PAGESIZE.
func (e *execve) auxPage() uint64 { return e.page }
