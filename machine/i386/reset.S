# The code by which a program is started again; package reset has the story.
#
# The first instruction is filled in: ebp becomes the address of "here". Where
# that changes with the load address, it becomes a call of "here", the only use of
# the stack in any of these codes: four bytes below esp, which Linux gives.
#
# esp, edx (the psABI's function for atexit), eax and ebx (multiboot) are saved
# at the first entry, in a slot the first word of which is the head's at later ones.
#
#	ebp  the head, to which all addresses of the table are relative
#	ebx  the entry of the table     edx  the slot

	.set	HEAD, 32	# the code follows the head
	.set	FLAGS, 12	# u32 of the head
	.set	TABLE, 24	# u32 of the head: offset of the table
	.set	LINUX, 8	# in FLAGS: there are system calls

	.text
start:
	mov	$0, %ebp	# or: call here
here:
	nop			# or: pop %ebp
	sub	$(here-start+HEAD), %ebp
	mov	TABLE(%ebp), %ecx
	add	%ebp, %ecx
	mov	(%ecx), %esi
	add	%ebp, %esi
	cld
	mov	(%ebp), %edi
	cmp	%edi, (%esi)
	je	again
	mov	%esp, 4(%esi)
	mov	%edx, 8(%esi)
	mov	%eax, 12(%esi)
	mov	%ebx, 16(%esi)
	mov	%edi, (%esi)
	mov	8(%ecx), %ebx	# where the first start begins
	add	%ecx, %ebx
	jmp	slot
again:
	testl	$LINUX, FLAGS(%ebp)
	jz	restart
	mov	%gs, %eax
	shr	$3, %eax
	jz	restart
	# C libraries ask set_thread_area for a free entry of the GDT whenever they
	# start, and there are three: give back the one in gs. A struct user_desc with
	# no more than read_exec_only and seg_not_present says so (LDT_empty).
	mov	%eax, 32(%esi)
	xor	%eax, %eax
	mov	%eax, 36(%esi)
	mov	%eax, 40(%esi)
	movl	$0x28, 44(%esi)
	mov	%eax, %gs
	lea	32(%esi), %ebx
	mov	$243, %eax
	int	$0x80
restart:
	mov	4(%ecx), %ebx
	add	%ecx, %ebx
slot:
	mov	%esi, %edx
entry:
	mov	4(%ebx), %eax	# size
	test	%eax, %eax
	jz	done
	mov	(%ebx), %edi
	add	%ebp, %edi
	mov	8(%ebx), %esi
	add	%ebp, %esi
	mov	12(%ebx), %ecx
	sub	%ecx, %eax
	rep	movsb
	mov	%eax, %ecx
	xor	%eax, %eax
	rep	stosb
	add	$16, %ebx
	jmp	entry
done:
	mov	(%ebx), %ecx
	add	%ebp, %ecx
	mov	4(%edx), %esp
	mov	12(%edx), %eax
	mov	16(%edx), %ebx
	mov	8(%edx), %edx
	jmp	*%ecx
	.balign	16
