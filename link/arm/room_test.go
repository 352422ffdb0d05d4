package arm

import (
	"debug/elf"
	"math/rand/v2"
	"testing"

	"elfwright/link/model"
)

// TestRoom moves branches and their targets: as long as neither moves by more than
// half the room, the branch reaches.
func TestRoom(t *testing.T) {
	const flags = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	sec := &model.Section{Obj: &model.Object{}, Out: &model.Output{}, Live: true, Type: elf.SHT_PROGBITS, Flags: flags, Size: 4}
	sym := &model.Symbol{State: model.Defined, Type: elf.STT_FUNC, Sec: sec}
	rnd := rand.New(rand.NewPCG(1, 2))
	known := 0
	for range 200_000 {
		var a target
		a.arch.cpu = []uint64{v4T, v7}[rnd.IntN(2)]
		b := branch{typ: []uint32{rCall, rThmCall, rThmJump24, rThmJump19}[rnd.IntN(4)], sym: sym, toThumb: rnd.IntN(2) == 0}
		b.fromThumb = isThumb(b.typ)
		b.from = 0x0800_0000 + 2*rnd.Uint64N(1<<12)
		b.to = b.from + uint64(2*(rnd.Int64N(1<<25)-1<<24))
		if rnd.IntN(4) != 0 { // near the end of some range
			end := int64(1) << []int{20, 22, 24, 25}[rnd.IntN(4)]
			b.to = b.from + uint64([]int64{-end, end}[rnd.IntN(2)]+2*(rnd.Int64N(64)-32))
		}
		room := a.room(&b)
		if room != 0 && !a.reaches(&b, b.to, b.toThumb) {
			t.Fatalf("%+v: room %#x, and it does not reach", b, room)
		}
		if room < 2 {
			continue
		}
		known++
		d := int64(room/2 - 1)
		for _, x := range [][2]int64{{d, -d}, {-d, d}, {d, d}} {
			moved := b
			moved.from += uint64(x[0])
			if to := b.to + uint64(x[1]); !a.reaches(&moved, to, b.toThumb) {
				t.Fatalf("%+v: room %#x, moved by %#x and %#x", b, room, x[0], x[1])
			}
		}
	}
	if known < 10_000 {
		t.Errorf("room for only %d branches", known)
	}
}
