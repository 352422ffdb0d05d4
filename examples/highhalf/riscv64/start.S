# Runs in supervisor mode where it was loaded, without translation. OpenSBI gives
# a0 the hart and a1 the device tree; neither is needed.
	.section .text.start, "ax", %progbits
	.globl	_start
_start:
	lla	sp, _start		# what is below is free memory: a stack until the kernel has one
	call	stub_main
	ld	sp, stack
	.option	push
	.option	norelax			# not by means of the register that it sets
	ld	gp, pointer
	.option	pop
	ld	t0, entry
	jr	t0

	.balign	8
stack:	.dword	stack_top
entry:	.dword	kernel_main
pointer:
	.dword	__global_pointer$

	.section .note.GNU-stack, "", %progbits
