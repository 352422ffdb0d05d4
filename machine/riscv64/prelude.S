/*
 * The prelude of RISC-V 64: carries out the script that follows it, then goes to
 * the program's old entry point. Package prelude describes scripts; the Go bytes
 * in prelude.go are this file, assembled and linked.
 *
 * t1 (x6) alone has another value than at the start: the old entry. The psABI has
 * it for PLT stubs, which change it between a jump and its target.
 *
 * s1   the script
 * s2   scratch memory, on the stack
 * s3   the record at hand
 * sp   the six operands of the record at hand, below the scratch memory
 */
	.option	norelax
	.option	norvc
	.text
	.globl	_start
_start:
	addi	sp, sp, -256
	sd	x1, 8(sp)
	sd	x3, 24(sp)
	sd	x4, 32(sp)
	sd	x5, 40(sp)
	sd	x6, 48(sp)
	sd	x7, 56(sp)
	sd	x8, 64(sp)
	sd	x9, 72(sp)
	sd	x10, 80(sp)
	sd	x11, 88(sp)
	sd	x12, 96(sp)
	sd	x13, 104(sp)
	sd	x14, 112(sp)
	sd	x15, 120(sp)
	sd	x16, 128(sp)
	sd	x17, 136(sp)
	sd	x18, 144(sp)
	sd	x19, 152(sp)
	sd	x20, 160(sp)
	sd	x21, 168(sp)
	sd	x22, 176(sp)
	sd	x23, 184(sp)
	sd	x24, 192(sp)
	sd	x25, 200(sp)
	sd	x26, 208(sp)
	sd	x27, 216(sp)
	sd	x28, 224(sp)
	sd	x29, 232(sp)
	sd	x30, 240(sp)
	sd	x31, 248(sp)
	lla	s1, script
	lwu	t0, 4(s1)
	sub	sp, sp, t0
	mv	s2, sp
	add	t0, t0, sp
1:	addi	t0, t0, -8
	sd	zero, 0(t0)
	bne	t0, s2, 1b
	addi	sp, sp, -48
	addi	s3, s1, 40

record:	lwu	t0, 0(s3)
	srli	t0, t0, 8		/* two bits an operand */
	addi	t2, s3, 16
	mv	t3, sp
operand:
	lw	a0, 0(t2)
	andi	t4, t0, 1
	andi	t5, t0, 2
	bnez	t5, 2f
	beqz	t4, 3f			/* 0: a number */
	add	a0, a0, s1		/* 1: a place in the script */
	j	3f
2:	add	a0, a0, s2		/* 2: a place in scratch memory */
	beqz	t4, 3f
	ld	a0, 0(a0)		/* 3: the word there */
3:	sd	a0, 0(t3)
	srli	t0, t0, 2
	addi	t2, t2, 4
	addi	t3, t3, 8
	bne	t3, s2, operand
	ld	a0, 0(sp)
	ld	a1, 8(sp)
	lbu	t0, 0(s3)
	beqz	t0, end
	addi	t0, t0, -1
	beqz	t0, call
	addi	t0, t0, -1
	beqz	t0, equal
	addi	t0, t0, -1
	beqz	t0, below
	addi	t0, t0, -1
	beqz	t0, add
	addi	t0, t0, -1
	beqz	t0, subtract
	addi	t0, t0, -1
	beqz	t0, load
	addi	t0, t0, -1
	beqz	t0, store
	addi	t0, t0, -1
	beqz	t0, decimal
	addi	t0, t0, -1
	beqz	t0, copy

	/* find: the string b in the string a */
1:	mv	t2, a0
	mv	t3, a1
2:	lbu	t4, 0(t3)
	beqz	t4, result
	lbu	t5, 0(t2)
	addi	t2, t2, 1
	addi	t3, t3, 1
	beq	t4, t5, 2b
	lbu	t4, 0(a0)
	addi	a0, a0, 1
	bnez	t4, 1b
	li	a0, 0
	j	result

call:	lwu	a7, 4(s3)
	ld	a2, 16(sp)
	ld	a3, 24(sp)
	ld	a4, 32(sp)
	ld	a5, 40(sp)
	ecall
	lwu	t0, 8(s3)
	add	t0, t0, s2
	sd	a0, 0(t0)
	not	t0, a0			/* -4095 and above are errors: */
	srli	t0, t0, 12		/* what is left of their complement is 0 */
	bnez	t0, next
jump:	lwu	t0, 12(s3)
	beqz	t0, next
	add	s3, s1, t0
	j	record

equal:	beq	a0, a1, jump
	j	next
below:	bltu	a0, a1, jump
	j	next

	/* decimal: b in digits to a, where they end is the result */
decimal:
	mv	t2, s2
	li	t3, 10
1:	remu	t4, a1, t3
	divu	a1, a1, t3
	addi	t4, t4, '0'
	addi	t2, t2, -1
	sb	t4, 0(t2)
	bnez	a1, 1b
2:	lbu	t4, 0(t2)
	sb	t4, 0(a0)
	addi	t2, t2, 1
	addi	a0, a0, 1
	bne	t2, s2, 2b
	sb	zero, 0(a0)
	j	result

	/* copy: the string b to a, where it ends is the result */
copy:	lbu	t2, 0(a1)
	sb	t2, 0(a0)
	beqz	t2, result
	addi	a0, a0, 1
	addi	a1, a1, 1
	j	copy

store:	sd	a1, 0(a0)
	mv	a0, a1
	j	result
load:	add	a0, a0, a1
	ld	a0, 0(a0)
	j	result
subtract:
	neg	a1, a1
add:	add	a0, a0, a1
result:	lwu	t0, 8(s3)
	add	t0, t0, s2
	sd	a0, 0(t0)
next:	addi	s3, s3, 40
	j	record

end:	lwu	t0, 4(s1)
	add	sp, s2, t0
	ld	t1, 16(s1)
	add	t1, t1, s1
	ld	x1, 8(sp)
	ld	x3, 24(sp)
	ld	x4, 32(sp)
	ld	x5, 40(sp)
	ld	x7, 56(sp)
	ld	x8, 64(sp)
	ld	x9, 72(sp)
	ld	x10, 80(sp)
	ld	x11, 88(sp)
	ld	x12, 96(sp)
	ld	x13, 104(sp)
	ld	x14, 112(sp)
	ld	x15, 120(sp)
	ld	x16, 128(sp)
	ld	x17, 136(sp)
	ld	x18, 144(sp)
	ld	x19, 152(sp)
	ld	x20, 160(sp)
	ld	x21, 168(sp)
	ld	x22, 176(sp)
	ld	x23, 184(sp)
	ld	x24, 192(sp)
	ld	x25, 200(sp)
	ld	x26, 208(sp)
	ld	x27, 216(sp)
	ld	x28, 224(sp)
	ld	x29, 232(sp)
	ld	x30, 240(sp)
	ld	x31, 248(sp)
	addi	sp, sp, 256
	jr	t1
	.balign	8
script:
