	.text
	.skip	64
	.globl	func
	.type	func, %function
func:	ret
	.data
	.balign	16
	.globl	data, small, minus
data:	.skip	32
small = 0x1234
minus = -5
