; Sections, relocations and symbols as nasm makes them, with 64 bits.
	default rel
	section .rodata
msg:	db "nasm ok", 10
len	equ $ - msg
	section .data
p:	dq msg
	section .bss
	common buf 16:8
	section .text
	global _start:function
	extern put
	extern weak: weak
_start:	mov rdi, [p]
	mov esi, len
	call put wrt ..plt
	mov rax, [rel weak wrt ..got]
	test rax, rax
	jnz .bad
	lea rax, [buf]
	mov qword [rax], 0
	xor edi, edi
	jmp .end
.bad:	mov edi, 1
.end:	mov eax, 60
	syscall
