package plan

import (
	"debug/elf"
	"slices"

	"elfwright/elffile"
)

// ABI is what Linux fixes for the programs of one machine: where the address
// space ends, where stack, PIE and mmap begin, and what the auxiliary vector
// tells. It is plain data and never changed. The numbers are those of
// arch/*/include/asm/{elf,processor,page,memory}.h.
type ABI struct {
	Name     string // "x86-64"
	Machines []elf.Machine
	Class    elf.Class
	Kernel   elf.Machine // of the kernel that runs it
	Compat   bool        // a 32-bit program under a 64-bit kernel

	PageSizes []uint64 // that such kernels are built with, the usual one first

	// TaskSize is TASK_SIZE, Window DEFAULT_MAP_WINDOW and StackTop STACK_TOP.
	// Where a number ends with a hole of one page it is said here for 4096.
	TaskSize, Window, StackTop uint64
	DynBase                    uint64 // ELF_ET_DYN_BASE
	Unmapped                   uint64 // TASK_UNMAPPED_BASE, before it is page-aligned

	// NoLimitLegacy: without a stack limit mappings go upward from Unmapped
	// (mmap_is_legacy of mm/util.c; x86 has its own, without that).
	NoLimitLegacy bool
	// NoStackExec: without PT_GNU_STACK every readable page is executable
	// (elf_read_implies_exec).
	NoStackExec bool
	// Property: the kernel reads PT_GNU_PROPERTY (ARCH_USE_GNU_PROPERTY).
	Property bool
	// RawStack: the strings are not aligned before the tables (arch_align_stack).
	RawStack bool
	Platform string   // AT_PLATFORM, "" for none
	Aux      []AuxTag // the order of the auxiliary vector
	VDSO     []Special
	RandomPIE, RandomStack,
	RandomBrk uint64 // how far randomisation reaches, in bytes
}

// Special is a mapping that the kernel adds: a part of the vdso.
type Special struct {
	Name string
	Size uint64
	Prot elf.ProgFlag
	// Before and Since bound the kernels that have it; zero is no bound.
	Since, Before Version
}

// Word is the size of an address in bytes.
func (a *ABI) Word() uint64 {
	if a.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

// Phent is the size of a program header.
func (a *ABI) Phent() uint16 {
	return uint16(elffile.Format{Class: a.Class}.PhdrSize())
}

// Sizes of the address spaces.
const (
	page4K      = 0x1000
	taskX86     = 1<<47 - page4K
	taskX86LA57 = 1<<56 - page4K
	taskIA32    = 0xffffe000 // IA32_PAGE_OFFSET
	taskA64     = 1 << 48
	taskA32     = 1<<32 - page4K // TASK_SIZE_32
	vectorsA32  = 0xffff0000     // AARCH32_VECTORS_BASE
	taskArm     = 0xc0000000 - 1<<24
	taskI386    = 0xc0000000
	taskSv48    = 1 << 47
	taskRV32    = 0x80000000 - page4K
	mib16       = 1 << 24
	gib         = 1 << 30
)

var pages4K = []uint64{4096}

// abis are all that are known. Programs of 32 bits are listed for the 64-bit
// kernel first, which is where they run today.
var abis = []*ABI{
	{
		Name: "x86-64", Machines: []elf.Machine{elf.EM_X86_64}, Class: elf.ELFCLASS64, Kernel: elf.EM_X86_64,
		PageSizes: pages4K, TaskSize: taskX86, Window: taskX86, StackTop: taskX86,
		DynBase: taskX86 / 3 * 2, Unmapped: taskX86 / 3,
		Platform: "x86_64", Aux: auxX86, VDSO: vdsoX86,
		RandomPIE: 1 << 40, RandomStack: 1 << 34, RandomBrk: gib,
	},
	{
		Name: "i386", Machines: []elf.Machine{elf.EM_386, elf.EM_486}, Class: elf.ELFCLASS32, Kernel: elf.EM_X86_64, Compat: true,
		PageSizes: pages4K, TaskSize: taskIA32, Window: taskX86, StackTop: taskIA32,
		DynBase: up(taskIA32/3, page4K) + mib16, Unmapped: taskIA32 / 3,
		NoStackExec: true, Platform: "i686", Aux: auxI386, VDSO: vdsoX86,
		RandomPIE: 1 << 20, RandomStack: 1 << 23, RandomBrk: 1 << 25,
	},
	{
		Name: "i386", Machines: []elf.Machine{elf.EM_386, elf.EM_486}, Class: elf.ELFCLASS32, Kernel: elf.EM_386,
		PageSizes: pages4K, TaskSize: taskI386, Window: taskI386, StackTop: taskI386,
		DynBase: 0x400000, Unmapped: taskI386 / 3,
		NoStackExec: true, Platform: "i686", Aux: auxI386, VDSO: vdsoX86,
		RandomPIE: 1 << 20, RandomStack: 1 << 23, RandomBrk: 1 << 25,
	},
	{
		Name: "AArch64", Machines: []elf.Machine{elf.EM_AARCH64}, Class: elf.ELFCLASS64, Kernel: elf.EM_AARCH64,
		PageSizes: []uint64{4096, 16384, 65536}, TaskSize: taskA64, Window: taskA64, StackTop: taskA64,
		DynBase: 2 * taskA64 / 3, Unmapped: taskA64 / 4,
		NoLimitLegacy: true, Property: true, Platform: "aarch64", Aux: auxA64, VDSO: vdsoGeneric,
		RandomPIE: 1 << 30, RandomStack: gib, RandomBrk: gib,
	},
	{
		Name: "Arm", Machines: []elf.Machine{elf.EM_ARM}, Class: elf.ELFCLASS32, Kernel: elf.EM_AARCH64, Compat: true,
		PageSizes: pages4K, TaskSize: taskA32, Window: taskA32, StackTop: vectorsA32,
		DynBase: 0x400000, Unmapped: taskA32 / 4,
		NoLimitLegacy: true, NoStackExec: true, Property: true, Platform: "v8l", Aux: auxArm, VDSO: vdsoArmCompat,
		RandomPIE: 1 << 20, RandomStack: 1 << 23, RandomBrk: 1 << 25,
	},
	{
		Name: "Arm", Machines: []elf.Machine{elf.EM_ARM}, Class: elf.ELFCLASS32, Kernel: elf.EM_ARM,
		PageSizes: pages4K, TaskSize: taskArm, Window: taskArm, StackTop: taskArm,
		DynBase: 0x400000, Unmapped: 0x40000000, // ALIGN(TASK_SIZE/3, 16M)
		NoLimitLegacy: true, NoStackExec: true, RawStack: true, Platform: "v7l", Aux: auxArm, VDSO: vdsoArm,
		RandomPIE: 1 << 20, RandomStack: 1 << 23, RandomBrk: 1 << 25,
	},
	{
		Name: "RISC-V 64", Machines: []elf.Machine{elf.EM_RISCV}, Class: elf.ELFCLASS64, Kernel: elf.EM_RISCV,
		PageSizes: pages4K, TaskSize: taskSv48, Window: taskSv48, StackTop: taskSv48,
		DynBase: taskSv48 / 3 * 2, Unmapped: (1 << 39) / 3,
		NoLimitLegacy: true, Aux: auxRISCV, VDSO: vdsoGeneric,
		RandomPIE: 1 << 30, RandomStack: gib, RandomBrk: gib,
	},
	{
		Name: "RISC-V 32", Machines: []elf.Machine{elf.EM_RISCV}, Class: elf.ELFCLASS32, Kernel: elf.EM_RISCV, Compat: true,
		PageSizes: pages4K, TaskSize: taskRV32, Window: taskRV32, StackTop: 1 << 31,
		DynBase: taskRV32 / 3 * 2, Unmapped: (1 << 32) / 3,
		NoLimitLegacy: true, Aux: auxRISCV, VDSO: vdsoGeneric,
		RandomPIE: 1 << 20, RandomStack: 1 << 23, RandomBrk: 1 << 25,
	},
}

// x86: vvar and vdso are one search; until 6.12 the data pages were one
// mapping (arch/x86/entry/vdso/vma.c).
var vdsoX86 = []Special{
	{Name: "[vvar]", Size: 4 * page4K, Prot: elf.PF_R},
	{Name: "[vvar_vclock]", Size: 2 * page4K, Prot: elf.PF_R, Since: changeVclock.Since},
	{Name: "[vdso]", Size: 2 * page4K, Prot: elf.PF_R | elf.PF_X},
}

var vdsoGeneric = []Special{
	{Name: "[vvar]", Size: 2 * page4K, Prot: elf.PF_R},
	{Name: "[vdso]", Size: page4K, Prot: elf.PF_R | elf.PF_X},
}

var vdsoArmCompat = []Special{
	{Name: "[vvar]", Size: 2 * page4K, Prot: elf.PF_R},
	{Name: "[vdso]", Size: page4K, Prot: elf.PF_R | elf.PF_X},
	{Name: "[sigpage]", Size: page4K, Prot: elf.PF_R | elf.PF_X},
}

var vdsoArm = []Special{
	{Name: "[sigpage]", Size: page4K, Prot: elf.PF_R | elf.PF_X},
	{Name: "[vvar]", Size: page4K, Prot: elf.PF_R},
	{Name: "[vdso]", Size: page4K, Prot: elf.PF_R | elf.PF_X},
}

// ABIs returns all that are known.
func ABIs() []*ABI { return slices.Clone(abis) }

// LookupABI finds the ABI for programs of a machine and class. native asks for
// a kernel of the program's own width.
func LookupABI(m elf.Machine, c elf.Class, native bool) *ABI {
	var found *ABI
	for _, a := range abis {
		if a.Class == c && slices.Contains(a.Machines, m) && (found == nil || native && !a.Compat) {
			found = a
		}
	}
	return found
}

// withBits is the ABI for another width of addresses, where the machine has
// several: VA_BITS of AArch64, and of RISC-V, whose upper half is the kernel's.
// Programs see no more than 48 bits unless they ask for more.
func (a *ABI) withBits(bits int) *ABI {
	if a == nil || bits == 0 || bits == 48 || a.Word() == 4 {
		return a
	}
	b := *a
	switch window := uint64(1) << min(bits, 48); a.Kernel {
	case elf.EM_AARCH64:
		b.TaskSize, b.Window, b.StackTop, b.DynBase, b.Unmapped = 1<<bits, window, window, 2*window/3, window/4
	case elf.EM_RISCV:
		b.TaskSize, b.Window, b.StackTop, b.DynBase = 1<<(bits-1), window/2, window/2, window/2/3*2
	}
	return &b
}

// up rounds up to a multiple of align, a power of two.
func up(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// down rounds down to a multiple of align, a power of two.
func down(n, align uint64) uint64 { return n &^ (align - 1) }
