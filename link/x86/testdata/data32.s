	.globl func, var
	.hidden func, var
	.text
	nop
	.type func, @function
func:	ret
	.data
	.skip 24
	.type var, @object
	.size var, 16
var:	.long var, func+2
