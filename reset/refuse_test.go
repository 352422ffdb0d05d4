package reset_test

import (
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"elfwright/elffile"
	"elfwright/reset"
	"elfwright/reset/table"
)

// change makes the synthetic program of a machine, with a change.
func change(machine elf.Machine, do func(f *elffile.File)) *elffile.File {
	format := elffile.Format{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB}
	if machine == elf.EM_386 || machine == elf.EM_ARM {
		format.Class = elf.ELFCLASS32
	}
	f := synthetic(machine, format)
	do(f)
	if err := f.Renumber(0); err != nil {
		panic(err)
	}
	now, err := elffile.ParseBody(f.Name, f.Encode())
	if err != nil {
		panic(err)
	}
	return now
}

// another is a PT_LOAD more.
func another(f *elffile.File, flags elf.ProgFlag, off, vaddr, paddr, filesz, memsz uint64) {
	f.Progs = append(f.Progs, elffile.Prog{Type: elf.PT_LOAD, Flags: flags, Off: off, Vaddr: vaddr, Paddr: paddr, Filesz: filesz, Memsz: memsz, Align: 0x1000})
}

// words puts numbers of 32 bits into the file.
func words(f *elffile.File, off int64, list ...uint32) {
	b := make([]byte, 4*len(list))
	for i, w := range list {
		f.PutU32(b[4*i:], w)
	}
	f.Body.Put(off, elffile.Buffer(b))
}

// note puts a note into the file, with a header.
func note(f *elffile.File, name string, typ uint32) {
	const off = 0x380
	words(f, off, uint32(len(name)+1), 4, typ, 0, 0, 0)
	f.Body.Put(off+12, elffile.Buffer(name))
	f.Progs = append(f.Progs, elffile.Prog{Type: elf.PT_NOTE, Flags: elf.PF_R, Off: off, Vaddr: textAt + off, Filesz: 24, Memsz: 24, Align: 4})
}

var nothing = func(*elffile.File) {}

// TestRefusals: what cannot be done is said, with what goes on where something does.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name    string
		machine elf.Machine
		change  func(f *elffile.File)
		opt     reset.Options
		want    string
	}{
		{"machine", elf.EM_S390, nothing, reset.Options{}, "no code for a reset yet"},
		{"object", elf.EM_X86_64, func(f *elffile.File) { f.Header.Type = elf.ET_REL }, reset.Options{}, "e_type 0x1 is no program's"},
		{"library", elf.EM_X86_64, func(f *elffile.File) { f.Header.Type, f.Header.Entry = elf.ET_DYN, 0 }, reset.Options{}, "a shared library is not started"},
		{"entry", elf.EM_X86_64, func(f *elffile.File) { f.Header.Entry = dataAt }, reset.Options{}, "e_entry 0x20000 is in no executable PT_LOAD"},
		{"nothing writable", elf.EM_X86_64, func(f *elffile.File) { f.Progs[1].Flags = elf.PF_R }, reset.Options{}, "there is nothing to restore"},
		{"interpreter", elf.EM_X86_64, func(f *elffile.File) {
			f.Progs = append(f.Progs, elffile.Prog{Type: elf.PT_INTERP, Off: 0x380, Vaddr: textAt + 0x380, Filesz: 8, Memsz: 8, Align: 1})
		}, reset.Options{}, "is PT_INTERP: a dynamic linker"},
		{"overlap", elf.EM_X86_64, func(f *elffile.File) { another(f, 6, dataOff, dataAt+0x800, dataAt+0x800, 0x10, 0x10) }, reset.Options{}, "is also in program header 1"},
		{"shape", elf.EM_X86_64, nothing, reset.Options{Shape: "flat"}, `shape "flat" is not one of keep, deflate`},
		{"system", elf.EM_X86_64, nothing, reset.Options{OS: "bsd"}, `system "bsd" is not one of linux, none`},
		{"range", elf.EM_X86_64, nothing, reset.Options{Persistent: []string{"0x1f000..0x20010"}}, "was to be persistent, and is not all in writable segments, [0x20000, 0x20c00)"},
		{"end of a range", elf.EM_X86_64, nothing, reset.Options{Persistent: []string{"0x20000"}}, "want START..END"},
		{"pattern", elf.EM_X86_64, nothing, reset.Options{Persistent: []string{".a["}}, "syntax error in pattern"},
		{"no name", elf.EM_X86_64, nothing, reset.Options{Persistent: []string{""}}, "there is no name"},
		{"address", elf.EM_X86_64, nothing, reset.Options{At: 0x40010}, "0x40010 for the new segments is no multiple of the page size, 0x1000"},
		{"address taken", elf.EM_X86_64, nothing, reset.Options{At: dataAt}, "0x20000"},
		{"load address", elf.EM_X86_64, nothing, reset.Options{Paddr: 0x40000}, "--paddr needs --at"},
		{"all in flash", elf.EM_AARCH64, func(f *elffile.File) { f.Progs[1].Paddr = textAt + 0x400 }, reset.Options{}, "the program copies its data itself whenever it starts, and is resettable as it is"},
		{"some in flash", elf.EM_AARCH64, func(f *elffile.File) { another(f, 6, dataOff, 0x50000, textAt+0x400, 0x10, 0x10) }, reset.Options{}, "a writable segment at 0x50000 is loaded elsewhere than it runs (p_paddr): say with --at, and --paddr, where there is memory"},
		{"hook in flash", elf.EM_AARCH64, func(f *elffile.File) { another(f, 6, dataOff, 0x50000, textAt+0x400, 0x10, 0x10) }, reset.Options{At: 0x60000, HookEntry: true}, "the code is in flash"},
		{"deflate shared bytes", elf.EM_X86_64, func(f *elffile.File) { another(f, 4, dataOff, 0x50000, 0x50000, 0x100, 0x100) }, reset.Options{Shape: reset.Deflate}, "program headers 1 and 2 name the same bytes of the file: they cannot be taken out; --shape=keep leaves them"},
		{"deflate headers", elf.EM_X86_64, func(f *elffile.File) { f.Progs[0].Flags = 7 }, reset.Options{Shape: reset.Deflate}, "is writable and has the headers of the file in it"},
		{"hook on Linux", elf.EM_X86_64, nothing, reset.Options{OS: reset.Linux, HookEntry: true}, "Linux starts programs at e_entry"},
		{"hook too far", elf.EM_AARCH64, nothing, reset.Options{At: 0x4000_0000, HookEntry: true}, "is too far from the old entry, 0x10300: say --at"},
		{"hook short", elf.EM_RISCV, func(f *elffile.File) { f.Header.Entry = textAt + 0x3fc }, reset.Options{HookEntry: true}, "are not enough for a jump of 8 at the entry, 0x103fc"},
		{"Multiboot with addresses", elf.EM_386, func(f *elffile.File) { words(f, 0x380, 0x1badb002, 1<<16, 1<<32-0x1badb002-1<<16) }, reset.Options{}, "its Multiboot header has addresses"},
		{"Multiboot in 64 bits", elf.EM_X86_64, func(f *elffile.File) { words(f, 0x380, 0xe85250d6, 0, 16, 1<<32-0xe85250d6-16) }, reset.Options{}, "it has a Multiboot2 header: such loaders start it in 32-bit mode"},
		{"PVH", elf.EM_X86_64, func(f *elffile.File) { note(f, "Xen", 18) }, reset.Options{Shape: reset.Deflate}, "a note for PVH names its own entry, at which writable memory would have no bytes; --shape=keep leaves them"},
		{"Go", elf.EM_X86_64, func(f *elffile.File) { note(f, "Go", 4) }, reset.Options{}, "--os=none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := reset.Apply(change(tc.machine, tc.change), tc.opt)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestAllowed: the other side of each rule.
func TestAllowed(t *testing.T) {
	for _, tc := range []struct {
		name    string
		machine elf.Machine
		change  func(f *elffile.File)
		opt     reset.Options
		want    string // in the warnings or what is kept, as text
	}{
		{"an object of a program", elf.EM_X86_64, func(f *elffile.File) { f.Header.Type = elf.ET_DYN }, reset.Options{}, ""},
		{"beside each other", elf.EM_X86_64, func(f *elffile.File) { another(f, 6, dataOff, 0x30000, 0x30000, 0x10, 0x10) }, reset.Options{}, ""},
		{"some in flash", elf.EM_AARCH64, func(f *elffile.File) { another(f, 6, dataOff, 0x50000, textAt+0x400, 0x10, 0x10) }, reset.Options{At: 0x60000}, "copied by the program"},
		{"all at one distance", elf.EM_AARCH64, func(f *elffile.File) { f.Progs[0].Paddr += 0x100000; f.Progs[1].Paddr += 0x100000 }, reset.Options{}, ""},
		{"keep shared bytes", elf.EM_X86_64, func(f *elffile.File) { another(f, 4, dataOff, 0x50000, 0x50000, 0x100, 0x100) }, reset.Options{}, ""},
		{"keep headers", elf.EM_X86_64, func(f *elffile.File) { f.Progs[0].Flags = 7 }, reset.Options{At: 0x40000}, ""},
		{"code that is written to", elf.EM_ARM, func(f *elffile.File) { f.Progs[1].Flags = 7 }, reset.Options{}, "caches"},
		{"Multiboot", elf.EM_386, func(f *elffile.File) { words(f, 0x380, 0x1badb002, 0, 1<<32-0x1badb002) }, reset.Options{}, "a Multiboot header"},
		{"PVH", elf.EM_X86_64, func(f *elffile.File) { note(f, "Xen", 18) }, reset.Options{}, "names its own entry"},
		{"Go without threads", elf.EM_X86_64, func(f *elffile.File) { note(f, "Go", 4) }, reset.Options{OS: reset.NoneOS}, ""},
		{"deflate without a hook", elf.EM_RISCV, nothing, reset.Options{Shape: reset.Deflate}, "finds writable memory without its bytes; --hook-entry helps against that"},
		{"i386", elf.EM_386, func(f *elffile.File) { f.Progs = append(f.Progs, elffile.Prog{Type: elf.PT_GNU_STACK, Flags: 6}) }, reset.Options{}, "taken for a program of Linux by PT_GNU_STACK alone"},
		{"ABI tag", elf.EM_ARM, func(f *elffile.File) { note(f, "GNU", 1) }, reset.Options{}, "system linux (the ABI tag)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := change(tc.machine, tc.change)
			r, err := reset.Apply(f, tc.opt)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := r.Report.WriteText(&text); err != nil || !strings.Contains(text.String(), tc.want) {
				t.Errorf("%v; the report has no %q:\n%s", err, tc.want, text.String())
			}
			if _, err := reset.Verify(parseBody(t, f.Name, r.Body), f); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAt: the new segments are where they are to be, and loaded where that is said.
func TestAt(t *testing.T) {
	for _, tc := range []struct {
		opt          reset.Options
		vaddr, paddr uint64
	}{
		{reset.Options{At: 0x40000}, 0x40000, 0x140000},
		{reset.Options{At: 0x40000, Paddr: 0x8000}, 0x40000, 0x8000},
	} {
		f := change(elf.EM_AARCH64, func(f *elffile.File) { f.Progs[0].Paddr += 0x100000; f.Progs[1].Paddr += 0x100000 })
		now := resettable(t, f, tc.opt)
		tab, err := table.Find(now)
		if err != nil {
			t.Fatal(err)
		}
		const page = 0x1000
		want := fmt.Sprintf("0x%x 0x%x, 0x%x 0x%x", tc.vaddr, tc.paddr, tc.vaddr+page, tc.paddr+page)
		var have []string
		for _, p := range now.Progs {
			if p.Type == elf.PT_LOAD && (p.Vaddr == tab.Slot || p.Vaddr <= tab.Addr && tab.Addr < p.Vaddr+p.Memsz) {
				have = append(have, fmt.Sprintf("0x%x 0x%x", p.Vaddr, p.Paddr))
			}
		}
		if got := strings.Join(have, ", "); got != want {
			t.Errorf("%+v: %s, want %s", tc.opt, got, want)
		}
	}
}

// TestDistance: where all is loaded at one distance from where it runs, so is what is
// added.
func TestDistance(t *testing.T) {
	for _, shape := range []reset.Shape{reset.Keep, reset.Deflate} {
		f := change(elf.EM_RISCV, func(f *elffile.File) { f.Progs[0].Paddr += 0x100000; f.Progs[1].Paddr += 0x100000 })
		for i, p := range resettable(t, f, reset.Options{Shape: shape}).Progs {
			if p.Type == elf.PT_LOAD && p.Paddr-p.Vaddr != 0x100000 {
				t.Errorf("%s: program header %d: p_paddr 0x%x, p_vaddr 0x%x", shape, i, p.Paddr, p.Vaddr)
			}
		}
	}
}

// TestTemplate: where thread-local variables have their initial values far from the
// start of a segment, PT_TLS names the copy, and that is told.
func TestTemplate(t *testing.T) {
	for _, at := range []uint64{0x10, 0x5100} {
		f := change(elf.EM_X86_64, func(f *elffile.File) {
			f.Progs[1].Filesz, f.Progs[1].Memsz = 0x6000, 0x7000
			f.Body.Put(dataOff+0x5000, elffile.Buffer(strings.Repeat("bytes...", 0x200)))
			f.Progs = append(f.Progs, elffile.Prog{Type: elf.PT_TLS, Flags: elf.PF_R, Off: dataOff + at, Vaddr: dataAt + at, Paddr: dataAt + at, Filesz: 0x40, Memsz: 0x80, Align: 8})
		})
		r, err := reset.Apply(f, reset.Options{Shape: reset.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		warned := strings.Contains(fmt.Sprint(r.Report.Warnings), "PT_TLS names the copy")
		if warned != (at == 0x5100) {
			t.Errorf("+0x%x: %v", at, r.Report.Warnings)
		}
		now := parseBody(t, f.Name, r.Body)
		for i := range now.Progs {
			if p := &now.Progs[i]; p.Type == elf.PT_TLS {
				have, err1 := now.ProgData(i)
				want, err2 := f.ProgData(2)
				if err1 != nil || err2 != nil || string(have) != string(want) || p.Vaddr != dataAt+at {
					t.Errorf("+0x%x: PT_TLS names other bytes: %q, %v, %v", at, have, err1, err2)
				}
			}
		}
	}
}
