# The code by which a program is started again; package reset has the story. It
# is assembled for both classes, with XLEN as it is called there.
#
# It uses no stack. At the first entry sp and a0 to a3 go to the slot; at later
# ones they come from there. The first word of the slot tells which it is: the head's at later ones.
#
#	t0  the head, to which all addresses of the table are relative
#	t1  the entry of the table
#	t2  destination   t3  zeros   t4  source   t5  bytes from there

	.set	HEAD, 32	# the code follows the head
	.set	FLAGS, 12	# u32 of the head
	.set	TABLE, 24	# u32 of the head: offset of the table
	.set	CODE, 2		# in FLAGS: what is restored may be code
	.set	W, XLEN/8

	.macro	l reg, off, base
	.if	W == 8
	ld	\reg, \off(\base)
	.else
	lw	\reg, \off(\base)
	.endif
	.endm

	.macro	s reg, off, base
	.if	W == 8
	sd	\reg, \off(\base)
	.else
	sw	\reg, \off(\base)
	.endif
	.endm

	.option	norvc
	.option	norelax
	.text
start:
	auipc	t0, 0
	addi	t0, t0, -HEAD
	lw	t1, TABLE(t0)
	add	t1, t1, t0
	l	t2, 0, t1
	add	t2, t2, t0
	l	t3, 0, t2
	l	t4, 0, t0
	beq	t3, t4, again
	s	sp, W, t2
	s	a0, 2*W, t2
	s	a1, 3*W, t2
	s	a2, 4*W, t2
	s	a3, 5*W, t2
	s	t4, 0, t2
	l	t3, 2*W, t1	# where the first start begins
	add	t1, t1, t3
	j	entry
again:
	l	sp, W, t2
	l	a0, 2*W, t2
	l	a1, 3*W, t2
	l	a2, 4*W, t2
	l	a3, 5*W, t2
	l	t3, W, t1
	add	t1, t1, t3
entry:
	l	t3, W, t1
	beqz	t3, done
	l	t2, 0, t1
	l	t4, 2*W, t1
	l	t5, 3*W, t1
	add	t2, t2, t0
	add	t4, t4, t0
	sub	t3, t3, t5
copy:
	beqz	t5, zero
	or	t6, t2, t4
	andi	t6, t6, W-1
	bnez	t6, 1f
	sltiu	t6, t5, W
	bnez	t6, 1f
	l	t6, 0, t4
	s	t6, 0, t2
	addi	t4, t4, W
	addi	t2, t2, W
	addi	t5, t5, -W
	j	copy
1:	lbu	t6, 0(t4)
	sb	t6, 0(t2)
	addi	t4, t4, 1
	addi	t2, t2, 1
	addi	t5, t5, -1
	j	copy
zero:
	beqz	t3, next
	andi	t6, t2, W-1
	bnez	t6, 1f
	sltiu	t6, t3, W
	bnez	t6, 1f
	s	zero, 0, t2
	addi	t2, t2, W
	addi	t3, t3, -W
	j	zero
1:	sb	zero, 0(t2)
	addi	t2, t2, 1
	addi	t3, t3, -1
	j	zero
next:
	addi	t1, t1, 4*W
	j	entry
done:	# fence.i is an extension: only where it is needed
	lw	t6, FLAGS(t0)
	andi	t6, t6, CODE
	beqz	t6, 1f
	fence.i
1:	l	t6, 0, t1
	add	t6, t6, t0
	jr	t6
	.balign	16
