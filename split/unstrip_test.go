package split_test

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"

	"elfwright/internal/samples"
	"elfwright/split"
)

// TestUnstrip joins what other tools have split, and compares the result with
// that of eu-unstrip, by meaning; and with the program itself.
func TestUnstrip(t *testing.T) {
	samples.Need(t, "eu-strip", "eu-unstrip", "objcopy", "strip")
	for i, p := range samples.Programs() {
		if p.NoSections || p.Stripped || testing.Short() && i%8 != 0 || !sweep() && i%3 != 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			unstrip(t, p)
		})
	}
}

func unstrip(t *testing.T, p samples.Program) {
	prog := p.Build(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run(t, "eu-strip", "-f", at("eu.debug"), "-o", at("eu"), prog)
	pairs := [][2]string{{"eu", "eu.debug"}}
	run(t, gnu(p)+"objcopy", "--only-keep-debug", prog, at("gnu.debug"))
	run(t, gnu(p)+"strip", "-o", at("gnu"), prog)
	pairs = append(pairs, [2]string{"gnu", "gnu.debug"})
	for _, pair := range pairs {
		theirs, ours := at(pair[0]+".theirs"), at(pair[0]+".ours")
		r := join(t, at(pair[0]), at(pair[1]), ours)
		if r.How != split.Merged {
			t.Errorf("%s: joined by %s", pair[0], r.How)
		}
		// What eu-unstrip and the program agree on must be there; and nothing that
		// neither of them nor the file with symbols has: objcopy changes symbols.
		may, must := []string{prog, at(pair[0]), at(pair[1])}, []string{prog}
		if out, err := exec.Command("eu-unstrip", at(pair[0]), at(pair[1]), "-o", theirs).CombinedOutput(); err != nil {
			t.Logf("eu-unstrip refuses %s: %s", pair[0], out)
			if p.Name == "x86-64-go-pie" {
				continue // objcopy and eu-strip sort its sections, and forget sh_link
			}
			must = append(must, at(pair[1]))
		} else {
			may, must = append(may, theirs), append(must, theirs)
		}
		sameMeaning(t, pair[0], ours, may, must, ".shstrtab", ".gnu_debuglink")

		// An image without section headers leaves their types to be found out; what
		// eu-strip has left in the program alone is not to be had then.
		skip := []string{".shstrtab", ".gnu_debuglink"}
		syms := open(t, at(pair[1]))
		for i := range syms.Sections() {
			if s := &syms.Sections()[i]; s.Type == elf.SHT_NOBITS && !s.Has(elf.SHF_ALLOC) {
				skip = append(skip, syms.SectionName(i))
			}
		}
		bare := splitTo(t, at(pair[0]), split.None)
		join(t, bare.img, at(pair[1]), at("bare"))
		sameMeaning(t, pair[0]+", no section headers", at("bare"), append(may, bare.img), must, skip...)
	}
}

// gnu is the prefix of the binutils of a program's machine.
func gnu(p samples.Program) string {
	return map[elf.Machine]string{
		elf.EM_386: "i686-linux-gnu-", elf.EM_AARCH64: "aarch64-linux-gnu-", elf.EM_ARM: "arm-linux-gnueabihf-", elf.EM_RISCV: "riscv64-linux-gnu-",
	}[p.Machine]
}
