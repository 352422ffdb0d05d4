# loads from the GOT that GNU ld makes do without
	.text
	.globl loads
loads:
	mov foo@GOTPCREL(%rip), %rax
	mov foo@GOTPCREL(%rip), %r15
	mov weak@GOTPCREL(%rip), %r11
	call *foo@GOTPCREL(%rip)
	jmp *foo@GOTPCREL(%rip)
	call *foo@GOTPCREL(%rip)
	add foo@GOTPCREL(%rip), %r12
	adc foo@GOTPCREL(%rip), %rax
	sub foo@GOTPCREL(%rip), %r8
	sbb foo@GOTPCREL(%rip), %rsp
	and foo@GOTPCREL(%rip), %rbp
	or foo@GOTPCREL(%rip), %rdi
	xor foo@GOTPCREL(%rip), %rsi
	cmp foo@GOTPCREL(%rip), %rcx
	test %r9, foo@GOTPCREL(%rip)
	test %rax, foo@GOTPCREL(%rip)
	mov _DYNAMIC@GOTPCREL(%rip), %rax
	push foo@GOTPCREL(%rip)
	mov foo@GOTPCREL+4(%rip), %rax
foo:	ret
	.weak weak, _DYNAMIC
