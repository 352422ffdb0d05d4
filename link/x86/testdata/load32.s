	.text
	.globl loads
loads:
	movl foo@GOT(%ebx), %eax
	movl foo@GOT(%ecx), %edx
	call *foo@GOT(%ebx)
	jmp *foo@GOT(%ebx)
	addl foo@GOT(%ebx), %esi
	subl foo@GOT(%ebx), %edi
	cmpl foo@GOT(%ebx), %eax
	test %edi, foo@GOT(%ebx)
	movl weak@GOT(%ebx), %ebp
	movl _DYNAMIC@GOT(%ebx), %eax
	pushl foo@GOT(%ebx)
foo:	ret
	.data
	.long foo@GOT
	.weak weak, _DYNAMIC
