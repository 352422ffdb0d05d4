package saved

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"elfwright/freeze/note"
)

// Register is a register by its name, its bytes as they lie in memory.
type Register struct {
	Name  string
	Value []byte
}

// Components of extended state on x86-64 (Intel SDM, volume 1, section 13.1): how
// many each is known of, and where in the area it lies is the processor's choice.
const (
	stateAVX    = 2
	stateMask   = 5 // k0 … k7
	stateZMM    = 6 // upper halves of zmm0 … zmm15
	stateHigh   = 7 // zmm16 … zmm31
	statePKRU   = 9
	avxOffset   = 576 // where it is on every processor: it follows the header
	xmmOffset   = 160
	xmmSize     = 16
	ntXfeatures = 0x205 // NT_X86_XSAVE_LAYOUT, Linux 6.12
)

// components are where the parts of extended state lie.
func (p *Process) components() map[uint32]note.Component {
	out := make(map[uint32]note.Component)
	for _, c := range p.XSave {
		out[c.Bit] = c
	}
	if p.Core == nil {
		return out
	}
	out[stateAVX] = note.Component{Bit: stateAVX, Off: avxOffset, Size: 16 * xmmSize}
	// struct x86_xfeat_component: type, size, offset, flags, 4 bytes each.
	for b := p.Core.Threads[0].Set(ntXfeatures); len(b) >= 16; b = b[16:] {
		o := binary.LittleEndian
		out[o.Uint32(b)] = note.Component{Bit: o.Uint32(b), Size: o.Uint32(b[4:]), Off: o.Uint32(b[8:])}
	}
	return out
}

// Vectors are the registers of thread i that only extended state has, as wide as
// the process used them: ymm or zmm, the masks, and PKRU.
func (p *Process) Vectors(i int) (out []Register) {
	const header = 512
	state := p.states[i]
	if p.Machine.ELF != elf.EM_X86_64 || len(state) < header+8 {
		return nil
	}
	all := p.components()
	used := binary.LittleEndian.Uint64(state[header:]) // XSTATE_BV: others are as at the start
	piece := func(bit uint32, size int) []byte {
		c, ok := all[bit]
		end := uint64(c.Off) + uint64(c.Size)
		if !ok || used>>bit&1 == 0 || int(c.Size) < size || end > uint64(len(state)) {
			return nil
		}
		return state[c.Off:end]
	}
	ymm, zmm, high := piece(stateAVX, 256), piece(stateZMM, 512), piece(stateHigh, 1024)
	for n := range 16 {
		v := append([]byte(nil), state[xmmOffset+xmmSize*n:][:xmmSize]...)
		switch {
		case zmm != nil:
			upper := make([]byte, 16)
			if ymm != nil {
				copy(upper, ymm[16*n:])
			}
			out = append(out, Register{fmt.Sprint("zmm", n), append(append(v, upper...), zmm[32*n:32*n+32]...)})
		case ymm != nil:
			out = append(out, Register{fmt.Sprint("ymm", n), append(v, ymm[16*n:16*n+16]...)})
		}
	}
	for n := 0; high != nil && n < 16; n++ {
		out = append(out, Register{fmt.Sprint("zmm", 16+n), high[64*n : 64*n+64]})
	}
	mask := piece(stateMask, 64)
	for n := 0; mask != nil && n < 8; n++ {
		out = append(out, Register{fmt.Sprint("k", n), mask[8*n : 8*n+8]})
	}
	if pkru := piece(statePKRU, 4); pkru != nil {
		out = append(out, Register{"pkru", pkru[:4]})
	}
	return out
}
