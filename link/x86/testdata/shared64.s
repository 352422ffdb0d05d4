# a shared object: what another may define goes by the PLT and the GOT
	.text
	call func
	call other@PLT
	mov other@GOTPCREL(%rip), %rax
	mov exported@GOTPCREL(%rip), %rax
	mov hid@GOTPCREL(%rip), %rax
	add hid@GOTPCREL(%rip), %rax
	call *other@GOTPCREL(%rip)
	lea var(%rip), %rax
	lea _GLOBAL_OFFSET_TABLE_(%rip), %rbx
	movabs $var@GOTOFF, %rax
	movabs $exported@GOT, %rax
	addq ie2@gottpoff(%rip), %rcx
	.globl exported, hid, ie2
	.hidden hid
exported: ret
hid:	ret
	.data
	.quad other
	.quad exported+4
	.quad hid+4
	.quad func
	.long func - .
	.quad exported@SIZE
	.section .tdata,"awT",@progbits
ie2:	.quad 1
