# relocations of AArch64 in code and data, all against symbols of another file
	.text
	.globl	_start
_start:	bl	func
	b	func+8
	b.eq	near
	tbz	x1, #3, near
	bl	weak
	b	weak
	adr	x0, near
	adr	x0, weak
	ldr	x0, near
	adrp	x0, data
	add	x0, x0, :lo12:data
	ldrb	w1, [x0, :lo12:data+1]
	ldrh	w1, [x0, :lo12:data+2]
	ldr	w1, [x0, :lo12:data+4]
	ldr	x1, [x0, :lo12:data+8]
	ldr	q1, [x0, :lo12:data+16]
	adrp	x0, weak
	movz	x2, #:abs_g3:data
	movk	x2, #:abs_g2_nc:data
	movk	x2, #:abs_g1_nc:data
	movk	x2, #:abs_g0_nc:data
	movz	x2, #:abs_g1:data
	movz	x2, #:abs_g1_s:data
	movz	x2, #:abs_g0_s:small
	movz	x2, #:abs_g0_s:minus
	movz	x2, #:prel_g1:data
	movk	x2, #:prel_g0_nc:data
	adrp	x0, :got:data
	ldr	x0, [x0, :got_lo12:data]
	ldr	x0, [x0, :gotpage_lo15:data]
	ldr	x0, :got:data
	adrp	x0, :got:weak
	ldr	x0, [x0, :got_lo12:weak]
near:	ret
	.weak	weak
	.data
	.balign	8
	.xword	data+4, func, weak, small
	.word	data+4, small
	.hword	small
	.xword	data-.
	.word	data-., weak-.
	.hword	there-.
there:
	.section .rodata, "a"
	.word	func-.
