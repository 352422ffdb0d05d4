	.text
	.globl	__tls_get_addr
	.hidden	__tls_get_addr
__tls_get_addr:
	ret
	.section .tdata, "awT", %progbits
	.skip	24
	.globl	var
var:	.xword	2
	.section .tbss, "awT", %nobits
	.skip	0x12340
