	.text
	.globl tls
tls:
	leal gd@tlsgd(,%ebx,1), %eax
	call ___tls_get_addr@PLT
	leal gd2@tlsgd(%ebx), %eax
	call ___tls_get_addr@PLT
	nop
	leal gd2@tlsgd(%ecx), %eax
	call *___tls_get_addr@GOT(%ecx)
	leal ld@tlsldm(%ebx), %eax
	call ___tls_get_addr@PLT
	leal ld@dtpoff(%eax), %ecx
	movl $1, ld2@dtpoff(%eax)
	leal ld@tlsldm(%ebx), %eax
	call *___tls_get_addr@GOT(%ebx)
	movl %gs:0, %eax
	addl ie@gotntpoff(%ebx), %eax
	movl ie@gotntpoff(%ebx), %ecx
	movl ie@gotntpoff(%esi), %eax
	addl ie@gotntpoff(%ebx), %esp
	leal desc@tlsdesc(%ebx), %eax
	call *desc@tlscall(%eax)
	.section .tdata,"awT",@progbits
	.globl gd, gd2, ie, desc
	.p2align 5
	.quad 1
gd:	.quad 2
gd2:	.quad 3
	.section .tbss,"awT",@nobits
	.p2align 3
ld:	.skip 8
ld2:	.skip 4
	.p2align 4
ie:	.skip 8
desc:	.skip 8
