; With 32 bits the addends are in the places.
	section .rodata
msg:	db "nasm ok", 10
len	equ $ - msg
	section .data
p:	dd msg - 4, buf + 8
	section .bss
buf:	resb 16
	section .text
	global _start:function
	extern put
_start:	mov eax, [p]
	add eax, 4
	push len
	push eax
	call put
	mov eax, [p + 4]
	sub eax, buf + 8
	mov ebx, eax
	mov eax, 1
	int 0x80
