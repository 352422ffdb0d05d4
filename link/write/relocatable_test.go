package write_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/ldcase"
	"elfwright/internal/samples"
	"elfwright/link"
	"elfwright/link/options"
	"elfwright/machine"
	"elfwright/machine/all"
)

// compilers make the objects: of both classes, with addends in the relocations
// and in the places.
var compilers = []struct {
	name, prefix string
	flags        []string
}{
	{"x86-64", "x86_64-linux-gnu-", []string{"-fcf-protection"}}, // with .note.gnu.property
	{"i386", "i686-linux-gnu-", nil},
	{"aarch64", "aarch64-linux-gnu-", nil},
	{"arm", "arm-linux-gnueabihf-", []string{"-marm"}},
	{"thumb", "arm-linux-gnueabihf-", []string{"-mthumb"}},
	{"riscv64", "riscv64-linux-gnu-", []string{"-fno-asynchronous-unwind-tables", "-fno-exceptions"}}, // GNU ld keeps frames of dropped functions
}

// ways are the options of -r that are compared.
var ways = []string{
	"-r", "-r -S", "-r -x", "-r -X", "-r -s", "-r -d", "-r --build-id=md5", "-r -T one.lds", "-r --unique", "-r --force-group-allocation",
	"-r -u nowhere -e main --gc-sections", "-r -Ttext=0x1000", "-r a.o -b binary blob",
}

const oneScript = `
SECTIONS {
	.text : { head = .; *(.text .text.*) tail = .; }
	.both : { *(.data) *(.rodata*) LONG(7) }
	/DISCARD/ : { *(.comment) }
	fixed = 0x123;
}
`

// cosmetic is what says the same in other words: section symbols of groups, which
// nothing needs; relocations without effect where an FDE was; that GNU ld lets
// debugging data of a group that was dropped speak of the one that was kept; and
// that it ends the last unwind table of Arm already here.
var cosmetic = regexp.MustCompile(`^symbol .*SECTION|^section \.((rela?\.)?(debug_|ARM\.exidx\.init)|rela?\.eh_frame|symtab|strtab|shstrtab|group|note\.gnu\.build-id)|^reloc \.rela?\.(eh_frame .* type=0|debug_|ARM\.exidx\.init)`)

// quirks are what GNU ld does with an option, and we do not.
var quirks = map[string]*regexp.Regexp{
	// What only collected code referred to becomes an undefined local symbol.
	// Arm: comments are kept where nothing else of an object is. .eh_frame: an end
	// of a list of frames.
	"--gc-sections": regexp.MustCompile(`^symbol (weak|_GLOBAL_OFFSET_TABLE_|__st[a-z]*_list) undefined|^section \.comment|^section \.eh_frame|^symbol \$d \.eh_frame|__aeabi_unwind_cpp_pr0|^symbol \.L`),
	// Build attributes are joined, and there three times.
	"--unique": regexp.MustCompile(`^section \.(ARM|riscv)\.attributes`),
}

func TestRelocatableLikeGNU(t *testing.T) {
	for _, c := range compilers {
		t.Run(c.name, func(t *testing.T) {
			samples.Need(t, c.prefix+"gcc", c.prefix+"g++", c.prefix+"ld")
			dir := t.TempDir()
			compile(t, dir, c.prefix, append([]string{"-O1", "-fno-inline", "-g"}, c.flags...))
			for _, w := range ways {
				args := strings.Fields(w)
				if !slices.Contains(args, "a.o") {
					args = append(args, "a.o", "b.o", "c.o")
				}
				likeGNU(t, dir, c.prefix+"ld", args)
			}
		})
	}
}

func compile(t *testing.T, dir, prefix string, flags []string) {
	t.Helper()
	for _, src := range []string{"a.cc", "b.cc", "c.c"} {
		cc := prefix + "g++"
		more := []string(nil)
		if filepath.Ext(src) == ".c" {
			cc, more = prefix+"gcc", []string{"-fcommon", "-ffunction-sections"}
		}
		args := append(append(append([]string(nil), flags...), more...), "-c", src, "-o", strings.TrimSuffix(src, filepath.Ext(src))+".o")
		b, err := os.ReadFile(filepath.Join("testdata/relocatable", src))
		if err != nil {
			t.Fatal(err)
		}
		store(t, dir, src, string(b))
		tool(t, dir, cc, args...)
	}
	store(t, dir, "one.lds", oneScript)
	store(t, dir, "blob", "some bytes")
}

func store(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func tool(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, out)
	}
}

// likeGNU links with both linkers and compares what came out.
func likeGNU(t *testing.T, dir, ld string, args []string) {
	t.Helper()
	tool(t, dir, ld, append([]string{"-o", "gnu"}, args...)...)
	ours(t, dir, append([]string{"-o", "ours"}, args...))
	want, got := summary(t, dir, "gnu"), summary(t, dir, "ours")
	diff := ldcase.Diff(want, got, cosmetic)
	for option, quirk := range quirks {
		if slices.Contains(args, option) {
			diff = slices.DeleteFunc(diff, func(line string) bool {
				_, what, _ := strings.Cut(strings.TrimSpace(line), " ")
				return quirk.MatchString(strings.TrimSpace(what))
			})
		}
	}
	if len(diff) > 0 {
		t.Errorf("%q:\n%s", args, strings.Join(diff, "\n"))
	}
	if want, got := groups(t, dir, "gnu"), groups(t, dir, "ours"); !slices.Equal(want, got) {
		t.Errorf("%q: groups\n%s\nGNU ld\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// groups are an object's groups: the signature, and the names of the members.
func groups(t *testing.T, dir, name string) (all []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	heads := f.Sections()
	for i := range heads {
		if heads[i].Type != elf.SHT_GROUP {
			continue
		}
		tab, err := f.SymbolTable(int(heads[i].Link))
		if err != nil {
			t.Fatal(err)
		}
		sym := tab.At(int(heads[i].Info))
		words, err := f.SectionData(i)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s flags %d:", tab.Name(sym), f.U32(words))
		for words = words[4:]; len(words) > 0; words = words[4:] {
			x := int(f.U32(words))
			text += " " + f.SectionName(x)
			if heads[x].Flags&uint64(elf.SHF_GROUP) == 0 {
				text += " (without SHF_GROUP)"
			}
		}
		all = append(all, text)
	}
	sort.Strings(all)
	return all
}

// ours links in a directory.
func ours(t *testing.T, dir string, args []string) {
	t.Helper()
	t.Chdir(dir)
	opt, _, err := options.Parse(args, os.ReadFile)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	if _, err := link.Link(opt, link.Host{}); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
}

func summary(t *testing.T, dir, name string) *ldcase.Summary {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ldcase.Summarise(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// TestEmitRelocs: --emit-relocs keeps what GNU ld keeps, also of instructions that
// became others. On RISC-V, where addresses depend on how much was relaxed and
// GNU ld leaves marks of what is gone, the relocations are only held against the
// bytes.
func TestEmitRelocs(t *testing.T) {
	relocs := regexp.MustCompile(`^(reloc \.rela?\.(text|data|rodata|eh_frame) .*)`)
	for _, c := range compilers {
		for _, code := range []string{"-fno-pie", "-fPIE -fno-plt"} {
			t.Run(c.name+" "+code, func(t *testing.T) {
				samples.Need(t, c.prefix+"gcc", c.prefix+"ld")
				dir := t.TempDir()
				flags := slices.Concat([]string{"-O1", "-c"}, strings.Fields(code), c.flags)
				for _, src := range []string{"emit1.c", "emit2.c"} {
					b, err := os.ReadFile(filepath.Join("testdata/relocatable", src))
					if err != nil {
						t.Fatal(err)
					}
					store(t, dir, src, string(b))
					tool(t, dir, c.prefix+"gcc", append(flags, src)...)
				}
				args := []string{"-q", "-e", "begin", "emit1.o", "emit2.o"}
				tool(t, dir, c.prefix+"ld", append([]string{"-o", "gnu"}, args...)...)
				ours(t, dir, append([]string{"-o", "ours"}, args...))
				n := heldAgainstBytes(t, filepath.Join(dir, "ours"))
				if c.prefix == "riscv64-linux-gnu-" {
					if n < 5 {
						t.Errorf("%d relocations could be checked", n)
					}
					return
				}
				only := func(name string) (lines []string) {
					for _, l := range summary(t, dir, name).Lines() {
						if relocs.MatchString(l) && !strings.Contains(l, " type=0 ") {
							lines = append(lines, l)
						}
					}
					sort.Strings(lines)
					return lines
				}
				want, got := only("gnu"), only("ours")
				if len(want) < 10 {
					t.Fatalf("GNU ld's output has %d relocations", len(want))
				}
				if !slices.Equal(want, got) {
					t.Errorf("relocations\n%s\nGNU ld\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

// heldAgainstBytes carries out the relocations of an executable that stand for
// S + A or S + A - P alone, and compares with what is there.
func heldAgainstBytes(t *testing.T, name string) (checked int) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse(name, b)
	if err != nil {
		t.Fatal(err)
	}
	m := all.Lookup(f.Header.Machine, f.Class)
	heads := f.Sections()
	for i := range heads {
		if heads[i].Type != elf.SHT_RELA || heads[i].Flags&uint64(elf.SHF_INFO_LINK) == 0 {
			continue
		}
		table, err := f.RelocTable(i)
		if err != nil {
			t.Fatal(err)
		}
		symbols, err := f.SymbolTable(int(heads[i].Link))
		if err != nil {
			t.Fatal(err)
		}
		to := &heads[heads[i].Info]
		data, err := f.SectionData(int(heads[i].Info))
		if err != nil {
			t.Fatal(err)
		}
		for k := range table.Len() {
			r := table.At(k)
			row := m.Relocs.Lookup(r.Type)
			if row == nil || row.Kind != machine.Plain || !row.Static() || row.Formula != machine.SA && row.Formula != machine.SAP {
				continue
			}
			sym := symbols.At(int(r.Sym))
			if sym.Shndx == uint16(elf.SHN_UNDEF) {
				continue
			}
			place := data[r.Off-to.Addr:]
			want := slices.Clone(place[:min(len(place), 8)])
			if err := row.Apply(want, f.Order(), &machine.Values{S: sym.Value, A: r.Addend, P: r.Off}); err != nil {
				t.Fatal(err)
			}
			if checked++; !slices.Equal(want, place[:len(want)]) {
				t.Errorf("%s at %#x against %s + %#x: %x is there, not %x", row.Name, r.Off, symbols.Name(sym), r.Addend, place[:len(want)], want)
			}
		}
	}
	return checked
}
