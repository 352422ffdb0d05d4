package link_test

import (
	"debug/elf"
	"encoding/binary"
	"sort"
	"strings"
	"testing"
)

var (
	a64    = &crossTools{prefix: "aarch64-linux-gnu-", qemu: "qemu-aarch64"}
	a64big = &crossTools{prefix: "aarch64-linux-gnu-", as: []string{"-mbig-endian"}, ld: []string{"-EB", "-maarch64linuxb"}}
)

func TestAArch64LikeGNU(t *testing.T) {
	code := []string{"a64code.s", "a64defs.s"}
	tls := []string{"a64tls.s", "a64vars.s"}
	local := append([]string{"a64tlsle.s"}, tls...)
	const (
		vars = ".globl __tls_get_addr\n.hidden __tls_get_addr\n__tls_get_addr: ret\n.section .tdata,\"awT\"\n.skip 8\nx: .xword 1\n"
		pic  = "pic=.data\n.xword func, data+4\n.globl _start\n_start: .xword _start, weak\n.weak weak"
		// Descriptors are in .got.plt with GNU ld. Our dynamic symbols are fewer, so that the GOT is elsewhere.
		shared = "-shared -Ttext=0x10000 --section-start=.got=0x30000 --section-start=.tdata=0x20000"
	)
	for _, c := range []struct {
		name, sections string
		sources        []string
		args           string
	}{
		{"static", ".text .rodata .data .got", code, "-e _start"},
		{"high", ".text .rodata .data .got", code, "-e _start -Ttext=0x12345000 -Tdata=0x77ff0000"},
		{"tls", ".text .tdata .got", local, "-e run"},
		{"tls pie", ".text .tdata .got", local, "-e run -pie --no-dynamic-linker"},
		{"general dynamic", ".text", []string{"gd=.text\nadrp x0, :tlsgd:x\nadd x0, x0, :tlsgd_lo12:x\nbl __tls_get_addr\nnop\n" + vars}, shared},
		{"initial exec", ".text", []string{"ie=.text\nadrp x0, :gottprel:x\nldr x0, [x0, :gottprel_lo12:x]\nldr x0, :gottprel:x\n" + vars}, shared},
		{"pie", ".data", []string{"a64defs.s", pic}, "-pie --no-dynamic-linker -Ttext=0x10000 -Tdata=0x20000"},
		{"no apply", ".data", []string{"a64defs.s", pic}, "-pie --no-dynamic-linker -Ttext=0x10000 -Tdata=0x20000 --no-apply-dynamic-relocs"},
	} {
		for _, m := range []*crossTools{a64, a64big} {
			t.Run(c.name+strings.Join(m.as, " "), func(t *testing.T) {
				t.Parallel()
				m.alike(t, c.sections, c.sources, strings.Fields(c.args)...)
			})
		}
	}
}

// a64errata has both errata's sequences, also such as only look like one.
const a64errata = `errata=	.text
	.globl	_start
_start:	.skip	0xff8
	adrp	x0, var			// three instructions
	ldr	x1, [x2]
	ldr	x3, [x0, :lo12:var]
	ret
	.org	0x1ffc
	adrp	x5, var			// four, from the last word of the page
	str	x1, [x2]
	mov	x6, x7
	ldr	x3, [x5, :lo12:var]
	ret
	.org	0x2ff8
	adrp	x0, far			// ADR does not reach
	ldr	x1, [x2]
	ldr	x3, [x0, :lo12:far]
	ret
	.org	0x3ff8
	adrp	x0, far			// another register
	ldr	x1, [x2]
	ldr	x3, [x4, :lo12:far]
	ret
	ldr	x1, [x2]
	madd	x3, x4, x5, x6
	ldr	x4, [x2]
	madd	x3, x4, x5, x6		// waits for x4
	ldr	x1, [x2]
	mul	x3, x4, x5		// no accumulator
	ldr	x1, [x2]
	madd	w3, w4, w5, w6		// 32 bits
	ret
	.data
	.balign 8
var:	.xword 1
	.section .far, "aw"
	.balign 8
far:	.xword 1
`

func TestAArch64Errata(t *testing.T) {
	for _, args := range []string{
		"--fix-cortex-a53-843419", "--fix-cortex-a53-843419=adrp", "--fix-cortex-a53-835769",
		"--fix-cortex-a53-843419 --fix-cortex-a53-835769",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			sc := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) } .data : { *(.data) } . = 0x10000000; .far : { *(.far) } }")
			sections := ".text .data .far"
			if strings.Contains(args, "843419") {
				sections = ".data .far" // ld's veneers are in the order of a hash
			}
			_, got := a64.alike(t, sections, []string{a64errata}, append(strings.Fields(args), sc)...)
			if strings.Contains(args, "843419") {
				checkErrata(t, got, args)
			}
		})
	}
	a64.refused(t, []string{a64errata}, "does not fit an ADR", "--fix-cortex-a53-843419=adr", "--section-start=.far=0x10000000", "-Ttext=0x10000")
}

// checkErrata makes sure that the sequences were seen.
func checkErrata(t *testing.T, f *elf.File, args string) {
	t.Helper()
	b, _ := f.Section(".text").Data()
	insn := func(off int) uint32 { return binary.LittleEndian.Uint32(b[off:]) }
	for i, off := range []int{0xff8, 0x1ffc, 0x2ff8} {
		use := off + []int{8, 12, 8}[i]
		adr, away := insn(off)>>31 == 0, insn(use)>>26 == 5
		if adr == away || away != (i == 2 || strings.Contains(args, "=adrp")) {
			t.Errorf("sequence at %#x: ADR %v, veneer %v", off, adr, away)
		}
		if away {
			to := func(at int) int { return at + int(int32(insn(at)<<6)>>4) }
			v := to(use)
			if insn(v)&^(0xfff<<10) != []uint32{0xf9400003, 0xf94000a3, 0xf9400003}[i] || to(v+4) != use+4 {
				t.Errorf("veneer at %#x: %#x, and then to %#x", v, insn(v), to(v+4))
			}
		}
	}
	if insn(0x3ff8)>>31 == 0 || insn(0x4000)>>26 == 5 {
		t.Error("what is no sequence was changed")
	}
}

// a64far calls over all distances, counts, and prints how often it came by.
const a64far = `far=	.macro visit name, next
	.section .text.\name, "ax"
	.globl	\name
	.type	\name, %function
\name:	stp	x29, x30, [sp, #-16]!
	add	x19, x19, #1
	bl	\next
	ldp	x29, x30, [sp], #16
	ret
	.endm
	visit	a, b
	visit	b, c
	visit	c, d
	.section .text.d, "ax"
	.globl	d
d:	add	x19, x19, #1
	b	e			// a tail call
	.section .text.e, "ax"
	.globl	e
e:	ret
	.text
	.globl	_start
_start:	mov	x19, #'0'
	bl	a
	bl	missing
	.weak	missing
	sub	sp, sp, #16
	strb	w19, [sp]
	mov	x0, #1
	mov	x1, sp
	mov	x2, #1
	mov	x8, #64
	svc	#0
	mov	x0, #0
	mov	x8, #93
	svc	#0
`

func TestAArch64Veneers(t *testing.T) {
	sc := script(t, `SECTIONS {
		. = 0x400000; .text : { *(.text) } .ta : { *(.text.a) }
		. = 0x18000000; .tb : { *(.text.b) }
		. = 0x4010000000; .tc : { *(.text.c) }
		. = 0x4020000000; .td : { *(.text.d) } .te 0x600000 : { *(.text.e) }
	}`)
	dir := t.TempDir()
	objs := a64.assemble(t, dir, a64far)
	out := a64.ours(t, dir, append(objs, sc)...)
	a64.wantRun(t, out, "4")
	syms, _ := open(t, out).Symbols()
	var names []string
	for _, s := range syms {
		if strings.HasSuffix(s.Name, "_veneer") {
			names = append(names, s.Name)
		}
	}
	sort.Strings(names)
	if want := "__b_veneer __c_veneer __d_veneer __e_veneer"; strings.Join(names, " ") != want {
		t.Errorf("veneers %v, want %s", names, want)
	}
	a64.alike(t, ".text .ta .tb", []string{a64far}, sc)
	a64.refused(t, []string{"near=.globl _start\n_start: b.eq far\nfar=0x1000000"}, "a conditional branch gets no veneer")
}

func TestAArch64Programs(t *testing.T) {
	for _, args := range []string{"-static", "-static-pie -fPIE", "-static -O2 -ffunction-sections -Wl,--gc-sections,--fix-cortex-a53-843419,--fix-cortex-a53-835769",
		"-static -fPIC -mtls-dialect=trad"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			a64.program(t, args)
		})
	}
}

// a64ifunc calls an indirect function and takes its address.
const a64ifunc = `ifunc=	.text
	.globl	_start
_start:	bl	f
	adrp	x0, f
	add	x0, x0, :lo12:f
	.type	f, %gnu_indirect_function
	.globl	f
f:	ret
	.data
	.xword	f
	.section .note.gnu.property, "a"
	.p2align 3
	.word	4, 16, 5
	.asciz	"GNU"
	.word	0xc0000000, 4, 3, 0
`

func TestAArch64PLT(t *testing.T) {
	plain := strings.Replace(a64ifunc, "4, 3, 0", "4, 2, 0", 1) // PAC, no BTI
	sc := script(t, "SECTIONS { . = 0x10000; .text : { *(.text) } .plt : { *(.plt) *(.iplt) } . = 0x20000; .got : { *(.igot.plt) *(.got) *(.got.plt) } . = 0x30000; .data : { *(.data) } }")
	for _, c := range []struct{ source, args string }{{plain, ""}, {a64ifunc, ""}, {a64ifunc, "-z pac-plt"}, {plain, "-z force-bti"}, {plain, "-z pac-plt"}} {
		got, _ := a64.alike(t, ".text .plt .data", []string{c.source}, append(strings.Fields(c.args), sc)...)
		if size := got.Section(".plt").Size; size != 16 && size != 24 {
			t.Errorf("%s: the PLT has %d bytes", c.args, size)
		}
	}
}
