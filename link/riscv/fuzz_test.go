package riscv_test

import (
	"testing"

	"elfwright/internal/linktest"
	"elfwright/link/model"
	"elfwright/link/riscv"
	"elfwright/machine/riscv64"
)

func FuzzRelocate(f *testing.F) {
	code := []byte("\x97\x00\x00\x00\xe7\x80\x00\x00\x17\x05\x00\x00\x13\x05\x05\x00\x13\x00\x00\x00\x01\x00\x82\x80\x85\x00\x00\x00")
	f.Add(code, []byte{19, 2, 0, 0, 0, 0, 0, 0, 51, 0, 0, 0, 0, 0, 0, 0, 43, 0, 16, 0, 6, 0, 0, 0}, byte(0))
	f.Add(code, []byte{23, 3, 0, 0, 0, 0, 0, 0, 51, 0, 0, 0, 0, 0, 0, 0, 24, 1, 12, 0, 0, 0, 0, 0, 51, 0, 12, 0, 0, 0, 0, 0}, byte(3))
	f.Add(code, []byte{62, 4, 0, 0, 0, 0, 0, 0, 64, 1, 8, 0, 0, 0, 0, 0, 65, 1, 12, 0, 0, 0, 0, 0, 60, 1, 24, 0, 9, 0, 0, 0, 61, 1, 24, 0, 0, 0, 0, 0}, byte(0))
	f.Fuzz(func(t *testing.T, code, relocs []byte, how byte) {
		m := riscv64.Machine
		if how&1 != 0 {
			m = riscv64.RV32
		}
		opt := model.Options{NoRelax: how&2 != 0, PIE: how&4 != 0, Shared: how&8 != 0}
		linktest.Hostile(t, func() model.Target { return riscv.New(m) }, opt, code, relocs)
	})
}
