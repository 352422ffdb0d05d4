#include "textflag.h"

// Linux: write(1, line, 6), and again from AT_ENTRY, which is given on the stack
// behind the arguments and the environment.
TEXT ·start(SB), NOSPLIT|NOFRAME, $0
	MOVQ	SP, BX
	MOVQ	·data(SB), AX
	ADDQ	$'0', AX
	MOVB	AX, ·line(SB)
	MOVQ	·zero(SB), AX
	ADDQ	$'0', AX
	MOVB	AX, ·line+2(SB)
	MOVQ	·runs(SB), AX
	ADDQ	$'0', AX
	MOVB	AX, ·line+4(SB)
	INCQ	·data(SB)
	INCQ	·zero(SB)
	INCQ	·runs(SB)
	MOVL	$1, AX
	MOVL	$1, DI
	LEAQ	·line(SB), SI
	MOVL	$6, DX
	SYSCALL
	CMPQ	·runs(SB), $5
	JGE	done
	ADDQ	$8, BX
args:
	ADDQ	$8, BX
	CMPQ	-8(BX), $0
	JNE	args
env:
	ADDQ	$8, BX
	CMPQ	-8(BX), $0
	JNE	env
aux:
	ADDQ	$16, BX
	CMPQ	-16(BX), $9
	JNE	aux
	MOVQ	-8(BX), AX
	JMP	AX
done:
	MOVL	$60, AX
	XORL	DI, DI
	SYSCALL
