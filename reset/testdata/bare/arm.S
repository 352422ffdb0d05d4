@ QEMU's virt: a PL011 at 0x09000000, and semihosting to stop.
	.syntax	unified
	.global	_start, put, stop
#ifdef THUMB
	.thumb
#ifdef HALFWAY
	nop			@ _start is between two words
#endif
	.thumb_func
#else
	.arm
#endif
	.type	_start, %function
_start:	ldr	r4, =0x40800000
	mov	sp, r4
	bl	start
	.arm
	.type	put, %function
put:	mov	r1, #0x09000000
	str	r0, [r1]
	bx	lr
	.type	stop, %function
stop:	mov	r0, #0x18	@ SYS_EXIT
	ldr	r1, =0x20026	@ ADP_Stopped_ApplicationExit
	svc	#0x123456
	b	.
	.ltorg
