package elffile

import "debug/elf"

// Section types and dynamic tags that debug/elf does not have (yet).
const (
	shtRelr        = elf.SectionType(19)         // SHT_RELR, gABI
	shtCrel        = elf.SectionType(0x40000014) // SHT_CREL, LLVM, provisional
	shtAndroidRel  = elf.SectionType(0x60000001) // SHT_ANDROID_REL, bionic
	shtAndroidRela = elf.SectionType(0x60000002)
	shtAndroidRelr = elf.SectionType(0x6fffff00)

	dtRelrsz         = elf.DynTag(35) // DT_RELRSZ, gABI
	dtRelr           = elf.DynTag(36)
	dtRelrent        = elf.DynTag(37)
	dtCrel           = elf.DynTag(0x40000026) // DT_CREL, LLVM, provisional
	dtAndroidRel     = elf.DynTag(0x6000000f) // DT_ANDROID_REL, bionic
	dtAndroidRelsz   = elf.DynTag(0x60000010)
	dtAndroidRela    = elf.DynTag(0x60000011)
	dtAndroidRelasz  = elf.DynTag(0x60000012)
	dtAndroidRelr    = elf.DynTag(0x6fffe000)
	dtAndroidRelrsz  = elf.DynTag(0x6fffe001)
	dtAndroidRelrent = elf.DynTag(0x6fffe003)

	dtMipsSymtabno = elf.DynTag(0x70000011) // DT_MIPS_SYMTABNO, MIPS psABI
)
