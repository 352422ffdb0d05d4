	.text
	mov $low, %ax
	mov $low8, %al
	.code16
	call near16
	jmp near16
	mov $low, %cx
near16:	ret
	.code32
	movl $abs, %eax
	.data
	.short low
	.byte low8
	.short near8 - . + 1
	.set low, 0x1234
	.globl low8, near8, abs
	.set low8, 0x56
	.set abs, 0xfedcba98
near8:	.long low, low8
	.text
	movl ie@indntpoff, %eax
	movl ie@indntpoff, %ecx
	addl ie@indntpoff, %edx
	movl ie@gottpoff(%ebx), %edx
	subl ie@gottpoff(%ebx), %ecx
	leal ie@ntpoff(%eax), %eax
	subl $ie@tpoff, %eax
	movl $ie@ntpoff, %eax
