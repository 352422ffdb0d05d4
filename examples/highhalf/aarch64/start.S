// Runs at EL1 where it was loaded, with the MMU off.
	.text
	.globl	_start
_start:
	ldr	x0, =_start		// what is below is free memory: a stack until the kernel has one
	mov	sp, x0
	bl	stub_main
	ldr	x0, =stack_top
	mov	sp, x0
	ldr	x0, =kernel_main
	br	x0

	.section .note.GNU-stack, "", %progbits
