package show

import (
	"fmt"
	"strings"

	"elfwright/elffile"
)

// noteType is the name of a kind of note, and what it means in a few words.
type noteType struct {
	name, means string
}

// A noteKey is a kind of note: types are numbered anew by each owner.
type noteKey struct {
	owner string
	typ   uint32
}

// noteType names a note's type. Names are those of the headers that define
// them; where there is none, of what readelf prints.
func (c *noteContext) noteType(n *elffile.Note) noteType {
	owner := n.Name
	switch {
	case strings.HasPrefix(owner, "GA") && len(owner) > 2:
		owner = "GA" // annobin: the name holds the attribute itself
	case strings.HasPrefix(owner, "NetBSD-CORE"):
		owner = "NetBSD-CORE" // with @ and the thread
	case strings.HasPrefix(owner, "OpenBSD") && c.core:
		owner = "OpenBSD-CORE"
	case owner == "FreeBSD" && c.core:
		owner = "FreeBSD-CORE"
	case strings.HasPrefix(owner, "SPU/"):
		owner = "SPU/"
	case owner == "LINUX", owner == "GDB", owner == "CORE" && c.core:
		owner = "CORE"
	}
	if t, ok := noteTypes[noteKey{owner, n.Type}]; ok {
		return t
	}
	if owner == "FreeBSD-CORE" {
		if t, ok := noteTypes[noteKey{"CORE", n.Type}]; ok {
			return t
		}
	}
	if t, ok := noteTypes[noteKey{"", n.Type}]; ok && owner == "" {
		return t
	}
	return noteType{name: fmt.Sprintf("0x%08x", n.Type)}
}

// noteTypes holds every kind of note with a name. Sources: glibc elf.h, Linux
// include/uapi/linux/elf.h (core notes), binutils include/elf/common.h, the
// BSDs' sys/exec_elf.h and sys/elf_common.h, Xen public/elfnote.h, Linux
// linux/build-salt.h and linux/elfnote-lto.h, Android's bionic, Go cmd/link,
// systemd's ELF_PACKAGE_METADATA and ELF_DLOPEN_METADATA.
var noteTypes = map[noteKey]noteType{
	{"GNU", 1}: {"NT_GNU_ABI_TAG", "ABI version tag"},
	{"GNU", 2}: {"NT_GNU_HWCAP", "hardware capabilities named by the system"},
	{"GNU", 3}: {"NT_GNU_BUILD_ID", "unique build ID"},
	{"GNU", 4}: {"NT_GNU_GOLD_VERSION", "version of the gold linker"},
	{"GNU", 5}: {"NT_GNU_PROPERTY_TYPE_0", "program properties"},

	{"GNU", 0x100}: {"NT_GNU_BUILD_ATTRIBUTE_OPEN", ""},
	{"GNU", 0x101}: {"NT_GNU_BUILD_ATTRIBUTE_FUNC", ""},
	{"GA", 0x100}:  {"NT_GNU_BUILD_ATTRIBUTE_OPEN", "build attribute of a range"},
	{"GA", 0x101}:  {"NT_GNU_BUILD_ATTRIBUTE_FUNC", "build attribute of a function"},

	{"", 1}: {"NT_VERSION", "version"},
	{"", 2}: {"NT_ARCH", "architecture"},

	{"FDO", noteFDOPackage}: {"NT_FDO_PACKAGING_METADATA", "package metadata"},
	{"FDO", noteFDODlopen}:  {"NT_FDO_DLOPEN_METADATA", "libraries opened at run time"},
	{"stapsdt", 3}:          {"NT_STAPSDT", "SystemTap probe"},

	{"Go", 1}: {"NT_GO_PKG_LIST", "packages of a shared library"},
	{"Go", 2}: {"NT_GO_ABI_HASH", "hash of the ABI of a shared library"},
	{"Go", 3}: {"NT_GO_DEPS", "shared libraries needed"},
	{"Go", 4}: {"NT_GO_BUILDID", "Go build ID"},

	{"Linux", 0}:     {"LINUX_VERSION_CODE", "kernel version"},
	{"Linux", 0x100}: {"LINUX_ELFNOTE_BUILD_SALT", "build salt"},
	{"Linux", 0x101}: {"LINUX_ELFNOTE_LTO_INFO", "link-time optimization"},

	{"FreeBSD", 1}:   {"NT_FREEBSD_ABI_TAG", "version of the system"},
	{"FreeBSD", 2}:   {"NT_FREEBSD_NOINIT_TAG", "no .init"},
	{"FreeBSD", 3}:   {"NT_FREEBSD_ARCH_TAG", "architecture"},
	{"FreeBSD", 4}:   {"NT_FREEBSD_FEATURE_CTL", "features switched off"},
	{"NetBSD", 1}:    {"NT_NETBSD_IDENT", "version of the system"},
	{"NetBSD", 2}:    {"NT_NETBSD_EMULATION", "emulation"},
	{"NetBSD", 5}:    {"NT_NETBSD_MARCH", "machine architecture"},
	{"NetBSD", 6}:    {"NT_NETBSD_CMODEL", "code model"},
	{"PaX", 3}:       {"NT_NETBSD_PAX", "PaX flags"},
	{"OpenBSD", 1}:   {"NT_OPENBSD_IDENT", "version of the system"},
	{"DragonFly", 1}: {"NT_DRAGONFLY_ABI_TAG", "version of the system"},
	{"Android", 1}:   {"NT_ANDROID_TYPE_IDENT", "API level"},
	{"Android", 3}:   {"NT_ANDROID_TYPE_KUSER", "uses the kernel's helpers"},
	{"Android", 4}:   {"NT_ANDROID_TYPE_MEMTAG", "memory tagging"},
	{"Android", 5}:   {"NT_ANDROID_TYPE_PAD_SEGMENT", "segments are to be padded"},

	{"Xen", 0}:            {"XEN_ELFNOTE_INFO", ""},
	{"Xen", 1}:            {"XEN_ELFNOTE_ENTRY", ""},
	{"Xen", 2}:            {"XEN_ELFNOTE_HYPERCALL_PAGE", ""},
	{"Xen", 3}:            {"XEN_ELFNOTE_VIRT_BASE", ""},
	{"Xen", 4}:            {"XEN_ELFNOTE_PADDR_OFFSET", ""},
	{"Xen", 5}:            {"XEN_ELFNOTE_XEN_VERSION", ""},
	{"Xen", 6}:            {"XEN_ELFNOTE_GUEST_OS", ""},
	{"Xen", 7}:            {"XEN_ELFNOTE_GUEST_VERSION", ""},
	{"Xen", 8}:            {"XEN_ELFNOTE_LOADER", ""},
	{"Xen", 9}:            {"XEN_ELFNOTE_PAE_MODE", ""},
	{"Xen", 10}:           {"XEN_ELFNOTE_FEATURES", ""},
	{"Xen", 11}:           {"XEN_ELFNOTE_BSD_SYMTAB", ""},
	{"Xen", 12}:           {"XEN_ELFNOTE_HV_START_LOW", ""},
	{"Xen", 13}:           {"XEN_ELFNOTE_L1_MFN_VALID", ""},
	{"Xen", 14}:           {"XEN_ELFNOTE_SUSPEND_CANCEL", ""},
	{"Xen", 15}:           {"XEN_ELFNOTE_INIT_P2M", ""},
	{"Xen", 16}:           {"XEN_ELFNOTE_MOD_START_PFN", ""},
	{"Xen", 17}:           {"XEN_ELFNOTE_SUPPORTED_FEATURES", ""},
	{"Xen", 18}:           {"XEN_ELFNOTE_PHYS32_ENTRY", ""},
	{"Xen", 19}:           {"XEN_ELFNOTE_PHYS32_RELOC", ""},
	{"Xen", 0x1000001}:    {"XEN_ELFNOTE_CRASH_INFO", ""},
	{"Xen", 0x1000002}:    {"XEN_ELFNOTE_CRASH_REGS", ""},
	{"Xen", 0x2000000}:    {"XEN_ELFNOTE_DUMPCORE_NONE", ""},
	{"Xen", 0x2000001}:    {"XEN_ELFNOTE_DUMPCORE_HEADER", ""},
	{"Xen", 0x2000002}:    {"XEN_ELFNOTE_DUMPCORE_XEN_VERSION", ""},
	{"Xen", 0x2000003}:    {"XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION", ""},
	{"VMCOREINFO", 0}:     {"VMCOREINFO", "layout of the crashed kernel"},
	{"QEMU", 0}:           {"QEMU", "state of the processor"},
	{"SPU/", 1}:           {"NT_SPU", ""},
	{"LLVM", 1}:           {"NT_LLVM_OPENMP_OFFLOAD_VERSION", ""},
	{"LLVM", 2}:           {"NT_LLVM_OPENMP_OFFLOAD_PRODUCER", ""},
	{"LLVM", 3}:           {"NT_LLVM_HWASAN_GLOBALS", ""},
	{"LLVMOMPOFFLOAD", 1}: {"NT_LLVM_OPENMP_OFFLOAD_VERSION", ""},
	{"LLVMOMPOFFLOAD", 2}: {"NT_LLVM_OPENMP_OFFLOAD_PRODUCER", ""},
	{"LLVMOMPOFFLOAD", 3}: {"NT_LLVM_OPENMP_OFFLOAD_PRODUCER_VERSION", ""},
	{"AMD", 1}:            {"NT_AMD_HSA_CODE_OBJECT_VERSION", ""},
	{"AMD", 2}:            {"NT_AMD_HSA_HSAIL", ""},
	{"AMD", 3}:            {"NT_AMD_HSA_ISA_VERSION", ""},
	{"AMD", 10}:           {"NT_AMD_HSA_METADATA", ""},
	{"AMD", 11}:           {"NT_AMD_HSA_ISA_NAME", ""},
	{"AMD", 12}:           {"NT_AMD_PAL_METADATA", ""},
	{"AMDGPU", 32}:        {"NT_AMDGPU_METADATA", ""},

	{"NetBSD-CORE", 1}:  {"NT_NETBSDCORE_PROCINFO", ""},
	{"NetBSD-CORE", 2}:  {"NT_NETBSDCORE_AUXV", ""},
	{"NetBSD-CORE", 24}: {"NT_NETBSDCORE_LWPSTATUS", ""},

	{"OpenBSD-CORE", 10}: {"NT_OPENBSD_PROCINFO", ""},
	{"OpenBSD-CORE", 11}: {"NT_OPENBSD_AUXV", ""},
	{"OpenBSD-CORE", 20}: {"NT_OPENBSD_REGS", ""},
	{"OpenBSD-CORE", 21}: {"NT_OPENBSD_FPREGS", ""},
	{"OpenBSD-CORE", 22}: {"NT_OPENBSD_XFPREGS", ""},
	{"OpenBSD-CORE", 23}: {"NT_OPENBSD_WCOOKIE", ""},

	{"FreeBSD-CORE", 7}:     {"NT_FREEBSD_THRMISC", ""},
	{"FreeBSD-CORE", 8}:     {"NT_FREEBSD_PROCSTAT_PROC", ""},
	{"FreeBSD-CORE", 9}:     {"NT_FREEBSD_PROCSTAT_FILES", ""},
	{"FreeBSD-CORE", 10}:    {"NT_FREEBSD_PROCSTAT_VMMAP", ""},
	{"FreeBSD-CORE", 11}:    {"NT_FREEBSD_PROCSTAT_GROUPS", ""},
	{"FreeBSD-CORE", 12}:    {"NT_FREEBSD_PROCSTAT_UMASK", ""},
	{"FreeBSD-CORE", 13}:    {"NT_FREEBSD_PROCSTAT_RLIMIT", ""},
	{"FreeBSD-CORE", 14}:    {"NT_FREEBSD_PROCSTAT_OSREL", ""},
	{"FreeBSD-CORE", 15}:    {"NT_FREEBSD_PROCSTAT_PSSTRINGS", ""},
	{"FreeBSD-CORE", 16}:    {"NT_FREEBSD_PROCSTAT_AUXV", ""},
	{"FreeBSD-CORE", 17}:    {"NT_FREEBSD_PTLWPINFO", ""},
	{"FreeBSD-CORE", 0x200}: {"NT_FREEBSD_X86_SEGBASES", ""},

	// Linux core files. The kernel's owner is "CORE" for the old ones and
	// "LINUX" for the register sets; numbers do not repeat between the two.
	{"CORE", ntPrstatus}: {"NT_PRSTATUS", "state of a thread"},
	{"CORE", 2}:          {"NT_FPREGSET", "floating-point registers"},
	{"CORE", ntPrpsinfo}: {"NT_PRPSINFO", "the process"},
	{"CORE", 4}:          {"NT_TASKSTRUCT", ""},
	{"CORE", 5}:          {"NT_PLATFORM", ""},
	{"CORE", ntAuxv}:     {"NT_AUXV", "auxiliary vector"},
	{"CORE", 7}:          {"NT_GWINDOWS", ""},
	{"CORE", 8}:          {"NT_ASRS", ""},
	{"CORE", 10}:         {"NT_PSTATUS", ""},
	{"CORE", 12}:         {"NT_FPREGS", ""},
	{"CORE", 13}:         {"NT_PSINFO", ""},
	{"CORE", 14}:         {"NT_PRCRED", ""},
	{"CORE", 15}:         {"NT_UTSNAME", ""},
	{"CORE", 16}:         {"NT_LWPSTATUS", ""},
	{"CORE", 17}:         {"NT_LWPSINFO", ""},
	{"CORE", 18}:         {"NT_WIN32PSTATUS", ""},
	{"CORE", 20}:         {"NT_PRFPXREG", ""},
	{"CORE", ntSiginfo}:  {"NT_SIGINFO", "the signal"},
	{"CORE", ntFile}:     {"NT_FILE", "mapped files"},
	{"CORE", 0x46e62b7f}: {"NT_PRXFPREG", "FXSAVE state"},
	{"CORE", 0x100}:      {"NT_PPC_VMX", "AltiVec registers"},
	{"CORE", 0x101}:      {"NT_PPC_SPE", "SPE registers"},
	{"CORE", 0x102}:      {"NT_PPC_VSX", "VSX registers"},
	{"CORE", 0x103}:      {"NT_PPC_TAR", ""},
	{"CORE", 0x104}:      {"NT_PPC_PPR", ""},
	{"CORE", 0x105}:      {"NT_PPC_DSCR", ""},
	{"CORE", 0x106}:      {"NT_PPC_EBB", ""},
	{"CORE", 0x107}:      {"NT_PPC_PMU", ""},
	{"CORE", 0x108}:      {"NT_PPC_TM_CGPR", ""},
	{"CORE", 0x109}:      {"NT_PPC_TM_CFPR", ""},
	{"CORE", 0x10a}:      {"NT_PPC_TM_CVMX", ""},
	{"CORE", 0x10b}:      {"NT_PPC_TM_CVSX", ""},
	{"CORE", 0x10c}:      {"NT_PPC_TM_SPR", ""},
	{"CORE", 0x10d}:      {"NT_PPC_TM_CTAR", ""},
	{"CORE", 0x10e}:      {"NT_PPC_TM_CPPR", ""},
	{"CORE", 0x10f}:      {"NT_PPC_TM_CDSCR", ""},
	{"CORE", 0x110}:      {"NT_PPC_PKEY", ""},
	{"CORE", 0x111}:      {"NT_PPC_DEXCR", ""},
	{"CORE", 0x112}:      {"NT_PPC_HASHKEYR", ""},
	{"CORE", 0x200}:      {"NT_386_TLS", "thread-local segments"},
	{"CORE", 0x201}:      {"NT_386_IOPERM", "ports allowed"},
	{"CORE", 0x202}:      {"NT_X86_XSTATE", "XSAVE state"},
	{"CORE", 0x203}:      {"NT_X86_CET", ""},
	{"CORE", 0x204}:      {"NT_X86_SHSTK", "shadow stack pointer"},
	{"CORE", 0x205}:      {"NT_X86_XSAVE_LAYOUT", "where XSAVE puts what"},
	{"CORE", 0x300}:      {"NT_S390_HIGH_GPRS", "upper halves of the registers"},
	{"CORE", 0x301}:      {"NT_S390_TIMER", ""},
	{"CORE", 0x302}:      {"NT_S390_TODCMP", ""},
	{"CORE", 0x303}:      {"NT_S390_TODPREG", ""},
	{"CORE", 0x304}:      {"NT_S390_CTRS", ""},
	{"CORE", 0x305}:      {"NT_S390_PREFIX", ""},
	{"CORE", 0x306}:      {"NT_S390_LAST_BREAK", ""},
	{"CORE", 0x307}:      {"NT_S390_SYSTEM_CALL", ""},
	{"CORE", 0x308}:      {"NT_S390_TDB", ""},
	{"CORE", 0x309}:      {"NT_S390_VXRS_LOW", ""},
	{"CORE", 0x30a}:      {"NT_S390_VXRS_HIGH", ""},
	{"CORE", 0x30b}:      {"NT_S390_GS_CB", ""},
	{"CORE", 0x30c}:      {"NT_S390_GS_BC", ""},
	{"CORE", 0x30d}:      {"NT_S390_RI_CB", ""},
	{"CORE", 0x30e}:      {"NT_S390_PV_CPU_DATA", ""},
	{"CORE", 0x400}:      {"NT_ARM_VFP", "VFP registers"},
	{"CORE", 0x401}:      {"NT_ARM_TLS", "thread pointers"},
	{"CORE", 0x402}:      {"NT_ARM_HW_BREAK", "hardware breakpoints"},
	{"CORE", 0x403}:      {"NT_ARM_HW_WATCH", "hardware watchpoints"},
	{"CORE", 0x404}:      {"NT_ARM_SYSTEM_CALL", "number of the system call"},
	{"CORE", 0x405}:      {"NT_ARM_SVE", "SVE registers"},
	{"CORE", 0x406}:      {"NT_ARM_PAC_MASK", "bits of pointer authentication codes"},
	{"CORE", 0x407}:      {"NT_ARM_PACA_KEYS", ""},
	{"CORE", 0x408}:      {"NT_ARM_PACG_KEYS", ""},
	{"CORE", 0x409}:      {"NT_ARM_TAGGED_ADDR_CTRL", ""},
	{"CORE", 0x40a}:      {"NT_ARM_PAC_ENABLED_KEYS", ""},
	{"CORE", 0x40b}:      {"NT_ARM_SSVE", "streaming SVE registers"},
	{"CORE", 0x40c}:      {"NT_ARM_ZA", "SME ZA registers"},
	{"CORE", 0x40d}:      {"NT_ARM_ZT", "SME ZT registers"},
	{"CORE", 0x40e}:      {"NT_ARM_FPMR", ""},
	{"CORE", 0x40f}:      {"NT_ARM_POE", ""},
	{"CORE", 0x410}:      {"NT_ARM_GCS", "guarded control stack"},
	{"CORE", 0x500}:      {"NT_METAG_CBUF", ""},
	{"CORE", 0x501}:      {"NT_METAG_RPIPE", ""},
	{"CORE", 0x502}:      {"NT_METAG_TLS", ""},
	{"CORE", 0x600}:      {"NT_ARC_V2", "registers of ARC v2"},
	{"CORE", 0x700}:      {"NT_VMCOREDD", "dump of a device"},
	{"CORE", 0x800}:      {"NT_MIPS_DSP", "DSP registers"},
	{"CORE", 0x801}:      {"NT_MIPS_FP_MODE", ""},
	{"CORE", 0x802}:      {"NT_MIPS_MSA", "MSA registers"},
	{"CORE", 0x900}:      {"NT_RISCV_CSR", "control and status registers"},
	{"CORE", 0x901}:      {"NT_RISCV_VECTOR", "vector registers"},
	{"CORE", 0x902}:      {"NT_RISCV_TAGGED_ADDR_CTRL", ""},
	{"CORE", 0x903}:      {"NT_RISCV_USER_CFI", "shadow stack"},
	{"CORE", 0xa00}:      {"NT_LOONGARCH_CPUCFG", ""},
	{"CORE", 0xa01}:      {"NT_LOONGARCH_CSR", ""},
	{"CORE", 0xa02}:      {"NT_LOONGARCH_LSX", ""},
	{"CORE", 0xa03}:      {"NT_LOONGARCH_LASX", ""},
	{"CORE", 0xa04}:      {"NT_LOONGARCH_LBT", ""},
	{"CORE", 0xa05}:      {"NT_LOONGARCH_HW_BREAK", ""},
	{"CORE", 0xa06}:      {"NT_LOONGARCH_HW_WATCH", ""},
	{"CORE", 0xff000000}: {"NT_GDB_TDESC", "gdb's description of the machine"},
	{"CORE", 0xff000001}: {"NT_MEMTAG", "memory tags"},
}
