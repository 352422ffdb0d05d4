// Where the image was loaded, at EL1 or EL2, with the MMU off; and the way into
// and out of the kernel.
#include "runtime.h"

	.section .text.start, "ax"
	.globl	_start
_start:
	msr	daifset, #15
	mrs	x9, CurrentEL
	cmp	x9, #8
	adrp	x10, began_at
	strb	w9, [x10, #:lo12:began_at]
	b.ne	1f
	mov	x9, #1 << 31		// HCR_EL2.RW: EL1 has 64 bits
	msr	hcr_el2, x9
	mov	x9, #0x33ff		// CPTR_EL2: nothing traps
	msr	cptr_el2, x9
	mov	x9, #0x3c5		// EL1h, all masked
	msr	spsr_el2, x9
	adr	x9, 1f
	msr	elr_el2, x9
	eret
1:
	// One table for both halves: blocks of 1 GiB, the first one of devices, the
	// three behind it memory. Addresses of 39 bits begin at this level.
	adrp	x1, window
	mov	x2, #0x401		// a block, accessed, Device-nGnRnE
	movk	x2, #0x60, lsl #48	// never executed
	str	x2, [x1]
	mov	x2, #0x705		// a block, accessed, inner shareable, normal
	mov	x6, #0x40000000
	mov	x3, x6
	mov	x4, #3
2:	add	x1, x1, #8
	orr	x5, x2, x3
	str	x5, [x1]
	add	x3, x3, x6
	subs	x4, x4, #1
	b.ne	2b

	adrp	x1, window
	msr	ttbr0_el1, x1
	msr	ttbr1_el1, x1
	mov	x2, #0xff00		// 0: Device-nGnRnE, 1: normal, write-back
	msr	mair_el1, x2
	ldr	x2, =0x2b5193519	// 39 bits each, cached, 4 KiB, 40 bits physical
	msr	tcr_el1, x2
	tlbi	vmalle1
	dsb	sy
	isb
	mrs	x2, sctlr_el1
	mov	x3, #0x1005		// MMU, caches
	orr	x2, x2, x3
	bic	x2, x2, #2		// user programs may use unaligned addresses
	msr	sctlr_el1, x2
	isb
	ldr	x2, =high
	br	x2

high:
	ldr	x2, =stack_top
	mov	sp, x2
	ldr	x2, =vectors
	msr	vbar_el1, x2
	mov	x2, #3 << 20		// CPACR_EL1: floating point does not trap
	msr	cpacr_el1, x2
	msr	cntkctl_el1, xzr
	mov	x29, xzr
	mov	x30, xzr
	b	kernel_main

	.text
	// Sixteen entries of 0x80 bytes: only what a domain does is expected.
	.balign	0x800
vectors:
	.rept	8
	b	unexpected
	.balign	0x80
	.endr
	b	from_user
	.balign	0x80
	.rept	7
	b	unexpected
	.balign	0x80
	.endr

unexpected:
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	ldr	x3, =stack_top
	mov	sp, x3
	b	surprise

from_user:
	msr	tpidr_el1, x0
	ldr	x0, =current
	ldr	x0, [x0]
	stp	x1, x2, [x0, #8]
	stp	x3, x4, [x0, #24]
	stp	x5, x6, [x0, #40]
	stp	x7, x8, [x0, #56]
	stp	x9, x10, [x0, #72]
	stp	x11, x12, [x0, #88]
	stp	x13, x14, [x0, #104]
	stp	x15, x16, [x0, #120]
	stp	x17, x18, [x0, #136]
	stp	x19, x20, [x0, #152]
	stp	x21, x22, [x0, #168]
	stp	x23, x24, [x0, #184]
	stp	x25, x26, [x0, #200]
	stp	x27, x28, [x0, #216]
	stp	x29, x30, [x0, #232]
	mrs	x1, tpidr_el1
	str	x1, [x0]
	mrs	x1, sp_el0
	str	x1, [x0, #THREAD_SP]
	mrs	x1, elr_el1
	mrs	x2, spsr_el1
	stp	x1, x2, [x0, #THREAD_PC]
	mrs	x1, tpidr_el0
	str	x1, [x0, #THREAD_TLS]
	mrs	x1, fpcr
	mrs	x2, fpsr
	stp	x1, x2, [x0, #THREAD_FPCR]
	add	x3, x0, #THREAD_Q
	stp	q0, q1, [x3, #0]
	stp	q2, q3, [x3, #32]
	stp	q4, q5, [x3, #64]
	stp	q6, q7, [x3, #96]
	stp	q8, q9, [x3, #128]
	stp	q10, q11, [x3, #160]
	stp	q12, q13, [x3, #192]
	stp	q14, q15, [x3, #224]
	stp	q16, q17, [x3, #256]
	stp	q18, q19, [x3, #288]
	stp	q20, q21, [x3, #320]
	stp	q22, q23, [x3, #352]
	stp	q24, q25, [x3, #384]
	stp	q26, q27, [x3, #416]
	stp	q28, q29, [x3, #448]
	stp	q30, q31, [x3, #480]
	ldr	x3, =stack_top
	mov	sp, x3
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	trap

	// x0 is the thread that goes on.
	.globl	start_first
start_first:
	ldr	x1, =current
	str	x0, [x1]
	add	x3, x0, #THREAD_Q
	ldp	q0, q1, [x3, #0]
	ldp	q2, q3, [x3, #32]
	ldp	q4, q5, [x3, #64]
	ldp	q6, q7, [x3, #96]
	ldp	q8, q9, [x3, #128]
	ldp	q10, q11, [x3, #160]
	ldp	q12, q13, [x3, #192]
	ldp	q14, q15, [x3, #224]
	ldp	q16, q17, [x3, #256]
	ldp	q18, q19, [x3, #288]
	ldp	q20, q21, [x3, #320]
	ldp	q22, q23, [x3, #352]
	ldp	q24, q25, [x3, #384]
	ldp	q26, q27, [x3, #416]
	ldp	q28, q29, [x3, #448]
	ldp	q30, q31, [x3, #480]
	ldp	x1, x2, [x0, #THREAD_FPCR]
	msr	fpcr, x1
	msr	fpsr, x2
	ldr	x1, [x0, #THREAD_TLS]
	msr	tpidr_el0, x1
	ldr	x1, [x0, #THREAD_IPC]
	msr	tpidrro_el0, x1
	ldp	x1, x2, [x0, #THREAD_PC]
	msr	elr_el1, x1
	msr	spsr_el1, x2
	ldr	x1, [x0, #THREAD_SP]
	msr	sp_el0, x1
	ldr	x1, [x0, #THREAD_ROOT]
	mrs	x2, ttbr0_el1
	cmp	x1, x2
	b.eq	1f
	msr	ttbr0_el1, x1
	isb
	tlbi	vmalle1
	dsb	sy
	isb
1:
	ldp	x29, x30, [x0, #232]
	ldp	x27, x28, [x0, #216]
	ldp	x25, x26, [x0, #200]
	ldp	x23, x24, [x0, #184]
	ldp	x21, x22, [x0, #168]
	ldp	x19, x20, [x0, #152]
	ldp	x17, x18, [x0, #136]
	ldp	x15, x16, [x0, #120]
	ldp	x13, x14, [x0, #104]
	ldp	x11, x12, [x0, #88]
	ldp	x9, x10, [x0, #72]
	ldp	x7, x8, [x0, #56]
	ldp	x5, x6, [x0, #40]
	ldp	x3, x4, [x0, #24]
	ldp	x1, x2, [x0, #8]
	ldr	x0, [x0]
	eret

	.section .bss.start, "aw", %nobits
	.balign	4096
window:	.skip	4096
	.balign	16
	.skip	8192
stack_top:
current: .skip	8
	.globl	began_at		// CurrentEL
began_at: .skip	1

	.section .note.GNU-stack, "", %progbits
