package freeze

import (
	"encoding/binary"
	"fmt"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
)

// Linux, arch/arm64/include/uapi/asm/sigcontext.h: the records of a signal frame.
const (
	fpsimdMagic = 0x46508001
	sveMagic    = 0x53564501
	extraMagic  = 0x45585401

	fpsimdSize  = 16 + 512 // head, fpsr and fpcr; 32 registers
	sveHead     = 16
	recordsRoom = 4096 // __reserved of struct sigcontext
	extraSize   = 32
	lastRecord  = 16 // the one that ends the list: zeros
)

// frameArm writes a struct rt_sigframe (arch/arm64/kernel/signal.c).
func (c *compiler) frameArm(t *capture.Thread) uint64 {
	o := binary.LittleEndian
	regs := leaveRseq(t)
	b := make([]byte, 128, 8192) // siginfo
	b = o.AppendUint64(b, 0)     // uc_flags
	b = o.AppendUint64(b, 0)     // uc_link
	b = append(b, t.AltStack...)
	b = o.AppendUint64(b, t.Mask)
	b = append(b, make([]byte, 120+8)...) // a mask of 1024 signals; struct sigcontext is at a multiple of 16
	b = o.AppendUint64(b, 0)              // fault_address
	for i := range 31 {
		b = o.AppendUint64(b, regs.Get(fmt.Sprint("x", i)))
	}
	for _, name := range []string{"sp", "pc", "pstate"} {
		b = o.AppendUint64(b, regs.Get(name))
	}
	b = append(b, make([]byte, 8)...)
	at := c.Data(nil, 16)
	records := at + uint64(len(b))
	at = c.Data(append(b, armRecords(t, records)...), 16)
	c.frames[t.TID] = frame{at, note.Range{Start: records, Size: recordsRoom}}
	return at
}

// armRecords writes the records, which will be at an address: the registers of
// floating point, and those of SVE where the thread uses them. What does not fit
// comes behind the list, and a record says so.
func armRecords(t *capture.Thread, at uint64) []byte {
	o := binary.LittleEndian
	b := head(fpsimdMagic, fpsimdSize)
	b = append(b, t.Xstate[512:520]...) // fpsr, fpcr
	b = append(b, t.Xstate[:512]...)
	sve := sveRecord(t.Set(capture.NoteSVE))
	if len(b)+len(sve)+lastRecord > recordsRoom {
		b = append(b, head(extraMagic, extraSize)...)
		b = o.AppendUint64(b, at+fpsimdSize+extraSize+lastRecord)
		b = o.AppendUint32(b, uint32(len(sve)+lastRecord))
		b = append(b, make([]byte, 12+lastRecord)...)
	}
	b = append(append(b, sve...), make([]byte, lastRecord)...)
	return append(b, make([]byte, max(0, recordsRoom-len(b)))...)
}

// sveRecord makes a record of struct user_sve_header and what follows it: the
// vectors, predicates and FFR are in both one after the other. A thread that has
// made a call since it used them has none.
func sveRecord(set []byte) []byte {
	vl, active := vectorLength(set)
	if !active {
		return nil
	}
	n := (32*vl + 17*vl/8 + 15) &^ 15
	b := head(sveMagic, uint32(sveHead+n))
	b = binary.LittleEndian.AppendUint16(b, uint16(vl))
	b = append(b, make([]byte, 6)...)
	return append(b, set[sveHead:sveHead+n]...)
}

// vectorLength is the length of SVE's registers in bytes, 0 where there are none,
// and whether the set has them.
func vectorLength(set []byte) (vl int, active bool) {
	const vlField, flagsField, regsSVE = 8, 12, 1 // struct user_sve_header
	if len(set) < sveHead {
		return 0, false
	}
	vl = int(binary.LittleEndian.Uint16(set[vlField:]))
	return vl, set[flagsField]&regsSVE != 0 && len(set) >= sveHead+(32*vl+17*vl/8+15)&^15
}

func head(magic, size uint32) []byte {
	o := binary.LittleEndian
	return o.AppendUint32(o.AppendUint32(nil, magic), size)
}
