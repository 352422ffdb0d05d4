package linkset

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"elfwright/internal/elftest"
)

const firmwareUnits = 400

const (
	armAbs32   = uint32(elf.R_ARM_ABS32)
	armCall    = uint32(elf.R_ARM_CALL)
	armPrel31  = uint32(elf.R_ARM_PREL31)
	armThmCall = uint32(elf.R_ARM_THM_PC22) // the ABI's R_ARM_THM_CALL
	armThmMovW = uint32(elf.R_ARM_THM_MOVW_ABS_NC)
	armThmMovT = uint32(elf.R_ARM_THM_MOVT_ABS)
	armMovW    = uint32(elf.R_ARM_MOVW_ABS_NC)
	armMovT    = uint32(elf.R_ARM_MOVT_ABS)
)

// Firmware writes 400 objects for a chip with flash and RAM: three of four are
// Thumb code, the others Arm; data and some code are stored in flash and used in
// RAM.
func Firmware(dir string) (*Set, error) {
	w := &writer{dir: dir}
	var paths []string
	for i := range firmwareUnits {
		paths = append(paths, w.file(fmt.Sprintf("unit%03d.o", i), firmwareUnit(i)))
	}
	script := w.file("firmware.lds", []byte(firmwareScript))
	objects := w.list("objects.rsp", paths)
	return &Set{
		Name: "firmware",
		LD:   []string{"arm-none-eabi-ld", "--no-warn-rwx-segments"},
		LLD:  []string{"-m", "armelf"},
		Args: []string{"--gc-sections", "-T", script, objects},
	}, w.err
}

// chip is an object of the firmware.
type chip struct {
	*object
	*rnd
	index int
	thumb bool
}

func firmwareUnit(i int) []byte {
	// Arm ELF ABI, e_flags: EABI version 5.
	c := &chip{newObject(elf.EM_ARM, elf.ELFCLASS32, 0x05000000, fmt.Sprintf("unit%03d.c", i)), newRnd(i), i, i%4 != 0}
	c.rel = true
	for k := range firmwareFunctions(i) {
		c.function(k)
	}
	c.data(".data", write, c.skewed(16, 900)&^3)
	c.data(".rodata", alloc, c.skewed(40, 2400)&^3)
	c.strings(".rodata.str1.1", alloc, []string{c.phrase(), c.phrase(), c.phrase()})
	n := uint64(c.skewed(8, 3000) &^ 3)
	c.section(elftest.Section{Name: ".bss", Flags: write, Type: elf.SHT_NOBITS, Align: 4, Size: n})
	c.global(elftest.Symbol{Name: fmt.Sprintf("state_%d", i), Section: ".bss", Size: n, Type: elf.STT_OBJECT})
	if i == 0 {
		c.vectors()
	}
	c.section(elftest.Section{Name: ".ARM.attributes", Type: 0x70000003, Align: 1, Data: armAttributes})
	c.note("cc (linkset) 12.2.0")
	return c.encode()
}

func firmwareFunctions(unit int) int { return 4 + unit*7%9 }

// inRAM tells which functions run from RAM: few, and they call only each other,
// because flash is out of the reach of a branch.
func inRAM(unit, k int) bool { return k == 3 && unit%10 == 2 }

func firmwareName(unit, k int) string {
	if inRAM(unit, k) {
		return "fast_" + function(unit, k)
	}
	return function(unit, k)
}

// function adds a function in its section, with its mapping symbol and its entry
// of the unwind table.
func (c *chip) function(k int) {
	name := ".text." + firmwareName(c.index, k)
	if inRAM(c.index, k) {
		name = ".ramfunc." + firmwareName(c.index, k)
	}
	body, relocs := c.body(c.skewed(40, 900)&^3, inRAM(c.index, k))
	c.section(elftest.Section{Name: name, Flags: code, Align: 4, Data: body})
	mark, thumb := "$a", uint64(0)
	if c.thumb {
		mark, thumb = "$t", 1
	}
	c.local(elftest.Symbol{Name: mark, Section: name})
	x := c.global(elftest.Symbol{Name: firmwareName(c.index, k), Section: name, Value: thumb, Size: uint64(len(body)), Type: elf.STT_FUNC})
	c.relocate(name, relocs)

	// Exception Handling ABI for Arm, "Index table entries": EXIDX_CANTUNWIND or a
	// model in line.
	exidx := ".ARM.exidx" + name
	entry := []byte{0, 0, 0, 0, 0xb0, 0xb0, byte(0xa8 + k%4), 0x80}
	c.section(elftest.Section{Name: exidx, Type: 0x70000001, Flags: alloc | elf.SHF_LINK_ORDER, Link: name, Align: 4, Data: entry})
	c.relocate(exidx, []reloc{{0, armPrel31, x, 0}})
}

// body is n bytes of code: every sixteen a call or the address of a variable.
func (c *chip) body(n int, ram bool) ([]byte, []reloc) {
	b := make([]byte, 0, n)
	var list []reloc
	half := func(v ...uint16) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint16(b, x)
		}
	}
	word := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	for len(b) < n {
		at := len(b)
		call := c.chance(60) && !ram
		switch {
		case at%16 != 0 || at+8 > n:
			word(map[bool]uint32{true: 0xbf00bf00, false: 0xe320f000}[c.thumb]) // nop
		case call && c.thumb:
			list = append(list, reloc{at, armThmCall, c.callee(), 0})
			half(0xf7ff, 0xfffe) // bl, S + A - P with A = -4
		case call:
			list = append(list, reloc{at, armCall, c.callee(), 0})
			word(0xebfffffe) // bl, A = -8
		case c.thumb:
			list = append(list, reloc{at, armThmMovW, c.variable(), 0}, reloc{at + 4, armThmMovT, c.variable(), 0})
			half(0xf240, 0x0000, 0xf2c0, 0x0000) // movw r0, #0; movt r0, #0
		default:
			list = append(list, reloc{at, armMovW, c.variable(), 0}, reloc{at + 4, armMovT, c.variable(), 0})
			word(0xe3000000) // movw r0, #0
			word(0xe3400000) // movt r0, #0
		}
	}
	return b, list
}

// callee is a function in flash.
func (c *chip) callee() symbol {
	for {
		i := c.below(firmwareUnits)
		if k := c.below(firmwareFunctions(i)); !inRAM(i, k) {
			return c.ref(firmwareName(i, k))
		}
	}
}

func (c *chip) variable() symbol { return c.ref(fmt.Sprintf("state_%d", c.below(firmwareUnits))) }

// data adds a section of words, of which every eighth is an address.
func (c *chip) data(name string, flags elf.SectionFlag, n int) {
	c.section(elftest.Section{Name: name, Flags: flags, Align: 4, Data: make([]byte, n)})
	c.local(elftest.Symbol{Name: "$d", Section: name})
	var list []reloc
	for off := 0; off+4 <= n; off += 32 {
		list = append(list, reloc{off, armAbs32, c.callee(), 0})
	}
	c.relocate(name, list)
}

// vectors is the table that the processor starts from.
func (c *chip) vectors() {
	c.section(elftest.Section{Name: ".vectors", Flags: alloc, Align: 4, Data: make([]byte, 64*4)})
	c.global(elftest.Symbol{Name: "vectors", Section: ".vectors", Type: elf.STT_OBJECT, Size: 64 * 4})
	var list []reloc
	for k := range 64 {
		unit := k * 6
		list = append(list, reloc{k * 4, armAbs32, c.ref(firmwareName(unit, 0)), 0})
	}
	list[0].sym = c.ref("stack_top")
	c.relocate(".vectors", list)
}

// armAttributes are the build attributes (Addenda to the Arm ABI, "Build
// attributes"): version 7-A, with Arm and Thumb-2 instructions.
var armAttributes = attributes(6, 10, 7, 'A', 8, 1, 9, 2, 24, 1, 25, 1)

func attributes(pairs ...byte) []byte {
	file := binary.LittleEndian.AppendUint32([]byte{1}, uint32(5+len(pairs)))
	file = append(file, pairs...)
	vendor := append([]byte("aeabi\x00"), file...)
	return append(binary.LittleEndian.AppendUint32([]byte{'A'}, uint32(4+len(vendor))), vendor...)
}

var firmwareScript = strings.TrimLeft(`
ENTRY(vectors)
MEMORY
{
  FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 8M
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 4M
}
stack_top = ORIGIN(RAM) + LENGTH(RAM);
SECTIONS
{
  .vectors : { KEEP(*(.vectors)) } > FLASH
  .text : { *(.text .text.*) } > FLASH
  .rodata : { . = ALIGN(4); *(.rodata .rodata.*) } > FLASH
  .ARM.exidx : { __exidx_start = .; *(.ARM.exidx .ARM.exidx.*) __exidx_end = .; } > FLASH
  .ramfunc : { . = ALIGN(8); _sramfunc = .; KEEP(*(.ramfunc .ramfunc.*)) . = ALIGN(8); _eramfunc = .; } > RAM AT > FLASH
  _siramfunc = LOADADDR(.ramfunc);
  .data : { . = ALIGN(8); _sdata = .; *(.data .data.*) . = ALIGN(8); _edata = .; } > RAM AT > FLASH
  _sidata = LOADADDR(.data);
  .bss (NOLOAD) : { . = ALIGN(8); _sbss = .; *(.bss .bss.*) *(COMMON) . = ALIGN(8); _ebss = .; } > RAM
  .heap (NOLOAD) : { _sheap = .; . += 0x10000; _eheap = .; } > RAM
  .comment 0 : { *(.comment) }
  .ARM.attributes 0 : { *(.ARM.attributes) }
  /DISCARD/ : { *(.note.GNU-stack) }
}
`, "\n")
