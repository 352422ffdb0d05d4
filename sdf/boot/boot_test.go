package boot_test

import (
	"bytes"
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
	"elfwright/sdf/boot"
	"elfwright/sdf/desc"
	"elfwright/sdf/loader"
)

const source = `
char microkit_name[64], microkit_passive;
unsigned long microkit_irqs, microkit_notifications, microkit_pps, microkit_ioports, child;
unsigned long data[600] = {0x1234};
void _start(void) { for (;;) ; }
`

const runtimeSource = `
__asm__(".section .text.start, \"ax\"\n.globl _start\n_start: b .\n");
long data[3] = {1, 2, 3}, zeros[5];
`

const script = `ENTRY(_start) PHDRS { all PT_LOAD FLAGS(7); }
SECTIONS { . = 0xffffff8040000000; .text : AT(0x40000000) { *(.text.start) *(.text) *(.data) } :all
.bss : { *(.bss) . = ALIGN(16); } :all _bss_end = .; /DISCARD/ : { *(.note*) *(.comment) *(.eh_frame) } }`

// world has an image a.elf, a file of 5 bytes, and a runtime.
func world(t *testing.T) (dir string, runtime *elffile.File) {
	t.Helper()
	const gcc = "aarch64-linux-gnu-gcc"
	samples.Need(t, gcc)
	dir = t.TempDir()
	for name, text := range map[string]string{"a.c": source, "r.c": runtimeSource, "r.lds": script, "fill": "hello"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"-static", "-nostdlib", "-no-pie", "-Wl,-z,max-page-size=4096", "-o", "a.elf", "a.c"},
		{"-nostdlib", "-static", "-fno-pic", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-T", "r.lds", "-o", "r.elf", "r.c"},
	} {
		cmd := exec.Command(gcc, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	runtime, err := elffile.Open(filepath.Join(dir, "r.elf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runtime.Close() })
	return dir, runtime
}

func apply(t *testing.T, dir string, b desc.Board, text string) (*desc.System, *sdf.Applied) {
	t.Helper()
	s, found := desc.Parse("s", []byte("<system>"+text+"</system>"), b, desc.Options{Length: sdf.Length([]string{dir})})
	if found.Faulty() {
		t.Fatal(found)
	}
	a, err := sdf.Apply(s, sdf.Options{Search: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return s, a
}

func board() desc.Board {
	b := desc.Default(desc.AArch64)
	b.Memory = []desc.Memory{{Start: 0x41000000, End: 0x41800000}}
	return b
}

const family = `<memory_region name="m" size="0x200000" page_size="0x200000"/>
<memory_region name="f" size="0x1000" prefill_path="fill"/>
<memory_region name="uart" size="0x1000" phys_addr="0x9000000"/>
<protection_domain name="top" priority="9"><program_image path="a.elf"/><map mr="m" vaddr="0x10000000" perms="rx"/>
<protection_domain name="low" id="5"><program_image path="a.elf"/><map mr="f" vaddr="0x10000000"/><map mr="uart" vaddr="0x20000000" cached="false"/></protection_domain>
</protection_domain><channel><end pd="low" id="1" pp="true"/><end pd="top" id="2" notify="false"/></channel>`

// The file is read again with nothing but the formats, and what the regions load
// is what each protection domain sees at its addresses.
func TestMake(t *testing.T) {
	dir, rt := world(t)
	s, a := apply(t, dir, board(), family)
	r, err := boot.Make(s, a, rt, boot.Options{Search: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Body.Bytes(0, uint64(r.Body.Size()))
	if err != nil {
		t.Fatal(err)
	}
	if r2, err := boot.Make(s, a, rt, boot.Options{Search: []string{dir}}); err != nil {
		t.Error(err)
	} else if b2, err := r2.Body.Bytes(0, uint64(r2.Body.Size())); err != nil || !bytes.Equal(b, b2) {
		t.Errorf("made again it is another file (%v)", err)
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Progs) != 1 || f.Entry != 0x40000000 || f.Progs[0].Paddr != 0x40000000 || f.Progs[0].Filesz != f.Progs[0].Memsz {
		t.Fatalf("entry %#x, %+v", f.Entry, f.Progs[0])
	}
	img, err := loader.Parse("f", b)
	if err != nil || img.Kind != loader.ELF || len(img.Overlaps()) > 0 {
		t.Fatalf("%+v, %v", img, err)
	}
	if end := uint64(img.Offset) - f.Progs[0].Off + f.Progs[0].Paddr; end != uint64(r.Report.Header) {
		t.Errorf("the header is loaded to %#x, and the report says %#x", end, r.Report.Header)
	}
	m := newMachine(t, b, img)
	for i, name := range []string{"top", "low"} {
		m.domain(t, i, name, a)
	}
	if got := string(m.read(t, 1, 0x10000000, 6)); got != "hello\x00" {
		t.Errorf("the region of the file begins with %q", got)
	}
	if x := m.find(t, 0, 0x10000000); x[4] != 1|4|8 || x[2]%0x200000 != 0 || x[3] != 0x200000 {
		t.Errorf("the large region: %#x", x)
	}
	if x := m.find(t, 1, 0x20000000); x[2] != 0x9000000 || x[4] != 1|2 || m.loads(0x9000000) {
		t.Errorf("the device: %#x", x)
	}
	// low calls and notifies top; top does neither.
	if want := []uint64{1, 1, 0, 2, 3, 0, 2, 1, 1, 0}; fmt.Sprint(m.ends) != fmt.Sprint(want) {
		t.Errorf("ends %v, want %v", m.ends, want)
	}
}

// What the runtime does not have is refused, all of it, or left out on demand.
func TestRefused(t *testing.T) {
	dir, rt := world(t)
	const img = `<program_image path="a.elf"/>`
	for _, c := range []struct{ attrs, inner, outer, want string }{
		{"", `<irq irq="3" id="1"/>`, "", "interrupts are not delivered"},
		{"", `<cspace><cap_tcb slot="1" pd="a"/></cspace>`, "", "no capabilities"},
		{"", `<virtual_machine name="v"><vcpu id="1"/></virtual_machine>`, "", "virtual_machine v does not run"},
		{`smc="true"`, "", "", "secure monitor"},
		{`cpu="1"`, "", "", "one core runs, and not core 1"},
		{`budget="5" period="6"`, "", "", "time is not bounded"},
		{`fpu="false"`, "", "", "floating point"},
		{"", "", `<memory_region name="fdt" size="0x1000" prefill_bootinfo="fdt"/>`, "no kernel that tells fdt"},
	} {
		b := board()
		b.SMC, b.Cores = true, 2
		s, a := apply(t, dir, b, `<protection_domain name="a" `+c.attrs+`>`+img+c.inner+`</protection_domain>`+c.outer)
		_, err := boot.Make(s, a, rt, boot.Options{})
		no, ok := errors.AsType[*desc.Refusal](err)
		if !ok || len(no.Findings) != 1 || no.Findings[0].Rule != "runtime" || !strings.Contains(no.Findings[0].Msg, c.want) {
			t.Errorf("%s%s: %v", c.attrs, c.inner, err)
		}
		r, err := boot.Make(s, a, rt, boot.Options{Lenient: true})
		if err != nil || len(r.Report.Warnings) != 1 {
			t.Errorf("%s%s, lenient: %v", c.attrs, c.inner, err)
		}
	}
	b := board()
	s, a := apply(t, dir, b, `<domains><domain name="d"/><domain_schedule><schedule_entry domain="d" duration="1 us"/></domain_schedule></domains><protection_domain name="a" domain="d">`+img+`</protection_domain>`)
	if _, err := boot.Make(s, a, rt, boot.Options{}); err == nil || !strings.Contains(err.Error(), "no schedule of domains") {
		t.Error(err)
	}
}

// Memory that is not there, or that the file itself needs, is no matter of taste.
func TestMemory(t *testing.T) {
	dir, rt := world(t)
	for _, c := range []struct {
		memory []desc.Memory
		region string
		want   string
	}{
		{nil, "", "the board gives no memory"},
		{[]desc.Memory{{Start: 0x41000000, End: 0x41002000}}, "", "left in the memory of the board"},
		{[]desc.Memory{{Start: 0x40000000, End: 0x41000000}}, "", "overlaps the file itself"},
		{[]desc.Memory{{Start: 0x41000000, End: 0x42000000}}, `<memory_region name="r" size="0x1000" phys_addr="0x9000000" prefill_path="fill"/>`, "the board has no memory at [0x9000000, 0x9001000) to be filled"},
		{[]desc.Memory{{Start: 0x41000000, End: 0x42000000}}, `<memory_region name="r" size="0x1000"/>`, ""},
		{[]desc.Memory{{Start: 0x41000000, End: 0x42000000}}, `<memory_region name="r" size="0x1000" phys_addr="0x40000000"/>`, "protection_domain a maps [0x40000000, 0x40001000), and the file itself"},
		// So large a device needs more tables than there is memory, and takes no time.
		{[]desc.Memory{{Start: 0x41000000, End: 0x42000000}}, `<memory_region name="r" size="0x4000000000" phys_addr="0x100000000"/>`, "page tables: there are no 0x"},
	} {
		b := board()
		b.Memory = c.memory
		inner := ""
		if strings.Contains(c.region, "phys_addr") && c.memory != nil {
			inner = `<map mr="r" vaddr="0x4000000000"/>`
		}
		s, a := apply(t, dir, b, c.region+`<protection_domain name="a"><program_image path="a.elf"/>`+inner+`</protection_domain>`)
		_, err := boot.Make(s, a, rt, boot.Options{Search: []string{dir}, Lenient: true})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.memory, err)
		}
	}
}

// A program that is no runtime is refused, and the error says why.
func TestRuntimes(t *testing.T) {
	dir, rt := world(t)
	s, a := apply(t, dir, board(), family)
	for _, c := range []struct {
		change func(f *elffile.File)
		want   string
	}{
		{func(f *elffile.File) {}, ""},
		{func(f *elffile.File) { f.Header.Entry = 0x40000000 }, ""},
		{func(f *elffile.File) { f.Header.Entry += 4 }, "e_entry 0xffffff8040000004 is not the first byte"},
		{func(f *elffile.File) { f.Header.Machine = elf.EM_RISCV }, "e_machine is RISC-V, and the board is aarch64"},
		{func(f *elffile.File) { f.Header.Type = elf.ET_DYN }, "e_type"},
		{func(f *elffile.File) { f.Progs[0].Memsz++ }, "no multiple of 16"},
		{func(f *elffile.File) { f.Progs[0].Memsz += 16 }, "_bss_end is 0x"},
		{func(f *elffile.File) { f.Progs[0].Memsz = 1 << 40 }, "at most 0x4000000"},
		{func(f *elffile.File) { f.Progs[0].Filesz = f.Progs[0].Memsz + 16 }, "a runtime has its bytes in the file"},
		{func(f *elffile.File) { f.Progs[0].Type = elf.PT_NOTE }, "has 0"},
	} {
		f, err := elffile.ParseBody("r", rt.Encode())
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		f.Name = "r"
		_, err = boot.Make(s, a, f, boot.Options{Search: []string{dir}})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
}

// Files that have become others since they were looked at are refused.
func TestChanged(t *testing.T) {
	dir, rt := world(t)
	opt := boot.Options{Search: []string{dir}}
	s, a := apply(t, dir, board(), `<memory_region name="f" size="0x1000" prefill_path="fill"/><protection_domain name="a"><program_image path="a.elf"/></protection_domain>`)
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 0x1001), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := boot.Make(s, a, rt, opt); err == nil || !strings.Contains(err.Error(), "has 0x1001 bytes now") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 0x1000), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := boot.Make(s, a, rt, opt); err != nil {
		t.Error(err)
	}
	a.Outputs[0].Body.Truncate(0x1100)
	if _, err := boot.Make(s, a, rt, opt); err == nil || !strings.Contains(err.Error(), "bytes of it") {
		t.Error(err)
	}
}
