# what only an executable at a fixed address can have
	.text
	mov $func, %rax
	mov $func, %eax
	mov func, %eax
	mov var(,%rax,8), %rcx
	movabs $var, %rax
	mov $low, %ax
	mov $low8, %al
	cmp $func+5, %edx
	.data
	.long func
	.short low
	.byte low8
	.short 0x8000
	.set low, 0x1234
	.globl low8
	.set low8, 0x56
	.long low
	.quad low8
	.text
	leaq ie@tpoff(%rax), %rax
	movabsq $ie@tpoff, %rax
	movl %fs:ie@tpoff+4, %eax
	mov var@GOTPCREL(%rip), %ecx
	mov var@GOTPCREL(%rip), %r9d
	.section .debug_y
	.long func
