# what code and data ask for
	.option norelax
	.text
	.globl _start
_start:
	call func
	tail func
	call weak
	jal local
	beqz a0, local
	c.beqz a0, near
	c.j near
near:	lui a0, %hi(abs)
	addi a0, a0, %lo(abs)
	sw a0, %lo(abs+4)(a0)
local:
1:	auipc a1, %pcrel_hi(var)
	addi a1, a1, %pcrel_lo(1b)
2:	auipc a1, %pcrel_hi(var+0x12345)
	sw a2, %pcrel_lo(2b)(a1)
	la.tls.ie a0, tv
	la.tls.gd a0, tv
	lui a5, %tprel_hi(tv2+0x1800)
	add a5, a5, tp, %tprel_add(tv2+0x1800)
	addi a5, a5, %tprel_lo(tv2+0x1800)
	sw a5, %tprel_lo(tv2+0x1800)(a5)
3:	auipc a1, %got_pcrel_hi(func)
	addi a1, a1, %pcrel_lo(3b)
	ret
	.weak weak
	.section .rodata
	.byte 0x40
	.byte local - _start
	.half local - _start
	.word local - _start
	.dword local - _start
	.word func - .
	.section .debug_x
	.word func
	.dword func
	.uleb128 5
	.word near - _start
	.section .tdata,"awT",@progbits
	.globl tv, tv2
	.dword 1
tv:	.dword 2
tv2:	.skip 0x1900
	.data
	.set abs, 0x12345678
	.globl abs
	.hidden var, func
	.globl var, func
	.skip 24
var:	.word 1
	.text
func:	ret
