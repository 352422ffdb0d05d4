/*
 * The thaw stub of x86-64: carries out the script that makes a frozen process.
 * Package freeze/script describes scripts; the Go bytes in thaw.go are this file,
 * assembled.
 *
 * It has no stack: the kernel's is unmapped by the script, and each thread of
 * the process runs this same code on records of its own.
 *
 * rbx  the script
 * r12  the record at hand
 * rdi rsi rdx r10 r8 r9  its operands
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
	movabsq	$0x7777777777777777, %rbx	/* the freezer puts the script's address here */
	movq	%rsp, start_sp(%rbx)
	movq	24(%rbx), %r12
	cld

	.macro	operand n, reg
	movq	args+8*\n(%r12), \reg
	testb	$1<<\n, %cl
	jz	9f
	movq	(\reg), \reg
9:
	.endm

record:	movzbl	1(%r12), %ecx		/* which operands are words in memory */
	operand	0, %rdi
	operand	1, %rsi
	operand	2, %rdx
	operand	3, %r10
	operand	4, %r8
	operand	5, %r9
	movzbl	(%r12), %ecx
	movl	4(%r12), %eax

	.macro	operation label
	decl	%ecx
	js	\label
	.endm
	operation exit
	operation call
	operation fork
	operation go
	operation equal
	operation below
	operation equal4
	operation bits4
	operation same
	operation copy
	operation store
	operation store4
	operation load
	operation load4
	operation add
	operation subtract
	operation count
	operation tid
	operation aux
	operation cpuid
	operation xcr0
	operation fail
	operation return
	operation status
	operation swap
	hlt				/* no such operation: nobody encodes it */

exit:	movl	$231, %eax
	syscall

call:	syscall
	testb	$1, 2(%r12)		/* it must return operand 2, the size of what is read */
	jz	1f
	cmpq	%rdx, %rax
	je	result
	testq	%rax, %rax
	js	error
	movq	$-5, %rax		/* EIO */
	jmp	error
1:	cmpq	$-4095, %rax
	jae	error
result:	movq	to(%r12), %rcx
	testq	%rcx, %rcx
	jz	next
	movq	%rax, (%rcx)
next:	addq	$size, %r12
	jmp	record

fork:	syscall
	testq	%rax, %rax
	jz	go
	js	broken
	jmp	result

equal:	cmpq	%rsi, %rdi
	je	go
	jmp	next
below:	cmpq	%rsi, %rdi
	jb	go
	jmp	next
equal4:	cmpl	%esi, (%rdi)
	je	go
	jmp	next
bits4:	movl	(%rdi), %eax
	andl	%esi, %eax
	cmpl	%esi, %eax
	je	go
	jmp	next
same:	movq	%rdx, %rcx
	cmpq	%rcx, %rcx
	repe cmpsb
	je	go
	jmp	next
go:	movl	jump(%r12), %ecx
	leaq	(%rbx,%rcx), %r12
	jmp	record

copy:	movq	%rdx, %rcx
	rep movsb
	jmp	next
store:	movq	%rsi, (%rdi)
	jmp	next
store4:	movl	%esi, (%rdi)
	jmp	next
load:	movq	(%rdi,%rsi), %rax
	jmp	result
load4:	movl	(%rdi,%rsi), %eax
	jmp	result
add:	leaq	(%rdi,%rsi), %rax
	jmp	result
subtract:
	movq	%rdi, %rax
	subq	%rsi, %rax
	jmp	result
count:	lock incl (%rdi)
	jmp	next
	/* tid: what a thread has of its number in memory, if it is that */
tid:	cmpl	%esi, (%rdi)
	jne	next
	movl	%edx, (%rdi)
	jmp	next
swap:	movq	(%rdi), %rax
	movq	%rsi, (%rdi)
	jmp	result

	/* aux: what the kernel says under tag a, behind argv and the environment */
aux:	movq	start_sp(%rbx), %rsi
	movq	(%rsi), %rcx
	leaq	16(%rsi,%rcx,8), %rsi
1:	lodsq
	testq	%rax, %rax
	jnz	1b
2:	lodsq
	movq	%rax, %rcx
	lodsq
	cmpq	%rdi, %rcx
	je	result
	testq	%rcx, %rcx
	jnz	2b
	movq	$-2, %rax		/* ENOENT */
	jmp	error

	/* cpuid: leaf a, b to the four words at c */
cpuid:	movq	%rbx, %r14
	movq	%rdx, %r15
	movl	%edi, %eax
	movl	%esi, %ecx
	cpuid
	movl	%eax, (%r15)
	movl	%ebx, 4(%r15)
	movl	%ecx, 8(%r15)
	movl	%edx, 12(%r15)
	movq	%r14, %rbx
	jmp	next
xcr0:	xorl	%ecx, %ecx
	xgetbv
	shlq	$32, %rdx
	orq	%rdx, %rax
	jmp	result

return:	movq	%rdi, %rsp
	movl	$15, %eax		/* rt_sigreturn */
	syscall

	/* status: end as a child did, or with 128 and its signal */
status:	movl	%edi, %eax
	andl	$127, %eax
	jz	1f
	leal	128(%rax), %edi
	jmp	exit
1:	shrl	$8, %edi
	movzbl	%dil, %edi
	jmp	exit

	/* what went wrong: go to where the record says, or tell it, or go on */
error:	cmpl	$0, jump(%r12)
	jne	go
broken:	cmpl	$0, message(%r12)
	je	result
	jmp	tell
fail:	xorl	%eax, %eax
tell:	movq	%rax, %r13
	movl	message(%r12), %ecx
	leaq	write_errno(%rip), %r14
	jmp	write
write_errno:
	negq	%r13
	jz	newline			/* nothing of the kernel's */
	movq	errno_names(%rbx), %rsi
	cmpl	(%rsi), %r13d
	jae	newline
	movl	(%rsi,%r13,4), %ecx
	leaq	newline(%rip), %r14
	jmp	write
newline:
	movl	64(%rbx), %ecx
	leaq	give_up(%rip), %r14
	/* the text at ecx in the script, its length before it; then to r14 */
write:	leaq	(%rbx,%rcx), %rsi
	movl	(%rsi), %edx
	addq	$4, %rsi
	movq	errors_to(%rbx), %rdi
	movl	$1, %eax
	syscall
	jmp	*%r14
give_up:
	movl	$125, %edi
	jmp	exit
	.balign	8, 0xcc
