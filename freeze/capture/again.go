package capture

import (
	"encoding/binary"
	"slices"

	"elfwright/image"
)

// A call that goes on by restart_syscall has lost its number: the kernel puts that
// of restart_syscall in its place, when the process was frozen or stopped before.
// A new process cannot go on so. What the call was the code tells that made it: the
// instruction that loads the number is near before it.
const nearBefore = 64

// callAgain returns registers for a new process that make the call anew, and says
// whether the call could be found: where it cannot, it ends with EINTR.
func (t *Target) callAgain(r Registers) (Registers, bool) {
	a := r.abi()
	size := uint64(len(a.insn))
	if r.Get(a.number) != a.restart {
		return r, true
	}
	from := r.PC() - min(nearBefore, r.PC())
	code, err := t.Memory(image.Range{Start: image.Addr(from), Size: r.PC() - from + size})
	if err != nil || !slices.Equal(code[len(code)-len(a.insn):], a.insn) {
		return r, true // it is not before a call, and the value is its own
	}
	for at := len(code) - len(a.insn) - 4; at >= 0; at-- {
		if nr, ok := a.loads(code[at:]); ok && slices.Contains(a.blocks, nr) {
			again := Registers(slices.Clone(r))
			again.Set(a.number, nr)
			return again, true
		}
	}
	return r, false
}

// loadsX86 is mov $nr,%eax.
func loadsX86(code []byte) (nr uint64, ok bool) {
	if len(code) < 5 || code[0] != 0xb8 {
		return 0, false
	}
	return uint64(binary.LittleEndian.Uint32(code[1:])), true
}

// loadsArm is mov x8, #nr or mov w8, #nr.
func loadsArm(code []byte) (nr uint64, ok bool) {
	insn := binary.LittleEndian.Uint32(code)
	return uint64(insn >> 5 & 0xffff), insn&0x7fe0001f == 0x52800008
}
