package riscv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/internal/linktest"
	"elfwright/internal/samples"
	"elfwright/link/model"
	"elfwright/link/riscv"
	"elfwright/machine"
	"elfwright/machine/riscv64"
)

var (
	types64 = linktest.DynTypes{Relative: 3, GlobDat: 2, Abs: 2, TPOff: 11, DTPMod: 7, Desc: 12}
	types32 = linktest.DynTypes{Relative: 3, GlobDat: 1, Abs: 1, TPOff: 10, DTPMod: 6, Desc: 12}
)

// assemble makes an object of a file in testdata; the 32-bit class has other
// words in it.
func assemble(t testing.TB, m *machine.Machine, name string) string {
	t.Helper()
	samples.Need(t, "riscv64-linux-gnu-as")
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"-march=rv64gc", "-mabi=lp64d"}
	if m == riscv64.RV32 {
		flags = []string{"-march=rv32gc", "-mabi=ilp32d"}
		text = []byte(strings.NewReplacer("ld a", "lw a", ".dword hid", ".word hid", ".dword exp", ".word exp", ".dword other", ".word other", ".dword func", ".word func").Replace(string(text)))
	}
	obj := filepath.Join(t.TempDir(), name+".o")
	cmd := exec.Command("riscv64-linux-gnu-as", append(flags, "-o", obj, "-")...)
	cmd.Stdin = strings.NewReader(string(text))
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as: %v\n%s", err, msg)
	}
	return obj
}

func TestAgainstLd(t *testing.T) {
	for _, c := range []struct {
		name  string
		opt   model.Options
		flags []string
		file  string
		more  string
		dyn   bool
	}{
		{name: "static", file: "static.s"},
		{name: "far", flags: []string{"-Ttext=0x40000000", "-Tdata=0x50000000"}, file: "static.s"},
		{name: "pie", opt: model.Options{PIE: true, NoDynamicLinker: true}, flags: []string{"-pie", "--no-dynamic-linker"}, more: "other.s", file: "pic.s", dyn: true},
		{name: "shared", opt: model.Options{Shared: true}, flags: []string{"-shared"}, file: "pic.s", dyn: true},
	} {
		for _, m := range []*machine.Machine{riscv64.Machine, riscv64.RV32} {
			t.Run(c.name+" "+m.Name, func(t *testing.T) {
				t.Parallel()
				opt := c.opt
				opt.NoRelax = true
				emul, types := "elf64lriscv", types64
				if m == riscv64.RV32 {
					emul, types = "elf32lriscv", types32
				}
				ld := append([]string{"riscv64-linux-gnu-ld", "-m", emul, "--no-relax"}, c.flags...)
				files := []string{assemble(t, m, c.file)}
				if c.more != "" {
					files = append(files, assemble(t, m, c.more))
				}
				l := linktest.Run(t, riscv.New(m), &opt, ld, files...)
				l.Scan(types)
				n := l.Compare(t, func(s *model.Section, r *model.Reloc, sym *model.Symbol) string {
					if sym != nil && sym.Preempt && strings.Contains(m.Relocs.Name(r.Type), "CALL") {
						return "PLT"
					}
					return ""
				})
				if n.Relocs < 15 {
					t.Errorf("%+v: too few relocations to say anything", n)
				}
				if c.dyn {
					l.CompareDynamic(t, types)
				}
			})
		}
	}
}
