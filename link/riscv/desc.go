package riscv

import (
	"encoding/binary"
	"errors"

	"elfwright/link/model"
	"elfwright/machine"
)

// desc applies the four relocations of a TLS descriptor's sequence (psABI, "TLS
// Descriptors"). An executable knows the offset, or where the GOT has it:
//
//	auipc tX, %tlsdesc_hi      nop                      nop
//	l[wd] tY, …(tX)            nop                      nop
//	addi  a0, tX, …            lui a0, %tprel_hi        auipc a0, %got_hi
//	jalr  t0, tY               addi a0, a0, %tprel_lo   l[wd] a0, …(a0)
func (j *job) desc(r *model.Reloc, k kind) error {
	h := r
	if k != kDesc {
		var err error
		if h, err = j.t.high(j.s, r); err != nil {
			return err
		}
	}
	sym, b := j.s.Symbol(h), j.b[j.pos:]
	if !j.e.Opt.Shared {
		if k == kDesc || r.Type == rTLSDescLoad {
			binary.LittleEndian.PutUint32(b, 0x13) // nop
			return nil
		}
		return j.descKnown(r, h, sym)
	}
	if k == kDescCall {
		return nil
	}
	G, err := j.slot(kDesc, sym)
	if err != nil {
		return err
	}
	P := j.base + j.s.Moved(h.Off)
	return j.t.rows[r.Type].Apply(b, j.e.Order, &machine.Values{G: G, GOT: j.e.GOT, A: h.Addend, P: P})
}

// descKnown writes the two instructions that an executable needs.
func (j *job) descKnown(r, h *model.Reloc, sym *model.Symbol) error {
	const a0 = 10
	upper, lower := uint32(0x37|a0<<7), uint32(0x13|a0<<7|a0<<15) // lui; addi
	S, A := j.e.Value(j.s, h)
	x := j.e.TPOff(S + uint64(A))
	if sym.Preempt {
		G, err := j.slot(kIE, sym)
		if err != nil {
			return err
		}
		at, err := j.descAdd(h)
		if err != nil {
			return err
		}
		x = int64(j.e.GOT + G + uint64(h.Addend) - at)
		upper, lower = 0x17|a0<<7, 0x3003|a0<<7|a0<<15 // auipc; ld
		if !j.t.wide {
			lower &^= 0x1000 // lw
		}
	}
	b := j.b[j.pos:]
	if r.Type == rTLSDescAdd {
		binary.LittleEndian.PutUint32(b, upper)
		return j.t.rows[rHi20].Put(b, j.e.Order, x)
	}
	binary.LittleEndian.PutUint32(b, lower)
	return j.t.rows[rLo12I].Put(b, j.e.Order, x)
}

// descAdd is where the addi of a sequence is, which becomes the auipc.
func (j *job) descAdd(h *model.Reloc) (uint64, error) {
	for i := range j.s.Relocs {
		r := &j.s.Relocs[i]
		if r.Type != rTLSDescAdd {
			continue
		}
		if label := j.s.Symbol(r); label != nil && label.Sec == j.s && label.Value == h.Off {
			return j.base + j.s.Moved(r.Off), nil
		}
	}
	return 0, errors.New("the sequence has no addition")
}
