	.text
	call func
	call other@PLT
	.long other3 - . + 4
	movl other@GOT(%ebx), %eax
	movl exported@GOT(%ebx), %eax
	movl hid@GOT(%ebx), %eax
	addl hid@GOT(%ebx), %eax
	lea var@GOTOFF(%ebx), %eax
	addl $_GLOBAL_OFFSET_TABLE_, %ebx
	addl ie2@gotntpoff(%ebx), %ecx
	.globl exported, hid, ie2
	.hidden hid
exported: ret
hid:	ret
	.data
	.long other
	.long exported+4
	.long hid+4
	.long func
	.long func - .
	.section .tdata,"awT",@progbits
ie2:	.long 1
