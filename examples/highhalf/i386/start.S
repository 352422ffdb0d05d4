/*
 * Multiboot 0.6.96 starts it in protected mode, without paging, where it was
 * loaded. With FLAT the header says itself what goes where, so that a raw image
 * can be loaded; otherwise the program headers do.
 */
#define MAGIC 0x1badb002
#ifdef FLAT
#define FLAGS 0x10000
#else
#define FLAGS 0
#endif

	.section .multiboot, "a", @progbits
	.balign	4
multiboot:
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
#ifdef FLAT
	.long	multiboot, _stub_start, _load_end, _load_end, _start
#endif

	.text
	.globl	_start
_start:
	movl	$0x7c00, %esp	# free on every PC: a stack until the kernel has one
	call	stub_main
	movl	$stack_top, %esp
	pushl	$0		# where kernel_main would return to
	movl	$kernel_main, %eax
	jmp	*%eax

	.section .note.GNU-stack, "", @progbits
