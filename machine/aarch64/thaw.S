/*
 * The thaw stub of AArch64: carries out the script that makes a frozen process.
 * Package freeze/script describes scripts; the Go bytes in thaw.go are this file,
 * assembled.
 *
 * It has no stack: the kernel's is unmapped by the script, and each thread of
 * the process runs this same code on records of its own. What threads tell each
 * other in memory is behind a barrier on both sides.
 *
 * x19    the script
 * x20    the record at hand
 * x0-x5  its operands
 */
	.set	start_sp, 40		/* fields of the script's head */
	.set	errors_to, 48
	.set	errno_names, 56
	.set	jump, 8			/* fields of a record */
	.set	message, 12
	.set	to, 16
	.set	args, 24
	.set	size, 72

	.text
	.globl	_start
_start:
	b	1f
	nop
	.quad	0x7777777777777777	/* the freezer puts the script's address here */
1:	ldr	x19, _start + 8
	mov	x9, sp
	str	x9, [x19, #start_sp]
	ldr	x20, [x19, #24]

	.macro	operand n
	ldr	x\n, [x20, #args + 8*\n]
	tbz	w9, #\n, 9f
	ldr	x\n, [x\n]
9:
	.endm

record:	ldrb	w9, [x20, #1]		/* which operands are words in memory */
	operand	0
	operand	1
	operand	2
	operand	3
	operand	4
	operand	5
	ldrb	w9, [x20]
	ldr	w8, [x20, #4]
	adr	x10, operations
	add	x10, x10, x9, lsl #2
	br	x10

operations:
	b	exit
	b	call
	b	fork
	b	go
	b	equal
	b	below
	b	equal4
	b	bits4
	b	same
	b	copy
	b	store
	b	store4
	b	load
	b	load4
	b	add
	b	subtract
	b	count
	b	tid
	b	aux
	b	cpuid
	b	none			/* xcr0 */
	b	fail
	b	return
	b	status
	b	swap
	b	pointer
	b	sign
none:	brk	#0			/* no such operation: nobody encodes it */

exit:	mov	x8, #94			/* exit_group */
	svc	#0

call:	mov	x13, x2
	svc	#0
	ldrb	w9, [x20, #2]
	tbz	w9, #0, 1f
	cmp	x0, x13			/* it must return operand 2, the size of what is read */
	b.eq	result
	tbnz	x0, #63, error
	mov	x0, #-5			/* EIO */
	b	error
1:	cmn	x0, #4095
	b.hs	error
result:	ldr	x9, [x20, #to]
	cbz	x9, next
	str	x0, [x9]
next:	add	x20, x20, #size
	b	record

fork:	svc	#0
	cbz	x0, go
	tbnz	x0, #63, broken
	b	result

equal:	cmp	x0, x1
	b.eq	go
	b	next
below:	cmp	x0, x1
	b.lo	go
	b	next
equal4:	ldr	w9, [x0]
	dmb	ish
	cmp	w9, w1
	b.eq	go
	b	next
bits4:	ldr	w9, [x0]
	bics	wzr, w1, w9
	b.eq	go
	b	next
same:	cbz	x2, go
	ldrb	w9, [x0], #1
	ldrb	w10, [x1], #1
	sub	x2, x2, #1
	cmp	w9, w10
	b.eq	same
	b	next
go:	ldr	w9, [x20, #jump]
	add	x20, x19, x9
	b	record

copy:	cbz	x2, 1f
	ldrb	w9, [x1], #1
	strb	w9, [x0], #1
	sub	x2, x2, #1
	b	copy
1:	b	next
store:	str	x1, [x0]
	b	next
store4:	dmb	ish
	str	w1, [x0]
	b	next
load:	ldr	x0, [x0, x1]
	b	result
load4:	ldr	w0, [x0, x1]
	dmb	ish
	b	result
add:	add	x0, x0, x1
	b	result
subtract:
	sub	x0, x0, x1
	b	result
count:	ldaxr	w9, [x0]
	add	w9, w9, #1
	stlxr	w10, w9, [x0]
	cbnz	w10, count
	dmb	ish
	b	next
	/* tid: what a thread has of its number in memory, if it is that */
tid:	ldr	w9, [x0]
	cmp	w9, w1
	b.ne	next
	str	w2, [x0]
	b	next
swap:	ldr	x9, [x0]
	str	x1, [x0]
	mov	x0, x9
	b	result

	/* aux: what the kernel says under tag a, behind argv and the environment */
aux:	ldr	x1, [x19, #start_sp]
	ldr	x9, [x1]
	add	x1, x1, x9, lsl #3
	add	x1, x1, #16
1:	ldr	x9, [x1], #8
	cbnz	x9, 1b
2:	ldp	x9, x10, [x1], #16
	cmp	x9, x0
	b.eq	3f
	cbnz	x9, 2b
	mov	x0, #-2			/* ENOENT */
	b	error
3:	mov	x0, x10
	b	result

	/* cpuid: to the four words at c: IminLine, DminLine, all of CTR_EL0, DCZID_EL0 */
cpuid:	mrs	x9, ctr_el0
	and	w10, w9, #15
	ubfx	w11, w9, #16, #4
	stp	w10, w11, [x2]
	mrs	x10, dczid_el0
	stp	w9, w10, [x2, #8]
	b	next
pointer:
	msr	tpidr_el0, x0
	b	next
sign:	mov	x17, x0
	mov	x16, x1
	hint	#8			/* pacia1716 */
	mov	x0, x17
	b	result

return:	mov	sp, x0
	mov	x8, #139		/* rt_sigreturn */
	svc	#0

	/* status: end as a child did, or with 128 and its signal */
status:	ands	w9, w0, #127
	b.eq	1f
	add	w0, w9, #128
	b	exit
1:	ubfx	w0, w0, #8, #8
	b	exit

	/* what went wrong: go to where the record says, or tell it, or go on */
error:	ldr	w9, [x20, #jump]
	cbnz	w9, go
broken:	ldr	w9, [x20, #message]
	cbz	w9, result
	b	tell
fail:	mov	x0, #0
tell:	neg	x21, x0
	ldr	w9, [x20, #message]
	bl	write
	cbz	x21, 1f			/* nothing of the kernel's */
	ldr	x9, [x19, #errno_names]
	ldr	w10, [x9]
	cmp	x21, x10
	b.hs	1f
	ldr	w9, [x9, x21, lsl #2]
	bl	write
1:	ldr	w9, [x19, #64]		/* "\n" */
	bl	write
	mov	x0, #125
	b	exit
	/* the text at w9 in the script, its length before it */
write:	add	x1, x19, x9
	ldr	w2, [x1], #4
	ldr	x0, [x19, #errors_to]
	mov	x8, #64
	svc	#0
	ret
	.balign	8
