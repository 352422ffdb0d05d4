@ QEMU's mps2-an385, a Cortex-M3: a vector table at 0, a CMSDK UART at 0x40004000.
	.syntax	unified
	.thumb
	.global	_start, put, stop
	.section .vectors, "a"
	.word	0x20400000, _start
	.text
	.thumb_func
	.type	_start, %function
_start:	sub	sp, #64
	bl	start
	.thumb_func
	.type	put, %function
put:	ldr	r1, =0x40004000
	movs	r2, #1
	str	r2, [r1, #8]
	str	r0, [r1]
	bx	lr
	.thumb_func
	.type	stop, %function
stop:	movs	r0, #0x18	@ SYS_EXIT
	ldr	r1, =0x20026	@ ADP_Stopped_ApplicationExit
	bkpt	0xab
	b	.
	.ltorg
