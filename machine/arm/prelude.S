/*
 * The prelude of Arm: carries out the script that follows it, then goes to the
 * program's old entry point, which may be Thumb: its lowest bit says so. Package
 * prelude describes scripts; the Go bytes in prelude.go are this file, assembled.
 * It is A32 code and needs ARMv5T, for a load of pc that changes to Thumb.
 *
 * r8   the script
 * r9   scratch memory, on the stack
 * r10  the record at hand
 * sp   the six operands of the record at hand, below the scratch memory
 */
	.syntax	unified
	.arch	armv5t
	.arm
	.text
	.globl	_start
_start:
	sub	sp, sp, #4		/* the old entry will stand here */
	push	{r0-r12, lr}
	adr	r8, script
	ldr	r0, [r8, #16]
	add	r0, r0, r8
	str	r0, [sp, #56]
	ldr	r1, [r8, #4]
	sub	sp, sp, r1
	mov	r9, sp
	mov	r0, #0
1:	subs	r1, r1, #4
	str	r0, [r9, r1]
	bne	1b
	sub	sp, sp, #24
	add	r10, r8, #40

record:	ldr	r6, [r10]
	lsr	r6, r6, #8		/* two bits an operand */
	add	r4, r10, #16
	mov	r5, #0
operand:
	ldr	r0, [r4], #4
	tst	r6, #2
	bne	2f
	tst	r6, #1
	addne	r0, r0, r8		/* 0: a number; 1: a place in the script */
	b	3f
2:	add	r0, r0, r9		/* 2: a place in scratch memory */
	tst	r6, #1
	ldrne	r0, [r0]		/* 3: the word there */
3:	str	r0, [sp, r5, lsl #2]
	lsr	r6, r6, #2
	add	r5, r5, #1
	cmp	r5, #6
	blo	operand
	ldm	sp, {r0-r5}
	ldrb	r6, [r10]
	cmp	r6, #1
	blo	end
	beq	call
	cmp	r6, #3
	blo	equal
	beq	below
	cmp	r6, #5
	blo	add
	beq	subtract
	cmp	r6, #7
	blo	load
	beq	store
	cmp	r6, #9
	blo	decimal
	beq	copy

	/* find: the string b in the string a */
1:	mov	r2, #0
2:	ldrb	r3, [r1, r2]
	cmp	r3, #0
	beq	result
	ldrb	r4, [r0, r2]
	add	r2, r2, #1
	cmp	r3, r4
	beq	2b
	ldrb	r4, [r0], #1
	cmp	r4, #0
	bne	1b
	mov	r0, #0
	b	result

call:	ldr	r7, [r10, #4]
	svc	#0
	ldr	r6, [r10, #8]
	str	r0, [r9, r6]
	mvn	r6, r0			/* -4095 and above are errors: */
	lsrs	r6, r6, #12		/* what is left of their complement is 0 */
	bne	next
jump:	ldr	r6, [r10, #12]
	cmp	r6, #0
	beq	next
	add	r10, r8, r6
	b	record

equal:	cmp	r0, r1
	beq	jump
	b	next
below:	cmp	r0, r1
	blo	jump
	b	next

	/* decimal: b in digits to a, where they end is the result */
decimal:
	add	r2, sp, #24
	mov	r3, r2
	ldr	r4, tenth
	mov	r5, #10
1:	umull	r7, r6, r1, r4
	lsr	r6, r6, #3		/* b / 10 */
	mul	r7, r6, r5
	sub	r7, r1, r7
	add	r7, r7, #'0'
	strb	r7, [r3, #-1]!
	movs	r1, r6
	bne	1b
2:	ldrb	r6, [r3], #1
	strb	r6, [r0], #1
	cmp	r3, r2
	bne	2b
	strb	r1, [r0]
	b	result

	/* copy: the string b to a, where it ends is the result */
copy:	ldrb	r2, [r1], #1
	strb	r2, [r0]
	cmp	r2, #0
	addne	r0, r0, #1
	bne	copy
	b	result

store:	str	r1, [r0]
	mov	r0, r1
	b	result
load:	ldr	r0, [r0, r1]
	b	result
subtract:
	rsb	r1, r1, #0
add:	add	r0, r0, r1
result:	ldr	r6, [r10, #8]
	str	r0, [r9, r6]
next:	add	r10, r10, #40
	b	record

end:	ldr	r1, [r8, #4]
	add	sp, r9, r1
	pop	{r0-r12, lr}
	ldr	pc, [sp], #4
tenth:	.word	0xcccccccd
	.balign	8
script:
