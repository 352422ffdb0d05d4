/*
 * Starts in protected mode of 32 bits, without paging: the raw image by
 * multiboot 0.6.96, the ELF file, which multiboot does not take with 64 bits, by
 * the note of Xen's PVH, which QEMU and others read. Turns long mode on and jumps
 * to the last 2 GiB of the address space.
 */
#define MAGIC 0x1badb002
#define FLAGS 0x10000

	.section .multiboot, "a", @progbits
	.balign	4
multiboot:
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long	multiboot, _stub_start, _load_end, _load_end, _start

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18	# XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	movl	$_bss_phys, %edi
	movl	$_bss_phys_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	cld
	rep stosb

	# Two entries of each upper table point to one directory of 2 MiB pages: the
	# first 4 MiB, where they are and from -2 GiB on. 3: present, write.
	movl	$_tables_phys, %ebx
	leal	0x1003(%ebx), %eax
	movl	%eax, (%ebx)			# level 4: 0
	leal	0x2003(%ebx), %eax
	movl	%eax, 511 * 8(%ebx)		# level 4: 511
	leal	0x3003(%ebx), %eax
	movl	%eax, 0x1000(%ebx)		# level 3, low: 0
	movl	%eax, 0x2000 + 510 * 8(%ebx)	# level 3, high: 510
	movl	$0x83, 0x3000(%ebx)		# level 2: pages
	movl	$0x200083, 0x3008(%ebx)

	movl	%ebx, %cr3
	movl	%cr4, %eax
	orl	$1 << 5, %eax			# PAE
	movl	%eax, %cr4
	movl	$0xc0000080, %ecx		# EFER
	rdmsr
	orl	$1 << 8, %eax			# LME
	wrmsr
	movl	%cr0, %eax
	orl	$1 << 31 | 1 << 16, %eax	# PG, WP
	movl	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $long_mode

	.code64
long_mode:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movq	$stack_top, %rsp
	pushq	$0				# where kernel_main would return to
	movq	$kernel_main, %rax
	jmp	*%rax

	.balign	8
gdt:	.quad	0, 0x00af9a000000ffff		# code of 64 bits
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt

	.section .note.GNU-stack, "", @progbits
