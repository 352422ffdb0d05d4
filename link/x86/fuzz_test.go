package x86_test

import (
	"testing"

	"elfwright/internal/linktest"
	"elfwright/link/model"
	"elfwright/link/x86"
	"elfwright/machine/amd64"
	"elfwright/machine/i386"
)

func FuzzRelocate(f *testing.F) {
	code := []byte("\x48\x8b\x05\x00\x00\x00\x00\x66\x48\x8d\x3d\x00\x00\x00\x00\x66\x66\x48\xe8\x00\x00\x00\x00\x48\x8b\x05\x00\x00\x00\x00")
	minus4 := byte(0xfc)
	f.Add(code, []byte{42, 3, 3, 0, minus4, 0xff, 0, 0, 19, 4, 11, 0, minus4, 0xff, 0, 0, 4, 8, 19, 0, minus4, 0xff, 0, 0, 22, 4, 26, 0, minus4, 0xff, 0, 0}, byte(0))
	code32 := []byte("\x8d\x04\x1d\x00\x00\x00\x00\xe8\x00\x00\x00\x00\x8b\x83\x00\x00\x00\x00\xff\x10\xff\x10")
	f.Add(code32, []byte{18, 4, 3, 0, 0, 0, 0, 0, 4, 8, 8, 0, minus4, 0xff, 0, 0, 43, 3, 14, 0, 0, 0, 0, 0}, byte(1))
	f.Fuzz(func(t *testing.T, code, relocs []byte, how byte) {
		m := amd64.Machine
		if how&1 != 0 {
			m = i386.Machine
		}
		opt := model.Options{NoRelax: how&2 != 0, PIE: how&4 != 0, Shared: how&8 != 0}
		linktest.Hostile(t, func() model.Target { return x86.New(m) }, opt, code, relocs)
	})
}
