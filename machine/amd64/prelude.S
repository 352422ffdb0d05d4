/*
 * The prelude of x86-64: carries out the script that follows it, then goes to the
 * program's old entry point. Package prelude describes scripts; the Go bytes in
 * prelude.go are this file, assembled.
 *
 * rbx  the script
 * rbp  the saved registers
 * r12  the record at hand
 * r13  scratch memory, on the stack
 * rsp  the six operands of the record at hand, below the scratch memory
 */
	.text
	.globl	_start
_start:
	endbr64
	pushq	%rax			/* the old entry will stand here */
	pushfq
	cld
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	leaq	script(%rip), %rbx
	movq	16(%rbx), %rax
	addq	%rbx, %rax
	movq	%rax, 128(%rsp)
	movq	%rsp, %rbp
	movl	4(%rbx), %ecx
	subq	%rcx, %rsp
	movq	%rsp, %r13
	movq	%rsp, %rdi
	xorl	%eax, %eax
	rep stosb
	subq	$48, %rsp
	leaq	40(%rbx), %r12

record:	movl	(%r12), %ecx
	shrl	$8, %ecx		/* two bits an operand */
	xorl	%edx, %edx
operand:
	movslq	16(%r12,%rdx,4), %rax
	testb	$2, %cl
	jnz	2f
	testb	$1, %cl
	jz	3f			/* 0: a number */
	addq	%rbx, %rax		/* 1: a place in the script */
	jmp	3f
2:	addq	%r13, %rax		/* 2: a place in scratch memory */
	testb	$1, %cl
	jz	3f
	movq	(%rax), %rax		/* 3: the word there */
3:	movq	%rax, (%rsp,%rdx,8)
	shrl	$2, %ecx
	incl	%edx
	cmpl	$6, %edx
	jb	operand
	movq	(%rsp), %rdi
	movq	8(%rsp), %rsi
	movzbl	(%r12), %ecx
	decl	%ecx
	js	end
	jz	call
	decl	%ecx
	jz	equal
	decl	%ecx
	jz	below
	decl	%ecx
	jz	add
	decl	%ecx
	jz	subtract
	decl	%ecx
	jz	load
	decl	%ecx
	jz	store
	decl	%ecx
	jz	decimal
	decl	%ecx
	jz	copy

	/* find: the string b in the string a */
1:	xorl	%edx, %edx
2:	movb	(%rsi,%rdx), %al
	testb	%al, %al
	jz	3f
	cmpb	%al, (%rdi,%rdx)
	jne	4f
	incq	%rdx
	jmp	2b
3:	movq	%rdi, %rax
	jmp	result
4:	xorl	%eax, %eax
	cmpb	%al, (%rdi)
	je	result
	incq	%rdi
	jmp	1b

call:	movl	4(%r12), %eax
	movq	16(%rsp), %rdx
	movq	24(%rsp), %r10
	movq	32(%rsp), %r8
	movq	40(%rsp), %r9
	syscall
	movl	8(%r12), %ecx
	movq	%rax, (%r13,%rcx)
	cmpq	$-4095, %rax
	jb	next
jump:	movl	12(%r12), %ecx
	testl	%ecx, %ecx
	jz	next
	leaq	(%rbx,%rcx), %r12
	jmp	record

equal:	cmpq	%rsi, %rdi
	je	jump
	jmp	next
below:	cmpq	%rsi, %rdi
	jb	jump
	jmp	next

	/* decimal: b in digits to a, where they end is the result */
decimal:
	leaq	48(%rsp), %r8
	movl	$10, %ecx
	movq	%rsi, %rax
1:	xorl	%edx, %edx
	divq	%rcx
	addb	$'0', %dl
	decq	%r8
	movb	%dl, (%r8)
	testq	%rax, %rax
	jnz	1b
	leaq	48(%rsp), %rcx
	subq	%r8, %rcx
	movq	%r8, %rsi
	rep movsb
	movb	$0, (%rdi)
	movq	%rdi, %rax
	jmp	result

	/* copy: the string b to a, where it ends is the result */
copy:	movb	(%rsi), %al
	movb	%al, (%rdi)
	testb	%al, %al
	jz	1f
	incq	%rsi
	incq	%rdi
	jmp	copy
1:	movq	%rdi, %rax
	jmp	result

store:	movq	%rsi, (%rdi)
	movq	%rsi, %rax
	jmp	result
load:	movq	(%rdi,%rsi), %rax
	jmp	result
subtract:
	negq	%rsi
add:	leaq	(%rdi,%rsi), %rax
result:	movl	8(%r12), %ecx
	movq	%rax, (%r13,%rcx)
next:	addq	$40, %r12
	jmp	record

end:	movq	%rbp, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	popfq
	leaq	8(%rsp), %rsp
	jmp	*-8(%rsp)		/* in the red zone; a ret would want a shadow stack to agree */
	.balign	8, 0xcc
script:
