/*
 * The prelude of AArch64: carries out the script that follows it, then goes to
 * the program's old entry point. Package prelude describes scripts; the Go bytes
 * in prelude.go are this file, assembled.
 *
 * x16 alone has another value than at the start: the old entry. The procedure
 * call standard gives it to veneers between a jump and its target, so no start
 * code expects anything in it; and a jump by it may land on "bti c".
 *
 * x19  the script
 * x20  scratch memory, on the stack
 * x21  the record at hand
 * sp   the six operands of the record at hand, below the scratch memory
 */
	.text
	.globl	_start
_start:
	hint	#38			/* bti jc */
	sub	sp, sp, #256
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	str	x30, [sp, #240]
	adr	x19, script
	ldr	w1, [x19, #4]
	sub	sp, sp, x1
	mov	x20, sp
1:	subs	x1, x1, #8
	str	xzr, [x20, x1]
	b.ne	1b
	sub	sp, sp, #48
	add	x21, x19, #40

record:	ldr	w9, [x21]
	lsr	w9, w9, #8		/* two bits an operand */
	add	x10, x21, #16
	mov	x11, #0
operand:
	ldrsw	x0, [x10], #4
	tbnz	w9, #1, 2f
	tbz	w9, #0, 3f		/* 0: a number */
	add	x0, x0, x19		/* 1: a place in the script */
	b	3f
2:	add	x0, x0, x20		/* 2: a place in scratch memory */
	tbz	w9, #0, 3f
	ldr	x0, [x0]		/* 3: the word there */
3:	str	x0, [sp, x11, lsl #3]
	lsr	w9, w9, #2
	add	x11, x11, #1
	cmp	x11, #6
	b.lo	operand
	ldp	x0, x1, [sp]
	ldrb	w9, [x21]
	cbz	w9, end
	cmp	w9, #2
	b.lo	call
	b.eq	equal
	cmp	w9, #4
	b.lo	below
	b.eq	add
	cmp	w9, #6
	b.lo	subtract
	b.eq	load
	cmp	w9, #8
	b.lo	store
	b.eq	decimal
	cmp	w9, #9
	b.eq	copy

	/* find: the string b in the string a */
1:	mov	x2, #0
2:	ldrb	w3, [x1, x2]
	cbz	w3, result
	ldrb	w4, [x0, x2]
	add	x2, x2, #1
	cmp	w3, w4
	b.eq	2b
	ldrb	w4, [x0], #1
	cbnz	w4, 1b
	mov	x0, #0
	b	result

call:	ldr	w8, [x21, #4]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	svc	#0
	ldr	w9, [x21, #8]
	str	x0, [x20, x9]
	cmn	x0, #4095
	b.lo	next
jump:	ldr	w9, [x21, #12]
	cbz	w9, next
	add	x21, x19, x9
	b	record

equal:	cmp	x0, x1
	b.eq	jump
	b	next
below:	cmp	x0, x1
	b.lo	jump
	b	next

	/* decimal: b in digits to a, where they end is the result */
decimal:
	add	x2, sp, #48
	mov	x3, x2
	mov	x4, #10
1:	udiv	x5, x1, x4
	msub	x6, x5, x4, x1
	add	w6, w6, #'0'
	strb	w6, [x3, #-1]!
	mov	x1, x5
	cbnz	x1, 1b
2:	ldrb	w6, [x3], #1
	strb	w6, [x0], #1
	cmp	x3, x2
	b.ne	2b
	strb	wzr, [x0]
	b	result

	/* copy: the string b to a, where it ends is the result */
copy:	ldrb	w2, [x1], #1
	strb	w2, [x0]
	cbz	w2, result
	add	x0, x0, #1
	b	copy

store:	str	x1, [x0]
	mov	x0, x1
	b	result
load:	ldr	x0, [x0, x1]
	b	result
subtract:
	neg	x1, x1
add:	add	x0, x0, x1
result:	ldr	w9, [x21, #8]
	str	x0, [x20, x9]
next:	add	x21, x21, #40
	b	record

end:	ldr	w1, [x19, #4]
	add	sp, x20, x1
	ldr	x16, [x19, #16]
	add	x16, x16, x19
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldr	x17, [sp, #136]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	add	sp, sp, #256
	br	x16
	.balign	8
script:
