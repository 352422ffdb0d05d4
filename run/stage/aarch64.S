/*
 * Stage 2 on AArch64: carries out the records of a plan in the new process, then
 * goes to the program's entry point. Package stage describes plans; the Go bytes
 * in aarch64.go are this file, assembled. What follows the code is the plan's header.
 *
 * x19  the next record
 * x20  the stack pointer that the kernel gave
 * x21  envp
 * x22  the auxiliary vector
 * x23  the open file, or -1
 */
	.text
	.globl	_start
_start:
	hint	#36				/* bti j */
	mov	x29, #0
	mov	x30, #0
	mov	x20, sp
	ldr	x9, [x20]
	add	x21, x20, x9, lsl #3
	add	x21, x21, #16
	mov	x22, x21
1:	ldr	x9, [x22], #8
	cbnz	x9, 1b
	mov	x23, #-1
	ldr	x19, plan

next:	ldp	x9, x0, [x19]
	ldp	x1, x2, [x19, #16]
	ldp	x3, x5, [x19, #32]
	add	x19, x19, #48
	adr	x10, table
	ldrsw	x9, [x10, x9, lsl #2]
	add	x10, x10, x9
	br	x10

	/* x0 entry, x1 what the program is to call at its end */
end:	mov	x9, x0
	mov	x0, x1
	mov	sp, x20
	br	x9

	/* x0 path, x1 and x2 what to say if it cannot be opened */
open:	mov	x10, x1
	mov	x11, x2
	mov	x1, x0
	mov	x0, #-100			/* AT_FDCWD */
	mov	x2, #0x80000			/* O_CLOEXEC */
	mov	x3, #0
	mov	x8, #56				/* openat */
	svc	#0
	mov	x23, x0
	mov	x1, x10
	mov	x2, x11
	tbz	x0, #63, next
	b	die

close:	mov	x0, x23
	mov	x8, #57				/* close */
	svc	#0
	b	next

	/* x0 address, x1 length, x2 protection, x3 flags, x5 offset in the open file */
map:	mov	x4, x23
	mov	x8, #222			/* mmap */
	b	checked

	/* x0 address, x1 length, x2 protection */
protect:
	mov	x8, #226			/* mprotect */
checked:
	svc	#0
	cmn	x0, #4095
	b.lo	next
	adr	x9, plan
	ldp	x1, x2, [x9, #16]
	b	die

	/* x0 thread pointer */
thread:	msr	tpidr_el0, x0
	b	next

	/* x0 place of 8 bytes, x1 what of the stack */
poke:	bl	value
	str	x9, [x0]
	b	next

	/* x0 place of 4 bytes, x1 what of the stack */
poke32:	bl	value
	str	w9, [x0]
	b	next

	/* x0 place, x1 offset in the random bytes, x2 mask */
random:	mov	x3, x1
	mov	x1, #16+25			/* AT_RANDOM */
	bl	value
	cbz	x9, next
	ldr	x9, [x9, x3]
	and	x9, x9, x2
	str	x9, [x0]
	b	next

	/* x0 type, x1 value */
auxv:	mov	x9, x22
1:	ldr	x10, [x9]
	cbz	x10, next
	cmp	x10, x0
	b.eq	2f
	add	x9, x9, #16
	b	1b
2:	str	x1, [x9, #8]
	b	next

	/* x0 function; x1, x2, x3, x5 its arguments */
call:	mov	x9, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x5
	blr	x9
	b	next

	/* x0 function, x1 its argument, x2 function of what it returns */
chain:	mov	x9, x0
	mov	x0, x1
	mov	x25, x2
	blr	x9
	blr	x25
	b	next

	/*
	 * x0 place, x1 resolver, x2 what is added to its result. Arguments as in
	 * <sys/ifunc.h>: hwcap with a bit that says there is a second argument, which
	 * points to {size, hwcap, hwcap2}.
	 */
resolve:
	mov	x25, x0
	mov	x26, x1
	mov	x27, x2
	sub	sp, sp, #32
	mov	x9, #24
	str	x9, [sp]
	mov	x1, #16+26			/* AT_HWCAP2 */
	bl	value
	str	x9, [sp, #16]
	mov	x1, #16+16			/* AT_HWCAP */
	bl	value
	str	x9, [sp, #8]
	orr	x0, x9, #1<<62
	mov	x1, sp
	blr	x26
	add	sp, sp, #32
	add	x0, x0, x27
	str	x0, [x25]
	b	next

	/* x0 destination, x1 source, x2 length */
copy:	cbz	x2, next
	ldrb	w9, [x1], #1
	strb	w9, [x0], #1
	sub	x2, x2, #1
	b	copy

	/* x0 constructor: called as main is */
init:	mov	x9, x0
	ldr	w0, [x20]
	add	x1, x20, #8
	mov	x2, x21
	blr	x9
	b	next

	/* x0 function, x1 argument; called with it, then as main is */
initof:	mov	x9, x0
	mov	x0, x1
	ldr	w1, [x20]
	add	x2, x20, #8
	mov	x3, x21
	blr	x9
	b	next

	/*
	 * x0 function, x1 "NAME=", x2, x3 and x5 its other arguments: called with the
	 * value of the variable, or 0 where it is empty or not there
	 */
environ:
	mov	x9, x0
	mov	x10, x21
1:	ldr	x0, [x10], #8
	cbz	x0, 4f
	mov	x11, x1
2:	ldrb	w12, [x11], #1
	cbz	w12, 3f
	ldrb	w13, [x0], #1
	cmp	w12, w13
	b.ne	1b
	b	2b
3:	ldrb	w12, [x0]
	cbnz	w12, 4f
	mov	x0, #0
4:	mov	x1, x2
	mov	x2, x3
	mov	x3, x5
	blr	x9
	b	next

	/* x0 number of a system call; x1, x2, x3, x5 its arguments */
system:	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x5
	svc	#0
	b	next

	/* x0 function, x1 what of the stack it is called with */
callof:	mov	x25, x0
	bl	value
	mov	x0, x9
	mov	x1, #0
	blr	x25
	b	next

	/* x0 function, x1 its argument, x2 place of what it returns */
store:	mov	x9, x0
	mov	x0, x1
	mov	x25, x2
	blr	x9
	str	x0, [x25]
	b	next

	/* stops the process until somebody continues it */
stop:	mov	x8, #172			/* getpid */
	svc	#0
	mov	x1, #19				/* SIGSTOP */
	mov	x8, #129			/* kill */
	svc	#0
	b	next

	/* x0 a copy of the vDSO, x1 its words, x2 rows of place, value, mask; x3 how many */
vdso:	mov	x4, x1
	mov	x1, #16+33			/* AT_SYSINFO_EHDR */
	bl	value
	cbz	x9, next
	mov	x10, x9
1:	cbz	x4, 2f
	sub	x4, x4, #1
	ldr	x11, [x0], #8
	ldr	x12, [x10], #8
	cmp	x11, x12
	b.eq	1b
	b	next
2:	cbz	x3, next
	sub	x3, x3, #1
	ldp	x11, x12, [x2], #16
	ldr	x13, [x2], #8
	and	x13, x13, x9
	add	x12, x12, x13
	str	x12, [x11]
	b	2b

	/* x1 how many records: they are left out where AT_EXECFN is the plan's name */
skip:	mov	x24, x1
	bl	named
	cbnz	x9, next
	add	x24, x24, x24, lsl #1
	add	x19, x19, x24, lsl #4		/* 48 bytes each */
	b	next

	/* x0 path, x1 what the file is to be: opened */
opensame:
	mov	x24, x1
	mov	x1, x0
	mov	x0, #-100			/* AT_FDCWD */
	mov	x2, #0x80000			/* O_CLOEXEC */
	mov	x3, #0
	mov	x8, #56				/* openat */
	svc	#0
	tbnz	x0, #63, stale
	mov	x23, x0
	adr	x1, empty
	mov	x3, #0x1000			/* AT_EMPTY_PATH */
	b	1f

	/* x0 path, x1 what the file is to be: st_dev, st_ino, st_size, st_mtim, st_ctim */
same:	mov	x24, x1
	mov	x1, x0
	mov	x0, #-100			/* AT_FDCWD */
	mov	x3, #0
1:	sub	sp, sp, #128
	mov	x2, sp
	mov	x8, #79				/* newfstatat */
	svc	#0
	tbnz	x0, #63, stale
	ldp	x9, x10, [sp]
	ldp	x11, x12, [x24]
	cmp	x9, x11
	ccmp	x10, x12, #0, eq
	b.ne	stale
	ldr	x9, [sp, #48]
	ldp	x11, x12, [x24, #16]
	ldr	x10, [sp, #88]
	cmp	x9, x11
	ccmp	x10, x12, #0, eq
	b.ne	stale
	ldp	x9, x10, [sp, #96]
	ldp	x11, x12, [x24, #32]
	cmp	x9, x11
	ccmp	x10, x12, #0, eq
	b.ne	stale
	ldr	x9, [sp, #112]
	ldr	x11, [x24, #48]
	cmp	x9, x11
	b.ne	stale
	add	sp, sp, #128
	b	next

	/* x0 path, at which nothing is to be */
absent:	mov	x1, x0
	mov	x0, #-100			/* AT_FDCWD */
	mov	x3, #0
	sub	sp, sp, #128
	mov	x2, sp
	mov	x8, #79				/* newfstatat */
	svc	#0
	add	sp, sp, #128
	tbz	x0, #63, stale
	b	next

	/* x0 the beginning of strings of the environment, x1 all that are to be there, in their order */
variables:
	mov	x9, x21
1:	ldr	x10, [x9], #8
	cbz	x10, 5f
	mov	x11, x0
2:	ldrb	w12, [x11], #1
	cbz	w12, 3f
	ldrb	w13, [x10], #1
	cmp	w12, w13
	b.ne	1b
	b	2b
3:	ldr	x11, [x1], #8
	cbz	x11, other
	ldr	x10, [x9, #-8]
4:	ldrb	w12, [x11], #1
	ldrb	w13, [x10], #1
	cmp	w12, w13
	b.ne	other
	cbnz	w12, 4b
	b	1b
5:	ldr	x11, [x1]
	cbnz	x11, other
	b	next

	/* x0 what uname is to give as release and version */
kernel:	mov	x24, x0
	sub	sp, sp, #400
	mov	x0, sp
	mov	x8, #160			/* uname */
	svc	#0
	add	x10, sp, #2*65
	mov	x9, #2*65
1:	ldrb	w12, [x10], #1
	ldrb	w13, [x24], #1
	cmp	w12, w13
	b.ne	stale
	subs	x9, x9, #1
	b.ne	1b
	add	sp, sp, #400
	b	next

	/*
	 * The image is not that of its files any more, or of these variables: it is
	 * asked for again, or, where that has been done, the program is started as it is.
	 */
stale:	mov	x25, #16
	b	1f
other:	mov	x25, #24
1:	adr	x24, plan
	ldr	x24, [x24, #40]
	mov	sp, x20
	bl	named
	cbz	x9, 5f
	ldr	x9, [x20]
	cbz	x9, 5f
	ldr	x10, [x24, x25]
	ldr	x11, [x10], #8			/* how many strings the list has */
	add	x9, x9, x11
	add	x9, x9, #2
	and	x9, x9, #-2
	sub	x1, x20, x9, lsl #3
	mov	sp, x1
	mov	x11, x1
2:	ldr	x9, [x10], #8
	cbz	x9, 4f
	cmp	x9, #1				/* stands for argv[0] */
	b.ne	3f
	ldr	x9, [x20, #8]
3:	str	x9, [x11], #8
	b	2b
4:	add	x10, x20, #16
6:	ldr	x9, [x10], #8
	str	x9, [x11], #8
	cbnz	x9, 6b
	ldr	x0, [x24]
	mov	x2, x21
	mov	x8, #221			/* execve */
	svc	#0
5:	ldr	x0, [x24, #8]
	add	x1, x20, #8
	mov	x2, x21
	mov	x8, #221			/* execve */
	svc	#0
	ldp	x1, x2, [x24, #32]
	b	die

	/* x9: 0 if AT_EXECFN is the plan's name; changes x1, x10 to x13 */
named:	mov	x13, x30
	mov	x1, #16+31			/* AT_EXECFN */
	bl	value
	mov	x30, x13
	adr	x10, plan
	ldr	x10, [x10, #32]
	cbz	x9, 3f
1:	ldrb	w11, [x9], #1
	ldrb	w12, [x10], #1
	cmp	w11, w12
	b.ne	3f
	cbnz	w11, 1b
	mov	x9, #0
	ret
3:	mov	x9, #1
	ret

	/* the value that x1 names, into x9; changes x10 and x11 */
value:	cmp	x1, #16
	b.hs	3f
	ldr	x9, [x20]			/* 0: argc */
	cbz	x1, 4f
	cmp	x1, #2
	add	x9, x20, #8			/* 1: argv */
	b.lo	4f
	mov	x9, x21				/* 2: envp */
	b.eq	4f
	cmp	x1, #3
	mov	x9, x22				/* 3: auxiliary vector */
	b.eq	4f
	mov	x9, x20				/* 4: stack pointer */
	ret
3:	sub	x1, x1, #16			/* 16 and more: of the auxiliary vector */
	mov	x10, x22
5:	ldr	x11, [x10]
	mov	x9, #0
	cbz	x11, 4f
	cmp	x11, x1
	ldr	x9, [x10, #8]
	b.eq	4f
	add	x10, x10, #16
	b	5b
4:	ret

	/* x1 and x2: the last words, on standard error */
	.globl	die
die:	mov	x0, #2
	mov	x8, #64				/* write */
	svc	#0
	mov	x0, #127
	mov	x8, #94				/* exit_group */
	svc	#0
	brk	#1

	/* calls the destructors of the plan, a list that ends with 0 */
	.globl	fini
fini:	bti	c
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	adr	x19, plan
	ldr	x19, [x19, #8]
1:	ldr	x9, [x19], #8
	cbz	x9, 2f
	blr	x9
	b	1b
2:	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret

	/* stops the process; a function, called as constructors are */
	.globl	stopper
stopper:
	hint	#34				/* bti c */
	mov	x8, #172			/* getpid */
	svc	#0
	mov	x1, #19				/* SIGSTOP */
	mov	x8, #129			/* kill */
	svc	#0
	ret

	/* a TLS descriptor of static storage: x0 points to it; nothing else changes */
	.globl	tlsdesc
tlsdesc:
	hint	#34				/* bti c */
	ldr	x0, [x0, #8]
	ret

	/* one of a weak symbol that nothing defines: its address is the addend */
	.globl	tlsweak
tlsweak:
	hint	#34				/* bti c */
	str	x1, [sp, #-16]!
	ldr	x0, [x0, #8]
	mrs	x1, tpidr_el0
	sub	x0, x0, x1
	ldr	x1, [sp], #16
	ret

	/* __tls_get_addr of programs without libc: both words count from the thread pointer */
	.globl	tlsaddr
tlsaddr:
	hint	#34				/* bti c */
	mrs	x1, tpidr_el0
	ldp	x2, x3, [x0]
	add	x1, x1, x2
	add	x0, x1, x3
	ret

	.balign	4
table:	.word	end-table, open-table, close-table, map-table, protect-table, thread-table
	.word	poke-table, poke32-table, random-table, auxv-table, call-table, chain-table
	.word	resolve-table, copy-table, init-table, initof-table, environ-table, system-table, callof-table, store-table, stop-table
	.word	vdso-table, skip-table, opensame-table, same-table, absent-table, variables-table, kernel-table, next-table
empty:	.byte	0
	.balign	16, 0
plan:
