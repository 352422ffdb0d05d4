@ reset.S for entries in Thumb: M-profile, and A-profile where e_entry is odd. All
@ of it is in ARMv6-M, the smallest.
@
@	r8  the head   r9  the entry of the table   r10  zeros
@	r7  destination   r5  source   r6  bytes from there

	.set	HEAD, 32	@ the code follows the head
	.set	FLAGS, 12	@ u32 of the head
	.set	TABLE, 24	@ u32 of the head: offset of the table
	.set	LINUX, 28	@ shift that makes bit 3 of FLAGS the highest: see reset.S

	.syntax	unified
	.arch	armv6-m
	.thumb
	.text
	.thumb_func
start:
	mov	r4, pc
	subs	r4, #HEAD+4
	ldr	r5, [r4, #TABLE]
	adds	r5, r5, r4
	ldr	r6, [r5]
	adds	r6, r6, r4
	ldr	r7, [r4]
	mov	r8, r7
	ldr	r7, [r6]
	cmp	r7, r8
	beq	again
	mov	r7, sp
	str	r7, [r6, #4]
	str	r0, [r6, #8]
	str	r1, [r6, #12]
	str	r2, [r6, #16]
	str	r3, [r6, #20]
	ldr	r7, [r4, #FLAGS]
	lsls	r7, r7, #LINUX
	bpl	0f
	ldr	r7, [sp]
	str	r7, [r6, #24]
0:	mov	r7, r8
	str	r7, [r6]
	ldr	r7, [r5, #8]	@ where the first start begins
	adds	r5, r5, r7
	b	begin
again:
	ldr	r7, [r6, #4]
	mov	sp, r7
	ldr	r0, [r6, #8]
	ldr	r1, [r6, #12]
	ldr	r2, [r6, #16]
	ldr	r3, [r6, #20]
	ldr	r7, [r4, #FLAGS]
	lsls	r7, r7, #LINUX
	bpl	0f
	ldr	r7, [r6, #24]
	str	r7, [sp]
0:	ldr	r7, [r5, #4]
	adds	r5, r5, r7
begin:
	mov	r8, r4
entry:
	mov	r9, r5
	mov	r4, r8
	ldr	r7, [r5, #4]
	cmp	r7, #0
	beq	done
	ldr	r6, [r5, #12]
	subs	r7, r7, r6
	mov	r10, r7
	ldr	r7, [r5]
	adds	r7, r7, r4
	ldr	r5, [r5, #8]
	adds	r5, r5, r4
copy:
	cmp	r6, #0
	beq	zero
	mov	r4, r7
	orrs	r4, r5
	lsls	r4, r4, #30
	bne	0f
	cmp	r6, #4
	blo	0f
	ldm	r5!, {r4}
	stm	r7!, {r4}
	subs	r6, #4
	b	copy
0:	ldrb	r4, [r5]
	strb	r4, [r7]
	adds	r5, #1
	adds	r7, #1
	subs	r6, #1
	b	copy
zero:
	mov	r6, r10
	movs	r5, #0
0:	cmp	r6, #0
	beq	next
	lsls	r4, r7, #30
	bne	1f
	cmp	r6, #4
	blo	1f
	stm	r7!, {r5}
	subs	r6, #4
	b	0b
1:	strb	r5, [r7]
	adds	r7, #1
	subs	r6, #1
	b	0b
next:
	mov	r5, r9
	adds	r5, #16
	b	entry
done:
	ldr	r6, [r5]
	adds	r6, r6, r4
	dsb
	isb
	bx	r6
	.balign	16, 0
