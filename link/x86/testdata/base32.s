	.text
	movl foo2@GOT, %eax
	movl weak@GOT, %esi
	addl foo2@GOT, %eax
	test %eax, foo2@GOT
	pushl foo2@GOT
	call *foo2@GOT
	jmp *foo2@GOT
	.globl foo2
foo2:	ret
	.weak weak
