	.option norelax
	.text
	.globl exported, hid, lib
	.hidden hid
exported:
	call other
	call hid
	tail other
1:	auipc a1, %got_pcrel_hi(other)
	ld a1, %pcrel_lo(1b)(a1)
2:	auipc a1, %got_pcrel_hi(hid)
	ld a1, %pcrel_lo(2b)(a1)
3:	auipc a1, %pcrel_hi(hid)
	addi a1, a1, %pcrel_lo(3b)
	la.tls.ie a0, tv
	la.tls.gd a0, tv
	la.tls.gd a0, hidtv
hid:	ret
	.data
	.dword hid
	.dword hid+5
	.dword exported
	.dword other+8
	.word hid - .
	.section .tdata,"awT",@progbits
	.globl tv, hidtv
	.hidden hidtv
	.dword 1
tv:	.dword 2
hidtv:	.dword 2
