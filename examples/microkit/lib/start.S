// The kernel has set the stack pointer.
	.text
	.globl	_start
_start:
	mov	x29, xzr
	mov	x30, xzr
	b	microkit_main

	.section .note.GNU-stack, "", %progbits
