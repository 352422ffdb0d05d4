# what can be shortened, each kind
	.text
	.globl _start, near, far, first, last, tv
_start:	call near
	tail near
	.p2align 3
	lui a0, %hi(first)
	addi a0, a0, %lo(first)
	sw a0, %lo(first)(a0)
	lla a1, last
	lw a2, last
	sw a2, last, a3
	lui a5, %tprel_hi(tv)
	add a5, a5, tp, %tprel_add(tv)
	sw a5, %tprel_lo(tv)(a5)
	lui a4, %hi(far)
	addi a4, a4, %lo(far)
	.skip 3000
near:	ret
	.set far, 0x15008
	.data
first:	.word 1
last:	.word 2
	.section .tbss,"awT",@nobits
tv:	.word 0
