/*
 * The prelude of i386: carries out the script that follows it, then goes to the
 * program's old entry point. Package prelude describes scripts; the Go bytes in
 * prelude.go are this file, assembled.
 *
 * ebx  the script
 * esi  the record at hand
 * ebp  scratch memory, on the stack
 * esp  below that: the six operands of the record at hand, room for esi and ebx
 */
	.text
	.globl	_start
_start:
	endbr32
	pushl	%eax			/* the old entry will stand here */
	pushfl
	cld
	pushal
	call	1f
1:	popl	%ebx
	addl	$script - 1b, %ebx
	movl	16(%ebx), %eax
	addl	%ebx, %eax
	movl	%eax, 36(%esp)
	movl	4(%ebx), %ecx
	subl	%ecx, %esp
	movl	%esp, %ebp
	movl	%esp, %edi
	xorl	%eax, %eax
	rep stosb
	subl	$32, %esp
	leal	40(%ebx), %esi

record:	movl	(%esi), %ecx
	shrl	$8, %ecx		/* two bits an operand */
	xorl	%edx, %edx
operand:
	movl	16(%esi,%edx,4), %eax
	testb	$2, %cl
	jnz	2f
	testb	$1, %cl
	jz	3f			/* 0: a number */
	addl	%ebx, %eax		/* 1: a place in the script */
	jmp	3f
2:	addl	%ebp, %eax		/* 2: a place in scratch memory */
	testb	$1, %cl
	jz	3f
	movl	(%eax), %eax		/* 3: the word there */
3:	movl	%eax, (%esp,%edx,4)
	shrl	$2, %ecx
	incl	%edx
	cmpl	$6, %edx
	jb	operand
	movl	(%esp), %edi
	movl	4(%esp), %ecx
	movzbl	(%esi), %eax
	decl	%eax
	js	end
	jz	call
	decl	%eax
	jz	equal
	decl	%eax
	jz	below
	decl	%eax
	jz	add
	decl	%eax
	jz	subtract
	decl	%eax
	jz	load
	decl	%eax
	jz	store
	decl	%eax
	jz	decimal
	decl	%eax
	jz	copy

	/* find: the string b in the string a */
1:	xorl	%edx, %edx
2:	movb	(%ecx,%edx), %al
	testb	%al, %al
	jz	3f
	cmpb	%al, (%edi,%edx)
	jne	4f
	incl	%edx
	jmp	2b
3:	movl	%edi, %eax
	jmp	result
4:	xorl	%eax, %eax
	cmpb	%al, (%edi)
	je	result
	incl	%edi
	jmp	1b

call:	movl	%esi, 24(%esp)
	movl	%ebx, 28(%esp)
	movl	4(%esi), %eax
	movl	(%esp), %ebx
	movl	8(%esp), %edx
	movl	12(%esp), %esi
	movl	16(%esp), %edi
	movl	20(%esp), %ebp
	int	$0x80
	movl	24(%esp), %esi
	movl	28(%esp), %ebx
	leal	32(%esp), %ebp
	movl	8(%esi), %ecx
	movl	%eax, (%ebp,%ecx)
	cmpl	$-4095, %eax
	jb	next
jump:	movl	12(%esi), %ecx
	testl	%ecx, %ecx
	jz	next
	leal	(%ebx,%ecx), %esi
	jmp	record

equal:	cmpl	%ecx, %edi
	je	jump
	jmp	next
below:	cmpl	%ecx, %edi
	jb	jump
	jmp	next

	/* decimal: b in digits to a, where they end is the result */
decimal:
	movl	%ecx, %eax
	movl	$10, %ecx
	leal	24(%esp), %ebp
1:	xorl	%edx, %edx
	divl	%ecx
	addb	$'0', %dl
	decl	%ebp
	movb	%dl, (%ebp)
	testl	%eax, %eax
	jnz	1b
	leal	24(%esp), %edx
2:	movb	(%ebp), %al
	movb	%al, (%edi)
	incl	%edi
	incl	%ebp
	cmpl	%edx, %ebp
	jne	2b
	movb	$0, (%edi)
	leal	32(%esp), %ebp
	movl	%edi, %eax
	jmp	result

	/* copy: the string b to a, where it ends is the result */
copy:	movb	(%ecx), %al
	movb	%al, (%edi)
	testb	%al, %al
	jz	1f
	incl	%ecx
	incl	%edi
	jmp	copy
1:	movl	%edi, %eax
	jmp	result

store:	movl	%ecx, (%edi)
	movl	%ecx, %eax
	jmp	result
load:	movl	(%edi,%ecx), %eax
	jmp	result
subtract:
	negl	%ecx
add:	leal	(%edi,%ecx), %eax
result:	movl	8(%esi), %ecx
	movl	%eax, (%ebp,%ecx)
next:	addl	$40, %esi
	jmp	record

end:	movl	4(%ebx), %eax
	leal	(%ebp,%eax), %esp
	popal
	popfl
	ret				/* Linux has no shadow stacks for 32 bits */
	.balign	8, 0xcc
script:
