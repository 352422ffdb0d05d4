	.text
	.globl other
	.hidden other
	nop
other:	ret
