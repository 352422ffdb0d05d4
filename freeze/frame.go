package freeze

import (
	"encoding/binary"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
)

// Linux, arch/x86/include/uapi/asm/sigcontext.h: what the kernel leaves and looks
// for in the extended state of a signal frame.
const (
	xstateSoft   = 464 // struct _fpx_sw_bytes
	fpMagic1     = 0x46505853
	fpMagic2     = 0x46505845
	frameFlags   = 7 // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
	frameMaskEnd = 128
)

// The registers of struct sigcontext, in its order.
var frameRegs = []string{
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "eflags",
}

// frame writes the frame of a signal that a thread would return from, and returns
// the stack pointer for that: rt_sigreturn brings back all registers, the signal
// mask and the alternate stack at once.
func (c *compiler) frame(t *capture.Thread) uint64 {
	o := binary.LittleEndian
	regs := leaveRseq(t)
	fp := c.Data(extendedState(t.Xstate), 64)
	b := make([]byte, 8, 512) // pretcode: where the handler would return to
	b = o.AppendUint64(b, frameFlags)
	b = o.AppendUint64(b, 0) // uc_link
	b = append(b, t.AltStack...)
	for _, name := range frameRegs {
		b = o.AppendUint64(b, regs.Get(name))
	}
	for _, v := range []uint64{regs.Get("cs"), 0, 0, regs.Get("ss")} { // cs, gs, fs, ss
		b = o.AppendUint16(b, uint16(v))
	}
	b = append(b, make([]byte, 4*8)...) // err, trapno, oldmask, cr2
	b = o.AppendUint64(b, fp)
	b = append(b, make([]byte, 8*8)...)
	b = o.AppendUint64(b, t.Mask)
	b = append(b, make([]byte, frameMaskEnd)...) // siginfo
	at := c.Data(b, 16)
	if c.frames == nil {
		c.frames = make(map[int]frame)
	}
	c.frames[t.TID] = frame{at, note.Range{Start: fp, Size: uint64(len(t.Xstate))}}
	return at + 8
}

// frame is where the signal frame of a thread is, and the extended state in it.
type frame struct {
	at    uint64
	state note.Range
}

// extendedState makes of what ptrace gives what a signal frame has.
func extendedState(x []byte) []byte {
	o := binary.LittleEndian
	out := append([]byte(nil), x...)
	o.PutUint32(out[xstateSoft:], fpMagic1)
	o.PutUint32(out[xstateSoft+4:], uint32(len(x)+4))
	o.PutUint64(out[xstateSoft+8:], o.Uint64(x[xstateSoft:])) // the features that there are
	o.PutUint32(out[xstateSoft+16:], uint32(len(x)))
	for i := xstateSoft + 20; i < 512; i++ {
		out[i] = 0
	}
	return o.AppendUint32(out, fpMagic2)
}

// leaveRseq sends a thread that was within a restartable sequence to where it is
// aborted, as the kernel does when it goes on elsewhere (rseq(2)). Where that
// cannot be known from here, the registers stay as they are.
func leaveRseq(t *capture.Thread) capture.Registers {
	if t.RseqAbort == 0 {
		return t.Regs
	}
	r := append(capture.Registers(nil), t.Regs...)
	r.Set("rip", t.RseqAbort)
	return r
}
