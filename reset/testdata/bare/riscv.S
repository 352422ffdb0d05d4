# QEMU's virt: a UART at 0x10000000, and the test device at 0x100000 to stop.
	.option	norelax
	.global	_start, put, stop
	.section .start, "ax"
_start:	li	sp, 0x80800000
	call	start
	.text
put:	li	a1, 0x10000000
	sb	a0, 0(a1)
	ret
stop:	li	a1, 0x100000
	li	a0, 0x5555
	sw	a0, 0(a1)
1:	j	1b
