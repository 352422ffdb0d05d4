	.syntax	unified
	.text
	.globl	armf, thumbf, label, tlabel, number, data, small, tiny
	.arm
	.type	armf, %function
armf:	bx	lr
label:	bx	lr
	.thumb
	.thumb_func
	.type	thumbf, %function
thumbf:	bx	lr
	nop
tlabel:	bx	lr
	.data
	.balign	8
data:	.skip	16
number = 0x10200
small = 0x1234
tiny = 0x12
