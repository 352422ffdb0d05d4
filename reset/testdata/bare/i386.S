# A PC's kernel for Multiboot loaders, which leave their magic in eax: QEMU's debug
# console at 0xe9, and its isa-debug-exit at 0x501.
	.section .multiboot, "a"
	.balign	4
	.long	0x1badb002, 0, -0x1badb002
	.text
	.global	_start, put, stop
_start:	cmp	$0x2badb002, %eax
	jne	stop
	mov	$0x800000, %esp
	call	start
put:	mov	4(%esp), %eax
	mov	$0xe9, %edx
	out	%al, %dx
	ret
stop:	mov	$0x501, %edx
	xor	%eax, %eax
	out	%eax, %dx
1:	jmp	1b
