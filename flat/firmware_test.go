package flat_test

import (
	"slices"
	"strings"
	"testing"

	"elfwright/flat"
	"elfwright/internal/samples"
)

// firmwareSource has sections of odd sizes for all assemblers alike.
const firmwareSource = `
	.section .text,"ax"
	.globl _start
_start:
	.rept 37
	.byte 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc
	.endr
	.section .more,"a"
	.ascii "some more bytes, not a multiple of anything"
	.section .data,"aw"
	.byte 0xff, 0xfe, 0xfd, 0xfc, 0xfb
	.section .tdata,"awT"
	.byte 1, 2, 3
	.section .long,"a"
	.rept 9000
	.byte 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18, 0x29
	.endr
	.section .empty,"a"
	.section .bss,"aw",%nobits
	.space 77
	.section .note.GNU-stack,"",%progbits
`

// layouts are linker scripts: where sections go in memory, and where they are
// stored.
var layouts = []struct {
	name    string
	script  string
	only64  bool
	refuses string // what we refuse that objcopy writes with its upper bits cut off
	pad     uint64
}{
	{name: "low", script: `.text 0x100 : { *(.text) } .more 0x300 : { *(.more) } .data : { *(.data) *(.tdata) *(.empty) *(.long) }`, pad: 0x20000},
	{name: "across 64 KiB", script: `.text 0xff9b : { *(.text) } .more 0x1fff0 : { *(.more) } .long 0x2fff1 : { *(.long) } .data : { *(.data) *(.tdata) *(.empty) }`, pad: 0x60000},
	{name: "across 1 MiB", script: `.text 0xfff9b : { *(.text) } .long : { *(.long) } .more 0x200000 : { *(.more) } .data : { *(.data) *(.tdata) *(.empty) }`, pad: 0x230001},
	{name: "below 1 MiB and above", script: `.text 0x8000 : { *(.text) } .long 0x20003 : { *(.long) } .more 0x210000 : { *(.more) } .data 0x334567 : { *(.data) *(.tdata) *(.empty) }`, pad: 0x350000},
	{name: "across 16 MiB", script: `.text 0xffff9b : { *(.text) } .long : { *(.long) } .data : { *(.data) *(.tdata) *(.empty) *(.more) }`, pad: 0x1100000},
	{name: "high", script: `.text 0xfff00000 : { *(.text) } .long 0xfffe0000 : { *(.long) } .data : { *(.data) *(.tdata) *(.empty) *(.more) }`},
	{name: "flash and RAM", script: `.text 0x8000000 : { *(.text) *(.more) *(.long) } .data 0x20000000 : AT(LOADADDR(.text) + SIZEOF(.text)) { *(.data) *(.tdata) *(.empty) } .bss : { *(.bss) }`, pad: 0x8100000},
	{name: "bss in the middle", script: `.text 0x10000 : { *(.text) } .bss : { *(.bss) } .data : { *(.data) *(.tdata) *(.empty) } .more ALIGN(64) : { *(.more) *(.long) }`, pad: 0x40000},
	{name: "bss in the middle, by headers", script: `.text 0x10000 : { *(.text) } :a .bss : { *(.bss) } :b .data : { *(.data) *(.tdata) *(.empty) } :c .more ALIGN(64) : { *(.more) *(.long) } :c`, pad: 0x40000},
	{name: "thread-local", script: `.text 0x10000 : AT(0x40000) { *(.text) } .tdata : { *(.tdata) } .data : { *(.data) *(.empty) *(.more) } .long : { *(.long) }`},
	{name: "empty section behind the end", script: `.text 0x10000 : { *(.text) } .data : { *(.data) *(.tdata) *(.more) *(.long) } .empty 0x30000 : { *(.empty) hole = .; . = ALIGN(1); }`, pad: 0x28000},
	{name: "stored in another order", script: `.text 0x10000 : AT(0x90000) { *(.text) } .long 0x30000 : AT(0x20000) { *(.long) } .data 0x60000 : AT(0x80001) { *(.data) *(.tdata) *(.empty) *(.more) }`, pad: 0x90000},
	{name: "stored as sign-extended", only64: true, script: `.text 0x10000 : AT(0xffffffff80001000) { *(.text) } .data : { *(.data) *(.tdata) *(.empty) *(.more) *(.long) }`},
	{name: "run as sign-extended", only64: true, script: `.text 0xffffffff80200000 : AT(0x1200000) { *(.text) } .data : AT(0x1240001) { *(.data) *(.tdata) *(.empty) *(.more) *(.long) }`},
	{name: "run high, stored low", only64: true, refuses: "start address", script: `.text 0xffffffff80200000 : AT(0x2000) { *(.text) } .data : { *(.data) *(.tdata) *(.empty) *(.more) *(.long) }`},
	{name: "stored above 4 GiB", only64: true, refuses: "does not fit", script: `.text 0x10000 : AT(0x180001000) { *(.text) } .data : { *(.data) *(.tdata) *(.empty) *(.more) *(.long) }`},
}

// firmware links the source by a script, for a machine.
func firmware(t *testing.T, prefix, script string) string {
	t.Helper()
	phdrs := ""
	if strings.Contains(script, ":a") {
		phdrs = "PHDRS { a PT_LOAD; b PT_LOAD; c PT_LOAD; }\n"
	}
	return samples.MakeFile(t, samples.Recipe{
		Files: map[string]string{
			"f.s":   firmwareSource,
			"f.lds": "ENTRY(_start)\n" + phdrs + "SECTIONS { " + script + " /DISCARD/ : { *(.note*) *(.riscv*) *(.ARM*) *(.bss) *(.data) } }\n",
		},
		Steps: [][]string{{prefix + "gcc", "-nostdlib", "-static", "-Wl,--build-id=none,--no-warn-rwx-segments,-T,f.lds", "f.s", "-o", "f"}},
		Out:   "f",
	})
}

// TestFirmwareAsObjcopy compares images that are not stored where they run, for
// machines of both classes.
func TestFirmwareAsObjcopy(t *testing.T) {
	for i, l := range layouts {
		prefixes := []string{"", "i686-linux-gnu-", "aarch64-linux-gnu-", "arm-linux-gnueabihf-", "riscv64-linux-gnu-"}
		if l.only64 {
			prefixes = []string{"", "riscv64-linux-gnu-"}
		} else if testing.Short() {
			prefixes = prefixes[:1]
		} else {
			// Each layout for the native machine, with all options, and two others.
			prefixes = []string{"", prefixes[1+i%4], prefixes[1+(i+1)%4]}
		}
		for k, prefix := range prefixes {
			t.Run(l.name+"/"+prefix, func(t *testing.T) {
				t.Parallel()
				path := firmware(t, prefix, l.script)
				samples.Need(t, prefix+"objcopy")
				list := slices.Concat(plain(), records(), filled(l.pad))
				if k > 0 {
					list = plain()
				}
				for _, c := range list {
					refuses := l.refuses
					if refuses == "start address" && (c.opt.Format != flat.SRec || c.opt.ForceS3) {
						refuses = ""
					}
					compare(t, prefix+"objcopy", path, c, refuses)
				}
			})
		}
	}
}

// TestOneSectionAsObjcopy compares --only with objcopy's -j.
func TestOneSectionAsObjcopy(t *testing.T) {
	samples.Need(t, "objcopy")
	path := firmware(t, "", layouts[0].script)
	for _, names := range [][]string{{".text"}, {".data"}, {".more", ".text"}} {
		for _, c := range plain()[:4] {
			c.opt.Only = names
			for _, n := range names {
				c.words = append(c.words, "-j", n)
			}
			compare(t, "objcopy", path, c, "")
		}
	}
}
