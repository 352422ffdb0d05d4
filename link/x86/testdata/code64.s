# what code of every model asks for, in executables and shared objects alike
	.text
	.globl _start
_start:
	call func
	call func@PLT
	jmp local
	jne func
	lea var(%rip), %rax
	mov $7, %ebx
	movl $7, var+4(%rip)
	call weak
	call weak@PLT
	lea tail-3(%rip), %rdx
	call .text+2
	jmp *var(%rip)
local:	ret
	.weak weak
	.section .text.tail,"ax"
	nop
tail:	ret
	.section .rodata
	.long func - .
	.quad local - .
	.long var - . + 8
	.quad var@SIZE
	.long var@SIZE + 1
	.section .debug_x
	.quad func
	.quad var+3
	.long tv@DTPOFF
	.quad tv@DTPOFF
	.long weak
	.section .tbss,"awT",@nobits
	.skip 8
	.globl tv
tv:	.skip 8
	.data
	.quad func
	.quad local+1
	.quad weak
	.quad 5
