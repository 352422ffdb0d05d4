package all_test

import (
	"debug/elf"
	"testing"

	"elfwright/machine/amd64"
	"elfwright/machine/i386"
)

// x86 puts the thread pointer behind the TLS block, aligned (variant II).
func behind(ph *elf.Prog) uint64 { return (ph.Vaddr + ph.Memsz + ph.Align - 1) &^ (ph.Align - 1) }

func TestAMD64(t *testing.T) {
	b := &bench{m: amd64.Machine, base: 0x400000, prefix: "x86_64-linux-gnu-",
		as: []string{"--64", "-mrelax-relocations=no"},
		ld: []string{"-m", "elf_x86_64", "--no-relax", "-z", "norelro", "-z", "noexecstack"},
		tp: behind, got: "_GLOBAL_OFFSET_TABLE_"}
	b.rows(t, notInX86())
}

func notInX86() map[string]string {
	skip := map[string]string{}
	for _, n := range []string{"CODE_4", "CODE_5", "CODE_6"} {
		for _, k := range []string{"GOTPCRELX", "GOTTPOFF", "GOTPC32_TLSDESC"} {
			skip["R_X86_64_"+n+"_"+k] = "unknown to binutils 2.40"
		}
	}
	return skip
}

func TestI386(t *testing.T) {
	b := &bench{m: i386.Machine, base: 0x400000, prefix: "i686-linux-gnu-",
		as: []string{"--32", "-mrelax-relocations=no"},
		ld: []string{"-m", "elf_i386", "--no-relax", "-z", "norelro", "-z", "noexecstack"},
		tp: behind, got: "_GLOBAL_OFFSET_TABLE_", shared: map[string]bool{"R_386_GOT32X": true}, strict: map[string]string{}}
	for _, n := range []string{"16", "PC16", "8", "PC8"} {
		b.strict["R_386_"+n] = "ld wants the value to fit without what the place holds, too"
	}
	b.rows(t, map[string]string{
		"R_386_32PLT":      "unknown to gas",
		"R_386_TLS_GD_32":  "Sun's, unknown to gas",
		"R_386_TLS_LDM_32": "Sun's, unknown to gas",
	})
}

func TestX32(t *testing.T) {
	b := &bench{m: amd64.X32, base: 0x400000, prefix: "x86_64-linux-gnu-",
		as: []string{"--x32", "-mrelax-relocations=no"},
		ld: []string{"-m", "elf32_x86_64", "--no-relax", "-z", "norelro", "-z", "noexecstack"},
		tp: behind, got: "_GLOBAL_OFFSET_TABLE_"}
	skip := notInX86()
	for _, n := range []string{"PC64", "GOTOFF64", "GOT64", "GOTPCREL64", "GOTPC64", "GOTPLT64", "PLTOFF64"} {
		skip["R_X86_64_"+n] = "refused by ld in x32"
	}
	b.rows(t, skip)
}
