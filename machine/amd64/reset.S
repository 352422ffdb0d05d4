# The code by which a program is started again; package reset has the story.
#
# It uses no stack. At the first entry rsp, rdx (the psABI's function for atexit),
# rdi and rsi (arguments outside Linux) go to the slot; at later ones they come
# from there. The first word of the slot tells which it is: the head's at later ones.
#
#	r11  the head, to which all addresses of the table are relative
#	r10  the entry of the table     r9  the slot     r8  the table

	.set	HEAD, 32	# the code follows the head
	.set	TABLE, 24	# u32 of the head: offset of the table

	.text
start:
	endbr64
	lea	start-HEAD(%rip), %r11
	mov	TABLE(%r11), %r8d
	add	%r11, %r8
	mov	(%r8), %r9
	add	%r11, %r9
	cld
	mov	(%r11), %rax
	cmp	%rax, (%r9)
	je	again
	mov	%rsp, 8(%r9)
	mov	%rdx, 16(%r9)
	mov	%rdi, 24(%r9)
	mov	%rsi, 32(%r9)
	mov	%rax, (%r9)
	mov	16(%r8), %r10	# where the first start begins
	add	%r8, %r10
	jmp	entry
again:
	mov	8(%r8), %r10
	add	%r8, %r10
entry:
	mov	8(%r10), %rbx	# size
	test	%rbx, %rbx
	jz	done
	mov	(%r10), %rdi
	add	%r11, %rdi
	mov	16(%r10), %rsi
	add	%r11, %rsi
	mov	24(%r10), %rcx
	sub	%rcx, %rbx
	rep	movsb
	mov	%rbx, %rcx
	xor	%eax, %eax
	rep	stosb
	add	$32, %r10
	jmp	entry
done:
	mov	(%r10), %rax
	add	%r11, %rax
	mov	8(%r9), %rsp
	mov	16(%r9), %rdx
	mov	24(%r9), %rdi
	mov	32(%r9), %rsi
	jmp	*%rax
	.balign	16
