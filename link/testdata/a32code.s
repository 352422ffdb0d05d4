@ relocations of Arm and Thumb code and data, against symbols of another file
	.syntax	unified
	.text
	.globl	_start
	.arm
	.type	_start, %function
_start:	bl	thumbf
	bl	armf
	blx	thumbf
	blx	armf
	blne	armf
	b	armf
	bl	label
	b	label
	bl	weak
	b	weak
	blne	weak
	movw	r0, #:lower16:data
	movt	r0, #:upper16:data
	movw	r0, #:lower16:thumbf
	movt	r0, #:upper16:thumbf
	movw	r0, #:lower16:thumbf - .
	movt	r0, #:upper16:thumbf - .
	add	r0, pc, #:pc_g0_nc:(data)
	add	r0, r0, #:pc_g1_nc:(data + 4)
	ldr	r0, [r0, #:pc_g2:(data + 8)]
	ldrh	r1, [r0, #:pc_g2:(data + 8)]
	.word	thumbf, armf, thumbf - ., data(GOTOFF), data(GOT), data(GOT_PREL)
	.word	weak, weak - ., data + 8, thumbf + 4
	.word	_GLOBAL_OFFSET_TABLE_ - .
	.word	data(TARGET1), data(TARGET2), thumbf(TARGET1)
	.thumb
	.thumb_func
	.type	th, %function
th:	bl	thumbf
	bl	armf
	blx	armf
	blx	thumbf
	b.w	thumbf
	bne.w	thumbf
	bl	label
	bl	tlabel
	b.w	tlabel
	bl	weak
	b.w	weak
	bl	number
	movw	r0, #:lower16:data
	movt	r0, #:upper16:data
	movw	r0, #:lower16:thumbf - .
	movt	r0, #:upper16:thumbf - .
	.reloc	., R_ARM_THM_JUMP11, short
	.inst.n	0xe7fe			@ b
	.reloc	., R_ARM_THM_JUMP8, short
	.inst.n	0xd0fe			@ beq
	nop
	.globl	short
short:	nop
	.weak	weak
	.data
	.word	thumbf, armf, weak
	.reloc	., R_ARM_PREL31, thumbf
	.word	0x80000000
	.short	small
	.byte	tiny, 0
