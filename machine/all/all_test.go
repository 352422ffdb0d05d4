package all_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elfwright/internal/samples"
	"elfwright/machine"
	"elfwright/machine/all"
)

func Example() {
	m := all.Lookup(elf.EM_X86_64, elf.ELFCLASS64)
	r := m.Relocs.Lookup(uint32(elf.R_X86_64_PC32))
	fmt.Println(m.Name, r.Name, "=", r.Formula)

	place := make([]byte, 4)
	err := r.Apply(place, m.CodeOrder(nil), &machine.Values{S: 0x401100, A: -4, P: 0x401001})
	fmt.Printf("% x %v\n", place, err)
	err = r.Apply(place, m.CodeOrder(nil), &machine.Values{S: 0x140400ffd, A: 4, P: 0x401001})
	fmt.Println(err)
	// Output:
	// x86-64 R_X86_64_PC32 = S + A - P
	// fb 00 00 00 <nil>
	// R_X86_64_PC32: S + A - P = 0x140000000 does not fit 32 signed bits
}

func TestLookup(t *testing.T) {
	for _, m := range all.All() {
		if all.Lookup(m.ELF, m.Class) != m {
			t.Errorf("%s is not found", m.Name)
		}
	}
	if m := all.Lookup(elf.EM_68K, elf.ELFCLASS32); m != nil {
		t.Errorf("m68k is %s", m.Name)
	}
}

// std gives debug/elf's names: for each machine the type of its constants.
var std = map[elf.Machine]func(uint32) string{
	elf.EM_X86_64:  func(n uint32) string { return elf.R_X86_64(n).String() },
	elf.EM_386:     func(n uint32) string { return elf.R_386(n).String() },
	elf.EM_AARCH64: func(n uint32) string { return elf.R_AARCH64(n).String() },
	elf.EM_ARM:     func(n uint32) string { return elf.R_ARM(n).String() },
	elf.EM_RISCV:   func(n uint32) string { return elf.R_RISCV(n).String() },
}

// unknown are the rows that debug/elf of Go 1.26 has no name for.
var unknown = map[elf.Machine]*regexp.Regexp{
	elf.EM_X86_64: regexp.MustCompile(`CODE_[456]|GNU_VT`),
	elf.EM_386:    regexp.MustCompile(`INTEL_200|GNU_VT`),
	elf.EM_AARCH64: regexp.MustCompile(`AUTH|PATCHINST|FUNCINIT|_MOVW_PREL_G|_MOVW_GOTOFF_G|GOTREL|PLT32|GOTPCREL32|` +
		`TLSLD_(ADD|MOVW|LD_|LDST(8|16|32|64)_)|TLSLE_LDST(8|16|32|64)_|P32_(LD32_GOTPAGE|TLSGD_ADR_PREL|TLSLD|TLSLE_LDST)`),
	elf.EM_ARM:   regexp.MustCompile(`BF1[268]|PRIVATE_(1[6-9]|2\d|3[01])$`),
	elf.EM_RISCV: regexp.MustCompile(`TLSDESC|IRELATIVE|PLT32|ULEB128|VENDOR|CUSTOM`),
}

func TestNamesOfDebugELF(t *testing.T) {
	for _, m := range all.All() {
		gaps := 0
		for n := range uint32(2000) {
			name := std[m.ELF](n)
			known := strings.HasPrefix(name, "R_") && !strings.Contains(name, "+")
			r := m.Relocs.Lookup(n)
			if m.ELF == elf.EM_AARCH64 && known && n != 0 && strings.Contains(name, "P32") != (m.Class == elf.ELFCLASS32) {
				continue // debug/elf has both classes in one type
			}
			if m.ELF == elf.EM_AARCH64 && m.Class == elf.ELFCLASS32 && n == 256 {
				continue
			}
			switch {
			case known && r == nil:
				t.Errorf("%s: %d is %s in debug/elf and no row", m.Name, n, name)
			case known && name != r.Name && name != r.Alias:
				t.Errorf("%s: %d is %s in debug/elf, row %s", m.Name, n, name, r.Name)
			case !known && r != nil && !unknown[m.ELF].MatchString(r.Name):
				t.Errorf("%s: %d is %s, unknown to debug/elf and not listed", m.Name, n, r.Name)
			case known && unknown[m.ELF].MatchString(r.Name):
				t.Errorf("%s: %s is listed as unknown to debug/elf, which has it", m.Name, r.Name)
			case !known && r != nil:
				gaps++
			}
		}
		t.Logf("%s: %d rows, %d unknown to debug/elf", m.Name, m.Relocs.Len(), gaps)
	}
}

// TestRows checks what every table must have.
func TestRows(t *testing.T) {
	for _, m := range all.All() {
		last := int64(-1)
		for r := range m.Relocs.All() {
			if int64(r.Type) <= last {
				t.Errorf("%s comes after %d", r.Name, last)
			}
			last = int64(r.Type)
			if m.Relocs.Lookup(r.Type) != r || m.Relocs.ByName(r.Name) != r {
				t.Errorf("%s: not found by number or name", r.Name)
			}
			if r.Kind > machine.Pair && r.Kind != machine.Runtime && r.Formula != "" {
				t.Errorf("%s: a %s has a formula", r.Name, r.Kind)
			}
			place := make([]byte, 16)
			err := r.Apply(place, m.CodeOrder(orderOf(m)), &machine.Values{})
			if (err == nil) != r.Static() && !strings.Contains(fmt.Sprint(err), "group") {
				t.Errorf("%s: %v", r.Name, err)
			}
			if !r.Static() {
				continue
			}
			if err := r.Apply(nil, orderOf(m), &machine.Values{}); err == nil {
				t.Errorf("%s: applied to nothing", r.Name)
			}
			if r.Field.Size > 0 {
				if err := r.Apply(place[:r.Field.Size-1], orderOf(m), &machine.Values{}); err == nil {
					t.Errorf("%s: applied to too few bytes", r.Name)
				}
			}
		}
	}
}

// TestRegisterNames holds the DWARF numbers against readelf's names.
func TestRegisterNames(t *testing.T) {
	name := regexp.MustCompile(`DW_CFA_undefined: r(\d+) \(([^)]*)\)`)
	for prefix, m := range map[string]*machine.Machine{
		"x86_64-linux-gnu-":  all.Lookup(elf.EM_X86_64, elf.ELFCLASS64),
		"i686-linux-gnu-":    all.Lookup(elf.EM_386, elf.ELFCLASS32),
		"aarch64-linux-gnu-": all.Lookup(elf.EM_AARCH64, elf.ELFCLASS64),
		"riscv64-linux-gnu-": all.Lookup(elf.EM_RISCV, elf.ELFCLASS64),
	} {
		t.Run(m.Name, func(t *testing.T) {
			samples.Need(t, prefix+"as")
			samples.Need(t, "readelf")
			dir := t.TempDir()
			src := ".text\n.cfi_startproc\nnop\n"
			for n := range 128 {
				src += fmt.Sprintf(".cfi_undefined %d\n", n)
			}
			write(t, filepath.Join(dir, "a.s"), src+".cfi_endproc\n")
			obj := filepath.Join(dir, "a.o")
			if msg, err := exec.Command(prefix+"as", "-o", obj, filepath.Join(dir, "a.s")).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			out, err := exec.Command("readelf", "--debug-dump=frames", obj).Output()
			if err != nil {
				t.Fatal(err)
			}
			found := name.FindAllStringSubmatch(string(out), -1)
			for _, f := range found {
				n, _ := strconv.ParseUint(f[1], 10, 64)
				if f[2] != m.DWARFName(n) && f[2] != m.DWARFAlias(n) && !spelled(f[2], m.DWARFName(n)) {
					t.Errorf("%d is %s for readelf, %q here", n, f[2], m.DWARFName(n))
				}
			}
			if len(found) < 16 {
				t.Errorf("readelf named %d registers", len(found))
			}
		})
	}
}

// spelled: readelf's st(0) is our st0, its mm(0)… likewise.
func spelled(theirs, ours string) bool {
	return strings.NewReplacer("(", "", ")", "", "eflags", "rflags").Replace(theirs) == strings.NewReplacer("(", "", ")", "").Replace(ours)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestFlags holds e_flags against readelf.
func TestFlags(t *testing.T) {
	samples.Need(t, "readelf")
	for _, c := range []struct {
		m     *machine.Machine
		flags []uint32
	}{
		{all.Lookup(elf.EM_RISCV, elf.ELFCLASS64), []uint32{0, 1, 2, 3, 4, 5, 6, 8, 0xd, 0x15, 0x10}},
		{all.Lookup(elf.EM_ARM, elf.ELFCLASS32), []uint32{0, 0x5000000, 0x5000200, 0x5000400, 0x5800400, 0x5400200, 0x5000021, 0x4800000,
			0x4000000, 0x3000000, 0x200001c, 0x1000004, 0xffd, 0x200, 0x604}},
	} {
		for _, f := range c.flags {
			file := header(c.m, f)
			name := filepath.Join(t.TempDir(), "a")
			write(t, name, string(file))
			out, err := exec.Command("readelf", "-h", name).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("%#x", f)
			if s := c.m.FlagString(f); s != "" {
				want += ", " + s
			}
			if f == 0 {
				want = "0x0"
			}
			if got := regexp.MustCompile(`Flags: *(.*)`).FindStringSubmatch(string(out)); got == nil || got[1] != want {
				t.Errorf("%s: readelf says %v, we %q", c.m.Name, got, want)
			}
		}
	}
}

// header is an ELF header and nothing else.
func header(m *machine.Machine, flags uint32) []byte {
	b := make([]byte, 64)
	copy(b, elf.ELFMAG)
	b[4], b[5], b[6] = byte(m.Class), byte(elf.ELFDATA2LSB), 1
	o := orderOf(m)
	o.PutUint16(b[16:], uint16(elf.ET_EXEC))
	o.PutUint16(b[18:], uint16(m.ELF))
	o.PutUint32(b[20:], 1)
	if m.Class == elf.ELFCLASS64 {
		o.PutUint32(b[48:], flags)
		o.PutUint16(b[52:], 64)
		return b
	}
	o.PutUint32(b[36:], flags)
	o.PutUint16(b[40:], 52)
	return b[:52]
}

// TestStatus holds the layouts of core notes against <sys/procfs.h>.
func TestStatus(t *testing.T) {
	const src = `#include <stddef.h>
#include <sys/procfs.h>
typedef struct elf_prstatus s;
long v[] = { sizeof(s), offsetof(s, pr_cursig), offsetof(s, pr_pid), offsetof(s, pr_utime),
	offsetof(s, pr_reg), offsetof(s, pr_fpvalid) };
`
	number := regexp.MustCompile(`(?m)^\s+\.(?:long|quad|word|xword|dword|8byte|4byte)\s+(\d+)$`)
	for prefix, m := range map[string]*machine.Machine{
		"x86_64-linux-gnu-":    all.Lookup(elf.EM_X86_64, elf.ELFCLASS64),
		"i686-linux-gnu-":      all.Lookup(elf.EM_386, elf.ELFCLASS32),
		"aarch64-linux-gnu-":   all.Lookup(elf.EM_AARCH64, elf.ELFCLASS64),
		"arm-linux-gnueabihf-": all.Lookup(elf.EM_ARM, elf.ELFCLASS32),
		"riscv64-linux-gnu-":   all.Lookup(elf.EM_RISCV, elf.ELFCLASS64),
	} {
		t.Run(m.Name, func(t *testing.T) {
			samples.Need(t, prefix+"gcc")
			cmd := exec.Command(prefix+"gcc", "-S", "-g0", "-x", "c", "-o", "-", "-")
			cmd.Stdin = strings.NewReader(src)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, f := range number.FindAllStringSubmatch(string(out), -1) {
				n, _ := strconv.Atoi(f[1])
				got = append(got, n)
			}
			s := m.Status
			want := []int{s.Size, s.Signal, s.PID, s.UserTime, s.Regs, s.FPValid}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the header says %v, we %v", got, want)
			}
			for _, n := range []string{s.PC, s.SP} {
				if _, ok := s.Slot(n); !ok {
					t.Errorf("no register %s", n)
				}
			}
		})
	}
}
