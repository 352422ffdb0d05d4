package link_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"elfwright/internal/samples"
)

var (
	hf   = &crossTools{prefix: "arm-linux-gnueabihf-", as: []string{"-march=armv7-a"}, qemu: "qemu-arm"}
	eabi = &crossTools{prefix: "arm-none-eabi-"}
)

// march is the tools for an architecture.
func (m *crossTools) march(arch string, as ...string) *crossTools {
	return &crossTools{m.prefix, append([]string{"-march=" + arch}, as...), m.ld, m.qemu}
}

func TestArmLikeGNU(t *testing.T) {
	const var32 = "\n.section .tdata, \"awT\", %progbits\n.skip 4\n.globl x\nx: .word 1\n.section .tbss, \"awT\", %nobits\n.balign 32\n.skip 64\n"
	big := hf.march("armv7-a", "-mbig-endian")
	big.ld = []string{"-EB", "-marmelfb_linux_eabi"}
	code := []string{"a32code.s", "a32defs.s"}
	for _, c := range []struct {
		name, sections string
		m              *crossTools
		sources        []string
		args           string
	}{
		{"static", ".text .data .got", hf, code, "-e _start"},
		{"apart", ".text .data .got", hf, code, "-e _start -Ttext=0x8000 -Tdata=0x120000"},
		{"targets", ".text .data", hf, code, "-e _start --target1-rel --target2=abs"},
		{"targets of another kind", ".text .data", hf, code, "-e _start --target1-abs --target2=rel"},
		{"BE32", ".text .data .got", big, code, "-e _start"},
		{"BE8", ".text .data .got", big, code, "-e _start --be8"},
		{"BE8 without relocations", ".text", big, []string{"plain=.globl _start\n_start: nop\n.word 1\n.thumb\nnop\n.byte 1, 2"}, "--be8"},
		{"local exec", ".text .tdata", hf, []string{"le=.globl _start\n_start: .word x(tpoff), x(tlsldo)" + var32}, ""},
		{"initial exec", ".text .got", hf, []string{"ie=.globl _start\n_start: .word x(gottpoff) - ." + var32}, ""},
		{"general dynamic", ".text .got", hf, []string{"gd=.globl _start\n_start: .word x(tlsgd) - ." + var32}, ""},
		{"local dynamic", ".text .got", hf, []string{"ld=.globl _start\n_start: .word x(tlsldm) - ." + var32}, ""},
		{"descriptor sequence", ".text .tdata", hf, []string{"seq=.globl _start\n_start: ldr r3, 1f\n.tlsdescseq x\n2: add r0, pc, r3\n.tlsdescseq x\nldr r1, [r0, #4]\n.tlsdescseq x\nblx r1\n1: .word x(tlsdesc) + (. - 2b)" +
			strings.Replace(var32, ".globl x\n", "", 1)}, ""},
		{"descriptor", ".text .tdata", hf, []string{"desc=.globl _start\n_start: ldr r0, 1f\n2: bl x(tlscall)\n1: .word x(tlsdesc) + (. - 2b)\n.thumb\n3: bl x(tlscall)\n.word x(tlsdesc) + (. - 3b + 1)" + strings.Replace(var32, ".globl x\n", "", 1)}, ""},
		{"static base", ".text", hf, []string{"sb=.globl _start\n_start: .reloc ., R_ARM_MOVW_BREL_NC, x\nmovw r0, #0\n.reloc ., R_ARM_MOVT_BREL, x\nmovt r0, #0\n" +
			".reloc ., R_ARM_ALU_SB_G0_NC, x\nadd r0, r9, #0\n.reloc ., R_ARM_LDR_SB_G1, x\nldr r0, [r0, #0]\n.data\n.word 1\n.section .data2, \"aw\"\n.skip 0x1234\nx: .word 2\n"}, "-Tdata=0x20000"},
		{"v4bx", ".text", hf.march("armv4", "--fix-v4bx"), []string{"bx=.globl _start\n_start: bx r3\nbxne lr\nmov pc, lr\n"}, "--fix-v4bx"},
		{"pie", ".data", hf, []string{"a32defs.s", "pic=.data\n.globl _start\n_start: .word armf, thumbf, data+4, small, weak\n.weak weak"}, "-pie --no-dynamic-linker -Ttext=0x10000 -Tdata=0x20000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.m.alike(t, c.sections, c.sources, strings.Fields(c.args)...)
		})
	}
}

// TestArmVeneers is one branch for each way to need a veneer.
func TestArmVeneers(t *testing.T) {
	t.Parallel()
	far := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) } . = 0x10000000; .far : { *(.far) } .got : { *(.got) *(.got.plt) } }")
	near := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) } . = 0x20000; .far : { *(.far) } .got : { *(.got) *(.got.plt) } }")
	n := 0
	archs := []string{"armv4t", "armv7-a", "armv6s-m", "armv7-m", "armv8-m.base"}
	if sweep() {
		archs = append(archs, "armv5te", "armv6", "armv6k", "armv6t2", "armv8-a", "armv7e-m", "armv8-m.main")
	}
	for _, arch := range archs {
		m := eabi.march(arch)
		states, branches := []string{"arm", "thumb"}, map[string][]string{"arm": {"bl", "blne", "b", "bne"}, "thumb": {"bl"}}
		if strings.Contains(arch, "m") && strings.Contains(arch, "-m") || arch == "armv7e-m" || arch == "armv6s-m" {
			states = []string{"thumb"}
		}
		switch arch {
		case "armv6t2", "armv7-a", "armv8-a", "armv7-m", "armv7e-m", "armv8-m.main":
			branches["thumb"] = []string{"bl", "b.w", "bne.w"}
		case "armv8-m.base":
			branches["thumb"] = []string{"bl", "b.w"}
		}
		for _, from := range states {
			for _, to := range states {
				for _, b := range branches[from] {
					src := fmt.Sprintf("v=.syntax unified\n.globl _start\n.%s\n.type _start, %%function\n_start: %s f\n.section .far, \"ax\"\n.globl f\n.%s\n.type f, %%function\nf: bx lr\n", from, b, to)
					for i, args := range [][]string{{far}, {far, "--pic-veneer"}, {near}, {near, "--pic-veneer"}} {
						n++
						name := fmt.Sprintf("%s %s %s to %s %d", arch, b, from, to, i)
						if !t.Run(name, func(t *testing.T) { m.alike(t, ".text", []string{src}, append(args, "-e", "_start")...) }) {
							t.Log(src)
						}
					}
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d cases", n)
	}
}

// armVisit goes through code of both states that is far apart: every step adds 1.
const armVisit = `visit=.syntax unified
	.macro	visit name, state, next
	.section .text.\name, "ax"
	.\state
	.globl	\name
	.type	\name, %function
\name:	push	{r4, lr}
	adds	r7, r7, #1
	bl	\next
	pop	{r4}
	pop	{r0}
	bx	r0
	.endm
	visit	a, arm, b
	visit	b, thumb, c
	visit	c, thumb, d
	visit	d, arm, e
	visit	e, arm, f
	.section .text.f, "ax"
	.thumb
	.globl	f, g
	.type	f, %function
f:	adds	r7, r7, #1
	ldr	r0, =g
	bx	r0
	.pool
	.section .text.g, "ax"
	.arm
	.type	g, %function
g:	add	r7, r7, #1
	b	h			@ a tail call
	.section .text.h, "ax"
	.thumb
	.globl	h
	.type	h, %function
h:	bx	lr
	.text
	.arm
	.globl	_start
	.type	_start, %function
_start:	mov	r7, #'0'
	bl	a
	bl	missing
	.weak	missing
	push	{r7}
	mov	r0, #1
	mov	r1, sp
	mov	r2, #1
	mov	r7, #4
	svc	#0
	mov	r0, #0
	mov	r7, #1
	svc	#0
`

func TestArmFarCalls(t *testing.T) {
	sc := script(t, `SECTIONS {
		. = 0x20000; .text : { *(.text) } .ta : { *(.text.a) } .tf : { *(.text.f) }
		. = 0x10000000; .tb : { *(.text.b) } .te : { *(.text.e) }
		. = 0x22000000; .tc : { *(.text.c) } .tg : { *(.text.g) }
		. = 0x35000000; .td : { *(.text.d) } .th : { *(.text.h) } .got : { *(.got) *(.got.plt) }
	}`)
	for _, arch := range []string{"armv4t", "armv5te", "armv6", "armv7-a"} {
		for _, args := range [][]string{{sc}, {sc, "--pic-veneer"}} {
			t.Run(strings.Join(append(args[1:], arch), " "), func(t *testing.T) {
				t.Parallel()
				m := hf.march(arch)
				dir := t.TempDir()
				m.wantRun(t, m.ours(t, dir, append(m.assemble(t, dir, armVisit), args...)...), "7")
			})
		}
	}
}

// TestArmGroups: a branch that does not reach the veneers of its group has one
// behind its own section.
func TestArmGroups(t *testing.T) {
	src := `near=.syntax unified
	.globl	_start
	.thumb
	.type	_start, %function
_start:	cmp	r0, r0
	beq.w	far
	.section .text.big, "ax"
	.skip	0x200000
	.section .far, "ax"
	.arm
	.globl	far
	.type	far, %function
far:	mov	r0, #0
	mov	r7, #1
	svc	#0
`
	sc := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) *(.text.big) } . = 0x10000000; .far : { *(.far) } .got : { *(.got) *(.got.plt) } }")
	dir := t.TempDir()
	hf.wantRun(t, hf.ours(t, dir, append(hf.assemble(t, dir, src), sc, "-e_start")...), "")
	hf.refused(t, []string{"big=.syntax unified\n.globl _start\n.thumb\n.type _start, %function\n_start: beq.w far\n.skip 0x200000\nfar=0x10000001\n.type far, %function\n"},
		"beyond the reach of the branch")
}

// TestArmV4BX: a branch to a veneer that looks at bit 0.
func TestArmV4BX(t *testing.T) {
	m := hf.march("armv4", "--fix-v4bx")
	dir := t.TempDir()
	out := m.ours(t, dir, append(m.assemble(t, dir, "bx=.globl _start\n_start: bx r3\nbxne r3\n"), "--fix-v4bx-interworking", "-Ttext=0x10000")...)
	b, _ := open(t, out).Section(".text").Data()
	want := []byte{0, 0, 0, 0xea, 0xff, 0xff, 0xff, 0x1a, // b, bne
		1, 0, 0x13, 0xe3, 3, 0xf0, 0xa0, 0x01, 0x13, 0xff, 0x2f, 0xe1} // tst r3, #1; moveq pc, r3; bx r3
	if !bytes.HasPrefix(b, want) {
		t.Errorf("% x", b)
	}
}

// TestArmWeak: what becomes of branches to nothing that GNU ld gets wrong.
func TestArmWeak(t *testing.T) {
	dir := t.TempDir()
	out := hf.ours(t, dir, append(hf.assemble(t, dir, "weak=.syntax unified\n.globl _start\n_start: blx missing\n.thumb\nbne.w missing\n.weak missing\n"), "-Ttext=0x10000")...)
	b, _ := open(t, out).Section(".text").Data()
	if want := []byte{0, 0xf0, 0x20, 0xe3, 0xaf, 0xf3, 0, 0x80}; !bytes.Equal(b[:8], want) {
		t.Errorf("% x, want % x", b, want)
	}
}

func TestArmPrograms(t *testing.T) {
	for _, args := range []string{"-static -marm", "-static -mthumb -O2 -ffunction-sections -Wl,--gc-sections", "-static -fPIC -mtls-dialect=gnu2"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			hf.program(t, args)
		})
	}
}

// armA8 has, at the end of pages, branches into them: mended, or not for a reason.
const armA8 = `a8=	.syntax unified
	.globl	_start
	.thumb
	.type	_start, %function
_start:	nop
	.macro	page n, before, branch
	.org	\n * 0x1000 + 0xff0
t\n:	nop
	.org	\n * 0x1000 + 0xffa
	\before
	\branch
	nop
	.endm
	page	0, "add.w r0, r1, r2", "b.w t0"
	page	1, "add.w r0, r1, r2", "bne.w t1"
	page	2, "add.w r0, r1, r2", "bl t2"
	page	3, "add.w r0, r1, r2", "b.w t0"
	page	4, "nop; nop", "b.w t4"
	page	5, "b.w t0", "b.w t5"
	page	6, "add.w r0, r1, r2", "bl outside"
	page	7, "add.w r0, r1, r2", "blx arm"
	.org	0x8100
	.globl	outside
	.type	outside, %function
outside: bx lr
	.balign	4
	.word	0
`

func TestArmCortexA8(t *testing.T) {
	sc := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) } .got : { *(.got) *(.got.plt) } }")
	armAt := `armat=.section .text, "ax"
	.arm
	.globl	arm
	.type	arm, %function
arm:	bx lr
`
	for _, args := range [][]string{{sc, "-e_start"}, {sc, "-e_start", "--no-fix-cortex-a8"}} {
		// Of each page by itself: ld's veneers are in the order of a hash.
		for page := range 8 {
			var lines []string
			for _, line := range strings.Split(armA8, "\n") {
				if f := strings.Fields(line); len(f) < 2 || f[0] != "page" || f[1] == fmt.Sprint(page)+"," || f[1] == "0," && strings.Contains(line, "t0") && page%2 == 1 {
					lines = append(lines, line)
				}
			}
			t.Run(fmt.Sprint(page, args[2:]), func(t *testing.T) {
				hf.alike(t, ".text", []string{strings.Join(lines, "\n"), armAt}, args...)
			})
		}
	}
}

// armFirmware is for a Cortex-M: its reset handler calls code in RAM, which is too
// far, and prints what comes of it by semihosting.
const armFirmware = `firmware=	.syntax unified
	.section .vectors, "a"
	.word	0x20008000, reset
	.text
	.thumb
	.globl	reset
	.type	reset, %function
reset:	movs	r0, #'0'
	bl	add
	bl	missing
	.weak	missing
	push	{r0}
	mov	r1, sp
	movs	r0, #3			@ SYS_WRITEC
	bkpt	0xab
	ldr	r1, =0x20026
	movs	r0, #0x18		@ SYS_EXIT
	bkpt	0xab
	b	.
	.pool
	.section .far, "ax"
	.globl	add
	.type	add, %function
add:	adds	r0, r0, #7
	bx	lr
`

func TestArmFirmware(t *testing.T) {
	samples.Need(t, "qemu-system-arm")
	sc := script(t, `MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 256K  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 64K }
		ENTRY(reset)
		SECTIONS { .text : { KEEP(*(.vectors)) *(.text) } >FLASH  .far 0x20004000 : { *(.far) } >RAM }`)
	for _, arch := range []string{"armv6s-m", "armv7-m", "armv7e-m"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			m := eabi.march(arch)
			dir := t.TempDir()
			out := m.ours(t, dir, append(m.assemble(t, dir, armFirmware), sc)...)
			cmd := exec.Command("timeout", "20", "qemu-system-arm", "-M", "lm3s6965evb", "-display", "none", "-monitor", "none", "-serial", "none",
				"-semihosting-config", "enable=on,target=native", "-kernel", out)
			var said bytes.Buffer
			cmd.Stderr, cmd.Stdout = &said, &said
			if err := cmd.Run(); err != nil || !strings.HasSuffix(strings.TrimSpace(said.String()), "7") {
				t.Errorf("%v: %q", err, &said)
			}
		})
	}
}
