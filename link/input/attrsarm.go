package input

import "fmt"

// Tags of Arm (Addenda to the ABI for the Arm Architecture, "Build attributes").
const (
	armCPURawName      = 4
	armCPUName         = 5
	armCPUArch         = 6
	armCPUProfile      = 7
	armFPArch          = 10
	armPCSConfig       = 13
	armR9Use           = 14
	armRWData          = 15
	armROData          = 16
	armGOTUse          = 17
	armWchar           = 18
	armFPDenormal      = 20
	armFPModel         = 23
	armAlignNeeded     = 24
	armAlignPreserved  = 25
	armEnumSize        = 26
	armHardFPUse       = 27
	armVFPArgs         = 28
	armWMMXArgs        = 29
	armGoals           = 30
	armFPGoals         = 31
	armFP16Format      = 38
	armMPUse           = 42
	armDIVUse          = 44
	armDSP             = 46
	armNodefaults      = 64
	armAlsoCompatible  = 65
	armConformance     = 67
	armVirtualization  = 68
	armMPUseLegacy     = 70
	armVFPArgsAny      = 3 // of Tag_ABI_VFP_args: compatible with both
	armVFPArgsRegs     = 1
	armEnumUnused      = 0
	armEnumForcedWide  = 3
	armR9Unused        = 3
	armR9SB            = 1
	armRWDataSB        = 2
	armArchV6KZ        = 7
	armArchV7          = 10
	armArchV7EM        = 13
	armArchV5TE        = 4
	armProfileMicro    = 'M'
	armProfileClassic  = 'S'
	armProfileApp      = 'A'
	armProfileRealTime = 'R'
)

var armAttrs = &attrDialect{
	vendor: "aeabi", section: ".ARM.attributes",
	isText: isArmText,
	first:  []uint64{armConformance, armNodefaults},
	merge:  mergeArm,
}

func isArmText(tag uint64) bool {
	return tag == armCPURawName || tag == armCPUName || tag > 32 && tag&1 != 0
}

// mergeArm merges an object's attributes into those of the objects before it, as
// GNU ld does; in is nil for the first one.
func mergeArm(m *merger, out, in attributes) {
	for _, a := range []attributes{out, in} { // the old number of Tag_MPextension_use
		if old, ok := a[armMPUseLegacy]; ok {
			a.set(armMPUse, max(a.num(armMPUse), old.n))
			delete(a, armMPUseLegacy)
		}
	}
	if in == nil {
		return
	}
	mergeVFPArgs(m, out, in)
	mergeCPU(m, out, in)
	mergeFP(out, in)
	for _, t := range tags(out, in) {
		mergeArmTag(m, t, out, in)
	}
}

// mergeArmTag merges a tag that depends on no other.
func mergeArmTag(m *merger, t uint64, out, in attributes) {
	a, b := out.num(t), in.num(t)
	switch t {
	case armCPURawName, armCPUName, armCPUArch, armAlsoCompatible, armFPArch, armHardFPUse, armVFPArgs, armNodefaults:
	case armGoals, armFPGoals: // those of the first object
	case armCPUProfile:
		mergeProfile(m, out, a, b)
	case armAlignPreserved, armROData:
		out.set(t, min(a, b))
	case armRWData:
		if r9 := out.num(armR9Use); b == armRWDataSB && r9 != armR9SB && r9 != armR9Unused {
			m.fault("addresses data by SB, and r9 has another use in %s", m.first.File)
		}
		out.set(t, min(a, b))
	case armAlignNeeded, armFPDenormal, armGOTUse:
		out.set(t, greatest021(a, b))
	case armPCSConfig:
		if a == 0 {
			out.set(t, b)
		} else if b != 0 && a != b {
			m.warn("is for another platform (Tag_PCS_config %d) than %s (%d)", b, m.first.File, a)
		}
	case armR9Use:
		mergeR9(m, out, a, b)
	case armWchar:
		if a == 0 {
			out.set(t, b)
		} else if b != 0 && a != b {
			m.warn("uses %d-byte wchar_t, the output %d-byte wchar_t; values of that type cannot be passed between them", b, a)
		}
	case armEnumSize:
		mergeEnums(m, out, a, b)
	case armWMMXArgs:
		if a != b {
			m.fault("passes arguments in iWMMXt registers or not, %s the other way", m.first.File)
		}
	case armFP16Format:
		if a != 0 && b != 0 && a != b {
			m.fault("has another format of 16-bit floating point numbers than %s", m.first.File)
		}
		out.set(t, max(a, b))
	case armDIVUse:
		mergeDIV(out, in)
	case armDSP:
		mergeDSP(out, in, a, b)
	case armVirtualization: // two bits: TrustZone, virtualization
		out.set(t, a|b)
	case armConformance: // only what all conform to
		if out[t] != in[t] {
			delete(out, t)
		}
	case tagCompatibility:
		mergeCompatibility(m, out, in)
	default:
		mergeOther(out, in, t)
	}
}

// mergeOther merges what has an order: the larger value needs more. Texts count
// only if they are equal.
func mergeOther(out, in attributes, t uint64) {
	if !isArmText(t) {
		out.set(t, max(out.num(t), in.num(t)))
	} else if out[t] != in[t] {
		delete(out, t)
	}
}

// greatest021 is the greater in the order 0, 2, 1, and beyond 2 the larger.
func greatest021(a, b uint64) uint64 {
	rank := func(x uint64) uint64 {
		if x == 1 || x == 2 {
			return 3 - x
		}
		return x
	}
	if rank(a) >= rank(b) {
		return a
	}
	return b
}

// mergeVFPArgs: code that passes floating point numbers in registers does not go
// with code that passes them otherwise, if both have any.
func mergeVFPArgs(m *merger, out, in attributes) {
	a, b := out.num(armVFPArgs), in.num(armVFPArgs)
	switch {
	case a == b:
	case out.num(armFPModel) == 0, in.num(armFPModel) != 0 && a == armVFPArgsAny:
		out.set(armVFPArgs, b)
	case in.num(armFPModel) != 0 && b != armVFPArgsAny:
		with, without := m.obj.File, m.first.File
		if b != armVFPArgsRegs {
			with, without = without, with
		}
		m.error(fmt.Errorf("%s passes floating point arguments in VFP registers, %s does not; they can not be linked together", with, without))
	}
}

func mergeProfile(m *merger, out attributes, a, b uint64) {
	switch {
	case a == b, b == 0, b == armProfileClassic && (a == armProfileApp || a == armProfileRealTime):
	case a == 0, a == armProfileClassic && (b == armProfileApp || b == armProfileRealTime):
		out.set(armCPUProfile, b)
	default:
		m.fault("is for architecture profile %c, %s for %c", rune(b), m.first.File, rune(a))
	}
}

func mergeR9(m *merger, out attributes, a, b uint64) {
	if a != b && a != armR9Unused && b != armR9Unused {
		m.fault("uses r9 otherwise (Tag_ABI_PCS_R9_use %d) than %s (%d)", b, m.first.File, a)
	}
	if a == armR9Unused {
		out.set(armR9Use, b)
	}
}

func mergeEnums(m *merger, out attributes, a, b uint64) {
	names := []string{"no", "variable-size", "32-bit", "32-bit external"}
	switch {
	case b == armEnumUnused:
	case a == armEnumUnused, a == armEnumForcedWide:
		out.set(armEnumSize, b)
	case b != armEnumForcedWide && a != b && max(a, b) < uint64(len(names)):
		m.warn("uses %s enums, the output %s enums; values of that type cannot be passed between them", names[b], names[a])
	}
}

// mergeDIV merges Tag_DIV_use: 1 says that code does not divide in hardware, 2 that
// it does where the architecture need not have that, 0 that it may where the
// architecture has it.
func mergeDIV(out, in attributes) {
	switch a, b := out.num(armDIVUse), in.num(armDIVUse); {
	case a == b:
	case b == 1 && !divides(out):
		out.set(armDIVUse, 1)
	case a == 1 && divides(in), b == 2:
		out.set(armDIVUse, b)
	}
}

// divides says whether code may divide in hardware.
func divides(a attributes) bool {
	switch a.num(armDIVUse) {
	case 0:
		arch, profile := a.num(armCPUArch), a.num(armCPUProfile)
		return arch == armArchV7 && (profile == armProfileRealTime || profile == armProfileMicro) || arch >= armArchV7EM
	case 1:
		return false
	}
	return true
}

// mergeDSP: the DSP extension counts for M profiles alone that need not have it.
func mergeDSP(out, in attributes, a, b uint64) {
	arch, profile := in.num(armCPUArch), in.num(armCPUProfile)
	if arch <= 3 || profile == armProfileMicro && arch != armArchV7EM && b == 0 {
		return
	}
	arch, profile = out.num(armCPUArch), out.num(armCPUProfile)
	if arch >= armArchV5TE && (profile == armProfileApp || profile == armProfileRealTime || profile == armProfileClassic || arch == armArchV7EM) {
		out.set(armDSP, 0)
		return
	}
	out.set(armDSP, 1)
}

// mergeCompatibility: what only one vendor's tools may link is not linked here.
func mergeCompatibility(m *merger, out, in attributes) {
	x := in[tagCompatibility]
	if x.n > 0 && x.text != "gnu" {
		m.fault("may only be linked by tools of %q (Tag_compatibility %d)", x.text, x.n)
		return
	}
	if x != out[tagCompatibility] && x.n+out.num(tagCompatibility) > 0 {
		m.fault("Tag_compatibility %d, %q is not that of %s", x.n, x.text, m.first.File)
	}
}

// vfpVersions are the values of Tag_FP_arch: the version, and how many registers.
var vfpVersions = []struct{ version, registers int }{{0, 0}, {1, 16}, {2, 16}, {3, 32}, {3, 16}, {4, 32}, {4, 16}, {8, 32}, {8, 16}}

// mergeFP merges Tag_FP_arch and Tag_ABI_HardFP_use, which says more of it.
func mergeFP(out, in attributes) {
	a, b := out.num(armFPArch), in.num(armFPArch)
	switch {
	case a == 0:
		out.set(armFPArch, b)
		out.set(armHardFPUse, in.num(armHardFPUse))
		return
	case b == 0:
		return
	}
	if out.num(armHardFPUse) != in.num(armHardFPUse) {
		out.set(armHardFPUse, 0)
	}
	if n := uint64(len(vfpVersions)); a >= n || b >= n {
		out.set(armFPArch, max(a, b))
		return
	}
	x, y := vfpVersions[a], vfpVersions[b]
	for i, v := range vfpVersions {
		if v.version == max(x.version, y.version) && v.registers == max(x.registers, y.registers) {
			out.set(armFPArch, uint64(i))
			return
		}
	}
}
