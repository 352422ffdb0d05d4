package ldcase

// A Machine is one that the cases run for: its assembler and GNU ld, and what
// the language calls it.
type Machine struct {
	Name   string
	As     []string // the assembler, with the symbols that sources may ask for
	Ld     string
	Emu    string // of -m
	Format string // of OUTPUT_FORMAT
	Arch   string // of OUTPUT_ARCH
}

// machines: X86, ARMS, RISCV and M64 are for .ifdef in sources. Notes of the
// assembler's own are kept out.
var machines = []Machine{
	{"x86-64", []string{"as", "--64", "-mx86-used-note=no", "--defsym", "X86=1", "--defsym", "M64=1"}, "ld", "elf_x86_64", "elf64-x86-64", "i386:x86-64"},
	{"i386", []string{"as", "--32", "-mx86-used-note=no", "--defsym", "X86=1"}, "ld", "elf_i386", "elf32-i386", "i386"},
	{"aarch64", []string{"aarch64-linux-gnu-as", "--defsym", "ARMS=1", "--defsym", "M64=1"}, "aarch64-linux-gnu-ld", "aarch64linux", "elf64-littleaarch64", "aarch64"},
	{"arm", []string{"arm-linux-gnueabihf-as", "--defsym", "ARMS=1"}, "arm-linux-gnueabihf-ld", "armelf_linux_eabi", "elf32-littlearm", "arm"},
	{"riscv64", []string{"riscv64-linux-gnu-as", "-march=rv64imac", "-mabi=lp64", "--defsym", "RISCV=1", "--defsym", "M64=1"}, "riscv64-linux-gnu-ld", "elf64lriscv", "elf64-littleriscv", "riscv"},
	{"riscv32", []string{"riscv64-linux-gnu-as", "-march=rv32imac", "-mabi=ilp32", "--defsym", "RISCV=1"}, "riscv64-linux-gnu-ld", "elf32lriscv", "elf32-littleriscv", "riscv"},
}

// MachineNames are the names that "machines:" knows.
func MachineNames() []string {
	names := make([]string, len(machines))
	for i, m := range machines {
		names[i] = m.Name
	}
	return names
}

// MachineByName finds a machine by its name.
func MachineByName(name string) *Machine {
	for i := range machines {
		if machines[i].Name == name {
			return &machines[i]
		}
	}
	return nil
}
