	section .text
	global put
put:	mov rdx, rsi
	mov rsi, rdi
	mov edi, 1
	mov eax, edi
	syscall
	ret
