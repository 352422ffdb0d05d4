// The code by which a program is started again; package reset has the story.
//
// It uses no stack. At the first entry sp and x0 to x3 go to the slot; at later
// ones they come from there. The first word of the slot tells which it is: the
// head's at later ones. Words
// are copied only where both addresses are aligned: without an MMU all memory is
// Device memory, where anything else faults.
//
//	x9   the head, to which all addresses of the table are relative
//	x10  the entry of the table
//	x11  destination   x12  zeros   x13  source   x14  bytes from there

	.set	HEAD, 32	// the code follows the head
	.set	FLAGS, 12	// u32 of the head
	.set	TABLE, 24	// u32 of the head: offset of the table
	.set	CODE, 1		// bit of FLAGS: what is restored may be code

	.text
start:
	hint	#38		// bti jc
	adr	x9, start-HEAD
	ldr	w10, [x9, #TABLE]
	add	x10, x10, x9
	ldr	x11, [x10]
	add	x11, x11, x9
	ldr	x12, [x11]
	ldr	x13, [x9]
	cmp	x12, x13
	b.eq	again
	mov	x12, sp
	str	x12, [x11, #8]
	stp	x0, x1, [x11, #16]
	stp	x2, x3, [x11, #32]
	str	x13, [x11]
	ldr	x12, [x10, #16]	// where the first start begins
	add	x10, x10, x12
	b	entry
again:
	ldr	x12, [x11, #8]
	mov	sp, x12
	ldp	x0, x1, [x11, #16]
	ldp	x2, x3, [x11, #32]
	ldr	x12, [x10, #8]
	add	x10, x10, x12
entry:
	ldp	x11, x12, [x10]
	cbz	x12, done
	ldp	x13, x14, [x10, #16]
	add	x11, x11, x9
	add	x13, x13, x9
	sub	x12, x12, x14
copy:
	cbz	x14, zero
	orr	x15, x11, x13
	tst	x15, #7
	b.ne	0f
	cmp	x14, #8
	b.lo	0f
	ldr	x15, [x13], #8
	str	x15, [x11], #8
	sub	x14, x14, #8
	b	copy
0:	ldrb	w15, [x13], #1
	strb	w15, [x11], #1
	sub	x14, x14, #1
	b	copy
zero:
	cbz	x12, code
	tst	x11, #7
	b.ne	0f
	cmp	x12, #8
	b.lo	0f
	str	xzr, [x11], #8
	sub	x12, x12, #8
	b	zero
0:	strb	wzr, [x11], #1
	sub	x12, x12, #1
	b	zero
code:	// 16 bytes are the smallest line of a cache
	ldr	w15, [x9, #FLAGS]
	tbz	w15, #CODE, next
	ldp	x11, x12, [x10]
	add	x11, x11, x9
	add	x12, x12, x11
	and	x11, x11, #-16
	mov	x13, x11
0:	dc	cvau, x13
	add	x13, x13, #16
	cmp	x13, x12
	b.lo	0b
	dsb	ish
0:	ic	ivau, x11
	add	x11, x11, #16
	cmp	x11, x12
	b.lo	0b
	dsb	ish
next:
	add	x10, x10, #32
	b	entry
done:
	ldr	x16, [x10]
	add	x16, x16, x9
	isb
	br	x16		// x16, so that the entry may begin with bti c
	.balign	16
