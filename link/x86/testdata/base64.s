# the GOT as a base, and the large code model
	.text
	lea _GLOBAL_OFFSET_TABLE_(%rip), %rbx
	movabs $_GLOBAL_OFFSET_TABLE_, %r11
	movabs $foo2@GOT, %rax
	mov (%rbx,%rax), %rax
	movabs $var@GOTOFF, %rax
	movabs $func@PLTOFF, %rax
	.reloc ., R_X86_64_GOTPCREL64, foo2
	.skip 8
	.reloc ., R_X86_64_GOT32, foo2
	.skip 4
	.globl foo2
foo2:	ret
