package freeze

import (
	"elfwright/freeze/capture"
	"elfwright/freeze/note"
)

// frame is where the signal frame of a thread is, and the extended state in it.
type frame struct {
	at    uint64
	state note.Range
}

// leaveRseq sends a thread that was within a restartable sequence to where it is
// aborted, as the kernel does when it goes on elsewhere (rseq(2)). Where that
// cannot be known from here, the registers stay as they are.
func leaveRseq(t *capture.Thread) capture.Registers {
	if t.RseqAbort == 0 {
		return t.Regs
	}
	r := append(capture.Registers(nil), t.Regs...)
	r.SetPC(t.RseqAbort)
	return r
}
