/*
 * Stage 2 on x86-64: carries out the records of a plan in the new process, then
 * goes to the program's entry point. Package stage describes plans; the Go bytes
 * in amd64.go are this file, assembled. What follows the code is the plan's header.
 *
 * rbx  the next record
 * r12  the stack pointer that the kernel gave
 * r13  envp
 * r14  the auxiliary vector
 * r15  the open file, or -1
 */
	.text
	.globl	_start
_start:
	endbr64
	xorl	%ebp, %ebp
	movq	%rsp, %r12
	movq	(%r12), %rax
	leaq	16(%r12,%rax,8), %r13
	movq	%r13, %r14
1:	addq	$8, %r14
	cmpq	$0, -8(%r14)
	jne	1b
	andq	$-16, %rsp
	movl	$-1, %r15d
	movq	plan(%rip), %rbx

next:	movl	(%rbx), %eax
	movq	8(%rbx), %rdi
	movq	16(%rbx), %rsi
	movq	24(%rbx), %rdx
	movq	32(%rbx), %r10
	movq	40(%rbx), %r9
	addq	$48, %rbx
	leaq	table(%rip), %rcx
	movslq	(%rcx,%rax,4), %rax
	addq	%rcx, %rax
	jmp	*%rax

	/* rdi entry, rsi what the program is to call at its end */
end:	movq	%rsi, %rdx
	movq	%r12, %rsp
	jmp	*%rdi

	/* rdi path, rsi and rdx what to say if it cannot be opened */
open:	pushq	%rsi
	pushq	%rdx
	movq	%rdi, %rsi
	movl	$-100, %edi			/* AT_FDCWD */
	movl	$0x80000, %edx			/* O_CLOEXEC */
	movl	$257, %eax			/* openat */
	syscall
	popq	%rdx
	popq	%rsi
	testl	%eax, %eax
	js	die
	movl	%eax, %r15d
	jmp	next

close:	movl	%r15d, %edi
	movl	$3, %eax			/* close */
	syscall
	jmp	next

	/* rdi address, rsi length, rdx protection, r10 flags, r9 offset in the open file */
map:	movslq	%r15d, %r8
	movl	$9, %eax			/* mmap */
	jmp	checked

	/* rdi address, rsi length, rdx protection */
protect:
	movl	$10, %eax			/* mprotect */
checked:
	syscall
	cmpq	$-4095, %rax
	jb	next
	movq	plan+16(%rip), %rsi
	movq	plan+24(%rip), %rdx
	jmp	die

	/* rdi thread pointer */
thread:	movq	%rdi, %rsi
	movl	$0x1002, %edi			/* ARCH_SET_FS */
	movl	$158, %eax			/* arch_prctl */
	syscall
	jmp	next

	/* rdi place of 8 bytes, rsi what of the stack */
poke:	call	value
	movq	%rax, (%rdi)
	jmp	next

	/* rdi place of 4 bytes, rsi what of the stack */
poke32:	call	value
	movl	%eax, (%rdi)
	jmp	next

	/* rdi place, rsi offset in the random bytes, rdx mask */
random:	movq	%rsi, %r8
	movl	$16+25, %esi			/* AT_RANDOM */
	call	value
	testq	%rax, %rax
	jz	next
	andq	(%rax,%r8), %rdx
	movq	%rdx, (%rdi)
	jmp	next

	/* rdi type, rsi value */
auxv:	movq	%r14, %rax
1:	cmpq	$0, (%rax)
	je	next
	cmpq	%rdi, (%rax)
	je	2f
	addq	$16, %rax
	jmp	1b
2:	movq	%rsi, 8(%rax)
	jmp	next

	/* rdi function; rsi, rdx, r10, r9 its arguments */
call:	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%r10, %rdx
	movq	%r9, %rcx
	call	*%rax
	jmp	next

	/* rdi function, rsi its argument, rdx function of what it returns */
chain:	movq	%rdi, %rax
	movq	%rsi, %rdi
	pushq	%rdx
	pushq	%rdx
	call	*%rax
	popq	%rdx
	popq	%rdx
	movq	%rax, %rdi
	call	*%rdx
	jmp	next

	/* rdi place, rsi resolver, rdx what is added to its result */
resolve:
	pushq	%rdi
	pushq	%rdx
	call	*%rsi
	popq	%rdx
	popq	%rdi
	addq	%rdx, %rax
	movq	%rax, (%rdi)
	jmp	next

	/* rdi destination, rsi source, rdx length */
copy:	movq	%rdx, %rcx
	cld
	rep movsb
	jmp	next

	/* rdi constructor: called as main is */
init:	movq	%rdi, %rax
	movl	(%r12), %edi
	leaq	8(%r12), %rsi
	movq	%r13, %rdx
	call	*%rax
	jmp	next

	/* rdi function, rsi argument; called with it, then as main is */
initof:	movq	%rdi, %rax
	movq	%rsi, %rdi
	movl	(%r12), %esi
	leaq	8(%r12), %rdx
	movq	%r13, %rcx
	call	*%rax
	jmp	next

	/*
	 * rdi function, rsi "NAME=", rdx, r10 and r9 its other arguments: called with
	 * the value of the variable, or 0 where it is empty or not there
	 */
environ:
	movq	%rdi, %rax
	movq	%r13, %r8
1:	movq	(%r8), %rdi
	addq	$8, %r8
	testq	%rdi, %rdi
	jz	4f
	movq	%rsi, %rcx
2:	cmpb	$0, (%rcx)
	je	3f
	movb	(%rdi), %r11b
	cmpb	(%rcx), %r11b
	jne	1b
	incq	%rdi
	incq	%rcx
	jmp	2b
3:	cmpb	$0, (%rdi)
	jne	4f
	xorl	%edi, %edi
4:	movq	%rdx, %rsi
	movq	%r10, %rdx
	movq	%r9, %rcx
	call	*%rax
	jmp	next

	/* rdi number of a system call; rsi, rdx, r10, r9 its arguments */
system:	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%r10, %rdx
	movq	%r9, %r10
	syscall
	jmp	next

	/* rdi function, rsi what of the stack it is called with */
callof:	movq	%rdi, %rdx
	call	value
	movq	%rax, %rdi
	xorl	%esi, %esi
	call	*%rdx
	jmp	next

	/* rdi function, rsi its argument, rdx place of what it returns */
store:	movq	%rdi, %rax
	movq	%rsi, %rdi
	pushq	%rdx
	pushq	%rdx
	call	*%rax
	popq	%rdx
	popq	%rdx
	movq	%rax, (%rdx)
	jmp	next

	/* stops the process until somebody continues it */
stop:	movl	$39, %eax			/* getpid */
	syscall
	movl	%eax, %edi
	movl	$19, %esi			/* SIGSTOP */
	movl	$62, %eax			/* kill */
	syscall
	jmp	next

	/* rdi a copy of the vDSO, rsi its words, rdx rows of place, value, mask; r10 how many */
vdso:	movq	%rsi, %r8
	movl	$49, %esi			/* AT_SYSINFO_EHDR */
	call	value
	testq	%rax, %rax
	jz	next
	movq	%rax, %rsi
	movq	%r8, %rcx
	repe cmpsq
	jne	next
1:	decq	%r10
	js	next
	movq	(%rdx), %rdi
	movq	16(%rdx), %rcx
	andq	%rax, %rcx
	addq	8(%rdx), %rcx
	movq	%rcx, (%rdi)
	addq	$24, %rdx
	jmp	1b

	/* rsi how many records: they are left out where AT_EXECFN is the plan's name */
skip:	movq	%rsi, %r8
	call	named
	jne	next
	leaq	(%r8,%r8,2), %r8
	shlq	$4, %r8				/* 48 bytes each */
	addq	%r8, %rbx
	jmp	next

	/* rdi path, rsi what the file is to be: opened */
opensame:
	movq	%rsi, %r8
	movq	%rdi, %rsi
	movl	$-100, %edi			/* AT_FDCWD */
	movl	$0x80000, %edx			/* O_CLOEXEC */
	movl	$257, %eax			/* openat */
	syscall
	testl	%eax, %eax
	js	stale
	movl	%eax, %r15d
	movl	%eax, %edi
	leaq	empty(%rip), %rsi
	movl	$0x1000, %r10d			/* AT_EMPTY_PATH */
	jmp	1f

	/* rdi path, rsi what the file is to be: st_dev, st_ino, st_size, st_mtim, st_ctim */
same:	movq	%rsi, %r8
	movq	%rdi, %rsi
	movl	$-100, %edi			/* AT_FDCWD */
	xorl	%r10d, %r10d
1:	subq	$160, %rsp
	movq	%rsp, %rdx
	movl	$262, %eax			/* newfstatat */
	syscall
	testl	%eax, %eax
	js	stale
	movq	%r8, %rsi
	movq	%rsp, %rdi
	cmpsq
	jne	stale
	cmpsq
	jne	stale
	leaq	48(%rsp), %rdi
	cmpsq
	jne	stale
	leaq	88(%rsp), %rdi
	movl	$4, %ecx
	repe cmpsq
	jne	stale
	addq	$160, %rsp
	jmp	next

	/* rdi path, at which nothing is to be */
absent:	movq	%rdi, %rsi
	movl	$-100, %edi			/* AT_FDCWD */
	xorl	%r10d, %r10d
	subq	$160, %rsp
	movq	%rsp, %rdx
	movl	$262, %eax			/* newfstatat */
	syscall
	addq	$160, %rsp
	testl	%eax, %eax
	jns	stale
	jmp	next

	/* rdi the beginning of strings of the environment, rsi all that are to be there, in their order */
variables:
	movq	%r13, %r8
1:	movq	(%r8), %rax
	addq	$8, %r8
	testq	%rax, %rax
	jz	5f
	movq	%rdi, %rcx
2:	cmpb	$0, (%rcx)
	je	3f
	movb	(%rax), %r11b
	cmpb	(%rcx), %r11b
	jne	1b
	incq	%rax
	incq	%rcx
	jmp	2b
3:	movq	(%rsi), %rcx
	addq	$8, %rsi
	testq	%rcx, %rcx
	jz	other
	movq	-8(%r8), %rax
4:	movb	(%rax), %r11b
	cmpb	(%rcx), %r11b
	jne	other
	incq	%rax
	incq	%rcx
	testb	%r11b, %r11b
	jne	4b
	jmp	1b
5:	cmpq	$0, (%rsi)
	jne	other
	jmp	next

	/* rdi what uname is to give as release and version */
kernel:	movq	%rdi, %rdx
	subq	$400, %rsp
	movq	%rsp, %rdi
	movl	$63, %eax			/* uname */
	syscall
	movq	%rdx, %rsi
	leaq	2*65(%rsp), %rdi
	movl	$2*65, %ecx
	repe cmpsb
	jne	stale
	addq	$400, %rsp
	jmp	next

	/* rdi leaf, rsi sub-leaf, rdx mask and r10 value of ebx and above it ecx */
cpu:	movl	%edi, %eax
	movl	%esi, %ecx
	movq	%rdx, %r8
	pushq	%rbx
	cpuid
	movl	%ebx, %eax
	popq	%rbx
	shlq	$32, %rcx
	orq	%rcx, %rax
	andq	%r8, %rax
	cmpq	%r10, %rax
	je	next

	/*
	 * The image is not that of its files any more, or of these variables: it is
	 * asked for again, or, where that has been done, the program is started as it is.
	 */
stale:	movl	$16, %edx
	jmp	1f
other:	movl	$24, %edx
1:	movq	%r12, %rsp
	andq	$-16, %rsp
	movq	plan+40(%rip), %rbx
	call	named
	je	5f
	cmpq	$0, (%r12)
	je	5f
	movq	(%rbx,%rdx), %rsi
	movq	(%rsi), %rcx			/* how many strings the list has */
	addq	(%r12), %rcx
	leaq	8(,%rcx,8), %rcx
	subq	%rcx, %rsp
	movq	%rsp, %rdi
	addq	$8, %rsi
2:	lodsq
	testq	%rax, %rax
	jz	4f
	cmpq	$1, %rax			/* stands for argv[0] */
	jne	3f
	movq	8(%r12), %rax
3:	stosq
	jmp	2b
4:	leaq	16(%r12), %rsi
6:	lodsq
	stosq
	testq	%rax, %rax
	jnz	6b
	movq	(%rbx), %rdi
	movq	%rsp, %rsi
	movq	%r13, %rdx
	movl	$59, %eax			/* execve */
	syscall
5:	movq	8(%rbx), %rdi
	leaq	8(%r12), %rsi
	movq	%r13, %rdx
	movl	$59, %eax			/* execve */
	syscall
	movq	32(%rbx), %rsi
	movq	40(%rbx), %rdx
	jmp	die

	/* whether AT_EXECFN is the plan's name; changes rax, rcx, rsi, r11 */
named:	movl	$16+31, %esi			/* AT_EXECFN */
	call	value
	movq	plan+32(%rip), %rcx
	testq	%rax, %rax
	jz	2f
1:	movb	(%rax), %r11b
	cmpb	(%rcx), %r11b
	jne	3f
	incq	%rax
	incq	%rcx
	testb	%r11b, %r11b
	jne	1b
	ret
2:	incq	%rax
3:	ret

	/* the value that rsi names, into rax; changes rcx */
value:	cmpl	$16, %esi
	jae	3f
	testl	%esi, %esi
	jz	1f
	cmpl	$2, %esi
	jb	2f
	movq	%r13, %rax			/* 2: envp */
	je	4f
	movq	%r14, %rax			/* 3: auxiliary vector */
	cmpl	$3, %esi
	je	4f
	movq	%r12, %rax			/* 4: stack pointer */
	ret
1:	movq	(%r12), %rax			/* 0: argc */
	ret
2:	leaq	8(%r12), %rax			/* 1: argv */
	ret
3:	xorl	%eax, %eax			/* 16 and more: of the auxiliary vector */
	subl	$16, %esi
	movq	%r14, %rcx
5:	cmpq	$0, (%rcx)
	je	4f
	cmpq	%rsi, (%rcx)
	je	6f
	addq	$16, %rcx
	jmp	5b
6:	movq	8(%rcx), %rax
4:	ret

	/* rsi and rdx: the last words, on standard error */
	.globl	die
die:	movl	$2, %edi
	movl	$1, %eax			/* write */
	syscall
	movl	$127, %edi
	movl	$231, %eax			/* exit_group */
	syscall
	hlt

	/* calls the destructors of the plan, a list that ends with 0 */
	.globl	fini
fini:	endbr64
	pushq	%rbx
	movq	plan+8(%rip), %rbx
1:	movq	(%rbx), %rax
	testq	%rax, %rax
	jz	2f
	addq	$8, %rbx
	call	*%rax
	jmp	1b
2:	popq	%rbx
	ret

	/* stops the process; a function, called as constructors are */
	.globl	stopper
stopper:
	endbr64
	movl	$39, %eax			/* getpid */
	syscall
	movl	%eax, %edi
	movl	$19, %esi			/* SIGSTOP */
	movl	$62, %eax			/* kill */
	syscall
	ret

	/* a TLS descriptor of static storage: rax points to it; nothing else changes */
	.globl	tlsdesc
tlsdesc:
	movq	8(%rax), %rax
	ret

	/* one of a weak symbol that nothing defines: its address is the addend */
	.globl	tlsweak
tlsweak:
	movq	8(%rax), %rax
	subq	%fs:0, %rax
	ret

	/* __tls_get_addr of programs without libc: both words count from the thread pointer */
	.globl	tlsaddr
tlsaddr:
	movq	%fs:0, %rax
	addq	(%rdi), %rax
	addq	8(%rdi), %rax
	ret

	.balign	4
table:	.long	end-table, open-table, close-table, map-table, protect-table, thread-table
	.long	poke-table, poke32-table, random-table, auxv-table, call-table, chain-table
	.long	resolve-table, copy-table, init-table, initof-table, environ-table, system-table, callof-table, store-table, stop-table
	.long	vdso-table, skip-table, opensame-table, same-table, absent-table, variables-table, kernel-table, cpu-table
empty:	.byte	0
	.balign	16, 0
plan:
