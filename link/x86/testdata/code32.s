	.text
	.globl _start
_start:
	call func
	call func@PLT
	jmp local
	jne func
	call weak@PLT
	movl $7, var
	lea var-3, %eax
	movl $_GLOBAL_OFFSET_TABLE_, %ebx
	lea var@GOTOFF(%ebx), %eax
	lea local@GOTOFF+2(%ebx), %eax
	jmp *var
local:	ret
	.weak weak
	.section .rodata
	.long func - .
	.long var - . + 8
	.long var@SIZE
	.long var@GOTOFF
	.section .debug_x
	.long local
	.long func
	.long var+3
	.long tv@DTPOFF
	.long weak
	.section .tbss,"awT",@nobits
	.skip 8
	.globl tv
tv:	.skip 8
	.data
	.long func
	.long local+1
	.long 5
