	section .text
	global put
put:	push ebx
	mov eax, 4
	mov ebx, 1
	mov ecx, [esp + 8]
	mov edx, [esp + 12]
	int 0x80
	pop ebx
	ret
