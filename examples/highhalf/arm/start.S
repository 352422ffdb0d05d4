@ Runs where it was loaded, with the MMU off. What is below it is free memory,
@ and a stack until the kernel has one.
	.text
	.arm
	.globl	_start
_start:
	adr	sp, _start
	bl	stub_main
	ldr	sp, =stack_top
	ldr	pc, =kernel_main	@ Thumb: the address is odd, and the jump switches

	.section .note.GNU-stack, "", %progbits
