package sdf_test

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/internal/samples"
	"elfwright/sdf"
	"elfwright/sdf/desc"
)

const source = `
char microkit_name[64] = "a name that was there", microkit_passive;
unsigned long microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports;
unsigned long a, b, c = 3;
unsigned long pd_names_len, vm_names_len, pd_stack_bottom_addrs[64];
char pd_names[64][64] = {"one", "two"}, vm_names[64][64];
void _start(void) { for (;;) ; }
`

// build makes an image of the source and returns its directory.
func build(t *testing.T, compiler, text string, flags ...string) string {
	t.Helper()
	samples.Need(t, compiler)
	dir := t.TempDir()
	src := filepath.Join(dir, "a.c")
	if err := os.WriteFile(src, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-static", "-nostdlib", "-no-pie", "-Wl,-z,max-page-size=4096", "-o", filepath.Join(dir, "a.elf"), src}, flags...)
	out, err := exec.Command(compiler, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func parse(t *testing.T, b desc.Board, text string) *desc.System {
	t.Helper()
	s, found := desc.Parse("s", []byte(text), b, desc.Options{})
	if found.Faulty() {
		t.Fatal(found)
	}
	return s
}

// value reads a variable of an output, through program headers alone.
func value(t *testing.T, a *sdf.Applied, output string, list []sdf.Variable, symbol string) string {
	t.Helper()
	for _, o := range a.Outputs {
		if o.Name != output {
			continue
		}
		f, err := elffile.ParseBody(o.Name, o.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			if v.Symbol == symbol {
				b, err := f.BytesAt(uint64(v.Address), uint64(v.Size))
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%x", b)
			}
		}
	}
	t.Fatalf("no %s in %s", symbol, output)
	return ""
}

func TestApply(t *testing.T) {
	for _, m := range []struct {
		arch     desc.Arch
		compiler string
	}{{desc.AArch64, "aarch64-linux-gnu-gcc"}, {desc.RISCV64, "riscv64-linux-gnu-gcc"}} {
		t.Run(string(m.arch), func(t *testing.T) {
			dir := build(t, m.compiler, source)
			board := desc.Default(m.arch)
			board.Memory = []desc.Memory{{Start: 0x80001000, End: 0x80004000}, {Start: 0x80100000, End: 0x81000000}}
			s := parse(t, board, `<system>
<memory_region name="fixed" size="0x1000" phys_addr="0x80002000"/>
<memory_region name="small" size="0x1000"/>
<memory_region name="large" size="0x2000"/>
<memory_region name="huge" size="0x200000" page_size="0x200000"/>
<protection_domain name="one"><program_image path="a.elf"/>
  <map mr="fixed" vaddr="0x10000000"/><map mr="small" vaddr="0x10001000"/><map mr="large" vaddr="0x10002000"/><map mr="huge" vaddr="0x20000000"/>
  <setvar symbol="a" region_paddr="large"/><setvar symbol="b" region_paddr="small"/><setvar symbol="c" region_paddr="huge"/>
</protection_domain></system>`)
			a, err := sdf.Apply(s, sdf.Options{Search: []string{dir}, Monitor: "a.elf"})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			one := a.Plan.Domains[0]
			for symbol, want := range map[string]string{
				"microkit_name": "6f6e65" + strings.Repeat("00", 61), // nothing is left of the name that was there
				"a":             "0000108000000000",                  // small first, then no two pages side by side are left below
				"b":             "0010008000000000",
				"c":             "0000208000000000",
			} {
				if got := value(t, a, "one.elf", one.Variables, symbol); got != want {
					t.Errorf("%s is %s, want %s", symbol, got, want)
				}
			}
			mon := a.Plan.Monitor.Variables
			if got := value(t, a, "monitor.elf", mon, "pd_names"); got != "6f6e65"+strings.Repeat("00", 4093) {
				t.Errorf("pd_names is %s", got)
			}
			if got := value(t, a, "monitor.elf", mon, "pd_names_len"); got != "0100000000000000" {
				t.Errorf("pd_names_len is %s", got)
			}
			if uint64(one.Stack.Start) != board.StackBottom(0x2000) || uint64(one.IPCBuffer.End) != uint64(board.UserTop)+1 {
				t.Errorf("stack %v, IPC buffer %v, top %#x", one.Stack, one.IPCBuffer, board.UserTop)
			}
		})
	}
}

// Each of these is refused, with a rule and without a panic.
func TestRefused(t *testing.T) {
	dir := build(t, "aarch64-linux-gnu-gcc", source+"static unsigned long twice; unsigned long *p = &twice; extern unsigned long gone; void f(void) {}")
	board := desc.Default(desc.AArch64)
	for _, c := range []struct{ inner, rule, want string }{
		{`<map mr="m" vaddr="0x10000000" setvar_vaddr="nowhere"/>`, "symbol", "has no symbol nowhere"},
		{`<map mr="m" vaddr="0x10000000" setvar_vaddr="f"/>`, "symbol", "f of"},
		{`<map mr="m" vaddr="0x10000000" setvar_vaddr="microkit_irqs"/>`, "symbol", "is set by Microkit itself"},
		{`<map mr="m" vaddr="0x10000000" setvar_vaddr="pd_names"/>`, "width", "has 4096 bytes"},
		{`<map mr="m" vaddr="0x400000"/>`, "segment", "overlaps program header"},
		{`<map mr="m" vaddr="0x10000000"/><setvar symbol="a" region_paddr="m"/>`, "memory", "the board gives no memory"},
	} {
		s := parse(t, board, `<system><memory_region name="m" size="0x1000"/><protection_domain name="one"><program_image path="a.elf"/>`+c.inner+`</protection_domain></system>`)
		_, err := sdf.Apply(s, sdf.Options{Search: []string{dir}})
		no, ok := errors.AsType[*desc.Refusal](err)
		if !ok || len(no.Findings) != 1 || no.Findings[0].Rule != c.rule || !strings.Contains(no.Findings[0].Msg, c.want) {
			t.Errorf("%s: %v", c.inner, err)
		}
	}
	// An image for another machine, and a name that is none for a file.
	for text, want := range map[string]string{`name="one"`: "and the board is riscv64", `name="../x"`: "none for a file"} {
		s := parse(t, desc.Default(desc.RISCV64), `<system><protection_domain `+text+`><program_image path="a.elf"/></protection_domain></system>`)
		if _, err := sdf.Apply(s, sdf.Options{Search: []string{dir}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An image that was cut is refused: what is missing would be zeros.
func TestCut(t *testing.T) {
	dir := build(t, "aarch64-linux-gnu-gcc", source)
	whole, err := os.ReadFile(filepath.Join(dir, "a.elf"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := elffile.Parse("a.elf", whole)
	if err != nil {
		t.Fatal(err)
	}
	end := uint64(0)
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			end = max(end, p.Off+p.Filesz)
		}
	}
	s := parse(t, desc.Default(desc.AArch64), `<system><protection_domain name="one"><program_image path="cut.elf" path_for_symbols="a.elf"/></protection_domain></system>`)
	for _, size := range []uint64{end, end - 1} {
		if err := os.WriteFile(filepath.Join(dir, "cut.elf"), whole[:size], 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := sdf.Apply(s, sdf.Options{Search: []string{dir}})
		if err == nil {
			a.Close()
		}
		if (err == nil) != (size == end) || err != nil && !strings.Contains(err.Error(), "past the end of the file") {
			t.Errorf("cut at %#x of %#x: %v", size, end, err)
		}
	}
}

// Symbols of another program are refused.
func TestStrangeSymbols(t *testing.T) {
	dir := build(t, "aarch64-linux-gnu-gcc", source)
	other := build(t, "aarch64-linux-gnu-gcc", source+"int more[5000] = {1};")
	if err := os.Rename(filepath.Join(other, "a.elf"), filepath.Join(dir, "b.elf")); err != nil {
		t.Fatal(err)
	}
	for symbols, want := range map[string]bool{"a.elf": true, "b.elf": false} {
		s := parse(t, desc.Default(desc.AArch64), `<system><protection_domain name="one"><program_image path="a.elf" path_for_symbols="`+symbols+`"/></protection_domain></system>`)
		a, err := sdf.Apply(s, sdf.Options{Search: []string{dir}})
		if (err == nil) != want {
			t.Errorf("%s: %v", symbols, err)
		}
		if err == nil {
			a.Close()
		}
	}
}

func ExampleApply() {
	s, _ := desc.Parse("one.system", []byte(`<system><protection_domain name="one"><program_image path="none.elf"/></protection_domain></system>`), desc.Default(desc.AArch64), desc.Options{})
	_, err := sdf.Apply(s, sdf.Options{})
	fmt.Println(err)
	// Output:
	// one.system:1:9: error: protection_domain one: none.elf: not found; tried none.elf [image]
	// <system><protection_domain name="one"><program_image path="none.elf"/></protection_domain></system>
	//         ^
}
