@ The code by which a program is started again, for entries in A32; package reset
@ has the story. resetthumb.S is for those in Thumb.
@
@ It uses no stack. At the first entry sp and r0 to r3 go to the slot; at later
@ ones they come from there. The first word of the slot tells which it is: the head's at later ones.
@
@	r4  the head, to which all addresses of the table are relative
@	r5  the entry of the table
@	r6  destination   r7  zeros   r8  source   r9  bytes from there

	.set	HEAD, 32	@ the code follows the head
	.set	FLAGS, 12	@ u32 of the head
	.set	TABLE, 24	@ u32 of the head: offset of the table
	.set	CODE, 2		@ in FLAGS: what is restored may be code
	.set	LINUX, 8	@ in FLAGS: sp leads to argc, which glibc's _start overwrites

	.syntax	unified
	.arch	armv4t
	.arm
	.text
start:
	sub	r4, pc, #HEAD+8
	ldr	r5, [r4, #TABLE]
	add	r5, r5, r4
	ldr	r6, [r5]
	add	r6, r6, r4
	ldr	r10, [r4, #FLAGS]
	ldr	r7, [r6], #4
	ldr	r8, [r4]
	cmp	r7, r8
	beq	again
	str	sp, [r6], #4
	stm	r6, {r0-r3}
	tst	r10, #LINUX
	ldrne	r7, [sp]
	strne	r7, [r6, #16]
	str	r8, [r6, #-8]
	ldr	r7, [r5, #8]	@ where the first start begins
	add	r5, r5, r7
	b	entry
again:
	ldr	sp, [r6], #4
	ldm	r6, {r0-r3}
	tst	r10, #LINUX
	ldrne	r7, [r6, #16]
	strne	r7, [sp]
	ldr	r7, [r5, #4]
	add	r5, r5, r7
entry:
	ldm	r5, {r6-r9}
	cmp	r7, #0
	beq	done
	add	r6, r6, r4
	add	r8, r8, r4
	sub	r7, r7, r9
copy:
	cmp	r9, #0
	beq	zero
	orr	r10, r6, r8
	tst	r10, #3
	bne	0f
	cmp	r9, #4
	blo	0f
	ldr	r10, [r8], #4
	str	r10, [r6], #4
	sub	r9, r9, #4
	b	copy
0:	ldrb	r10, [r8], #1
	strb	r10, [r6], #1
	sub	r9, r9, #1
	b	copy
zero:
	mov	r10, #0
0:	cmp	r7, #0
	beq	code
	tst	r6, #3
	bne	1f
	cmp	r7, #4
	blo	1f
	str	r10, [r6], #4
	sub	r7, r7, #4
	b	0b
1:	strb	r10, [r6], #1
	sub	r7, r7, #1
	b	0b
code:	@ in user mode these are no instructions, and nothing can be done here
	ldr	r10, [r4, #FLAGS]
	tst	r10, #CODE
	beq	next
	mrs	r10, cpsr
	and	r10, r10, #0x1f
	cmp	r10, #0x10
	beq	next
	ldm	r5, {r6, r7}
	add	r6, r6, r4
	add	r7, r7, r6
	bic	r6, r6, #15
0:	mcr	p15, 0, r6, c7, c11, 1	@ DCCMVAU; 16 bytes are the smallest line
	add	r6, r6, #16
	cmp	r6, r7
	blo	0b
	mov	r10, #0
	mcr	p15, 0, r10, c7, c10, 4	@ DSB
	mcr	p15, 0, r10, c7, c5, 0	@ ICIALLU
	mcr	p15, 0, r10, c7, c5, 6	@ BPIALL
	mcr	p15, 0, r10, c7, c10, 4	@ DSB
	mcr	p15, 0, r10, c7, c5, 4	@ ISB
next:
	add	r5, r5, #16
	b	entry
done:
	ldr	r6, [r5]
	add	r6, r6, r4
	bx	r6
	.balign	16, 0
