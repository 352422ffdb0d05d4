# every way to a thread-local variable, but where GNU ld is wrong
	.text
	.globl	run
run:	adrp	x0, :tlsgd:var
	add	x0, x0, :tlsgd_lo12:var
	bl	__tls_get_addr
	nop
	adr	x0, :tlsgd:var
	bl	__tls_get_addr
	nop
	movz	x0, #:tlsgd_g1:var
	movk	x0, #:tlsgd_g0_nc:var
	add	x0, x0, x9
	bl	__tls_get_addr
	nop
	adrp	x0, :tlsldm:var
	add	x0, x0, :tlsldm_lo12_nc:var
	bl	__tls_get_addr
	nop
	adr	x0, :tlsldm:var
	bl	__tls_get_addr
	nop
	add	x1, x0, :dtprel_hi12:var
	add	x1, x1, :dtprel_lo12_nc:var
	ldr	x1, [x0, :dtprel_lo12:var]
	movz	x1, #:dtprel_g1:var
	adrp	x3, :gottprel:var
	ldr	x3, [x3, :gottprel_lo12:var]
	ldr	x5, :gottprel:var
	adrp	x0, :tlsdesc:var
	ldr	x2, [x0, :tlsdesc_lo12:var]
	add	x0, x0, :tlsdesc_lo12:var
	.tlsdesccall var
	blr	x2
	ldr	x7, :tlsdesc:var
	adr	x0, :tlsdesc:var
	.tlsdesccall var
	blr	x7
	movz	x0, #:tlsdesc_off_g1:var
	movk	x0, #:tlsdesc_off_g0_nc:var
	.tlsdescldr var
	ldr	x2, [x12, x0]
	.tlsdescadd var
	add	x0, x12, x0
	.tlsdesccall var
	blr	x2
	ret
