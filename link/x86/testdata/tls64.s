# every sequence by which code finds a thread-local variable
	.text
	.globl tls
tls:
	data16 leaq gd@tlsgd(%rip), %rdi
	.value 0x6666
	rex64
	call __tls_get_addr@PLT
	data16 leaq gd2@tlsgd(%rip), %rdi
	.byte 0x66
	rex64
	call *__tls_get_addr@GOTPCREL(%rip)
	leaq ld@tlsld(%rip), %rdi
	call __tls_get_addr@PLT
	leaq ld@dtpoff(%rax), %rcx
	movl $1, ld2@dtpoff(%rax)
	leaq ld@tlsld(%rip), %rdi
	call *__tls_get_addr@GOTPCREL(%rip)
	movq %fs:0, %rax
	addq ie@gottpoff(%rip), %rax
	movq ie@gottpoff(%rip), %rax
	movq ie@gottpoff(%rip), %r13
	addq ie@gottpoff(%rip), %r12
	addq ie@gottpoff(%rip), %rsp
	addq ie@gottpoff(%rip), %rcx
	addq ie@gottpoff(%rip), %r11
	leaq desc@tlsdesc(%rip), %rax
	call *desc@tlscall(%rax)
	leaq desc@tlsdesc(%rip), %r10
	leaq gd3@tlsgd(%rip), %rdi
	movabsq $__tls_get_addr@pltoff, %rax
	addq %rbx, %rax
	call *%rax
	leaq gd3@tlsgd(%rip), %rdi
	movabsq $__tls_get_addr@pltoff, %rax
	addq %r15, %rax
	call *%rax
	leaq ld@tlsld(%rip), %rdi
	movabsq $__tls_get_addr@pltoff, %rax
	addq %rbx, %rax
	call *%rax
	.section .tdata,"awT",@progbits
	.globl gd, gd2, gd3, ie, desc
	.p2align 5
	.quad 1
gd:	.quad 2
gd2:	.long 3
gd3:	.long 3
	.section .tbss,"awT",@nobits
	.p2align 3
ld:	.skip 8
ld2:	.skip 4
	.p2align 4
ie:	.skip 8
desc:	.skip 8
